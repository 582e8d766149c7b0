import { z } from "zod";
import { type Machine, findMachine } from "../../components/alicloud/hooks/adopted";
import type { CloudApi } from "../../components/alicloud/api/api";
import type { OldState } from "./state-file";

const vpcs = z.object({ Vpcs: z.object({ Vpc: z.array(z.object({ CidrBlock: z.string() })) }) });
const vswitches = z.object({
  VSwitches: z.object({
    VSwitch: z.array(z.object({ CidrBlock: z.string(), ZoneId: z.string(), VpcId: z.string() })),
  }),
});
const groups = z.object({ SecurityGroups: z.object({ SecurityGroup: z.array(z.object({ VpcId: z.string() })) }) });
const rules = z.object({
  Permissions: z.object({
    Permission: z.array(
      z.object({
        IpProtocol: z.string(),
        PortRange: z.string(),
        Policy: z.string(),
        Priority: z.coerce.string(),
        NicType: z.string(),
        SourceCidrIp: z.string().default(""),
      }),
    ),
  }),
});
const addresses = z.object({
  EipAddresses: z.object({
    EipAddress: z.array(z.object({ IpAddress: z.string(), Bandwidth: z.coerce.number(), InstanceId: z.string() })),
  }),
});

/** A rule that lets something in. */
export type Rule = z.infer<typeof rules>["Permissions"]["Permission"][number];

/** What the cloud has of an old state; undefined: not in the file, or not there. */
export interface Found {
  readonly vpc: { readonly CidrBlock: string } | undefined;
  readonly vswitch: { readonly CidrBlock: string; readonly ZoneId: string; readonly VpcId: string } | undefined;
  readonly group: { readonly VpcId: string; readonly rules: readonly Rule[] } | undefined;
  readonly machine: Machine | undefined;
  readonly address: { readonly IpAddress: string; readonly Bandwidth: number; readonly InstanceId: string } | undefined;
}

/** Asks for all of it; nothing is changed. @throws ApiFault where the account does not answer */
export async function findAll(api: CloudApi, { ids }: OldState): Promise<Found> {
  const groupOf = async (SecurityGroupId: string) => {
    const [group] = await api.list(
      "ecs",
      "DescribeSecurityGroups",
      { SecurityGroupId },
      (page) => groups.parse(page).SecurityGroups.SecurityGroup,
    );
    if (!group) return undefined;
    const query = { SecurityGroupId, Direction: "ingress", NicType: "intranet" };
    const answer = await api.call("ecs", "DescribeSecurityGroupAttribute", query);
    return { ...group, rules: rules.parse(answer).Permissions.Permission };
  };
  const [vpc, vswitch, group, machine, address] = await Promise.all([
    given(ids.vpc, async (VpcId) => api.list("vpc", "DescribeVpcs", { VpcId }, (page) => vpcs.parse(page).Vpcs.Vpc)),
    given(ids.vswitch, async (VSwitchId) =>
      api.list("vpc", "DescribeVSwitches", { VSwitchId }, (page) => vswitches.parse(page).VSwitches.VSwitch),
    ),
    given(ids.group, groupOf),
    given(ids.machine, (id) => findMachine(api, id)),
    given(ids.address, async (AllocationId) =>
      api.list(
        "vpc",
        "DescribeEipAddresses",
        { AllocationId },
        (page) => addresses.parse(page).EipAddresses.EipAddress,
      ),
    ),
  ]);
  return { vpc: vpc?.[0], vswitch: vswitch?.[0], group, machine, address: address?.[0] };
}

async function given<T>(id: string | undefined, find: (id: string) => Promise<T>): Promise<T | undefined> {
  return id === undefined ? undefined : find(id);
}
