import { run } from "../../cli/run";
import { projectRoot } from "../../sandbox/folder";
import type { World } from "../sandbox/world";
import { emptyProgram } from "./empty-program";
import type { Row } from "./main";
import { median, ratio, seconds } from "./timing";

const runs = 5;

/** An `up` that finds nothing to do, against programs without resources; taken in turns, so that all see the same machine. */
export async function noOp(world: World): Promise<Row[]> {
  const empty = await emptyProgram(world.sandbox, "empty");
  const withSdk = await emptyProgram(world.sandbox, "empty-sdk");
  await world.up();

  const times = { ours: [] as number[], empty: [] as number[], withSdk: [] as number[] };
  let connections = 0;
  for (let turn = 0; turn < runs; turn++) {
    times.empty.push(await seconds(() => empty.up()));
    times.withSdk.push(await seconds(() => withSdk.up()));
    connections += await world.sshConnections(async () => times.ours.push(await seconds(() => world.up())));
  }
  return [
    { measure: "no-op up / no-op up of an empty program", value: ratio(times.ours, times.empty), aim: "<= 1.5" },
    {
      measure: "no-op up / no-op up of an empty program that imports @pulumi/pulumi",
      value: ratio(times.ours, times.withSdk),
      aim: "<= 1.2",
    },
    { measure: `SSH connections of ${runs} no-op ups`, value: String(connections), aim: "0" },
    { measure: "start of a command of ops", value: `${median(await starts()).toFixed(2)} s`, aim: "<= 1 s" },
  ];
}

/** Seconds until `npm run ops -- --help` has printed its commands. */
async function starts(): Promise<number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < runs; turn++)
    times.push(await seconds(() => run("npm", ["run", "--silent", "ops", "--", "--help"], { cwd: projectRoot })));
  return times;
}
