import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../sandbox/host/run";
import type { World } from "../sandbox/world";
import type { Row } from "./main";
import { ratio, seconds } from "./timing";

const runs = 5;

/** An `up` that finds nothing to do, against that of a program without resources; taken in turns, so that both see the same machine. */
export async function noOp(world: World): Promise<Row[]> {
  const { engine, env, folder } = world.sandbox;
  const cwd = join(__dirname, "empty");
  const stackFile = join(folder, "empty", "Pulumi.empty.yaml");
  mkdirSync(join(folder, "empty"), { recursive: true });
  copyFileSync(join(cwd, "Pulumi.yaml"), join(folder, "empty", "Pulumi.yaml"));
  await run(engine.pulumi, ["stack", "select", "--create", "empty", "--cwd", join(folder, "empty")], { env });
  const empty = () =>
    run(
      engine.pulumi,
      [
        "up",
        "--yes",
        "--skip-preview",
        "--non-interactive",
        "--cwd",
        cwd,
        "--stack",
        "empty",
        "--config-file",
        stackFile,
      ],
      { env },
    );
  await empty();
  await world.up();

  const ours: number[] = [];
  const theirs: number[] = [];
  let connections = 0;
  for (let turn = 0; turn < runs; turn++) {
    theirs.push(await seconds(empty));
    connections += await world.sshConnections(async () => ours.push(await seconds(() => world.up())));
  }
  return [
    { measure: "no-op up / no-op up of an empty program", value: ratio(ours, theirs), aim: "<= 1.5" },
    { measure: `SSH connections of ${runs} no-op ups`, value: String(connections), aim: "0" },
  ];
}
