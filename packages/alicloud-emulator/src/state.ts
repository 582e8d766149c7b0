import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import * as model from "./model";

const mapOf = <T extends z.ZodType>(value: T): z.ZodDefault<z.ZodMap<z.ZodString, T>> =>
  z.map(z.string(), value).default(() => new Map());

const schema = z.object({
  vpcs: mapOf(model.vpc),
  vswitches: mapOf(model.vswitch),
  ipv6Gateways: mapOf(model.ipv6Gateway),
  ipv6Addresses: mapOf(model.ipv6Address),
  securityGroups: mapOf(model.securityGroup),
  keyPairs: mapOf(model.keyPair),
  instances: mapOf(model.instance),
  disks: mapOf(model.disk),
  snapshots: mapOf(model.snapshot),
  policies: mapOf(model.policy),
  eips: mapOf(model.eip),
  records: mapOf(model.dnsRecord),
  buckets: mapOf(model.bucket),
  ramUsers: mapOf(model.ramUser),
  ramPolicies: mapOf(model.ramPolicy),
  /** By action and ClientToken. */
  tokens: mapOf(model.token),
});

/** Everything that exists in the account, by kind and id. */
export type State = z.infer<typeof schema>;

export const emptyState = (): State => schema.parse({});

/** Writes the state in one step, so that a killed emulator leaves the old or the new one. */
export function saveState(file: string, state: State): void {
  const text = JSON.stringify(
    Object.fromEntries(Object.entries(state).map(([kind, entries]) => [kind, Object.fromEntries(entries)])),
  );
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

const file = z.record(z.string(), z.record(z.string(), z.unknown()));

/** The state in `path`, an empty one if there is no such file; throws if it is not a state. */
export function loadState(path: string): State {
  if (!existsSync(path)) return emptyState();
  const kinds = Object.entries(file.parse(JSON.parse(readFileSync(path, "utf8"))));
  const state = schema.parse(
    Object.fromEntries(kinds.map(([kind, entries]) => [kind, new Map(Object.entries(entries))])),
  );
  settle(state);
  return state;
}

/** What was under way when the emulator died is taken as finished: its own end waits for that, a kill cannot. */
function settle(state: State): void {
  for (const entry of [...state.vpcs.values(), ...state.vswitches.values(), ...state.ipv6Gateways.values()])
    entry.status = "Available";
  for (const entry of state.instances.values()) {
    if (entry.status === "Pending" || entry.status === "Starting") entry.status = "Running";
    if (entry.status === "Stopping") entry.status = "Stopped";
    if (entry.status === "Releasing") {
      state.instances.delete(entry.id);
      for (const disk of state.disks.values())
        if (disk.instanceId === entry.id && disk.type === "system") state.disks.delete(disk.id);
    }
  }
  for (const entry of state.disks.values()) {
    if (entry.status === "Creating") entry.status = "Available";
    if (entry.status === "Detaching") Object.assign(entry, { status: "Available", instanceId: "", device: "" });
    if (entry.status === "Attaching") entry.status = "In_use";
  }
  for (const entry of state.snapshots.values()) if (entry.status === "progressing") entry.status = "accomplished";
  for (const entry of state.eips.values()) {
    if (entry.status === "Associating") entry.status = "InUse";
    if (entry.status === "Unassociating") Object.assign(entry, { status: "Available", instanceId: "" });
  }
}
