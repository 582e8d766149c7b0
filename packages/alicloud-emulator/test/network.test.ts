// Networks, security group rules, IPv6 and snapshot policies.
import type { Emulator } from "../src/emulator";
import { startEmulator } from "../src/emulator";
import { Account } from "../testing/account";

let emulator: Emulator;
let account: Account;
let network: { vpc: string; vswitch: string; group: string };
beforeEach(async () => {
  emulator = await startEmulator();
  account = new Account(emulator);
  network = await account.network();
});
afterEach(() => emulator.close());

test.each([
  ["outside the VPC", { CidrBlock: "192.168.0.0/24" }, "400 InvalidCidrBlock"],
  ["over another one", { CidrBlock: "10.0.0.0/23" }, "400 InvalidCidrBlock.Overlapped"],
  ["in no zone", { ZoneId: "ap-southeast-1z" }, "404 InvalidZoneId.NotFound"],
  ["in no VPC", { VpcId: "vpc-none" }, "404 InvalidVpcId.NotFound"],
])("a vSwitch %s is refused", async (_, more, code) => {
  const good = { VpcId: network.vpc, ZoneId: "ap-southeast-1a", CidrBlock: "10.0.2.0/24" };
  expect(await account.refusal("vpc", "CreateVSwitch", { ...good, ...more })).toBe(code);
  await account.ask("vpc", "CreateVSwitch", good);
});

const ssh = { IpProtocol: "tcp", PortRange: "22/22", SourceCidrIp: "203.0.113.0/24", Policy: "accept", Priority: "1" };
const listed = (parameters: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(parameters).map(([key, value]) => [`Permissions.1.${key}`, value]));

test("a rule is made once however often it is asked for, changed, and revoked in flat form", async () => {
  const SecurityGroupId = network.group;
  for (const form of [listed(ssh), listed(ssh), ssh])
    await account.ask("ecs", "AuthorizeSecurityGroup", { SecurityGroupId, ...form });
  await account.ask("ecs", "ModifySecurityGroupRule", { SecurityGroupId, ...ssh, Description: "operator" });
  const rules = await account.ask("ecs", "DescribeSecurityGroupAttribute", { SecurityGroupId, Direction: "ingress" });
  expect(rules["Permissions"]).toEqual({
    Permission: [
      expect.objectContaining({ IpProtocol: "TCP", PortRange: "22/22", Priority: "1", Description: "operator" }),
    ],
  });
  await account.ask("ecs", "RevokeSecurityGroup", { SecurityGroupId, ...ssh });
  expect(await account.ask("ecs", "DescribeSecurityGroupAttribute", { SecurityGroupId })).toMatchObject({
    Permissions: { Permission: [] },
  });
});

test.each([
  ["a range without meaning", { PortRange: "80/22" }, "400 InvalidIpPortRange.Malformed"],
  ["every port of tcp as -1", { PortRange: "-1/-1" }, "400 InvalidIpPortRange.Malformed"],
  ["a priority of 101", { Priority: "101" }, "400 InvalidPriority.ValueNotSupported"],
  ["no peer", { SourceCidrIp: "" }, "400 MissingParameter"],
])("a rule with %s is refused", async (_, more, code) => {
  const rule = { SecurityGroupId: network.group, ...listed({ ...ssh, ...more }) };
  expect(await account.refusal("ecs", "AuthorizeSecurityGroup", rule)).toBe(code);
});

test("an instance has an IPv6 address that bandwidth makes public, and both go in order", async () => {
  const gateway = await account.text("vpc", "CreateIpv6Gateway", "Ipv6GatewayId", { VpcId: network.vpc });
  const id = await account.run(network, { Ipv6AddressCount: "1" });
  await emulator.idle();
  const [address] = emulator.cloud.state.ipv6Addresses.values();
  expect(address).toMatchObject({ instanceId: id, address: "2001:db8:1:101::10" });
  const Ipv6AddressId = address?.id ?? "";
  const bandwidth = { Ipv6AddressId, Ipv6GatewayId: gateway, Bandwidth: "100", InternetChargeType: "PayByTraffic" };
  const made = await account.text("vpc", "AllocateIpv6InternetBandwidth", "InternetBandwidthId", bandwidth);
  expect(await account.ask("vpc", "DescribeIpv6Addresses", { AssociatedInstanceId: id })).toMatchObject({
    Ipv6Addresses: { Ipv6Address: [{ NetworkType: "Public", Ipv6InternetBandwidth: { Bandwidth: 100 } }] },
  });
  expect(await account.refusal("vpc", "DeleteIpv6Gateway", { Ipv6GatewayId: gateway })).toBe(
    "400 DependencyViolation.Ipv6InternetBandwidth",
  );
  await account.ask("vpc", "DeleteIpv6InternetBandwidth", { Ipv6InternetBandwidthId: made });
  await account.ask("vpc", "DeleteIpv6Gateway", { Ipv6GatewayId: gateway });
});

test("a snapshot policy is applied to a disk and cancelled", async () => {
  const data = { ZoneId: "ap-southeast-1b", DiskCategory: "cloud_essd", Size: "20" };
  const disk = await account.text("ecs", "CreateDisk", "DiskId", data);
  const times = { timePoints: '["3"]', repeatWeekdays: '["7"]', retentionDays: "28" };
  expect(await account.refusal("ecs", "CreateAutoSnapshotPolicy", { ...times, timePoints: '["24"]' })).toBe(
    "400 InvalidParameter",
  );
  const policy = await account.text("ecs", "CreateAutoSnapshotPolicy", "AutoSnapshotPolicyId", times);
  const diskIds = JSON.stringify([disk]);
  await account.ask("ecs", "ApplyAutoSnapshotPolicy", { autoSnapshotPolicyId: policy, diskIds });
  const found = { AutoSnapshotPolicyId: policy };
  expect(await account.ask("ecs", "DescribeDisks", found)).toMatchObject({ TotalCount: 1 });
  await account.ask("ecs", "CancelAutoSnapshotPolicy", { diskIds });
  expect(await account.ask("ecs", "DescribeDisks", found)).toMatchObject({ TotalCount: 0 });
  await account.ask("ecs", "DeleteAutoSnapshotPolicy", { autoSnapshotPolicyId: policy });
  expect(emulator.inventory().map((one) => one.kind)).not.toContain("policies");
});
