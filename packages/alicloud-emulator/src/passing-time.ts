import type { Cloud } from "./cloud";
import { forceStop } from "./ecs/instance-changes";
import { take } from "./ecs/take-snapshot";
import type { SnapshotPolicy } from "./model";

const hour = 3_600_000;
const day = 24 * hour;
/** Snapshot policies are written in UTC+8: https://api.alibabacloud.com/document/Ecs/2014-05-26/CreateAutoSnapshotPolicy */
const policyZone = 8 * hour;

/**
 * Turns the account's clock forward, hour by hour, and lets happen what time brings: snapshots of policies are taken and removed
 * after their days, subscriptions are renewed or end.
 */
export async function passTime(cloud: Cloud, milliseconds: number): Promise<void> {
  const end = cloud.clock.now() + milliseconds;
  for (let time = (Math.floor(cloud.clock.now() / hour) + 1) * hour; time <= end; time += hour) {
    cloud.clock.turnTo(time);
    takeDueSnapshots(cloud, time);
    await removeOldSnapshots(cloud, time);
    endSubscriptions(cloud, time);
    await cloud.settled();
  }
  cloud.clock.turnTo(end);
  await cloud.settled();
}

/** The policies whose time has come take a snapshot of each disk in use that has them. It bears none of the disk's tags. */
function takeDueSnapshots(cloud: Cloud, time: number): void {
  for (const disk of cloud.state.disks.values()) {
    const policy = cloud.state.policies.get(disk.policyId);
    if (policy && isDue(policy, time) && disk.enableAutoSnapshot && disk.status === "In_use")
      take(cloud, disk, { name: `auto2.0_${disk.id}`, retentionDays: policy.retentionDays, automatic: true });
  }
}

function isDue({ timePoints, repeatWeekdays }: SnapshotPolicy, time: number): boolean {
  const local = new Date(time + policyZone);
  const has = (list: string, number: number) => list.includes(`"${number}"`);
  // Monday is 1, Sunday 7.
  return has(timePoints, local.getUTCHours()) && has(repeatWeekdays, local.getUTCDay() || 7);
}

async function removeOldSnapshots(cloud: Cloud, time: number): Promise<void> {
  for (const snapshot of cloud.state.snapshots.values()) {
    const kept = snapshot.retentionDays * day;
    if (!snapshot.automatic || kept <= 0 || Date.parse(snapshot.createdAt) + kept > time) continue;
    if (snapshot.diskType === "data") await cloud.machines.removeSnapshot(snapshot.id);
    cloud.state.snapshots.delete(snapshot.id);
  }
}

/** A subscription that ends is renewed where that was asked for; otherwise its instance stops. */
function endSubscriptions(cloud: Cloud, time: number): void {
  for (const instance of cloud.state.instances.values()) {
    if (instance.chargeType !== "PrePaid" || Date.parse(instance.expiresAt) > time) continue;
    const { on, period, unit } = instance.autoRenew;
    const days = { Week: 7, Month: 30, Year: 365 }[unit] ?? 30;
    if (on) instance.expiresAt = cloud.timestamp(time + period * days * day);
    else if (instance.status === "Running") forceStop(cloud, instance);
  }
}
