import type { Emulator } from "@cloudcode/alicloud-emulator";
import { Account, type Parameters } from "@cloudcode/alicloud-emulator/testing/account";
import { failureOf } from "../sandbox/world";
import { ramPolicy } from "../support/ram-policy";
import { type PlainStack, leastTemplate, openPlainStack } from "./plain-stack";

// A whole life by the real CLI and the real provider in an account that others use, too, with the rights of the README.
jest.setTimeout(40 * 60_000);

let plain: PlainStack;
let emulator: Emulator;
let account: Account;
let stack: PlainStack["stack"];
/** What others have in the account, and how it was at the beginning. */
let foreign: Foreign;
let before: string;

const zone = "home.example.com";
const upWith = async (values: Readonly<Record<string, unknown>>) => {
  stack.configure(values);
  await stack.pulumi(["up", "--yes", "--skip-preview"]);
};
const unchanged = () => stack.pulumi(["preview", "--expect-no-changes"]);
const restrict = () => (emulator.rules.policy = ramPolicy(zone));
const denied = () => emulator.journal.calls.filter(({ code }) => code.startsWith("Forbidden"));

beforeAll(async () => {
  plain = await openPlainStack("rights", leastTemplate);
  ({ emulator, stack } = plain);
  account = new Account(emulator);
  foreign = await makeForeign();
  before = ofOthers();
  restrict();
  await stack.create({ power: "stopped", domain: zone, ipv6: "true", protectMachine: "true" }, {});
});
afterAll(() => plain.close());

type Foreign = Awaited<ReturnType<typeof makeForeign>>;

/** One of each kind, with a tag of somebody else's, made without the program. */
async function makeForeign() {
  const tag = { "Tag.1.Key": "project", "Tag.1.Value": "shop" };
  const network = await account.network();
  const instance = await account.run(network, tag);
  await emulator.idle();
  const zoned = { ZoneId: "ap-southeast-1b", DiskCategory: "cloud_essd", Size: "20", ...tag };
  const disk = await account.text("ecs", "CreateDisk", "DiskId", zoned);
  const policy = await account.text("ecs", "CreateAutoSnapshotPolicy", "AutoSnapshotPolicyId", {
    timePoints: '["3"]',
    repeatWeekdays: '["7"]',
    retentionDays: "7",
    regionId: "ap-southeast-1",
    ...tag,
  });
  const eip = await account.text("vpc", "AllocateEipAddress", "AllocationId", { Bandwidth: "5" });
  const gateway = await account.text("vpc", "CreateIpv6Gateway", "Ipv6GatewayId", { VpcId: network.vpc });
  const record = await account.text("alidns", "AddDomainRecord", "RecordId", {
    DomainName: "example.com",
    RR: "shop",
    Type: "A",
    Value: "192.0.2.1",
  });
  await emulator.idle();
  const snapshot = await account.text("ecs", "CreateSnapshot", "SnapshotId", { DiskId: disk });
  await emulator.idle();
  return { ...network, instance, disk, policy, eip, gateway, record, snapshot };
}

const kinds = [
  "instances",
  "disks",
  "snapshots",
  "policies",
  "securityGroups",
  "keyPairs",
  "vpcs",
  "vswitches",
  "ipv6Gateways",
  "eips",
] as const;

/** Everything but what the stack made. */
function ofOthers(): string {
  const { state } = emulator.cloud;
  const records = [...state.records.values()].filter(({ domain }) => domain !== zone);
  const tagged = kinds.flatMap((kind) =>
    [...state[kind].values()].filter(({ tags }) => tags["project"] !== "cloudcode"),
  );
  return JSON.stringify([records, tagged]);
}

test("up, a second up, changes and a restart pass with these rights, in an account with things of others", async () => {
  await upWith({});
  await unchanged();
  await upWith({
    dataDiskGiB: "24",
    bandwidthMbps: "30",
    instanceTypes: ["ecs.u1-c1m4.large"],
    snapshotRetentionDays: "35",
    budgetUsd: "60",
    resourceGroupId: "rg-acfm0a1b2c3d4e5",
    sshCidrs: ["198.51.100.0/24"],
    protectMachine: "false",
  });
  await unchanged();
  expect(denied()).toEqual([]);
});

test("what others have in the account can be neither deleted nor changed nor read through a disk of one's own", async () => {
  const own = (kind: "instances" | "disks") => {
    const [id = ""] = [...emulator.cloud.state[kind].values()].flatMap((one) =>
      one.tags["project"] === "cloudcode" ? [one.id] : [],
    );
    return id;
  };
  const ours = { "Tag.1.Key": "project", "Tag.1.Value": "cloudcode" };
  const rule = { SecurityGroupId: foreign.group, IpProtocol: "tcp", PortRange: "22/22", SourceCidrIp: "0.0.0.0/0" };
  const { instance, disk, eip, vpc, vswitch, gateway, record, snapshot, policy, group } = foreign;
  const attempts: readonly (readonly [product: string, action: string, parameters: Parameters])[] = [
    ["ecs", "DeleteInstance", { InstanceId: instance, Force: "true" }],
    ["ecs", "StopInstance", { InstanceId: instance }],
    ["ecs", "StartInstance", { InstanceId: instance }],
    ["ecs", "ModifyInstanceAttribute", { InstanceId: instance, InstanceName: "mine" }],
    ["ecs", "ModifyInstanceSpec", { InstanceId: instance, InstanceType: "ecs.c7.large" }],
    ["ecs", "TagResources", { ResourceType: "instance", "ResourceId.1": instance, ...ours }],
    ["ecs", "TagResources", { ResourceType: "disk", "ResourceId.1": disk, ...ours }],
    ["ecs", "JoinResourceGroup", { ResourceType: "disk", ResourceId: disk, ResourceGroupId: "rg-1" }],
    ["ecs", "DeleteDisk", { DiskId: disk }],
    ["ecs", "ResizeDisk", { DiskId: disk, NewSize: "40" }],
    ["ecs", "AttachDisk", { DiskId: disk, InstanceId: own("instances") }],
    ["ecs", "AttachDisk", { DiskId: own("disks"), InstanceId: instance }],
    ["ecs", "CreateSnapshot", { DiskId: disk, ...ours }],
    ["ecs", "CreateDisk", { ZoneId: "ap-southeast-1b", DiskCategory: "cloud_essd", SnapshotId: snapshot, ...ours }],
    ["ecs", "CreateDisk", { ZoneId: "ap-southeast-1b", DiskCategory: "cloud_essd", Size: "20" }],
    ["ecs", "ApplyAutoSnapshotPolicy", { autoSnapshotPolicyId: policy, diskIds: JSON.stringify([own("disks")]) }],
    ["ecs", "DeleteAutoSnapshotPolicy", { autoSnapshotPolicyId: policy }],
    ["ecs", "DeleteKeyPairs", { KeyPairNames: '["operator"]' }],
    ["ecs", "DeleteSecurityGroup", { SecurityGroupId: group }],
    ["ecs", "AuthorizeSecurityGroup", rule],
    ["ecs", "RevokeSecurityGroup", rule],
    ["vpc", "ReleaseEipAddress", { AllocationId: eip }],
    ["vpc", "ModifyEipAddressAttribute", { AllocationId: eip, Bandwidth: "100" }],
    ["vpc", "AssociateEipAddress", { AllocationId: eip, InstanceId: own("instances"), InstanceType: "EcsInstance" }],
    ["vpc", "DeleteIpv6Gateway", { Ipv6GatewayId: gateway }],
    ["vpc", "DeleteVSwitch", { VSwitchId: vswitch }],
    ["vpc", "DeleteVpc", { VpcId: vpc }],
    ["vpc", "ModifyVpcAttribute", { VpcId: vpc, VpcName: "mine" }],
    ["vpc", "TagResources", { ResourceType: "VPC", "ResourceId.1": vpc, ...ours }],
    ["alidns", "DeleteDomainRecord", { RecordId: record }],
    ["alidns", "UpdateDomainRecord", { RecordId: record, RR: "shop", Type: "A", Value: "192.0.2.2" }],
    ["alidns", "SetDomainRecordStatus", { RecordId: record, Status: "Disable" }],
    ["alidns", "AddDomainRecord", { DomainName: "example.com", RR: "www", Type: "A", Value: "192.0.2.2" }],
  ];
  for (const [product, action, parameters] of attempts)
    expect([action, parameters, await account.refusal(product, action, parameters)]).toEqual([
      action,
      parameters,
      "403 Forbidden.RAM",
    ]);
  expect(ofOthers()).toBe(before);
  emulator.journal.calls.length = 0;
});

test("a disk from a snapshot without the tag is refused with a sentence that names it, and made once it has the tag", async () => {
  const [disk] = [...emulator.cloud.state.disks.values()].filter(
    ({ id, tags, type }) => tags["stack"] && type === "data" && id,
  );
  if (!disk) throw new Error("there is no data disk");
  emulator.rules.policy = undefined;
  const SnapshotId = await account.text("ecs", "CreateSnapshot", "SnapshotId", { DiskId: disk.id });
  await emulator.idle();
  restrict();
  stack.configure({ deleteData: "true" });
  await upWith({});
  await stack.pulumi(["destroy", "--yes", "--skip-preview"]);
  stack.configure({ restoreFromSnapshot: SnapshotId });
  expect(await failureOf(stack.pulumi(["up", "--yes", "--skip-preview"]))).toMatch(
    /CreateDisk: .*tag project: cloudcode/,
  );
  emulator.rules.policy = undefined;
  const tag = {
    ResourceType: "snapshot",
    "ResourceId.1": SnapshotId,
    "Tag.1.Key": "project",
    "Tag.1.Value": "cloudcode",
  };
  await account.ask("ecs", "TagResources", tag);
  restrict();
  emulator.journal.calls.length = 0;
  await upWith({ finalSnapshot: "true" });
});

test("destroy leaves the final snapshot and what others have", async () => {
  await stack.pulumi(["destroy", "--yes", "--skip-preview"]);
  expect(denied()).toEqual([]);
  expect(ofOthers()).toBe(before);
  const own = emulator.inventory().filter(({ tags }) => tags["project"] === "cloudcode");
  expect(own.map(({ kind }) => kind)).toEqual(["snapshots", "snapshots"]);
  expect(emulator.journal.violations).toEqual([]);
});

test("without the zone in the policy, up says what to write into it", async () => {
  emulator.rules.policy = ramPolicy("another.example");
  stack.configure({ restoreFromSnapshot: undefined, finalSnapshot: undefined });
  expect(await failureOf(stack.pulumi(["up", "--yes", "--skip-preview"]))).toMatch(
    /AddDomainRecord: in the RAM policy of its user, write the zone of your domain/,
  );
  restrict();
  await upWith({});
});
