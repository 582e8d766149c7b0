// Instances, disks and snapshots: states, what each allows, and what happens to the machines behind them.
import { setImmediate } from "node:timers/promises";
import type { Emulator } from "../src/emulator";
import { startEmulator } from "../src/emulator";
import { FakeMachines } from "../src/fake-machines";
import { everyLatency } from "../src/latency";
import { Account } from "../testing/account";

let machines: FakeMachines;
let emulator: Emulator;
let account: Account;
let network: { vpc: string; vswitch: string; group: string };

beforeEach(async () => {
  machines = new FakeMachines();
  emulator = await startEmulator({ machines, clockStands: true });
  account = new Account(emulator);
  network = await account.network();
  emulator.cloud.latencies = everyLatency(100);
});
afterEach(async () => {
  await emulator.close();
  expect(emulator.journal.violations).toEqual([]);
});

async function reclaim(instance: string): Promise<void> {
  const body = JSON.stringify({ instance });
  const { status } = await fetch(`http://127.0.0.1:${emulator.port}/__control/reclaim`, { method: "POST", body });
  expect(status).toBe(200);
}

test("an instance goes from Pending over Running and Stopped to nothing, and its machine with it", async () => {
  const id = await account.run(network);
  expect(account.status(id)).toBe("Pending");
  expect(await account.refusal("ecs", "StartInstance", { InstanceId: id })).toBe("403 IncorrectInstanceStatus");
  expect(await account.refusal("ecs", "DeleteInstance", { InstanceId: id, Force: "true" })).toBe(
    "403 IncorrectInstanceStatus",
  );
  await emulator.idle();
  expect(account.status(id)).toBe("Running");
  expect(machines.created).toMatchObject([{ id, userData: "#cloud-config\n{}\n", memoryMiB: 4096 }]);
  expect(machines.created[0]?.publicKeys[0]).toMatch(/^ssh-ed25519 /);

  expect(await account.refusal("ecs", "DeleteInstance", { InstanceId: id })).toBe("403 IncorrectInstanceStatus");
  const type = { InstanceId: id, InstanceType: "ecs.u1-c1m2.large" };
  expect(await account.refusal("ecs", "ModifyInstanceSpec", type)).toBe("403 IncorrectInstanceStatus");
  await account.ask("ecs", "StopInstance", { InstanceId: id, StoppedMode: "StopCharging" });
  expect(account.status(id)).toBe("Stopping");
  await emulator.idle();
  await account.ask("ecs", "ModifyInstanceSpec", type);
  await account.ask("ecs", "StartInstance", { InstanceId: id });
  expect(account.status(id)).toBe("Starting");
  await emulator.idle();

  await account.ask("ecs", "ModifyInstanceAttribute", { InstanceId: id, DeletionProtection: "true" });
  expect(await account.refusal("ecs", "DeleteInstance", { InstanceId: id, Force: "true" })).toBe(
    "403 InvalidOperation.DeletionProtection",
  );
  await account.ask("ecs", "ModifyInstanceAttribute", { InstanceId: id, DeletionProtection: "false" });
  await account.ask("ecs", "DeleteInstance", { InstanceId: id, Force: "true" });
  await emulator.idle();
  expect(account.status(id)).toBeUndefined();
  expect(emulator.inventory().filter((one) => one.kind === "disks")).toEqual([]);
  expect(machines.done).toEqual([`create ${id}`, `stop ${id}`, `start ${id}`, `cut ${id}`, `remove ${id}`]);
});

test("a disk and an address on their way to an instance that is taken back are free again", async () => {
  const machine = await account.run(network, { SpotStrategy: "SpotAsPriceGo" });
  await emulator.idle();
  const made = { ZoneId: "ap-southeast-1b", DiskCategory: "cloud_essd_entry", Size: "20" };
  const disk = await account.text("ecs", "CreateDisk", "DiskId", made);
  const address = await account.text("vpc", "AllocateEipAddress", "AllocationId");
  await emulator.idle();
  emulator.cloud.latencies = { ...everyLatency(100), disk: 300, address: 300 };
  await account.ask("ecs", "AttachDisk", { DiskId: disk, InstanceId: machine });
  await account.ask("vpc", "AssociateEipAddress", { AllocationId: address, InstanceId: machine });
  await reclaim(machine);
  await emulator.idle();
  expect(account.status(machine)).toBeUndefined();
  expect([account.status(disk), account.status(address)]).toEqual(["Available", "Available"]);
});

test("an instance that is taken back before it runs never runs", async () => {
  emulator.cloud.latencies = { ...everyLatency(100), instanceDelete: 300 };
  const machine = await account.run(network, { SpotStrategy: "SpotAsPriceGo" });
  await reclaim(machine);
  emulator.cloud.clock.turnTo(emulator.cloud.clock.now() + 200);
  await setImmediate();
  expect(account.status(machine)).toBe("Releasing");
  await emulator.idle();
  expect(account.status(machine)).toBeUndefined();
});

test("what an instance uses cannot go before it", async () => {
  const id = await account.run(network);
  await emulator.idle();
  expect(await account.refusal("vpc", "DeleteVSwitch", { VSwitchId: network.vswitch })).toBe("400 DependencyViolation");
  expect(await account.refusal("ecs", "DeleteSecurityGroup", { SecurityGroupId: network.group })).toBe(
    "400 DependencyViolation",
  );
  expect(await account.refusal("vpc", "DeleteVpc", { VpcId: network.vpc })).toBe("400 DependencyViolation.VSwitch");
  expect(await account.refusal("ecs", "DeleteKeyPairs", { KeyPairNames: '["operator"]' })).toBe(
    "400 InvalidParameter.KeypairAlreadyAttachedInstance",
  );
  await account.ask("ecs", "DeleteInstance", { InstanceId: id, Force: "true" });
  await emulator.idle();
  await account.ask("vpc", "DeleteVSwitch", { VSwitchId: network.vswitch });
  expect(await account.refusal("vpc", "DeleteVpc", { VpcId: network.vpc })).toBe(
    "400 DependencyViolation.SecurityGroup",
  );
  await account.ask("ecs", "DeleteSecurityGroup", { SecurityGroupId: network.group });
  await account.ask("vpc", "DeleteVpc", { VpcId: network.vpc });
  await account.ask("ecs", "DeleteKeyPairs", { KeyPairNames: '["operator"]' });
  expect(emulator.inventory()).toEqual([]);
});

test.each([
  ["an unknown image", { ImageId: "none" }, "404 InvalidImageId.NotFound"],
  ["an unknown type", { InstanceType: "ecs.none" }, "404 InvalidInstanceType.NotFound"],
  ["a type the zone does not sell", { InstanceType: "ecs.t6-c1m2.large" }, "403 InvalidInstanceType.ValueNotSupported"],
  [
    "a disk the type does not take",
    { InstanceType: "ecs.c7.large" },
    "400 InvalidSystemDiskCategory.ValueNotSupported",
  ],
  ["a disk smaller than the image", { "SystemDisk.Size": "10" }, "403 InvalidSystemDiskSize.LessThanImageSize"],
  ["an unknown key pair", { KeyPairName: "nobody" }, "404 InvalidKeyPair.NotFound"],
  ["user data that is not base64", { UserData: "#cloud-config" }, "400 InvalidUserData.Base64FormatInvalid"],
  ["user data of 40 KB", { UserData: "AAAA".repeat(10_240 * 1.4) }, "400 InvalidUserData.SizeExceeded"],
])("RunInstances refuses %s", async (_, more, code) => {
  expect(await account.refusal("ecs", "RunInstances", account.instance(network, more))).toBe(code);
  expect(emulator.inventory().filter((one) => one.kind === "instances")).toEqual([]);
});

test("a larger disk is seen at once when it grows online, else after a restart", async () => {
  const id = await account.run(network);
  const disk = await account.text("ecs", "CreateDisk", "DiskId", data);
  await emulator.idle();
  await account.ask("ecs", "AttachDisk", { DiskId: disk, InstanceId: id });
  await emulator.idle();
  const grown = () => machines.done.filter((what) => what.startsWith("resizeDisk")).length;
  await account.ask("ecs", "ResizeDisk", { DiskId: disk, NewSize: "30" });
  expect(grown()).toBe(0);
  await account.ask("ecs", "RebootInstance", { InstanceId: id });
  await emulator.idle();
  expect(grown()).toBe(1);
  await account.ask("ecs", "ResizeDisk", { DiskId: disk, NewSize: "40", Type: "online" });
  expect(grown()).toBe(2);
});

test("snapshots of a policy have no tags, and go with a disk that is to take them with it", async () => {
  const id = await account.run(network);
  const disk = await account.text("ecs", "CreateDisk", "DiskId", { ...data, "Tag.1.Key": "stack", "Tag.1.Value": "a" });
  const weekly = { timePoints: '["3"]', repeatWeekdays: '["7"]', retentionDays: "14", regionId: "ap-southeast-1" };
  const policy = await account.text("ecs", "CreateAutoSnapshotPolicy", "AutoSnapshotPolicyId", weekly);
  await emulator.idle();
  await account.ask("ecs", "AttachDisk", { DiskId: disk, InstanceId: id });
  await emulator.idle();
  await account.ask("ecs", "ApplyAutoSnapshotPolicy", {
    autoSnapshotPolicyId: policy,
    diskIds: JSON.stringify([disk]),
    regionId: "ap-southeast-1",
  });
  await emulator.advance(7 * day);
  expect([...emulator.cloud.state.snapshots.values()]).toMatchObject([{ diskId: disk, automatic: true, tags: {} }]);
  await account.ask("ecs", "CreateSnapshot", { DiskId: disk });
  await emulator.idle();
  await account.ask("ecs", "DetachDisk", { DiskId: disk, InstanceId: id });
  await emulator.idle();
  await account.ask("ecs", "ModifyDiskAttribute", { DiskId: disk, DeleteAutoSnapshot: "true" });
  await account.ask("ecs", "DeleteDisk", { DiskId: disk });
  expect([...emulator.cloud.state.snapshots.values()]).toMatchObject([{ diskId: disk, automatic: false }]);
});

test("a policy takes its snapshots at its hours, and each goes after its days", async () => {
  const id = await account.run(network);
  const disk = await account.text("ecs", "CreateDisk", "DiskId", data);
  const policy = await account.text("ecs", "CreateAutoSnapshotPolicy", "AutoSnapshotPolicyId", {
    timePoints: '["4", "16"]',
    repeatWeekdays: '["1", "3"]',
    retentionDays: "3",
    regionId: "ap-southeast-1",
  });
  await emulator.idle();
  await account.ask("ecs", "AttachDisk", { DiskId: disk, InstanceId: id });
  await account.ask("ecs", "ApplyAutoSnapshotPolicy", {
    autoSnapshotPolicyId: policy,
    diskIds: JSON.stringify([disk]),
    regionId: "ap-southeast-1",
  });
  await emulator.idle();
  const seen = new Set<string>();
  for (let hours = 0; hours < 7 * 24; hours += 6) {
    await emulator.advance(day / 4);
    for (const { createdAt } of emulator.cloud.state.snapshots.values()) seen.add(createdAt);
  }
  // 04:00 and 16:00 in UTC+8, on Mondays and Wednesdays there.
  const times = [...seen].map((at) => new Date(Date.parse(at) + 8 * 3_600_000));
  expect(times.map((at) => `${at.getUTCDay()} ${at.getUTCHours()}`).sort()).toEqual(["1 16", "1 4", "3 16", "3 4"]);
  const oldest = Math.min(
    ...[...emulator.cloud.state.snapshots.values()].map(({ createdAt }) => Date.parse(createdAt)),
  );
  expect(emulator.cloud.clock.now() - oldest).toBeLessThan(3 * day + 3_600_000);
});

test("a subscription is renewed where that was asked for, and else ends with its instance stopped", async () => {
  const bought = { InstanceChargeType: "PrePaid", Period: "1", PeriodUnit: "Week" };
  const [renewed, ended] = [
    await account.run(network, { ...bought, AutoRenew: "true", AutoRenewPeriod: "1" }),
    await account.run(network, bought),
  ];
  await emulator.advance(6 * day);
  expect([account.status(renewed), account.status(ended)]).toEqual(["Running", "Running"]);
  await emulator.advance(2 * day);
  expect([account.status(renewed), account.status(ended)]).toEqual(["Running", "Stopped"]);
});

const day = 86_400_000;
const data = { ZoneId: "ap-southeast-1b", DiskCategory: "cloud_essd_entry", Size: "20" };

test("a data disk is made, attached, grown, detached and survives its instance", async () => {
  const id = await account.run(network);
  const disk = await account.text("ecs", "CreateDisk", "DiskId", data);
  const both = { DiskId: disk, InstanceId: id };
  expect(disk.slice(2)).toHaveLength(20);
  expect(account.status(disk)).toBe("Creating");
  expect(await account.refusal("ecs", "AttachDisk", both)).toBe("403 IncorrectInstanceStatus");
  await emulator.idle();
  await account.ask("ecs", "AttachDisk", both);
  expect(account.status(disk)).toBe("Attaching");
  expect(await account.refusal("ecs", "DetachDisk", both)).toBe("403 IncorrectDiskStatus");
  await emulator.idle();
  expect(await account.refusal("ecs", "DeleteDisk", { DiskId: disk })).toBe("403 IncorrectDiskStatus");
  expect(await account.refusal("ecs", "ResizeDisk", { DiskId: disk, NewSize: "20" })).toBe(
    "400 InvalidDiskSize.TooSmall",
  );
  await account.ask("ecs", "ResizeDisk", { DiskId: disk, NewSize: "30", Type: "online" });
  await account.ask("ecs", "DeleteInstance", { InstanceId: id, Force: "true" });
  await emulator.idle();
  expect(account.status(disk)).toBe("Available");
  expect(await account.refusal("ecs", "DetachDisk", both)).toBe("404 InvalidInstanceId.NotFound");
  await account.ask("ecs", "DeleteDisk", { DiskId: disk });
  expect(machines.done.filter((what) => what.includes("isk"))).toEqual([
    `createDisk ${disk} 20 nothing`,
    `attachDisk ${disk} ${id}`,
    `resizeDisk ${disk} 30`,
    `detachDisk ${disk} ${id}`,
    `removeDisk ${disk}`,
  ]);
});

test("a snapshot is made of a disk and a disk of the snapshot", async () => {
  const disk = await account.text("ecs", "CreateDisk", "DiskId", data);
  expect(await account.refusal("ecs", "CreateSnapshot", { DiskId: disk })).toBe("403 IncorrectDiskStatus");
  await emulator.idle();
  const tags = { "Tag.1.Key": "stack", "Tag.1.Value": "prod" };
  const snapshot = await account.text("ecs", "CreateSnapshot", "SnapshotId", { DiskId: disk, ...tags });
  expect(await account.refusal("ecs", "CreateDisk", { ...data, SnapshotId: snapshot })).toBe(
    "403 IncorrectSnapshotStatus",
  );
  await emulator.idle();
  await account.ask("ecs", "DeleteDisk", { DiskId: disk });
  expect(await account.ask("ecs", "DescribeSnapshots", tags)).toMatchObject({
    Snapshots: { Snapshot: [{ SnapshotId: snapshot, SourceDiskId: disk, Status: "accomplished", Progress: "100%" }] },
  });
  const copy = await account.text("ecs", "CreateDisk", "DiskId", { ...data, SnapshotId: snapshot });
  await emulator.idle();
  await account.ask("ecs", "DeleteSnapshot", { SnapshotId: snapshot });
  expect(machines.done.slice(-3)).toEqual([
    `removeDisk ${disk}`,
    `createDisk ${copy} 20 ${snapshot}`,
    `removeSnapshot ${snapshot}`,
  ]);
  expect(await account.refusal("ecs", "DeleteSnapshot", { SnapshotId: snapshot })).toBe(
    "404 InvalidSnapshotId.NotFound",
  );
});

test("an instance in another zone cannot have the disk", async () => {
  const id = await account.run(network);
  const disk = await account.text("ecs", "CreateDisk", "DiskId", { ...data, ZoneId: "ap-southeast-1a" });
  await emulator.idle();
  expect(await account.refusal("ecs", "AttachDisk", { DiskId: disk, InstanceId: id })).toBe(
    "403 ResourcesNotInSameZone",
  );
});

test("a machine that fails is an error of every read and can be released", async () => {
  machines.create = () => Promise.reject(new Error("no room for a machine"));
  const id = await account.run(network);
  await emulator.idle();
  expect(await account.raw("ecs", "DescribeInstances")).toMatchObject({
    status: 500,
    body: { Code: "InternalError", Message: "no room for a machine" },
  });
  await account.ask("ecs", "DeleteInstance", { InstanceId: id, Force: "true" });
  await emulator.idle();
  expect(account.status(id)).toBeUndefined();
  expect(emulator.journal.failures).toEqual([`${id}: no room for a machine`]);
});

test("a public address is bound while the instance is there", async () => {
  const id = await account.run(network);
  const eip = await account.text("vpc", "AllocateEipAddress", "AllocationId", { Bandwidth: "100" });
  const both = { AllocationId: eip, InstanceId: id };
  expect(await account.refusal("vpc", "AssociateEipAddress", both)).toBe("400 IncorrectInstanceStatus");
  await emulator.idle();
  await account.ask("vpc", "AssociateEipAddress", both);
  expect(account.status(eip)).toBe("Associating");
  expect(await account.refusal("vpc", "ReleaseEipAddress", { AllocationId: eip })).toBe("400 IncorrectEipStatus");
  await emulator.idle();
  expect(account.status(eip)).toBe("InUse");
  await account.ask("vpc", "UnassociateEipAddress", both);
  expect(account.status(eip)).toBe("Unassociating");
  await emulator.idle();
  await account.ask("vpc", "AssociateEipAddress", both);
  await emulator.idle();
  await account.ask("ecs", "DeleteInstance", { InstanceId: id, Force: "true" });
  await emulator.idle();
  expect(account.status(eip)).toBe("Available");
  await account.ask("vpc", "ReleaseEipAddress", { AllocationId: eip });
  expect(machines.done.filter((what) => what.includes("bind"))).toEqual([
    `bindAddress 198.51.100.1 ${id}`,
    `unbindAddress 198.51.100.1 ${id}`,
    `bindAddress 198.51.100.1 ${id}`,
    `unbindAddress 198.51.100.1 ${id}`,
  ]);
});
