// Runs the scripts that Pulumi runs on the operator's machine, as Pulumi runs them, against an emulator.
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { type Emulator, emulatorEnvironment } from "@cloudcode/alicloud-emulator";
import { projectRoot } from "./project-root";

export interface ScriptRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs components/alicloud/`script`.ts with this input; `env` comes on top of the emulator's. */
export async function runScript(
  emulator: Emulator,
  script: string,
  input: unknown,
  env: Readonly<Record<string, string>> = {},
): Promise<ScriptRun> {
  const child = spawn("node", ["--import", "tsx", `components/alicloud/${script}.ts`], {
    cwd: projectRoot,
    // Its cache of prices goes with the emulator.
    env: {
      PATH: process.env["PATH"],
      CLOUDCODE_BUNDLES: dirname(emulator.certificateFile),
      ...emulatorEnvironment(emulator),
      ...env,
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(JSON.stringify(input));
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout: stdout.trim(), stderr: stderr.trim() };
}
