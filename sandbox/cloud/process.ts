import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { folderOf, projectRoot } from "../folder";
import { until } from "../../cli/run";
import type { Say } from "../../cli/run";

const schema = z.object({
  pid: z.number(),
  port: z.number(),
  /** What makes provider and program use the emulator. */
  environment: z.record(z.string(), z.string()),
});

/** The emulator of the cloud's APIs as a process that goes on after the sandbox command. */
export type EmulatorProcess = z.infer<typeof schema>;

const program = require.resolve("@cloudcode/alicloud-emulator/main");
/** The module that makes its instances machines of this computer's Docker, and the sandbox they belong to. */
const machinesOption = (name: string) => `${join(projectRoot, "sandbox/cloud/machines.ts")}:${name}`;
const folderOfEmulator = (name: string) => join(folderOf(name), "emulator");
const infoOf = (name: string) => join(folderOfEmulator(name), "process.json");

/** Where the emulator can be asked and told things past the cloud's APIs, see packages/alicloud-emulator/src/control.ts. */
export const controlUrlOf = ({ port }: Pick<EmulatorProcess, "port">) => `http://127.0.0.1:${port}/__control/`;

/** Starts the emulator with the sandbox's machines, or finds it running. Its account survives its end, in the sandbox's folder. */
export async function ensureEmulator(name: string, say: Say): Promise<EmulatorProcess> {
  const running = known(name);
  if (running !== undefined && isAlive(running.pid, name)) return running;
  say("Starting the emulator of the cloud's APIs");
  const folder = folderOfEmulator(name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [out, log] = ["greeting", "log"].map((file) => join(folder, file)) as [string, string];
  const files = [openSync(out, "w"), openSync(log, "a")];
  const options = ["--state", join(folder, "state"), "--machines", machinesOption(name)];
  const child = spawn(process.execPath, ["--import", "tsx", program, ...options], {
    cwd: projectRoot,
    detached: true,
    stdio: ["ignore", ...files],
  });
  for (const file of files) closeSync(file);
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  child.unref();
  const greeting = () => readFileSync(out, "utf8");
  await until(
    30,
    () => Promise.resolve(ended() || greeting().includes("\n") || undefined),
    () => Promise.resolve(`The emulator does not start, see ${log}.`),
  );
  const parsed = z.looseObject({}).safeParse(ended() ? undefined : JSON.parse(greeting()));
  if (!parsed.success) throw new Error(`The emulator ended at once: ${readFileSync(log, "utf8").slice(-1000)}`);
  const info = schema.parse({ ...parsed.data, pid: child.pid });
  writeFileSync(infoOf(name), JSON.stringify(info), { mode: 0o600 });
  return info;
}

/** Ends the emulator once what is under way is finished; no harm if none runs. */
export async function stopEmulator(name: string): Promise<void> {
  const info = known(name);
  if (info !== undefined && isAlive(info.pid, name)) {
    process.kill(info.pid, "SIGTERM");
    await until(
      90,
      () => Promise.resolve(!isAlive(info.pid, name) || undefined),
      () => Promise.resolve(`The emulator of ${name} (process ${info.pid}) does not end.`),
    );
  }
  rmSync(infoOf(name), { force: true });
}

function known(name: string): EmulatorProcess | undefined {
  const file = infoOf(name);
  return existsSync(file) ? schema.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}

/** Whether this process is still the sandbox's emulator: ids are used again. */
function isAlive(pid: number, name: string): boolean {
  const file = `/proc/${pid}/cmdline`;
  // A child of this very process that has ended has an empty command line.
  const words = existsSync(file) ? readFileSync(file, "utf8").split("\0") : [];
  return words.includes(program) && words.includes(machinesOption(name));
}
