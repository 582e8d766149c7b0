// The emulator (see emulator.ts) as a process of its own.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { emulatorEnvironment, emulatorKey, startEmulator } from "./emulator";
import { latencyProfiles } from "./latency";
import type { Machines } from "./machine";
import { policySchema } from "./policy";

const usage = `alicloud-emulator [--state FILE] [--port N] [--machines FILE[:NAME]] [--latency fast|realistic]
  [--key ID:SECRET] [--policy FILE] [--domain NAME]...`;

const machinesModule = z.object({
  machinesOf: z.custom<(name: string) => Machines>((value) => typeof value === "function"),
});

/**
 * What the instances really are: `machinesOf` of a module.
 *
 * @param module FILE, or FILE:NAME, whose name the function gets
 * @throws Error when the file has no such function
 */
async function loadMachines(module: string): Promise<Machines> {
  const [file = "", name = ""] = module.split(":");
  const parsed = machinesModule.safeParse(await import(resolve(file)));
  if (!parsed.success) throw new Error(`--machines ${file}: it exports no function machinesOf(name).`);
  return parsed.data.machinesOf(name);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      state: { type: "string" },
      port: { type: "string", default: "0" },
      machines: { type: "string" },
      latency: { type: "string", default: "fast" },
      key: { type: "string", default: `${emulatorKey.id}:${emulatorKey.secret}` },
      policy: { type: "string" },
      domain: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const [id = "", secret = ""] = values.key.split(":");
  const machines = values.machines === undefined ? undefined : await loadMachines(values.machines);
  const stop = new AbortController();
  const emulator = await startEmulator({
    ...(values.state === undefined ? {} : { stateFile: values.state }),
    ...(values.policy === undefined
      ? {}
      : { policy: policySchema.parse(JSON.parse(readFileSync(values.policy, "utf8"))) }),
    ...(machines ? { machines } : {}),
    port: Number(values.port),
    latencies: latencyProfiles[z.enum(["fast", "realistic"]).parse(values.latency)],
    keys: { [id]: secret },
    domains: values.domain,
    onStop: () => {
      stop.abort();
    },
  });
  // One line that says how to use it, for the one who started this process.
  console.log(JSON.stringify({ port: emulator.port, environment: emulatorEnvironment(emulator, { id, secret }) }));
  process
    .on("SIGTERM", () => {
      stop.abort();
    })
    .on("SIGINT", () => {
      stop.abort();
    });
  await new Promise<void>((resolve) => {
    stop.signal.addEventListener("abort", () => {
      resolve();
    });
  });
  await emulator.close();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
