import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../sandbox/folder";
import { type Output, type RunOptions, run } from "../../../sandbox/host/run";
import type { World } from "../world";

interface OpsOptions extends RunOptions {
  /** @default the sandbox's */
  readonly stack?: string;
}

/** The command line and environment of `npm run ops -- …` on the sandbox's stack, with trust in its certificate authority. */
export async function opsCommand({ sandbox }: World, args: readonly string[], stack = sandbox.stack) {
  const root = join(sandbox.folder, "root-ca.pem");
  writeFileSync(root, await sandbox.acme.issuingRoot());
  const place = ["--cwd", sandbox.folder, "--stack", stack];
  return {
    program: process.execPath,
    args: ["--import", "tsx", "ops/main.ts", ...place, ...args],
    cwd: projectRoot,
    env: { ...sandbox.env, NODE_EXTRA_CA_CERTS: root },
  };
}

/** Runs it to its end. */
export async function ops(world: World, words: readonly string[], options: OpsOptions = {}): Promise<Output> {
  const { program, args, cwd, env } = await opsCommand(world, words, options.stack);
  return run(program, args, { ...options, cwd, env: { ...env, ...options.env } });
}
