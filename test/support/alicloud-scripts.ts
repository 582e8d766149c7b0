// Runs the hooks that Pulumi runs on the operator's machine, as Pulumi runs them, against an emulator.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
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
export async function runHook(
  emulator: Emulator,
  name: string,
  input: unknown,
  env: Environment = {},
): Promise<ScriptRun> {
  const child = start(emulator, ["bin/cloudcode-hook.cjs", name], env);
  child.stdin.end(JSON.stringify(input));
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout: stdout.trim(), stderr: stderr.trim() };
}

/** A file of this project in a process of its own that answers each line of its input with one. */
export interface Answering {
  readonly ask: (question: object) => Promise<string>;
  readonly stop: () => void;
}

/** Starts such a file. @param emulator the first that it will ask */
export function answering(emulator: Emulator, file: string): Answering {
  const child = start(emulator, ["-e", `require("./bin/load.cjs")("${file}")`], {});
  const said = text(child.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (question) => {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const answer = await lines.next();
      if (answer.done === true) throw new Error(await said);
      return answer.value;
    },
    stop: () => child.stdin.end(),
  };
}

function start(emulator: Emulator, words: readonly string[], env: Environment) {
  return spawn(process.execPath, words, {
    cwd: projectRoot,
    env: { PATH: process.env["PATH"], CLOUDCODE_BUNDLES: bundles, ...emulatorEnvironment(emulator), ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
}
