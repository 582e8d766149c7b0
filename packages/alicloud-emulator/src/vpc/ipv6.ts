import { find, hasTags, matches, paged, vpcTags } from "../answers";
import type { Actions, Answer, Call } from "../call";
import { ApiError, inUse, wrongStatus } from "../errors";
import type { Ipv6Address, Ipv6Gateway } from "../model";
import { clientToken, id, name, page, resourceGroup, tagFilter, text, whole } from "../parameters";
import { findVpc } from "./vpcs";

const findGateway = ({ cloud }: Call, gatewayId: string): Ipv6Gateway =>
  find(cloud.state.ipv6Gateways, gatewayId, "InvalidIpv6GatewayId.NotFound");

function createGateway(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const vpc = findVpc(call, parameters.text("VpcId"));
  if (vpc.status !== "Available") throw wrongStatus("IncorrectStatus.Vpc", vpc.status, 400);
  if (vpc.ipv6Cidr === "")
    throw new ApiError(400, "OperationFailed.Ipv6NotEnabled", "IPv6 is not enabled for the VPC.");
  for (const other of cloud.state.ipv6Gateways.values())
    if (other.vpcId === vpc.id)
      throw new ApiError(400, "QuotaExceeded.Ipv6Gateway", "The VPC already has an IPv6 gateway.");
  const gateway: Ipv6Gateway = {
    ...cloud.base("ipv6gw", region, parameters.tags(), parameters.text("ResourceGroupId", vpc.resourceGroupId)),
    name: parameters.text("Name"),
    description: parameters.text("Description"),
    vpcId: vpc.id,
    status: "Pending",
  };
  cloud.state.ipv6Gateways.set(gateway.id, gateway);
  cloud.later(gateway.id, "network", { settle: () => (gateway.status = "Available") });
  return { Ipv6GatewayId: gateway.id, ResourceGroupId: gateway.resourceGroupId };
}

const showGateway = (gateway: Ipv6Gateway): Answer => ({
  Ipv6GatewayId: gateway.id,
  Name: gateway.name,
  Description: gateway.description,
  VpcId: gateway.vpcId,
  RegionId: gateway.regionId,
  Status: gateway.status,
  BusinessStatus: "Normal",
  InstanceChargeType: "PostPaid",
  CreationTime: gateway.createdAt,
  ExpiredTime: "",
  ResourceGroupId: gateway.resourceGroupId,
  Tags: vpcTags(gateway.tags),
});

function modifyGateway(call: Call): Answer {
  const gateway = findGateway(call, call.parameters.text("Ipv6GatewayId"));
  gateway.name = call.parameters.optional("Name") ?? gateway.name;
  gateway.description = call.parameters.optional("Description") ?? gateway.description;
  return {};
}

function deleteGateway(call: Call): Answer {
  const { cloud } = call;
  const gateway = findGateway(call, call.parameters.text("Ipv6GatewayId"));
  for (const one of cloud.state.ipv6Addresses.values())
    if (one.bandwidth?.gatewayId === gateway.id)
      throw inUse("DependencyViolation.Ipv6InternetBandwidth", gateway.id, one.bandwidth.id);
  cloud.state.ipv6Gateways.delete(gateway.id);
  return {};
}

function showAddress(call: Call, address: Ipv6Address): Answer {
  const { bandwidth } = address;
  const gateway = [...call.cloud.state.ipv6Gateways.values()].find((one) => one.vpcId === address.vpcId);
  return {
    Ipv6AddressId: address.id,
    Ipv6Address: address.address,
    Ipv6AddressName: "",
    Ipv6AddressDescription: "",
    AssociatedInstanceId: address.instanceId,
    AssociatedInstanceType: "EcsInstance",
    VSwitchId: address.vswitchId,
    VpcId: address.vpcId,
    Ipv6GatewayId: gateway?.id ?? "",
    Status: "Available",
    NetworkType: bandwidth ? "Public" : "Private",
    RealBandwidth: bandwidth?.mbps ?? 0,
    AllocationTime: address.createdAt,
    ResourceGroupId: address.resourceGroupId,
    Ipv6InternetBandwidth: bandwidth && {
      Ipv6InternetBandwidthId: bandwidth.id,
      Bandwidth: bandwidth.mbps,
      InternetChargeType: bandwidth.chargeType,
      InstanceChargeType: "PostPaid",
      BusinessStatus: "Normal",
    },
    Tags: vpcTags(address.tags),
  };
}

function describeAddresses(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const found = [...cloud.state.ipv6Addresses.values()].filter(
    (address) =>
      address.regionId === region &&
      matches(parameters, "Ipv6AddressId", address.id) &&
      matches(parameters, "Ipv6Address", address.address) &&
      matches(parameters, "AssociatedInstanceId", address.instanceId) &&
      matches(parameters, "VSwitchId", address.vswitchId) &&
      matches(parameters, "VpcId", address.vpcId) &&
      matches(parameters, "Ipv6InternetBandwidthId", address.bandwidth?.id ?? "none") &&
      hasTags(address, parameters),
  );
  return paged(call, found, ["Ipv6Addresses", "Ipv6Address"], (address) => showAddress(call, address));
}

const findAddress = ({ cloud }: Call, addressId: string): Ipv6Address =>
  find(cloud.state.ipv6Addresses, addressId, "InvalidIpv6AddressId.NotFound");

function allocateBandwidth(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const address = findAddress(call, parameters.text("Ipv6AddressId"));
  const gateway = findGateway(call, parameters.text("Ipv6GatewayId"));
  if (address.vpcId !== gateway.vpcId || address.bandwidth)
    throw new ApiError(400, "OperationDenied.Ipv6InternetBandwidth", "The address has bandwidth, or another gateway.");
  address.bandwidth = {
    id: cloud.newId("ipv6bw", region),
    gatewayId: gateway.id,
    mbps: parameters.number("Bandwidth", 1),
    chargeType: parameters.text("InternetChargeType", "PayByBandwidth"),
  };
  return { InternetBandwidthId: address.bandwidth.id, Ipv6AddressId: address.id };
}

function findBandwidth(call: Call): Ipv6Address {
  const wanted = call.parameters.text("Ipv6InternetBandwidthId");
  const found = [...call.cloud.state.ipv6Addresses.values()].find((address) => address.bandwidth?.id === wanted);
  if (!found) throw new ApiError(404, "InvalidIpv6InternetBandwidthId.NotFound", `${wanted} is not found.`);
  return found;
}

function modifyBandwidth(call: Call): Answer {
  const { bandwidth } = findBandwidth(call);
  if (bandwidth) bandwidth.mbps = call.parameters.number("Bandwidth", bandwidth.mbps);
  return {};
}

function deleteBandwidth(call: Call): Answer {
  findBandwidth(call).bandwidth = undefined;
  return {};
}

const bandwidthId = { Ipv6InternetBandwidthId: id("ipv6bw") };

/** https://api.alibabacloud.com/document/Vpc/2016-04-28/CreateIpv6Gateway and the same page of each action. */
export const ipv6: Actions = {
  CreateIpv6Gateway: {
    parameters: {
      required: { VpcId: id("vpc") },
      optional: { Name: name, Description: text, ...clientToken, ...resourceGroup, ...tagFilter },
    },
    handle: createGateway,
  },
  DescribeIpv6GatewayAttribute: {
    parameters: { required: { Ipv6GatewayId: id("ipv6gw") } },
    handle: (call) => showGateway(findGateway(call, call.parameters.text("Ipv6GatewayId"))),
  },
  ModifyIpv6GatewayAttribute: {
    parameters: { required: { Ipv6GatewayId: id("ipv6gw") }, optional: { Name: name, Description: text } },
    handle: modifyGateway,
  },
  DeleteIpv6Gateway: { parameters: { required: { Ipv6GatewayId: id("ipv6gw") } }, handle: deleteGateway },
  DescribeIpv6Addresses: {
    parameters: {
      optional: {
        Ipv6AddressId: id("ipv6"),
        Ipv6Address: text,
        AssociatedInstanceId: text,
        VSwitchId: id("vsw"),
        VpcId: id("vpc"),
        ...bandwidthId,
        ...page,
        ...tagFilter,
      },
    },
    handle: describeAddresses,
  },
  AllocateIpv6InternetBandwidth: {
    parameters: {
      required: { Ipv6GatewayId: id("ipv6gw"), Ipv6AddressId: id("ipv6"), Bandwidth: whole },
      optional: { InternetChargeType: ["PayByTraffic", "PayByBandwidth"], ...clientToken },
    },
    handle: allocateBandwidth,
  },
  ModifyIpv6InternetBandwidth: {
    parameters: {
      required: { ...bandwidthId, Bandwidth: whole },
      optional: { Ipv6AddressId: id("ipv6"), ...clientToken },
    },
    handle: modifyBandwidth,
  },
  DeleteIpv6InternetBandwidth: {
    parameters: { required: bandwidthId, optional: { Ipv6AddressId: id("ipv6") } },
    handle: deleteBandwidth,
  },
};
