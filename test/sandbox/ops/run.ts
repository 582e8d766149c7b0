import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../sandbox/folder";
import { CommandError, type Output, type RunOptions, run } from "../../../cli/run";
import type { Check } from "../../../ops/status/check";
import type { Sandbox } from "../../../sandbox/sandbox";
import type { World } from "../world";

interface OpsOptions extends RunOptions {
  /** @default the sandbox's */
  readonly stack?: string;
}

/** The command line and environment of `npm run ops -- …` on the sandbox's stack, with trust in its certificate authority. */
export async function opsCommand({ sandbox }: World<Sandbox>, args: readonly string[], stack = sandbox.stack) {
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
export async function ops(world: World<Sandbox>, words: readonly string[], options: OpsOptions = {}): Promise<Output> {
  const { program, args, cwd, env } = await opsCommand(world, words, options.stack);
  return run(program, args, { ...options, cwd, env: { ...env, ...options.env } });
}

/** The checks of `ops status`, whatever they found. */
export async function opsStatus(world: World<Sandbox>, options: OpsOptions = {}): Promise<Check[]> {
  const { stdout } = await ops(world, ["status", "--json"], options).catch(outputOf);
  return JSON.parse(stdout) as Check[];
}

export const reds = (checks: readonly Check[]) => checks.filter(({ state }) => state === "red").map(({ name }) => name);

/** What a command printed that is expected to fail. */
export function outputOf(error: unknown): Output {
  if (error instanceof CommandError) return error.output;
  throw error;
}

/** What a run says that gave way to another; the last two are of a lock that went while it was read. */
export const lockTold = /the stack is currently locked by \d+ lock\(s\)[^]*`pulumi cancel`|NotFound|NoSuchKey/;
