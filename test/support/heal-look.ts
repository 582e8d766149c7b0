// What heal sees of an emulated account, a line for each line of standard input: run as a process of its own, since Node reads trusted
// certificates at its start.
import { createInterface } from "node:readline";
import { cloudApi } from "../../components/alicloud/api/api";
import { machineStates, successors, zoneOfDisk } from "../../components/alicloud/heal";
import type { Placement } from "../../components/alicloud/hooks/placement";
import { parseSettings } from "../../components/settings/read";
import { toSettings } from "../../components/settings/settings";

/** What is asked. */
export interface HealLook {
  /** Of the emulator. */
  readonly environment: Readonly<Record<string, string>>;
  readonly machines: readonly string[];
  readonly disk: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly placement: Placement;
}

async function look({ environment, machines, disk, settings, placement }: HealLook): Promise<object> {
  Object.assign(process.env, environment);
  const api = cloudApi(placement.region);
  const parsed = parseSettings({ sshCidrs: '["192.0.2.1/32"]', ...settings }, "cloudcode", () => true);
  if (!parsed.ok) throw new Error(parsed.message);
  const { target } = toSettings(parsed.values);
  if (target.kind !== "alicloud") throw new Error("these are not settings of Alibaba Cloud");
  const now = new Date("2026-11-29T12:00:00Z");
  return {
    states: Object.fromEntries(await machineStates(api, machines)),
    zone: await zoneOfDisk(api, disk),
    ...(await successors(api, target, placement, disk, now)),
  };
}

async function main(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin }))
    console.log(JSON.stringify(await look(JSON.parse(line) as HealLook)));
}

void main();
