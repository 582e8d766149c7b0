// Runs the hooks that Pulumi runs on the operator's machine, as Pulumi runs them, against an emulator.
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { type Emulator, emulatorEnvironment } from "@cloudcode/alicloud-emulator";
import { bundles } from "./bundles";
import { projectRoot } from "./project-root";

export interface ScriptRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Environment = Readonly<Record<string, string>>;

/** Runs a hook of bin/cloudcode-hook.cjs with this input; `env` comes on top of the emulator's. */
export function runHook(emulator: Emulator, name: string, input: unknown, env: Environment = {}): Promise<ScriptRun> {
  return run(emulator, ["bin/cloudcode-hook.cjs", name], input, env);
}

/** The same with a file of this project that is no hook. */
export function runFile(emulator: Emulator, file: string, input: unknown): Promise<ScriptRun> {
  return run(emulator, ["-e", `require("./bin/load.cjs")("${file}")`], input, {});
}

async function run(emulator: Emulator, words: readonly string[], input: unknown, env: Environment): Promise<ScriptRun> {
  const child = spawn(process.execPath, words, {
    cwd: projectRoot,
    // The cache of prices is there, too: it tells emulators apart by their ports.
    env: { PATH: process.env["PATH"], CLOUDCODE_BUNDLES: bundles, ...emulatorEnvironment(emulator), ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(JSON.stringify(input));
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout: stdout.trim(), stderr: stderr.trim() };
}
