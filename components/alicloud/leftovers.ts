/**
 * Run by `node bin/cloudcode-hook.cjs leftovers` when the stack's last resource was deleted, `{region, tags}`
 * on standard input: says on standard output that nothing is left, or fails with what is and what it costs
 * (aliyun/terraform-provider-alicloud#2734).
 */
import { z } from "zod";
import { type CloudApi, type Product, type Query, cloudApi, tagParameters } from "./api/api";
import { poll } from "../poll";
import { finalTag } from "./hooks/final-tag";
import { ScriptError, runScript } from "./hooks/script";

const inputSchema = z.object({
  region: z.string().min(1),
  /** All of them must be on a resource. None would be the whole account. */
  tags: z.record(z.string(), z.string()).refine((tags) => Object.keys(tags).length > 0, "at least one is needed"),
  /** How long what was just deleted may still be listed. */
  seconds: z.number().default(60),
});
type Input = z.input<typeof inputSchema>;
export type { Input as LeftoversInput };

const pauseMs = 5000;

/** Something that is left. */
interface Left {
  readonly what: string;
  readonly id: string;
  readonly billed: string;
  /** A final snapshot is wanted. */
  readonly kept: boolean;
}

type Read = (page: unknown) => Left[];

const free = "free of charge";

/** Reads `{LIST: {ENTRY: [...]}}`. */
function entries<T>(
  list: string,
  entry: string,
  schema: z.ZodType<T>,
  describe: (one: T) => Omit<Left, "kept"> & { kept?: boolean },
): Read {
  const page = z.object({ [list]: z.object({ [entry]: z.array(schema) }) });
  return (answer) => {
    const found = page.parse(answer)[list]?.[entry] ?? [];
    return found.map((one) => ({ kept: false, ...describe(one) }));
  };
}

/** A kind that costs nothing, by the field of its id. */
const freeKind = (what: string, list: string, entry: string, idField: string): Read =>
  entries(list, entry, z.object({ [idField]: z.string() }), (one) => ({ what, id: one[idField] ?? "", billed: free }));

const snapshotSchema = z.object({
  SnapshotId: z.string(),
  SourceDiskSize: z.coerce.number(),
  Tags: z.object({ Tag: z.array(z.object({ TagKey: z.string(), TagValue: z.string() })) }).optional(),
});

/** What can be left, what is billed first. */
const kinds: readonly (readonly [Product, string, Read])[] = [
  [
    "ecs",
    "DescribeInstances",
    entries("Instances", "Instance", z.object({ InstanceId: z.string(), Status: z.string() }), (one) => ({
      what: `instance (${one.Status})`,
      id: one.InstanceId,
      billed: "billed by the second",
    })),
  ],
  [
    "ecs",
    "DescribeDisks",
    entries("Disks", "Disk", z.object({ DiskId: z.string(), Size: z.number(), Type: z.string() }), (one) => ({
      what: `${one.Type} disk`,
      id: one.DiskId,
      billed: `billed by size (${one.Size} GiB)`,
    })),
  ],
  [
    "vpc",
    "DescribeEipAddresses",
    entries("EipAddresses", "EipAddress", z.object({ AllocationId: z.string(), IpAddress: z.string() }), (one) => ({
      what: `public address ${one.IpAddress}`,
      id: one.AllocationId,
      billed: "billed by the hour while it is not bound, and by traffic",
    })),
  ],
  [
    "ecs",
    "DescribeSnapshots",
    entries("Snapshots", "Snapshot", snapshotSchema, (one) => ({
      what: "snapshot",
      id: one.SnapshotId,
      billed: `billed by size (up to ${one.SourceDiskSize} GiB)`,
      kept: one.Tags?.Tag.some((tag) => tag.TagKey === finalTag.key && tag.TagValue === finalTag.value) ?? false,
    })),
  ],
  [
    "ecs",
    "DescribeAutoSnapshotPolicyEx",
    freeKind("snapshot policy", "AutoSnapshotPolicies", "AutoSnapshotPolicy", "AutoSnapshotPolicyId"),
  ],
  ["ecs", "DescribeSecurityGroups", freeKind("security group", "SecurityGroups", "SecurityGroup", "SecurityGroupId")],
  ["ecs", "DescribeKeyPairs", freeKind("key pair", "KeyPairs", "KeyPair", "KeyPairName")],
  ["vpc", "DescribeVSwitches", freeKind("vSwitch", "VSwitches", "VSwitch", "VSwitchId")],
  ["vpc", "DescribeVpcs", freeKind("VPC", "Vpcs", "Vpc", "VpcId")],
];

async function listAll(api: CloudApi, tags: Query): Promise<Left[]> {
  const filter = tagParameters(tags);
  const lists = kinds.map(([product, action, read]) => api.list(product, action, filter, read));
  return (await Promise.all(lists)).flat();
}

void runScript(inputSchema, ({ region, tags, seconds }) => {
  const api = cloudApi(region);
  return poll({ boundMs: seconds * 1000, pauseMs }, async () => {
    const found = await listAll(api, tags);
    const left = found.filter((one) => !one.kept);
    const kept = found.filter((one) => one.kept).map((one) => `${one.id}, ${one.billed}`);
    const keptWords = kept.length > 0 ? ` Kept as requested: final snapshot ${kept.join("; final snapshot ")}.` : "";
    if (left.length === 0)
      return {
        done: `nothing ${kept.length > 0 ? "else " : ""}billed is left in ${region}${keptWords && `.${keptWords}`}`,
      };
    const list = left.map((one) => `${one.what} ${one.id}, ${one.billed}`).join("; ");
    return {
      late: new ScriptError(
        `Left in ${region}: ${list}. Delete ${left.length === 1 ? "it" : "them"} in the console, then run \`pulumi destroy\` again.${keptWords}`,
      ),
    };
  });
});
