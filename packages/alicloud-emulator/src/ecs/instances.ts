import { ecsTags, find, hasTags, matches, paged } from "../answers";
import type { Actions, Answer, Call } from "../call";
import { ApiError } from "../errors";
import type { Instance } from "../model";
import { id, jsonList, page, resourceGroup, tagFilter, text, whole } from "../parameters";
import { runInstancesAction } from "./run-instances";

export const findInstance = (call: Call): Instance =>
  find(call.cloud.state.instances, call.parameters.text("InstanceId"), "InvalidInstanceId.NotFound");

/** Throws what reads of an instance answer whose machine failed. */
function working(instance: Instance): Instance {
  if (instance.failure !== "") throw new ApiError(500, "InternalError", instance.failure);
  return instance;
}

const addresses = (one: string): Answer => ({ IpAddress: one === "" ? [] : [one] });

function show({ cloud, catalogue }: Call, instance: Instance): Answer {
  const type = catalogue.type(instance.type);
  const image = catalogue.image(instance.imageId);
  const eip = [...cloud.state.eips.values()].find((one) => one.instanceId === instance.id);
  return {
    InstanceId: instance.id,
    InstanceName: instance.name,
    Description: instance.description,
    Status: instance.status === "Releasing" ? "Stopping" : instance.status,
    HostName: instance.hostName,
    RegionId: instance.regionId,
    ZoneId: instance.zoneId,
    InstanceType: instance.type,
    InstanceTypeFamily: type?.family,
    Cpu: type?.vcpus,
    Memory: (type?.memoryGiB ?? 0) * 1024,
    ImageId: instance.imageId,
    OSName: image?.os,
    OSType: "linux",
    InstanceNetworkType: "vpc",
    IoOptimized: true,
    CreationTime: instance.createdAt,
    StartTime: instance.startedAt,
    ExpiredTime: instance.expiresAt,
    AutoReleaseTime: "",
    InstanceChargeType: instance.chargeType,
    InternetChargeType: "PayByTraffic",
    InternetMaxBandwidthOut: instance.bandwidthOut,
    InternetMaxBandwidthIn: 100,
    SpotStrategy: instance.spotStrategy,
    SpotPriceLimit: instance.spotPriceLimit,
    SpotDuration: instance.spotDuration,
    SpotInterruptionBehavior: instance.spotInterruption,
    DeletionProtection: instance.deletionProtection,
    StoppedMode: instance.status === "Stopped" ? instance.stoppedMode : "Not-applicable",
    CreditSpecification: instance.creditSpecification,
    KeyPairName: instance.keyPairName,
    ResourceGroupId: instance.resourceGroupId,
    HpcClusterId: "",
    DeploymentSetId: "",
    SerialNumber: instance.id.slice(2),
    SecurityGroupIds: { SecurityGroupId: instance.securityGroupIds },
    VpcAttributes: {
      VpcId: instance.vpcId,
      VSwitchId: instance.vswitchId,
      NatIpAddress: "",
      PrivateIpAddress: addresses(instance.privateAddress),
    },
    InnerIpAddress: addresses(""),
    PublicIpAddress: addresses(instance.publicAddress),
    EipAddress: {
      AllocationId: eip?.id ?? "",
      IpAddress: eip?.address ?? "",
      InternetChargeType: eip?.internetChargeType ?? "",
      Bandwidth: Number(eip?.bandwidth ?? 0),
    },
    NetworkInterfaces: {
      NetworkInterface: [
        {
          NetworkInterfaceId: instance.interfaceId,
          Type: "Primary",
          MacAddress: "00:16:3e:00:00:01",
          PrimaryIpAddress: instance.privateAddress,
          PrivateIpSets: {
            PrivateIpSet: [{ PrivateIpAddress: instance.privateAddress, Primary: true }],
          },
        },
      ],
    },
    MetadataOptions: {
      HttpEndpoint: instance.httpEndpoint,
      HttpTokens: instance.httpTokens,
      HttpPutResponseHopLimit: instance.httpHopLimit,
    },
    ImageOptions: { LoginAsNonRoot: false },
    AdditionalInfo: { EnableHighDensityMode: false },
    DedicatedHostAttribute: { DedicatedHostId: "", DedicatedHostName: "" },
    CpuOptions: { CoreCount: Math.max(1, (type?.vcpus ?? 2) / 2), ThreadsPerCore: 2, Numa: "" },
    OperationLocks: { LockReason: instance.recycling ? [{ LockReason: "Recycling" }] : [] },
    Tags: ecsTags(instance.tags),
  };
}

function describe(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const ids = parameters.jsonList("InstanceIds");
  const found = [...cloud.state.instances.values()].filter(
    (instance) =>
      instance.regionId === region &&
      (ids?.includes(instance.id) ?? true) &&
      matches(parameters, "VpcId", instance.vpcId) &&
      matches(parameters, "VSwitchId", instance.vswitchId) &&
      matches(parameters, "ZoneId", instance.zoneId) &&
      matches(parameters, "InstanceName", instance.name) &&
      matches(parameters, "Status", instance.status) &&
      matches(parameters, "KeyPairName", instance.keyPairName) &&
      matches(parameters, "ResourceGroupId", instance.resourceGroupId) &&
      (parameters.text("SecurityGroupId") === "" ||
        instance.securityGroupIds.includes(parameters.text("SecurityGroupId"))) &&
      hasTags(instance, parameters),
  );
  const answer = paged(call, found.map(working), ["Instances", "Instance"], (one) => show(call, one));
  return { ...answer, NextToken: "" };
}

function describeStatus(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const ids = parameters.list("InstanceId");
  const found = [...cloud.state.instances.values()].filter(
    (instance) => instance.regionId === region && (ids.length === 0 || ids.includes(instance.id)),
  );
  return paged(call, found, ["InstanceStatuses", "InstanceStatus"], (instance) => ({
    InstanceId: instance.id,
    Status: instance.status === "Releasing" ? "Stopping" : instance.status,
  }));
}

function describeInterfaces(call: Call): Answer {
  const { cloud, parameters } = call;
  const ids = parameters.list("NetworkInterfaceId");
  const found = [...cloud.state.instances.values()].filter(
    (instance) =>
      (ids.length === 0 || ids.includes(instance.interfaceId)) &&
      matches(parameters, "InstanceId", instance.id) &&
      matches(parameters, "VSwitchId", instance.vswitchId) &&
      matches(parameters, "VpcId", instance.vpcId),
  );
  return paged(call, found, ["NetworkInterfaceSets", "NetworkInterfaceSet"], (instance) => ({
    NetworkInterfaceId: instance.interfaceId,
    InstanceId: instance.id,
    Type: "Primary",
    Status: "InUse",
    VpcId: instance.vpcId,
    VSwitchId: instance.vswitchId,
    ZoneId: instance.zoneId,
    PrivateIpAddress: instance.privateAddress,
    NetworkInterfaceTrafficMode: "Standard",
    QueueNumber: 2,
    SourceDestCheck: false,
    SecurityGroupIds: { SecurityGroupId: instance.securityGroupIds },
    PrivateIpSets: { PrivateIpSet: [{ PrivateIpAddress: instance.privateAddress, Primary: true }] },
    Ipv6Sets: {
      Ipv6Set: [...cloud.state.ipv6Addresses.values()]
        .filter((one) => one.instanceId === instance.id)
        .map((one) => ({ Ipv6Address: one.address })),
    },
    Attachment: { InstanceId: instance.id, DeviceIndex: 0 },
    Tags: ecsTags(instance.tags),
  }));
}

const oneInstance = { required: { InstanceId: id("i") } };

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/DescribeInstances and the same page of each action. */
export const instances: Actions = {
  RunInstances: runInstancesAction,
  DescribeInstances: {
    parameters: {
      optional: {
        InstanceIds: jsonList,
        VpcId: id("vpc"),
        VSwitchId: id("vsw"),
        ZoneId: text,
        InstanceName: text,
        Status: text,
        KeyPairName: text,
        SecurityGroupId: id("sg"),
        "AdditionalAttributes.N": text,
        ...page,
        ...resourceGroup,
        ...tagFilter,
        MaxResults: whole,
        NextToken: text,
      },
    },
    handle: describe,
  },
  DescribeInstanceStatus: {
    parameters: { optional: { "InstanceId.N": id("i"), ...page } },
    handle: describeStatus,
  },
  DescribeNetworkInterfaces: {
    parameters: {
      optional: {
        "NetworkInterfaceId.N": id("eni"),
        InstanceId: id("i"),
        VSwitchId: id("vsw"),
        VpcId: id("vpc"),
        ...page,
        ...tagFilter,
        MaxResults: whole,
        NextToken: text,
      },
    },
    handle: describeInterfaces,
  },
  DescribeInstanceAttribute: {
    parameters: oneInstance,
    handle: (call) => ({ ...show(call, findInstance(call)), EnableJumboFrame: false }),
  },
};
