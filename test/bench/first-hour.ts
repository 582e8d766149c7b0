import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../cli/run";
import type { Row } from "./main";

const projectRoot = join(__dirname, "../..");
const timeoutMs = 2 * 60 * 60_000;
const sandboxName = "bench-first";

/** `npm test` as a newcomer runs it. */
export async function npmTest(): Promise<Row[]> {
  return [{ measure: "npm test", value: await timeOf("npm test"), aim: "<= 180 s on 2 idle cores" }];
}

/**
 * `npm run sandbox` until it prints URL and login: with an empty cache of this project (what npm, Go and Docker keep stays), and once
 * more with what the first one left there.
 */
export async function firstSandbox(): Promise<Row[]> {
  const cache = mkdtempSync(join(tmpdir(), "bench-cache-"));
  const env = { CLOUDCODE_CACHE: cache };
  const rows: Row[] = [];
  try {
    for (const [state, aim] of [
      ["cold", "none"],
      ["warm", "<= 360 s"],
    ] as const) {
      try {
        const value = await timeOf(`npm run sandbox -- --name ${sandboxName}`, env);
        rows.push({ measure: `npm run sandbox, ${state}`, value, aim });
      } finally {
        await run("npm", ["run", "sandbox", "--", "destroy", "--name", sandboxName], { cwd: projectRoot, env });
      }
    }
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
  return rows;
}

/**
 * Seconds of a command, with those of a processor: of these alone two runs on a busy machine can be compared.
 *
 * @throws CommandError where the command fails
 */
async function timeOf(command: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  // Bash's own `time` counts the command's children, which Node cannot; the command's words are kept for an error.
  const script = `exec 3>&2; TIMEFORMAT='%R %U %S'; time ${command} >/dev/null 2>&3`;
  const { stderr } = await run("bash", ["-c", script], { cwd: projectRoot, env, timeoutMs });
  const [seconds = NaN, user = NaN, system = NaN] = (stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  const cores = availableParallelism();
  return `${seconds.toFixed(0)} s on ${cores} cores, ${(user + system).toFixed(0)} s of processor time`;
}
