import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../cli/run";
import type { World } from "../sandbox/world";
import type { Row } from "./main";
import { median, ratio, seconds } from "./timing";

const runs = 5;
const memories = ["1536", "1600"] as const;
const stack = "/opt/cloudcode/stacks/opencode";

/** A changed App, against the same release sent by hand with tar and ssh. */
export async function changes(world: World): Promise<Row[]> {
  const composeFiles: string[] = [];
  for (const memory of memories) {
    await apply(world, memory);
    composeFiles.push(await world.onHost(`cat ${stack}/releases/current/compose.yaml`));
  }
  const ours: number[] = [];
  let connections = 0;
  for (let turn = 0; turn < runs; turn++) {
    connections += await world.sshConnections(async () =>
      ours.push(await seconds(() => apply(world, memories[turn % 2] ?? ""))),
    );
  }
  const idle: number[] = [];
  for (let turn = 0; turn < runs; turn++) idle.push(await seconds(() => world.up()));
  const byHand: number[] = [];
  for (let turn = 0; turn < runs; turn++) {
    byHand.push(await seconds(() => sendByHand(world, composeFiles[(turn + 1) % 2] ?? "")));
  }
  const route = await world.sshConnections(async () => {
    world.sandbox.configure({ opencodeSubdomain: "dev" });
    await world.up();
  });
  world.sandbox.configure({ opencodeSubdomain: undefined });
  await world.up();
  return [
    {
      measure: "change of one App / the same by tar, ssh and compose up --wait",
      value: ratio(ours, byHand),
      aim: "<= 1.3",
    },
    {
      measure: "(change of one App - no-op up) / the same by hand: what the release itself costs",
      value: ratio(
        ours.map((time) => time - median(idle)),
        byHand,
      ),
      aim: "<= 1.3",
    },
    { measure: `SSH connections of ${runs} changes of one App`, value: String(connections), aim: String(runs) },
    { measure: "SSH connections of a changed Route (Authelia and Caddy)", value: String(route), aim: "2" },
  ];
}

async function apply(world: World, memory: string): Promise<void> {
  world.sandbox.configure({ opencodeMemoryMiB: memory });
  await world.up();
}

/** The files are on the host already, as they are when compose mounts them from a checkout; only what changed travels. */
async function sendByHand(world: World, composeFile: string): Promise<void> {
  const { folder, loginKey, hostKey, host } = world.sandbox;
  const files = join(folder, "by-hand");
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, "compose.yaml"), composeFile);
  writeFileSync(join(folder, "by-hand-key"), loginKey.privateKey, { mode: 0o600 });
  writeFileSync(join(folder, "by-hand-hosts"), `${host.address} ${hostKey.publicKey}\n`);
  const ssh = `ssh -i ${join(folder, "by-hand-key")} -o UserKnownHostsFile=${join(folder, "by-hand-hosts")} root@${host.address}`;
  const compose = `docker compose -p cloudcode-opencode --project-directory ${stack} -f ${stack}/by-hand/compose.yaml up -d --wait`;
  await run("sh", ["-c", `tar -C ${folder} -c by-hand | ${ssh} 'tar -x -C ${stack} && ${compose}'`]);
}
