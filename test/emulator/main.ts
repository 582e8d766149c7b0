// The stand-in for the Alibaba Cloud APIs (see emulator.ts) as a process of its own, so that it outlives the sandbox command.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { emulatorEnvironment, emulatorKey, startEmulator } from "./emulator";
import { latencyProfiles } from "./latency";
import type { Machines } from "./machine";
import { policySchema } from "./policy";

const usage = `node --import tsx test/emulator/main.ts [--state FILE] [--port N] [--machines fake|docker:NAME]
  [--latency fast|realistic] [--key ID:SECRET] [--policy FILE] [--domain NAME]...`;

const machinesModule = z.object({
  dockerMachines: z.custom<(options: { name: string }) => Machines>((value) => typeof value === "function"),
});

/** Real machines of the sandbox, undefined for fake ones; imported by path, as the emulator works without the sandbox. */
async function loadMachines(which: string): Promise<Machines | undefined> {
  if (which === "fake") return undefined;
  const [, name] = /^docker:([a-z0-9-]+)$/.exec(which) ?? [];
  if (name === undefined) throw new Error(`--machines is fake or docker:NAME, not ${which}`);
  const path = join(__dirname, "../../sandbox/cloud/machines.ts");
  return machinesModule.parse(await import(path)).dockerMachines({ name });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      state: { type: "string" },
      port: { type: "string", default: "0" },
      machines: { type: "string", default: "fake" },
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
  const machines = await loadMachines(values.machines);
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
  // One line that says how to use it, for whoever started this process.
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
