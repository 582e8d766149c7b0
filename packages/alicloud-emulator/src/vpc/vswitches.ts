import { BlockList } from "node:net";
import { find, hasTags, matches, paged, vpcTags } from "../answers";
import type { Actions, Answer, Call } from "../call";
import { ApiError, inUse, invalid, wrongStatus } from "../errors";
import type { VSwitch } from "../model";
import { cidr, clientToken, flag, id, name, page, resourceGroup, tagFilter, text, whole } from "../parameters";
import { findVpc } from "./vpcs";

export const findVSwitch = ({ cloud }: Call, vswitchId: string): VSwitch =>
  find(cloud.state.vswitches, vswitchId, "InvalidVSwitchId.NotFound");

const parts = (block: string): readonly [string, number] => {
  const [address = "", prefix = ""] = block.split("/");
  return [address, Number(prefix)];
};

function contains(outer: string, inner: string): boolean {
  const list = new BlockList();
  list.addSubnet(...parts(outer), "ipv4");
  return list.check(parts(inner)[0], "ipv4") && parts(inner)[1] >= parts(outer)[1];
}

function createVSwitch(call: Call): Answer {
  const { cloud, parameters, region, catalogue } = call;
  const vpc = findVpc(call, parameters.text("VpcId"));
  if (vpc.status !== "Available") throw wrongStatus("IncorrectVpcStatus", vpc.status, 400);
  const zoneId = parameters.text("ZoneId");
  if (!catalogue.zones(region).includes(zoneId))
    throw new ApiError(404, "InvalidZoneId.NotFound", "Specified value of ZoneId is not exists.");
  const block = parameters.text("CidrBlock");
  if (!contains(vpc.cidr, block)) throw invalid("InvalidCidrBlock", "CidrBlock", `is not inside ${vpc.cidr}`);
  for (const other of cloud.state.vswitches.values())
    if (other.vpcId === vpc.id && (contains(other.cidr, block) || contains(block, other.cidr)))
      throw invalid("InvalidCidrBlock.Overlapped", "CidrBlock", `overlaps with ${other.id}`);
  const vswitch: VSwitch = {
    ...cloud.base("vsw", region, parameters.tags(), vpc.resourceGroupId),
    name: parameters.text("VSwitchName"),
    description: parameters.text("Description"),
    vpcId: vpc.id,
    zoneId,
    cidr: block,
    status: "Pending",
    ipv6Cidr: ipv6Subnet(vpc.ipv6Cidr, parameters.optional("Ipv6CidrBlock")),
  };
  cloud.state.vswitches.set(vswitch.id, vswitch);
  cloud.later(vswitch.id, "network", { settle: () => (vswitch.status = "Available") });
  return { VSwitchId: vswitch.id };
}

/** The /64 of the VPC's /56 that the last byte (0 to 255) names; without a byte IPv6 is off. */
function ipv6Subnet(vpcBlock: string, byte: string | undefined): string {
  if (byte === undefined || byte === "") return "";
  if (vpcBlock === "" || Number(byte) > 255) throw invalid("InvalidIpv6CidrBlock", "Ipv6CidrBlock");
  return `${vpcBlock.replace(/00::\/56$/, "")}${Number(byte).toString(16).padStart(2, "0")}::/64`;
}

const show = (call: Call, vswitch: VSwitch): Answer => ({
  VSwitchId: vswitch.id,
  VSwitchName: vswitch.name,
  Description: vswitch.description,
  VpcId: vswitch.vpcId,
  ZoneId: vswitch.zoneId,
  CidrBlock: vswitch.cidr,
  Ipv6CidrBlock: vswitch.ipv6Cidr,
  EnabledIpv6: vswitch.ipv6Cidr !== "",
  Status: vswitch.status,
  CreationTime: vswitch.createdAt,
  IsDefault: false,
  ResourceGroupId: vswitch.resourceGroupId,
  AvailableIpAddressCount: 252,
  RouteTable: { RouteTableId: call.cloud.state.vpcs.get(vswitch.vpcId)?.routeTableId, RouteTableType: "System" },
  Tags: vpcTags(vswitch.tags),
});

function describeVSwitches(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const found = [...cloud.state.vswitches.values()].filter(
    (vswitch) =>
      vswitch.regionId === region &&
      matches(parameters, "VpcId", vswitch.vpcId) &&
      matches(parameters, "VSwitchId", vswitch.id) &&
      matches(parameters, "VSwitchName", vswitch.name) &&
      matches(parameters, "ZoneId", vswitch.zoneId) &&
      matches(parameters, "ResourceGroupId", vswitch.resourceGroupId) &&
      !parameters.flag("IsDefault", false) &&
      hasTags(vswitch, parameters),
  );
  return paged(call, found, ["VSwitches", "VSwitch"], (vswitch) => show(call, vswitch));
}

function modifyVSwitch(call: Call): Answer {
  const { parameters } = call;
  const vswitch = findVSwitch(call, parameters.text("VSwitchId"));
  if (vswitch.status !== "Available") throw wrongStatus("IncorrectStatus.VSwitch", vswitch.status, 400);
  vswitch.name = parameters.optional("VSwitchName") ?? vswitch.name;
  vswitch.description = parameters.optional("Description") ?? vswitch.description;
  if (!parameters.flag("EnableIPv6", true)) vswitch.ipv6Cidr = "";
  else if (parameters.text("Ipv6CidrBlock") !== "")
    vswitch.ipv6Cidr = ipv6Subnet(findVpc(call, vswitch.vpcId).ipv6Cidr, parameters.text("Ipv6CidrBlock"));
  return {};
}

function deleteVSwitch(call: Call): Answer {
  const { cloud, parameters } = call;
  const vswitch = findVSwitch(call, parameters.text("VSwitchId"));
  for (const one of cloud.state.instances.values())
    if (one.vswitchId === vswitch.id) throw inUse("DependencyViolation", vswitch.id, one.id);
  cloud.state.vswitches.delete(vswitch.id);
  return {};
}

/** https://api.alibabacloud.com/document/Vpc/2016-04-28/CreateVSwitch and the same page of each action. */
export const vswitches: Actions = {
  CreateVSwitch: {
    parameters: {
      required: { VpcId: id("vpc"), ZoneId: text, CidrBlock: cidr },
      optional: { VSwitchName: name, Description: text, Ipv6CidrBlock: whole, ...clientToken, ...tagFilter },
    },
    handle: createVSwitch,
  },
  DescribeVSwitches: {
    parameters: {
      optional: {
        VpcId: id("vpc"),
        VSwitchId: id("vsw"),
        VSwitchName: text,
        ZoneId: text,
        IsDefault: flag,
        DryRun: flag,
        ...page,
        ...tagFilter,
        ...resourceGroup,
      },
    },
    handle: describeVSwitches,
  },
  DescribeVSwitchAttributes: {
    parameters: { required: { VSwitchId: id("vsw") } },
    handle: (call) => show(call, findVSwitch(call, call.parameters.text("VSwitchId"))),
  },
  ModifyVSwitchAttribute: {
    parameters: {
      required: { VSwitchId: id("vsw") },
      optional: { VSwitchName: name, Description: text, EnableIPv6: flag, Ipv6CidrBlock: whole },
    },
    handle: modifyVSwitch,
  },
  DeleteVSwitch: { parameters: { required: { VSwitchId: id("vsw") } }, handle: deleteVSwitch },
};
