// What heal sees of an emulated account: run as a process of its own, since Node reads trusted certificates at its start.
import { text } from "node:stream/consumers";
import { cloudApi } from "../../components/alicloud/api/api";
import { machineStates, successors, zoneOfDisk } from "../../components/alicloud/heal";
import type { Placement } from "../../components/alicloud/hooks/placement";
import { parseSettings } from "../../components/settings/read";
import { toSettings } from "../../components/settings/settings";

/** What is asked. */
export interface HealLook {
  readonly machines: readonly string[];
  readonly disk: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly placement: Placement;
}

async function main(): Promise<void> {
  const { machines, disk, settings, placement } = JSON.parse(await text(process.stdin)) as HealLook;
  const api = cloudApi(placement.region);
  const parsed = parseSettings({ sshCidrs: '["192.0.2.1/32"]', ...settings }, "cloudcode", () => true);
  if (!parsed.ok) throw new Error(parsed.message);
  const { target } = toSettings(parsed.values);
  if (target.kind !== "alicloud") throw new Error("these are not settings of Alibaba Cloud");
  const now = new Date("2026-11-29T12:00:00Z");
  console.log(
    JSON.stringify({
      states: Object.fromEntries(await machineStates(api, machines)),
      zone: await zoneOfDisk(api, disk),
      ...(await successors(api, target, placement, disk, now)),
    }),
  );
}

void main();
