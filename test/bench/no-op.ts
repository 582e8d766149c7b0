import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../sandbox/host/run";
import type { World } from "../sandbox/world";
import type { Row } from "./main";
import { ratio, seconds } from "./timing";

const runs = 5;

/** An `up` that finds nothing to do, against programs without resources; taken in turns, so that all see the same machine. */
export async function noOp(world: World): Promise<Row[]> {
  const empty = await program(world, "empty");
  const withSdk = await program(world, "empty-sdk");
  await world.up();

  const times = { ours: [] as number[], empty: [] as number[], withSdk: [] as number[] };
  let connections = 0;
  for (let turn = 0; turn < runs; turn++) {
    times.empty.push(await seconds(empty));
    times.withSdk.push(await seconds(withSdk));
    connections += await world.sshConnections(async () => times.ours.push(await seconds(() => world.up())));
  }
  return [
    { measure: "no-op up / no-op up of an empty program", value: ratio(times.ours, times.empty), aim: "<= 1.5" },
    {
      measure: "no-op up / no-op up of an empty program that imports @pulumi/pulumi",
      value: ratio(times.ours, times.withSdk),
      aim: "<= 1.5",
    },
    { measure: `SSH connections of ${runs} no-op ups`, value: String(connections), aim: "0" },
  ];
}

/** A no-op `up` of the program in a folder beside this file, on the sandbox's engine and backend. */
async function program(world: World, name: string): Promise<() => Promise<unknown>> {
  const { engine, env, folder } = world.sandbox;
  const cwd = join(__dirname, name);
  const stackFolder = join(folder, name);
  mkdirSync(stackFolder, { recursive: true });
  copyFileSync(join(cwd, "Pulumi.yaml"), join(stackFolder, "Pulumi.yaml"));
  await run(engine.pulumi, ["stack", "select", "--create", name, "--cwd", stackFolder], { env });
  const place = ["--cwd", cwd, "--stack", name, "--config-file", join(stackFolder, `Pulumi.${name}.yaml`)];
  const up = () => run(engine.pulumi, ["up", "--yes", "--skip-preview", "--non-interactive", ...place], { env });
  await up();
  return up;
}
