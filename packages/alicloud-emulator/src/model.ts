// What exists in the emulated account. Schemas, as the state is read back from a file.
import { z } from "zod";

const base = {
  id: z.string(),
  regionId: z.string(),
  /** As the APIs write it: 2026-01-31T10:00:00Z. */
  createdAt: z.string(),
  tags: z.record(z.string(), z.string()),
  resourceGroupId: z.string(),
};
const named = { name: z.string(), description: z.string() };

export const vpc = z.object({
  ...base,
  ...named,
  cidr: z.string(),
  status: z.enum(["Pending", "Available"]),
  routerId: z.string(),
  routeTableId: z.string(),
  /** Empty: IPv6 is off. */
  ipv6Cidr: z.string(),
});
export type Vpc = z.infer<typeof vpc>;

export const vswitch = z.object({
  ...base,
  ...named,
  vpcId: z.string(),
  zoneId: z.string(),
  cidr: z.string(),
  status: z.enum(["Pending", "Available"]),
  ipv6Cidr: z.string(),
});
export type VSwitch = z.infer<typeof vswitch>;

export const ipv6Gateway = z.object({
  ...base,
  ...named,
  vpcId: z.string(),
  status: z.enum(["Pending", "Available"]),
});
export type Ipv6Gateway = z.infer<typeof ipv6Gateway>;

export const ipv6Address = z.object({
  ...base,
  address: z.string(),
  instanceId: z.string(),
  vswitchId: z.string(),
  vpcId: z.string(),
  /** Without it the address is reachable inside the VPC only. */
  bandwidth: z.object({ id: z.string(), gatewayId: z.string(), mbps: z.number(), chargeType: z.string() }).optional(),
});
export type Ipv6Address = z.infer<typeof ipv6Address>;

export const rule = z.object({
  id: z.string(),
  createdAt: z.string(),
  direction: z.enum(["ingress", "egress"]),
  protocol: z.string(),
  portRange: z.string(),
  policy: z.string(),
  priority: z.string(),
  nicType: z.string(),
  cidr: z.string(),
  ipv6Cidr: z.string(),
  groupId: z.string(),
  description: z.string(),
});
export type Rule = z.infer<typeof rule>;

export const securityGroup = z.object({
  ...base,
  ...named,
  vpcId: z.string(),
  type: z.string(),
  innerAccess: z.string(),
  rules: z.array(rule),
});
export type SecurityGroup = z.infer<typeof securityGroup>;

/** The name is the id. */
export const keyPair = z.object({ ...base, publicKey: z.string(), fingerprint: z.string() });
export type KeyPair = z.infer<typeof keyPair>;

export const instance = z.object({
  ...base,
  ...named,
  status: z.enum(["Pending", "Starting", "Running", "Stopping", "Stopped", "Releasing"]),
  hostName: z.string(),
  zoneId: z.string(),
  type: z.string(),
  imageId: z.string(),
  vpcId: z.string(),
  vswitchId: z.string(),
  securityGroupIds: z.array(z.string()),
  keyPairName: z.string(),
  /** Base64, as sent. */
  userData: z.string(),
  interfaceId: z.string(),
  privateAddress: z.string(),
  /** Mbit/s to the internet by an address of its own; 0: it has none. */
  bandwidthOut: z.number(),
  publicAddress: z.string(),
  startedAt: z.string(),
  expiresAt: z.string(),
  chargeType: z.enum(["PostPaid", "PrePaid"]),
  autoRenew: z.object({ on: z.boolean(), period: z.number(), unit: z.string() }),
  spotStrategy: z.string(),
  spotPriceLimit: z.number(),
  spotDuration: z.number(),
  spotInterruption: z.string(),
  /** The cloud is about to take a spot instance back. */
  recycling: z.boolean().default(false),
  deletionProtection: z.boolean(),
  stoppedMode: z.string(),
  creditSpecification: z.string(),
  httpEndpoint: z.string(),
  httpTokens: z.string(),
  httpHopLimit: z.number(),
  /** Why the machine behind it failed; every read of the instance then answers 500. */
  failure: z.string(),
});
export type Instance = z.infer<typeof instance>;

export const disk = z.object({
  ...base,
  ...named,
  type: z.enum(["system", "data"]),
  status: z.enum(["Creating", "Available", "Attaching", "In_use", "Detaching"]),
  zoneId: z.string(),
  category: z.string(),
  /** GiB. */
  size: z.number(),
  /** A size that its running machine sees only after a restart. */
  sizeWaits: z.boolean(),
  performanceLevel: z.string(),
  instanceId: z.string(),
  device: z.string(),
  snapshotId: z.string(),
  imageId: z.string(),
  encrypted: z.boolean(),
  kmsKeyId: z.string(),
  deleteWithInstance: z.boolean(),
  deleteAutoSnapshot: z.boolean(),
  enableAutoSnapshot: z.boolean(),
  policyId: z.string(),
  attachedAt: z.string(),
  detachedAt: z.string(),
  failure: z.string(),
});
export type Disk = z.infer<typeof disk>;

export const snapshot = z.object({
  ...base,
  ...named,
  diskId: z.string(),
  diskType: z.string(),
  size: z.number(),
  status: z.enum(["progressing", "accomplished", "failed"]),
  encrypted: z.boolean(),
  retentionDays: z.number(),
  /** Made by a policy. */
  automatic: z.boolean(),
});
export type Snapshot = z.infer<typeof snapshot>;

export const policy = z.object({
  ...base,
  name: z.string(),
  /** JSON lists, as the API sends and returns them. */
  timePoints: z.string(),
  repeatWeekdays: z.string(),
  retentionDays: z.number(),
});
export type SnapshotPolicy = z.infer<typeof policy>;

export const eip = z.object({
  ...base,
  ...named,
  address: z.string(),
  status: z.enum(["Associating", "Unassociating", "InUse", "Available"]),
  bandwidth: z.string(),
  internetChargeType: z.string(),
  chargeType: z.string(),
  isp: z.string(),
  netmode: z.string(),
  mode: z.string(),
  deletionProtection: z.boolean(),
  instanceId: z.string(),
  failure: z.string(),
});
export type Eip = z.infer<typeof eip>;

export const dnsRecord = z.object({
  ...base,
  domain: z.string(),
  rr: z.string(),
  type: z.string(),
  value: z.string(),
  ttl: z.number(),
  priority: z.number(),
  line: z.string(),
  remark: z.string(),
  enabled: z.boolean(),
});
export type DnsRecord = z.infer<typeof dnsRecord>;

/** The name is the id. */
export const bucket = z.object({
  ...base,
  storageClass: z.string(),
  redundancy: z.string(),
  /** Empty: none. */
  encryption: z.string(),
  /** Empty: never switched on. */
  versioning: z.string(),
  /** Bodies of what was set, by subresource such as `lifecycle`. */
  settings: z.record(z.string(), z.string()),
  /** Every version of every object. */
  versions: z.array(z.object({ key: z.string(), id: z.string(), isMarker: z.boolean() })),
});
export type Bucket = z.infer<typeof bucket>;

export const ramUser = z.object({
  ...base,
  name: z.string(),
  comments: z.string(),
  /** Names of custom policies. */
  policies: z.array(z.string()),
  keys: z.array(z.object({ id: z.string(), secret: z.string(), createdAt: z.string() })),
});
export type RamUser = z.infer<typeof ramUser>;

/** The name is the id. */
export const ramPolicy = z.object({ ...base, description: z.string(), document: z.string() });
export type RamPolicy = z.infer<typeof ramPolicy>;

/** An answer given for a ClientToken, and for which parameters. */
export const token = z.object({ parameters: z.string(), answer: z.string() });
