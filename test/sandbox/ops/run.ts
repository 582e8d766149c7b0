import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../sandbox/folder";
import { type Output, type RunOptions, run } from "../../../sandbox/host/run";
import type { World } from "../world";

/** Runs `npm run ops -- …` on the sandbox's stack, with trust in its certificate authority. */
export async function ops(world: World, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  const { sandbox } = world;
  const root = join(sandbox.folder, "root-ca.pem");
  writeFileSync(root, await sandbox.acme.issuingRoot());
  return run(process.execPath, ["--import", "tsx", "ops/main.ts", "--cwd", sandbox.folder, ...args], {
    ...options,
    cwd: projectRoot,
    env: { ...sandbox.env, NODE_EXTRA_CA_CERTS: root, ...options.env },
  });
}
