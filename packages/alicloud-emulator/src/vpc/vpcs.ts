import { find, hasTags, matches, paged, vpcTags } from "../answers";
import type { Actions, Answer, Call } from "../call";
import { ApiError, inUse, invalid, wrongStatus } from "../errors";
import type { Vpc } from "../model";
import { cidr, clientToken, flag, id, name, page, resourceGroup, tagFilter, text } from "../parameters";

export const findVpc = ({ cloud }: Call, vpcId: string): Vpc => find(cloud.state.vpcs, vpcId, "InvalidVpcId.NotFound");

const privateRange = /^(10|172\.(1[6-9]|2\d|3[01])|192\.168)\./;

function createVpc(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const block = parameters.text("CidrBlock", "172.16.0.0/12");
  const prefix = Number(block.split("/")[1]);
  if (!privateRange.test(block) || prefix < 8 || prefix > 28) throw invalid("InvalidCidrBlock", "CidrBlock");
  const base = cloud.base("vpc", region, parameters.tags(), parameters.text("ResourceGroupId"));
  const vpc: Vpc = {
    ...base,
    name: parameters.text("VpcName"),
    description: parameters.text("Description"),
    cidr: block,
    status: "Pending",
    routerId: cloud.newId("vrt", region),
    routeTableId: cloud.newId("vtb", region),
    ipv6Cidr: parameters.flag("EnableIpv6", false) ? ipv6Block(cloud.state.vpcs.size) : "",
  };
  cloud.state.vpcs.set(vpc.id, vpc);
  cloud.later(vpc.id, "network", { settle: () => (vpc.status = "Available") });
  return {
    VpcId: vpc.id,
    VRouterId: vpc.routerId,
    RouteTableId: vpc.routeTableId,
    ResourceGroupId: vpc.resourceGroupId,
  };
}

/** A /56 of the documentation range (RFC 3849). */
const ipv6Block = (number: number): string => `2001:db8:${(number + 1).toString(16)}:100::/56`;

const show = (call: Call, vpc: Vpc): Answer => ({
  VpcId: vpc.id,
  VpcName: vpc.name,
  Description: vpc.description,
  CidrBlock: vpc.cidr,
  Status: vpc.status,
  RegionId: vpc.regionId,
  CreationTime: vpc.createdAt,
  IsDefault: false,
  VRouterId: vpc.routerId,
  ResourceGroupId: vpc.resourceGroupId,
  EnabledIpv6: vpc.ipv6Cidr !== "",
  Ipv6CidrBlock: vpc.ipv6Cidr,
  Ipv6CidrBlocks: {
    Ipv6CidrBlock: vpc.ipv6Cidr === "" ? [] : [{ Ipv6CidrBlock: vpc.ipv6Cidr, Ipv6Isp: "BGP" }],
  },
  SecondaryCidrBlocks: { SecondaryCidrBlock: [] },
  UserCidrs: { UserCidr: [] },
  VSwitchIds: {
    VSwitchId: [...call.cloud.state.vswitches.values()].filter((one) => one.vpcId === vpc.id).map((one) => one.id),
  },
  RouterTableIds: { RouterTableIds: [vpc.routeTableId] },
  ClassicLinkEnabled: false,
  DnsHostnameStatus: "DISABLED",
  Tags: vpcTags(vpc.tags),
});

function describeVpcs(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const wanted = parameters.text("VpcId").split(",");
  const found = [...cloud.state.vpcs.values()].filter(
    (vpc) =>
      vpc.regionId === region &&
      (parameters.text("VpcId") === "" || wanted.includes(vpc.id)) &&
      matches(parameters, "VpcName", vpc.name) &&
      matches(parameters, "ResourceGroupId", vpc.resourceGroupId) &&
      !parameters.flag("IsDefault", false) &&
      hasTags(vpc, parameters),
  );
  return paged(call, found, ["Vpcs", "Vpc"], (vpc) => show(call, vpc));
}

function describeRouteTables(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const found = [...cloud.state.vpcs.values()].filter(
    (vpc) => vpc.regionId === region && matches(parameters, "VpcId", vpc.id),
  );
  return paged(call, found, ["RouterTableList", "RouterTableListType"], (vpc) => ({
    RouteTableId: vpc.routeTableId,
    RouteTableType: "System",
    RouteTableName: "",
    Description: "",
    RouterId: vpc.routerId,
    RouterType: "VRouter",
    VpcId: vpc.id,
    Status: "Available",
    ResourceGroupId: vpc.resourceGroupId,
    RoutePropagationEnable: true,
    CreationTime: vpc.createdAt,
  }));
}

function modifyVpc(call: Call): Answer {
  const { parameters, cloud } = call;
  const vpc = findVpc(call, parameters.text("VpcId"));
  if (vpc.status !== "Available") throw wrongStatus("IncorrectVpcStatus", vpc.status, 400);
  if (parameters.optional("CidrBlock") !== undefined)
    throw new ApiError(400, "OperationDenied.Emulator", "The emulator does not change the CIDR block of a VPC.");
  vpc.name = parameters.optional("VpcName") ?? vpc.name;
  vpc.description = parameters.optional("Description") ?? vpc.description;
  const ipv6 = parameters.flag("EnableIPv6", vpc.ipv6Cidr !== "");
  if (!ipv6) vpc.ipv6Cidr = "";
  else if (vpc.ipv6Cidr === "") vpc.ipv6Cidr = ipv6Block(cloud.state.vpcs.size);
  return {};
}

function deleteVpc(call: Call): Answer {
  const { cloud, parameters } = call;
  const vpc = findVpc(call, parameters.text("VpcId"));
  const { vswitches, securityGroups, ipv6Gateways } = cloud.state;
  if (vpc.status !== "Available") throw wrongStatus("IncorrectVpcStatus", vpc.status, 400);
  const dependants = [
    ["DependencyViolation.VSwitch", vswitches],
    ["DependencyViolation.SecurityGroup", securityGroups],
    ["DependencyViolation.Ipv6Gateway", ipv6Gateways],
  ] as const;
  for (const [code, map] of dependants)
    for (const one of map.values()) if (one.vpcId === vpc.id) throw inUse(code, vpc.id, one.id);
  cloud.state.vpcs.delete(vpc.id);
  return {};
}

/** https://api.alibabacloud.com/document/Vpc/2016-04-28/CreateVpc and the same page of each action. */
export const vpcs: Actions = {
  CreateVpc: {
    parameters: {
      optional: {
        CidrBlock: cidr,
        VpcName: name,
        Description: text,
        EnableIpv6: flag,
        Ipv6Isp: ["BGP"],
        DryRun: flag,
        ...clientToken,
        ...resourceGroup,
        ...tagFilter,
      },
    },
    handle: createVpc,
  },
  DescribeVpcs: {
    parameters: {
      optional: {
        VpcId: /^(vpc-\w+,?)*$/,
        VpcName: text,
        IsDefault: flag,
        DryRun: flag,
        VpcOwnerId: text,
        ...page,
        ...tagFilter,
        ...resourceGroup,
      },
    },
    handle: describeVpcs,
  },
  DescribeVpcAttribute: {
    parameters: { required: { VpcId: id("vpc") } },
    handle: (call) => show(call, findVpc(call, call.parameters.text("VpcId"))),
  },
  DescribeRouteTableList: {
    parameters: { optional: { VpcId: id("vpc"), ...page } },
    handle: describeRouteTables,
  },
  ModifyVpcAttribute: {
    parameters: {
      required: { VpcId: id("vpc") },
      optional: { VpcName: name, Description: text, CidrBlock: cidr, EnableIPv6: flag, Ipv6Isp: ["BGP"] },
    },
    handle: modifyVpc,
  },
  DeleteVpc: {
    parameters: { required: { VpcId: id("vpc") }, optional: { DryRun: flag, ForceDelete: flag, ...clientToken } },
    handle: deleteVpc,
  },
};
