import type { World } from "../sandbox/world";
import { emptyProgram } from "./empty-program";
import type { Row } from "./main";
import { ratio, seconds } from "./timing";

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
      aim: "<= 1.5",
    },
    { measure: `SSH connections of ${runs} no-op ups`, value: String(connections), aim: "0" },
  ];
}
