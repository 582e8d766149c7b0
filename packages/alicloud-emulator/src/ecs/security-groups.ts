import { ecsTags, find, hasTags, matches, paged } from "../answers";
import type { Actions, Answer, Call } from "../call";
import { ApiError, inUse } from "../errors";
import type { SecurityGroup } from "../model";
import { clientToken, id, name, page, resourceGroup, tagFilter, text } from "../parameters";
import { findVpc } from "../vpc/vpcs";

export const findGroup = ({ cloud }: Call, groupId: string): SecurityGroup =>
  find(cloud.state.securityGroups, groupId, "InvalidSecurityGroupId.NotFound");

function create(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const vpc = findVpc(call, parameters.text("VpcId"));
  const group: SecurityGroup = {
    ...cloud.base("sg", region, parameters.tags(), parameters.text("ResourceGroupId")),
    name: parameters.text("SecurityGroupName"),
    description: parameters.text("Description"),
    vpcId: vpc.id,
    type: parameters.text("SecurityGroupType", "normal"),
    innerAccess: "Accept",
    rules: [],
  };
  cloud.state.securityGroups.set(group.id, group);
  return { SecurityGroupId: group.id };
}

function describe(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const ids = parameters.jsonList("SecurityGroupIds");
  const found = [...cloud.state.securityGroups.values()].filter(
    (group) =>
      group.regionId === region &&
      (ids?.includes(group.id) ?? true) &&
      matches(parameters, "SecurityGroupId", group.id) &&
      matches(parameters, "SecurityGroupName", group.name) &&
      matches(parameters, "VpcId", group.vpcId) &&
      matches(parameters, "ResourceGroupId", group.resourceGroupId) &&
      hasTags(group, parameters),
  );
  const answer = paged(call, found, ["SecurityGroups", "SecurityGroup"], (group) => ({
    SecurityGroupId: group.id,
    SecurityGroupName: group.name,
    Description: group.description,
    VpcId: group.vpcId,
    SecurityGroupType: group.type,
    CreationTime: group.createdAt,
    ResourceGroupId: group.resourceGroupId,
    RuleCount: group.rules.length,
    ServiceManaged: false,
    Tags: ecsTags(group.tags),
  }));
  return { ...answer, RegionId: region, NextToken: "" };
}

function describeAttribute(call: Call): Answer {
  const { parameters } = call;
  const group = findGroup(call, parameters.text("SecurityGroupId"));
  const direction = parameters.text("Direction", "all");
  const rules = group.rules.filter((rule) => direction === "all" || rule.direction === direction);
  return {
    SecurityGroupId: group.id,
    SecurityGroupName: group.name,
    Description: group.description,
    VpcId: group.vpcId,
    RegionId: group.regionId,
    InnerAccessPolicy: group.innerAccess,
    Permissions: {
      Permission: rules.map((rule) => {
        const ingress = rule.direction === "ingress";
        return {
          SecurityGroupRuleId: rule.id,
          Direction: rule.direction,
          IpProtocol: rule.protocol.toUpperCase(),
          PortRange: rule.portRange,
          Policy: rule.policy === "drop" ? "Drop" : "Accept",
          Priority: rule.priority,
          NicType: rule.nicType,
          Description: rule.description,
          CreateTime: rule.createdAt,
          SourceCidrIp: ingress ? rule.cidr : "",
          Ipv6SourceCidrIp: ingress ? rule.ipv6Cidr : "",
          SourceGroupId: ingress ? rule.groupId : "",
          DestCidrIp: ingress ? "" : rule.cidr,
          Ipv6DestCidrIp: ingress ? "" : rule.ipv6Cidr,
          DestGroupId: ingress ? "" : rule.groupId,
        };
      }),
    },
  };
}

function modify(call: Call): Answer {
  const { parameters } = call;
  const group = findGroup(call, parameters.text("SecurityGroupId"));
  group.name = parameters.optional("SecurityGroupName") ?? group.name;
  group.description = parameters.optional("Description") ?? group.description;
  group.innerAccess = parameters.text("InnerAccessPolicy", group.innerAccess);
  return {};
}

function remove(call: Call): Answer {
  const { cloud } = call;
  const group = findGroup(call, call.parameters.text("SecurityGroupId"));
  for (const one of cloud.state.instances.values())
    if (one.securityGroupIds.includes(group.id)) throw inUse("DependencyViolation", group.id, one.id);
  for (const other of cloud.state.securityGroups.values())
    if (other.id !== group.id && other.rules.some((rule) => rule.groupId === group.id))
      throw inUse("DependencyViolation", group.id, other.id);
  cloud.state.securityGroups.delete(group.id);
  return {};
}

/** An instance joins or leaves a group; it is in one at least. */
function member(call: Call, joins: boolean): Answer {
  const { cloud, parameters } = call;
  const instance = find(cloud.state.instances, parameters.text("InstanceId"), "InvalidInstanceId.NotFound");
  const group = findGroup(call, parameters.text("SecurityGroupId"));
  const others = instance.securityGroupIds.filter((groupId) => groupId !== group.id);
  if (!joins && others.length === 0)
    throw new ApiError(403, "InstanceLastSecurityGroup", "The instance needs one security group at least.");
  instance.securityGroupIds = joins ? [...others, group.id] : others;
  return {};
}

const groupId = { SecurityGroupId: id("sg") };

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/CreateSecurityGroup and the same page of each action. */
export const securityGroups: Actions = {
  CreateSecurityGroup: {
    parameters: {
      required: { VpcId: id("vpc") },
      optional: {
        SecurityGroupName: name,
        Description: text,
        SecurityGroupType: ["normal", "enterprise"],
        ...clientToken,
        ...resourceGroup,
        ...tagFilter,
      },
    },
    handle: create,
  },
  DescribeSecurityGroups: {
    parameters: {
      optional: {
        ...groupId,
        SecurityGroupIds: text,
        SecurityGroupName: text,
        VpcId: id("vpc"),
        NetworkType: ["vpc"],
        ...page,
        ...resourceGroup,
        ...tagFilter,
        MaxResults: text,
        NextToken: text,
      },
    },
    handle: describe,
  },
  DescribeSecurityGroupAttribute: {
    parameters: {
      required: groupId,
      optional: { Direction: ["ingress", "egress", "all"], NicType: ["intranet", "internet"] },
    },
    handle: describeAttribute,
  },
  ModifySecurityGroupAttribute: {
    parameters: { required: groupId, optional: { SecurityGroupName: name, Description: text } },
    handle: modify,
  },
  ModifySecurityGroupPolicy: {
    parameters: { required: { ...groupId, InnerAccessPolicy: ["Accept", "Drop"] }, optional: clientToken },
    handle: modify,
  },
  DeleteSecurityGroup: { parameters: { required: groupId }, handle: remove },
  JoinSecurityGroup: {
    parameters: { required: { ...groupId, InstanceId: id("i") } },
    handle: (call) => member(call, true),
  },
  LeaveSecurityGroup: {
    parameters: { required: { ...groupId, InstanceId: id("i") } },
    handle: (call) => member(call, false),
  },
};
