// Every resource type and data source of the provider that the program uses, small and without the program.
import * as alicloud from "@pulumi/alicloud";
import type { InstanceArgs } from "@pulumi/alicloud/ecs";

/** What the steps of the check change. */
export interface Wanted {
  readonly type: string;
  readonly image: string;
  readonly power: "Running" | "Stopped";
  /** GiB of the data disk. */
  readonly size: number;
  /** Where the data disk comes from. */
  readonly snapshot?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly sshCidr: string;
  readonly protected: boolean;
  /** Mbit/s. */
  readonly bandwidth: number;
  readonly retentionDays: number;
  /** How the instance is paid, beyond pay as you go. */
  readonly charge: Pick<
    InstanceArgs,
    | "instanceChargeType"
    | "period"
    | "periodUnit"
    | "renewalStatus"
    | "autoRenewPeriod"
    | "forceDelete"
    | "spotStrategy"
    | "spotPriceLimit"
  >;
}

export const first: Wanted = {
  type: "ecs.e-c1m2.large",
  image: "ubuntu_24_04_x64_20G_alibase_20260912.vhd",
  power: "Running",
  size: 20,
  tags: { project: "check", stack: "one" },
  sshCidr: "203.0.113.0/24",
  protected: true,
  bandwidth: 100,
  retentionDays: 28,
  charge: {},
};

const zoneId = "ap-southeast-1b";
const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9zQd9vF0eFyY3QdHqf0oTzqsK5m0Q6E2Yw9c5Yx1aB check";

/** An inline program; its outputs show that the data sources were answered. */
export const program = (wanted: Wanted) => (): Promise<Record<string, unknown>> => {
  const { ecs, vpc, dns } = alicloud;
  const { tags } = wanted;
  const network = new vpc.Network("net", { vpcName: "check", cidrBlock: "10.0.0.0/16", enableIpv6: true, tags });
  const vswitch = new vpc.Switch("switch", {
    vpcId: network.id,
    zoneId,
    cidrBlock: "10.0.1.0/24",
    vswitchName: "check",
    enableIpv6: true,
    ipv6CidrBlockMask: 1,
    tags,
  });
  const gateway = new vpc.Ipv6Gateway("gateway", { vpcId: network.id, ipv6GatewayName: "check", tags });
  const group = new ecs.SecurityGroup("group", { vpcId: network.id, securityGroupName: "check", tags });
  const rule = { securityGroupId: group.id, nicType: "intranet", policy: "accept", priority: 1 };
  const rules = [
    new ecs.SecurityGroupRule("ssh", {
      ...rule,
      type: "ingress",
      ipProtocol: "tcp",
      portRange: "22/22",
      cidrIp: wanted.sshCidr,
      description: `ssh from ${wanted.sshCidr}`,
    }),
    new ecs.SecurityGroupRule("quic6", {
      ...rule,
      type: "ingress",
      ipProtocol: "udp",
      portRange: "443/443",
      ipv6CidrIp: "::/0",
    }),
    new ecs.SecurityGroupRule("out", {
      ...rule,
      type: "egress",
      ipProtocol: "all",
      portRange: "-1/-1",
      cidrIp: "0.0.0.0/0",
    }),
  ];
  const pair = new ecs.EcsKeyPair("pair", { keyPairName: "check", publicKey, tags });
  const instance = new ecs.Instance(
    "host",
    {
      instanceName: "check",
      hostName: "check",
      instanceType: wanted.type,
      imageId: wanted.image,
      vswitchId: vswitch.id,
      securityGroups: [group.id],
      keyName: pair.keyPairName,
      tags,
      systemDiskCategory: "cloud_essd_entry",
      systemDiskSize: 40,
      userData: "#cloud-config\n{}\n",
      httpEndpoint: "enabled",
      httpTokens: "required",
      ipv6AddressCount: 1,
      deletionProtection: wanted.protected,
      // A running instance answers "Not-applicable": anything given would be a difference for ever.
      ...(wanted.power === "Stopped" ? { status: "Stopped", stoppedMode: "StopCharging" } : { status: "Running" }),
      ...wanted.charge,
    },
    { dependsOn: rules },
  );
  // What an instance that is gone took with it cannot be deleted: the provider tries until it gives up.
  const gone = { deletedWith: instance };
  const disk = new ecs.EcsDisk("data", {
    zoneId,
    diskName: "check",
    category: "cloud_essd_entry",
    size: wanted.size,
    encrypted: true,
    tags,
    deleteWithInstance: false,
    deleteAutoSnapshot: false,
    enableAutoSnapshot: true,
    paymentType: "PayAsYouGo",
    ...(wanted.snapshot === undefined ? {} : { snapshotId: wanted.snapshot }),
  });
  const attachment = new ecs.EcsDiskAttachment("attachment", { diskId: disk.id, instanceId: instance.id }, gone);
  const policy = new ecs.AutoSnapshotPolicy("policy", {
    autoSnapshotPolicyName: "check",
    timePoints: ["3"],
    repeatWeekdays: ["7"],
    tags,
    retentionDays: wanted.retentionDays,
  });
  new ecs.EcsAutoSnapshotPolicyAttachment("policy", { autoSnapshotPolicyId: policy.id, diskId: disk.id });
  const eip = new ecs.EipAddress("eip", {
    addressName: "check",
    internetChargeType: "PayByTraffic",
    paymentType: "PayAsYouGo",
    tags,
    bandwidth: String(wanted.bandwidth),
  });
  const association = new ecs.EipAssociation(
    "eip",
    { allocationId: eip.id, instanceId: instance.id, instanceType: "EcsInstance" },
    gone,
  );
  for (const rr of ["home", "*.home"])
    new dns.AlidnsRecord(rr, { domainName: "example.com", rr, type: "A", value: eip.ipAddress, ttl: 600 });
  const addresses = vpc.getIpv6AddressesOutput({ associatedInstanceId: instance.id });
  new vpc.Ipv6InternetBandwidth(
    "ipv6",
    {
      ipv6GatewayId: gateway.id,
      bandwidth: wanted.bandwidth,
      internetChargeType: "PayByTraffic",
      ipv6AddressId: addresses.apply((found) => found.addresses[0]?.id ?? "none"),
    },
    gone,
  );
  return Promise.resolve({
    address: association.id.apply(() => eip.ipAddress),
    device: attachment.device,
    domains: dns.getAlidnsDomainsOutput({}).apply((found) => found.domains.length),
    networks: vpc.getNetworksOutput({ nameRegex: "^check$" }, { dependsOn: network }).apply((found) => found.ids),
    switches: vpc.getSwitchesOutput({ vpcId: network.id }, { dependsOn: vswitch }).apply((found) => found.ids),
    images: ecs
      .getImagesOutput({ imageId: wanted.image, nameRegex: ".*" })
      .apply((found) => found.images.map(({ id }) => id)),
    disks: ecs.getEcsDisksOutput({ ids: [disk.id] }).apply((found) => found.disks.length),
  });
};
