// What the check goes through, each from and to an empty account.
import { call } from "../testing/client";
import type { Check } from "./check";
import { say } from "./check";
import { first } from "./program";

const open = { ...first, protected: false };

/** Every change in place, then another image and a disk from a snapshot. */
async function lifecycle(check: Check): Promise<void> {
  const { emulator } = check;
  say(JSON.stringify(await check.up("up", first)));
  const grown = { ...first, size: 30, bandwidth: 50, retentionDays: 14, sshCidr: "198.51.100.0/24" };
  await check.up("update", grown);
  await check.up("tags", { ...grown, tags: { project: "check", more: "yes" } });
  await check.up("type", { ...grown, type: "ecs.u1-c1m2.large" });
  await check.up("power off", { ...grown, power: "Stopped" });
  await check.up("power on", { ...grown, protected: false });
  const newer = { ...grown, protected: false, image: "ubuntu_24_04_x64_20G_alibase_20261012.vhd" };
  await check.up("image", newer);
  const data = emulator.inventory().find((one) => one.kind === "disks" && one.name === "check")?.id ?? "";
  await call(emulator.port, "ecs", "CreateSnapshot", { DiskId: data });
  const [snapshot = ""] = emulator.cloud.state.snapshots.keys();
  await emulator.idle();
  await check.up("restore", { ...newer, snapshot });
  await call(emulator.port, "ecs", "DeleteSnapshot", { SnapshotId: snapshot });
  await check.destroy();
}

async function charges(check: Check): Promise<void> {
  await check.up("spot", { ...open, charge: { spotStrategy: "SpotWithPriceLimit", spotPriceLimit: 0.05 } });
  await check.destroy();
  const prePaid = { instanceChargeType: "PrePaid", period: 1, periodUnit: "Month", forceDelete: true };
  const renewal = { renewalStatus: "AutoRenewal", autoRenewPeriod: 1 };
  await check.up("subscription", { ...open, charge: { ...prePaid, ...renewal } });
  await check.destroy();
}

/** Errors that stop an `up`, which the next one heals, and errors that the provider gets over by itself. */
async function failures(check: Check): Promise<void> {
  const { emulator } = check;
  await check.fails("no quota", { kind: "quota", action: "AllocateEipAddress" }, open);
  await check.fails("no stock", { kind: "noStock" }, open);
  await check.up("after all", open);
  await check.destroy();
  emulator.fail({ kind: "throttled", action: "AttachDisk" });
  emulator.fail({ kind: "serverError", action: "AssociateEipAddress", status: 503 });
  emulator.fail({ kind: "lostAnswer", action: "RunInstances", how: "cut" });
  emulator.fail({ kind: "lostAnswer", action: "CreateDisk", how: "timeout" });
  await check.up("retries", open);
  emulator.fail({ kind: "dependencyViolation", action: "DeleteVpc", times: 2 });
  await check.destroy();
}

/** Someone releases the instance in the console. */
async function deletedByHand(check: Check): Promise<void> {
  const { emulator } = check;
  const release = async (): Promise<void> => {
    const [InstanceId = ""] = emulator.cloud.state.instances.keys();
    await call(emulator.port, "ecs", "DeleteInstance", { InstanceId, Force: "true" });
    await emulator.idle();
  };
  await check.up("before it is gone", open);
  await release();
  await check.refresh("refresh without instance");
  await check.up("after it was gone", open);
  await release();
  await check.destroy();
}

/** With a policy of exactly what was called so far, as little as an `up` and a `destroy` need. */
async function permissions(check: Check): Promise<void> {
  const { emulator } = check;
  await check.up("with every permission", first);
  await check.up("without protection", open);
  await check.destroy();
  const { calls } = emulator.journal;
  const Action = [...new Set(calls.map((one) => `${one.product}:${one.action}`))].sort();
  say(`  ${Action.join(" ")}`);
  emulator.rules.policy = { Version: "1", Statement: [{ Effect: "Allow", Action, Resource: ["*"] }] };
  await check.up("with these permissions", open);
  await check.destroy();
  emulator.rules.policy = undefined;
}

/** By name. */
export const scenarios: Readonly<Record<string, (check: Check) => Promise<void>>> = {
  lifecycle,
  charges,
  failures,
  deletedByHand,
  permissions,
};
