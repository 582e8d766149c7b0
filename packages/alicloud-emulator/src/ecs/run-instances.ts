import { find } from "../answers";
import type { Action, Answer, Call } from "../call";
import { ApiError, invalid, wrongStatus } from "../errors";
import type { Disk, Instance, VSwitch } from "../model";
import { clientToken, decimal, flag, id, name, resourceGroup, tagFilter, text, whole } from "../parameters";
import { findVSwitch } from "../vpc/vswitches";
import { newDisk } from "./disks";
import { isStill } from "./instance-changes";
import { findKeyPair } from "./key-pairs";
import { findGroup } from "./security-groups";
import { takePublicAddress } from "./public-address";
import { buyType } from "./stock";

/** The user data as text; throws if it is not base64 or larger than 32 KB. */
function plainUserData(encoded: string): string {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(encoded) || encoded.length % 4 !== 0)
    throw invalid("InvalidUserData.Base64FormatInvalid", "UserData", "is not base64");
  const plain = Buffer.from(encoded, "base64");
  if (plain.length > 32 * 1024) throw invalid("InvalidUserData.SizeExceeded", "UserData", "is larger than 32 KB");
  return plain.toString("utf8");
}

interface Order {
  readonly instance: Instance;
  readonly systemDisk: Disk;
  readonly userData: string;
  readonly memoryMiB: number;
  readonly publicKeys: readonly string[];
}

/** Checks everything a purchase needs and makes the instance, which does not exist before it is stored. */
function order(call: Call): Order {
  const { parameters, catalogue } = call;
  const vswitch = findVSwitch(call, parameters.text("VSwitchId"));
  if (vswitch.status !== "Available") throw wrongStatus("IncorrectVSwitchStatus", vswitch.status);
  if (parameters.text("ZoneId", vswitch.zoneId) !== vswitch.zoneId)
    throw invalid("InvalidParameter.Mismatch", "ZoneId", `is not the zone of ${vswitch.id}`);
  const image = catalogue.image(parameters.text("ImageId"));
  if (!image) throw new ApiError(404, "InvalidImageId.NotFound", "The specified ImageId does not exist.");
  const category = parameters.text("SystemDisk.Category", "cloud_efficiency");
  const type = buyType(
    call,
    parameters.text("InstanceType"),
    vswitch.zoneId,
    category,
    parameters.text("SpotStrategy"),
  );
  const size = parameters.number("SystemDisk.Size", Math.max(40, image.sizeGiB));
  if (size < image.sizeGiB)
    throw new ApiError(403, "InvalidSystemDiskSize.LessThanImageSize", "The system disk is smaller than the image.");
  const groupIds = [...new Set([...parameters.list("SecurityGroupIds"), ...parameters.list("SecurityGroupId")])];
  for (const group of groupIds.map((one) => findGroup(call, one)))
    if (group.vpcId !== vswitch.vpcId) throw invalid("InvalidSecurityGroupId.VPCMismatch", "SecurityGroupId");
  if (groupIds.length === 0) throw invalid("MissingParameter", "SecurityGroupId", "is missing");
  const pair = parameters.text("KeyPairName");
  const publicKeys = pair === "" ? [] : [findKeyPair(call, pair).publicKey];
  const userData = plainUserData(parameters.text("UserData"));
  const instance = newInstance(call, vswitch, { type: type.id, imageId: image.id, groupIds });
  const systemDisk = newDisk(call, {
    type: "system",
    status: "In_use",
    zoneId: vswitch.zoneId,
    category,
    size,
    performanceLevel: parameters.text("SystemDisk.PerformanceLevel"),
    name: parameters.text("SystemDisk.DiskName"),
    description: parameters.text("SystemDisk.Description"),
    encrypted: parameters.flag("SystemDisk.Encrypted", false),
    kmsKeyId: parameters.text("SystemDisk.KMSKeyId"),
    policyId: parameters.text("SystemDisk.AutoSnapshotPolicyId"),
    instanceId: instance.id,
    device: "/dev/xvda",
    imageId: image.id,
    deleteWithInstance: true,
    tags: instance.tags,
    resourceGroupId: instance.resourceGroupId,
  });
  if (parameters.number("Ipv6AddressCount", 0) > type.ipv6PerEni)
    throw invalid("InvalidIp.IpAssigned", "Ipv6AddressCount");
  return { instance, systemDisk, userData, memoryMiB: type.memoryGiB * 1024, publicKeys };
}

function newInstance(
  { cloud, parameters, region }: Call,
  vswitch: VSwitch,
  { type, imageId, groupIds }: { type: string; imageId: string; groupIds: string[] },
): Instance {
  const base = cloud.base("i", region, parameters.tags(), parameters.text("ResourceGroupId"));
  const spotStrategy = parameters.text("SpotStrategy", "NoSpot");
  const prePaid = parameters.text("InstanceChargeType") === "PrePaid";
  const months = parameters.number("Period", 1);
  const days = parameters.text("PeriodUnit", "Month") === "Month" ? 30 * months : 7 * months;
  const bought = Date.parse(base.createdAt);
  return {
    ...base,
    name: parameters.text("InstanceName", base.id),
    description: parameters.text("Description"),
    status: "Pending",
    hostName: parameters.text("HostName", `iZ${base.id.slice(2)}Z`),
    zoneId: vswitch.zoneId,
    type,
    imageId,
    vpcId: vswitch.vpcId,
    vswitchId: vswitch.id,
    securityGroupIds: groupIds,
    keyPairName: parameters.text("KeyPairName"),
    userData: parameters.text("UserData"),
    interfaceId: cloud.newId("eni", region),
    privateAddress: "",
    bandwidthOut: parameters.number("InternetMaxBandwidthOut", 0),
    publicAddress: "",
    startedAt: base.createdAt,
    expiresAt: prePaid ? cloud.timestamp(bought + days * 86_400_000) : "2099-12-31T15:59Z",
    chargeType: prePaid ? "PrePaid" : "PostPaid",
    autoRenew: {
      on: parameters.flag("AutoRenew", false),
      period: parameters.number("AutoRenewPeriod", 1),
      unit: parameters.text("PeriodUnit", "Month"),
    },
    spotStrategy,
    spotPriceLimit: parameters.number("SpotPriceLimit", 0),
    spotDuration: parameters.number("SpotDuration", spotStrategy === "NoSpot" ? 0 : 1),
    spotInterruption: parameters.text("SpotInterruptionBehavior", spotStrategy === "NoSpot" ? "" : "Terminate"),
    recycling: false,
    deletionProtection: parameters.flag("DeletionProtection", false),
    stoppedMode: "Not-applicable",
    creditSpecification: parameters.text("CreditSpecification", type.startsWith("ecs.t") ? "Standard" : ""),
    httpEndpoint: parameters.text("HttpEndpoint", "enabled"),
    httpTokens: parameters.text("HttpTokens", "optional"),
    httpHopLimit: parameters.number("HttpPutResponseHopLimit", 1),
    failure: "",
  };
}

/** Addresses of the vSwitch's /64. */
function assignIpv6(call: Call, instance: Instance, vswitch: VSwitch): void {
  const { cloud, parameters, region } = call;
  const count = parameters.number("Ipv6AddressCount", 0);
  if (count > 0 && vswitch.ipv6Cidr === "")
    throw new ApiError(400, "InvalidVSwitch.Ipv6NotTurnOn", "IPv6 is not enabled for the vSwitch.");
  for (let number = 0; number < count; number += 1) {
    const last = (cloud.state.ipv6Addresses.size + 0x10).toString(16);
    const address = vswitch.ipv6Cidr.replace(/::\/64$/, `::${last}`);
    const base = cloud.base("ipv6", region, {}, instance.resourceGroupId);
    const where = { instanceId: instance.id, vswitchId: vswitch.id, vpcId: vswitch.vpcId };
    cloud.state.ipv6Addresses.set(base.id, { ...base, address, ...where });
  }
}

function runInstances(call: Call): Answer {
  const { cloud, parameters } = call;
  const { instance, systemDisk, userData, memoryMiB, publicKeys } = order(call);
  if (parameters.flag("DryRun", false))
    throw new ApiError(400, "DryRunOperation", "Request validation has been passed with DryRun flag set.");
  assignIpv6(call, instance, find(cloud.state.vswitches, instance.vswitchId, "InvalidVSwitchId.NotFound"));
  cloud.state.instances.set(instance.id, instance);
  cloud.state.disks.set(systemDisk.id, systemDisk);
  const { id: machine, hostName, imageId } = instance;
  cloud.later(machine, "instanceCreate", {
    work: async () => {
      const made = await cloud.machines.create({ id: machine, hostName, userData, publicKeys, imageId, memoryMiB });
      instance.privateAddress = made.privateAddress;
      await takePublicAddress(cloud, instance);
    },
    still: isStill(instance),
    settle: () => (instance.status = "Running"),
    fail: (why) => (instance.failure = why),
  });
  return { InstanceIdSets: { InstanceIdSet: [machine] }, TradePrice: 0 };
}

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/RunInstances */
export const runInstancesAction: Action = {
  parameters: {
    required: { ImageId: text, InstanceType: /^ecs\./, VSwitchId: id("vsw") },
    optional: {
      ZoneId: text,
      InstanceName: name,
      Description: text,
      HostName: /^[A-Za-z0-9][A-Za-z0-9.-]{1,63}$/,
      "SecurityGroupIds.N": id("sg"),
      SecurityGroupId: id("sg"),
      KeyPairName: text,
      UserData: text,
      "SystemDisk.Category": /^cloud/,
      "SystemDisk.Size": whole,
      "SystemDisk.PerformanceLevel": /^PL[0-3]$/,
      "SystemDisk.DiskName": name,
      "SystemDisk.Description": text,
      "SystemDisk.Encrypted": flag,
      "SystemDisk.KMSKeyId": text,
      "SystemDisk.AutoSnapshotPolicyId": id("sp"),
      InstanceChargeType: ["PostPaid", "PrePaid"],
      Period: whole,
      PeriodUnit: ["Week", "Month"],
      AutoRenew: flag,
      AutoRenewPeriod: whole,
      SpotPriceLimit: decimal,
      SpotDuration: ["0", "1"],
      SpotStrategy: ["NoSpot", "SpotWithPriceLimit", "SpotAsPriceGo"],
      SpotInterruptionBehavior: ["Terminate", "Stop"],
      CreditSpecification: ["Standard", "Unlimited"],
      DeletionProtection: flag,
      DryRun: flag,
      SecurityEnhancementStrategy: ["Active", "Deactive"],
      HttpEndpoint: ["enabled", "disabled"],
      HttpTokens: ["optional", "required"],
      HttpPutResponseHopLimit: whole,
      InternetMaxBandwidthOut: whole,
      Ipv6AddressCount: whole,
      InternetChargeType: ["PayByTraffic", "PayByBandwidth"],
      "PrivatePoolOptions.MatchCriteria": text,
      ...clientToken,
      ...resourceGroup,
      ...tagFilter,
    },
  },
  handle: runInstances,
};
