import { find, hasTags, matches, paged, vpcTags } from "../answers";
import type { Actions, Answer, Call } from "../call";
import type { Cloud } from "../cloud";
import { ApiError, wrongStatus } from "../errors";
import type { Eip, Instance } from "../model";
import { clientToken, flag, id, name, page, resourceGroup, tagFilter, text, whole } from "../parameters";

const findEip = ({ cloud }: Call, allocationId: string): Eip =>
  find(cloud.state.eips, allocationId, "InvalidAllocationId.NotFound");

async function allocate(call: Call): Promise<Answer> {
  const { cloud, parameters, region } = call;
  const address = await cloud.machines.allocateAddress();
  const eip: Eip = {
    ...cloud.base("eip", region, {}, parameters.text("ResourceGroupId")),
    name: parameters.text("Name"),
    description: parameters.text("Description"),
    address,
    status: "Available",
    bandwidth: parameters.text("Bandwidth", "5"),
    internetChargeType: parameters.text("InternetChargeType", "PayByBandwidth"),
    chargeType: parameters.text("InstanceChargeType", "PostPaid"),
    isp: parameters.text("ISP", "BGP"),
    netmode: parameters.text("Netmode", "public"),
    mode: "NAT",
    deletionProtection: false,
    instanceId: "",
    failure: "",
  };
  cloud.state.eips.set(eip.id, eip);
  return { AllocationId: eip.id, EipAddress: address, ResourceGroupId: eip.resourceGroupId };
}

// PrivateIpAddress and VpcId stay empty: the provider does not compute them, so that a value would replace the association.
const show = (eip: Eip): Answer => ({
  AllocationId: eip.id,
  Name: eip.name,
  Description: eip.description,
  IpAddress: eip.address,
  Status: eip.status,
  Bandwidth: eip.bandwidth,
  EipBandwidth: eip.bandwidth,
  InternetChargeType: eip.internetChargeType,
  ChargeType: eip.chargeType,
  AllocationTime: eip.createdAt,
  ExpiredTime: "",
  ISP: eip.isp,
  Netmode: eip.netmode,
  Mode: eip.mode,
  DeletionProtection: eip.deletionProtection,
  InstanceId: eip.instanceId,
  InstanceType: eip.instanceId === "" ? "" : "EcsInstance",
  PrivateIpAddress: "",
  VpcId: "",
  RegionId: eip.regionId,
  ResourceGroupId: eip.resourceGroupId,
  BusinessStatus: "Normal",
  HDMonitorStatus: "OFF",
  SecondLimited: false,
  Tags: vpcTags(eip.tags),
});

function describe(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const ids = parameters.text("AllocationId").split(",");
  const found = [...cloud.state.eips.values()].filter(
    (eip) =>
      eip.regionId === region &&
      (parameters.text("AllocationId") === "" || ids.includes(eip.id)) &&
      matches(parameters, "EipAddress", eip.address) &&
      matches(parameters, "EipName", eip.name) &&
      matches(parameters, "Status", eip.status) &&
      matches(parameters, "AssociatedInstanceId", eip.instanceId) &&
      matches(parameters, "ResourceGroupId", eip.resourceGroupId) &&
      hasTags(eip, parameters),
  );
  for (const eip of found) if (eip.failure !== "") throw new ApiError(500, "InternalError", eip.failure);
  return paged(call, found, ["EipAddresses", "EipAddress"], show);
}

function modify(call: Call): Answer {
  const { parameters } = call;
  const eip = findEip(call, parameters.text("AllocationId"));
  if (eip.status !== "Available" && eip.status !== "InUse") throw wrongStatus("IncorrectEipStatus", eip.status, 400);
  eip.name = parameters.optional("Name") ?? eip.name;
  eip.description = parameters.optional("Description") ?? eip.description;
  eip.bandwidth = parameters.text("Bandwidth", eip.bandwidth);
  return {};
}

function associate(call: Call): Answer {
  const { cloud, parameters } = call;
  const eip = findEip(call, parameters.text("AllocationId"));
  const instance = find(cloud.state.instances, parameters.text("InstanceId"), "InvalidInstanceId.NotFound");
  if (eip.status !== "Available") throw wrongStatus("IncorrectEipStatus", eip.status, 400);
  if (instance.status !== "Running" && instance.status !== "Stopped")
    throw wrongStatus("IncorrectInstanceStatus", instance.status, 400);
  for (const other of cloud.state.eips.values())
    if (other.instanceId === instance.id)
      throw new ApiError(
        400,
        "InvalidAssociation.Duplicated",
        `The instance already has the address ${other.address}.`,
      );
  Object.assign(eip, { status: "Associating", instanceId: instance.id, mode: parameters.text("Mode", "NAT") });
  cloud.later(eip.id, "address", {
    work: () => cloud.machines.bindAddress(eip.address, instance.id),
    // Where the instance was released meanwhile, the address is free.
    still: () => eip.instanceId === instance.id,
    settle: () => (eip.status = "InUse"),
    fail: (why) => (eip.failure = why),
  });
  return {};
}

function unassociate(call: Call): Answer {
  const { cloud, parameters } = call;
  const eip = findEip(call, parameters.text("AllocationId"));
  if (eip.status !== "InUse") throw wrongStatus("IncorrectEipStatus", eip.status, 400);
  if (!matches(parameters, "InstanceId", eip.instanceId))
    throw new ApiError(400, "InvalidInstance.NotBound", "The address is bound to another instance.");
  const { instanceId } = eip;
  eip.status = "Unassociating";
  cloud.later(eip.id, "address", {
    work: () => cloud.machines.unbindAddress(eip.address, instanceId),
    settle: () => Object.assign(eip, { status: "Available", instanceId: "" }),
    fail: (why) => (eip.failure = why),
  });
  return {};
}

/** The instance is released: its address is free again. */
export async function freeAddress(cloud: Cloud, instance: Instance): Promise<void> {
  for (const eip of cloud.state.eips.values())
    if (eip.instanceId === instance.id) {
      await cloud.machines.unbindAddress(eip.address, instance.id);
      Object.assign(eip, { status: "Available", instanceId: "", failure: "" });
    }
}

async function release(call: Call): Promise<Answer> {
  const { cloud, parameters } = call;
  const eip = findEip(call, parameters.text("AllocationId"));
  if (eip.status !== "Available") throw wrongStatus("IncorrectEipStatus", eip.status, 400);
  if (eip.deletionProtection)
    throw new ApiError(400, "OperationDenied.DeletionProtection", "Deletion protection is on for the address.");
  await cloud.machines.releaseAddress(eip.address);
  cloud.state.eips.delete(eip.id);
  return {};
}

function protect(call: Call): Answer {
  findEip(call, call.parameters.text("InstanceId")).deletionProtection = call.parameters.flag(
    "ProtectionEnable",
    false,
  );
  return {};
}

const allocationId = { AllocationId: id("eip") };

/** https://api.alibabacloud.com/document/Vpc/2016-04-28/AllocateEipAddress and the same page of each action. */
export const eips: Actions = {
  AllocateEipAddress: {
    parameters: {
      optional: {
        InstanceId: text,
        Bandwidth: whole,
        Name: name,
        Description: text,
        ISP: text,
        Netmode: ["public"],
        InternetChargeType: ["PayByTraffic", "PayByBandwidth"],
        InstanceChargeType: ["PostPaid"],
        ...clientToken,
        ...resourceGroup,
      },
    },
    handle: allocate,
  },
  DescribeEipAddresses: {
    parameters: {
      optional: {
        AllocationId: text,
        EipAddress: text,
        EipName: text,
        Status: text,
        AssociatedInstanceId: text,
        AssociatedInstanceType: ["EcsInstance"],
        ...page,
        ...tagFilter,
        ...resourceGroup,
      },
    },
    handle: describe,
  },
  ModifyEipAddressAttribute: {
    parameters: { required: allocationId, optional: { Name: name, Description: text, Bandwidth: whole } },
    handle: modify,
  },
  AssociateEipAddress: {
    parameters: {
      required: { ...allocationId, InstanceId: id("i") },
      optional: { InstanceType: ["EcsInstance"], Mode: ["NAT"], ...clientToken },
    },
    handle: associate,
  },
  UnassociateEipAddress: {
    parameters: {
      required: allocationId,
      optional: { InstanceId: id("i"), InstanceType: ["EcsInstance"], Force: flag, ...clientToken },
    },
    handle: unassociate,
  },
  ReleaseEipAddress: { parameters: { required: allocationId }, handle: release },
  DeletionProtection: {
    parameters: {
      required: { InstanceId: id("eip"), Type: ["EIP"], ProtectionEnable: flag },
      optional: clientToken,
    },
    handle: protect,
  },
};
