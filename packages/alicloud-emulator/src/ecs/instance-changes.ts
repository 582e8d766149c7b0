import { find } from "../answers";
import type { Cloud } from "../cloud";
import type { Actions, Answer, Call } from "../call";
import { ApiError, wrongStatus } from "../errors";
import type { Instance } from "../model";
import { clientToken, flag, id, jsonList, name, text, whole } from "../parameters";
import { freeAddress } from "../vpc/eips";
import { releaseDisks, showSizes } from "./disk-attachment";
import { findInstance } from "./instances";
import { freePublicAddress, takePublicAddress } from "./public-address";
import { buyType } from "./stock";

function must(instance: Instance, ...allowed: readonly Instance["status"][]): void {
  if (!allowed.includes(instance.status)) throw wrongStatus("IncorrectInstanceStatus", instance.status);
}

const fail =
  (instance: Instance) =>
  (why: string): void => {
    instance.failure = why;
  };

/** Whether the step that begins now is still the last one: an instance can be taken back in each. */
export function isStill(instance: Instance): () => boolean {
  const { status } = instance;
  return () => instance.status === status;
}

function start(call: Call): Answer {
  const { cloud } = call;
  const instance = findInstance(call);
  must(instance, "Stopped");
  // What was given up by StopCharging has to be bought again.
  if (instance.stoppedMode === "StopCharging") checkType(call, instance, instance.type);
  instance.status = "Starting";
  cloud.later(instance.id, "instanceStart", {
    work: async () => {
      await showSizes(cloud, instance);
      await cloud.machines.start(instance.id);
      await takePublicAddress(cloud, instance);
    },
    still: isStill(instance),
    settle: () =>
      Object.assign(instance, { status: "Running", startedAt: cloud.timestamp(), stoppedMode: "Not-applicable" }),
    fail: fail(instance),
  });
  return {};
}

function stop(call: Call): Answer {
  const { cloud, parameters } = call;
  const instance = findInstance(call);
  must(instance, "Running", "Stopped");
  // The provider sends back what it read of a running instance; it is taken for the default.
  const asked = parameters.text("StoppedMode") === "StopCharging" ? "StopCharging" : "KeepCharging";
  if (asked === "StopCharging" && instance.chargeType === "PrePaid")
    throw new ApiError(403, "InvalidChargeType.ValueNotSupported", "A subscription cannot stop charging.");
  instance.stoppedMode = asked;
  if (instance.status === "Stopped") return {};
  beginStop(cloud, instance, parameters.flag("ForceStop", false));
  return {};
}

function beginStop(cloud: Cloud, instance: Instance, force: boolean): void {
  instance.status = "Stopping";
  cloud.later(instance.id, "instanceStop", {
    work: async () => {
      await cloud.machines.stop(instance.id, force);
      if (instance.stoppedMode === "StopCharging") await freePublicAddress(cloud, instance);
    },
    still: isStill(instance),
    settle: () => (instance.status = "Stopped"),
    fail: fail(instance),
  });
}

/** The power is cut, as the cloud does it by itself. */
export function forceStop(cloud: Cloud, instance: Instance): void {
  instance.stoppedMode = "KeepCharging";
  beginStop(cloud, instance, true);
}

function reboot(call: Call): Answer {
  const { cloud, parameters } = call;
  const instance = findInstance(call);
  must(instance, "Running");
  instance.status = "Starting";
  cloud.later(instance.id, "instanceStart", {
    work: async () => {
      await cloud.machines.stop(instance.id, parameters.flag("ForceStop", false));
      await showSizes(cloud, instance);
      await cloud.machines.start(instance.id);
    },
    still: isStill(instance),
    settle: () => (instance.status = "Running"),
    fail: fail(instance),
  });
  return {};
}

function remove(call: Call): Answer {
  const { cloud, parameters } = call;
  const instance = findInstance(call);
  if (instance.deletionProtection)
    throw new ApiError(
      403,
      "InvalidOperation.DeletionProtection",
      "The operation is not allowed due to deletion protection.",
    );
  if (instance.chargeType === "PrePaid")
    throw new ApiError(
      403,
      "ChargeTypeViolation",
      "The operation is not permitted due to charge type of the instance.",
    );
  const { status } = instance;
  // An instance whose machine failed can be released in any status.
  if (instance.failure === "") must(instance, ...(parameters.flag("Force", false) ? running : stopped));
  release(cloud, instance, status);
  return {};
}

/** A spot instance is taken back: with a notice, or without one as the power is cut. Neither protection nor its owner is asked. */
export function reclaim(cloud: Cloud, instance: Instance, notice: boolean): void {
  instance.recycling = true;
  if (!notice) release(cloud, instance, instance.status);
}

function release(cloud: Cloud, instance: Instance, status: Instance["status"]): void {
  instance.status = "Releasing";
  cloud.later(instance.id, "instanceDelete", {
    work: async () => {
      if (status === "Running") await cloud.machines.stop(instance.id, true);
      await freeAddress(cloud, instance);
      await freePublicAddress(cloud, instance);
      await releaseDisks(cloud, instance);
      await cloud.machines.remove(instance.id);
    },
    settle: () => {
      for (const address of cloud.state.ipv6Addresses.values())
        if (address.instanceId === instance.id) cloud.state.ipv6Addresses.delete(address.id);
      cloud.state.instances.delete(instance.id);
    },
    fail: fail(instance),
  });
}

const stopped = ["Stopped"] as const;
const running = ["Stopped", "Running"] as const;

/** Throws if the zone cannot give this type to the instance with its system disk. */
function checkType(call: Call, instance: Instance, type: string): void {
  const disk = [...call.cloud.state.disks.values()].find(
    (one) => one.instanceId === instance.id && one.type === "system",
  );
  buyType(call, type, instance.zoneId, disk?.category ?? "", instance.spotStrategy);
}

function modifySpec(call: Call): Answer {
  const instance = findInstance(call);
  must(instance, "Stopped");
  const type = call.parameters.text("InstanceType", instance.type);
  checkType(call, instance, type);
  instance.type = type;
  return { OrderId: "" };
}

function modifyAttribute(call: Call): Answer {
  const { parameters } = call;
  const instance = findInstance(call);
  const userData = parameters.optional("UserData");
  if (userData !== undefined) must(instance, "Stopped");
  instance.userData = userData ?? instance.userData;
  instance.name = parameters.optional("InstanceName") ?? instance.name;
  instance.description = parameters.optional("Description") ?? instance.description;
  instance.hostName = parameters.text("HostName", instance.hostName);
  instance.deletionProtection = parameters.flag("DeletionProtection", instance.deletionProtection);
  instance.creditSpecification = parameters.text("CreditSpecification", instance.creditSpecification);
  return {};
}

function modifyMetadata(call: Call): Answer {
  const { parameters } = call;
  const instance = findInstance(call);
  instance.httpEndpoint = parameters.text("HttpEndpoint", instance.httpEndpoint);
  instance.httpTokens = parameters.text("HttpTokens", instance.httpTokens);
  instance.httpHopLimit = parameters.number("HttpPutResponseHopLimit", instance.httpHopLimit);
  return {};
}

function modifyChargeType(call: Call): Answer {
  const { cloud, parameters } = call;
  for (const wanted of parameters.jsonList("InstanceIds") ?? []) {
    const instance = find(cloud.state.instances, wanted, "InvalidInstanceId.NotFound");
    must(instance, "Running", "Stopped");
    const prePaid = parameters.text("InstanceChargeType") === "PrePaid";
    const period = parameters.number("Period", 1) * 30 * 86_400_000;
    instance.chargeType = prePaid ? "PrePaid" : "PostPaid";
    instance.expiresAt = prePaid ? cloud.timestamp(cloud.clock.now() + period) : "2099-12-31T15:59Z";
  }
  return { OrderId: "" };
}

function modifyRenewal(call: Call): Answer {
  const { parameters } = call;
  findInstance(call).autoRenew = {
    on: parameters.text("RenewalStatus") === "AutoRenewal",
    period: parameters.number("Duration", 1),
    unit: parameters.text("PeriodUnit", "Month"),
  };
  return {};
}

const instanceId = { InstanceId: id("i") };

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/StopInstance and the same page of each action. */
export const instanceChanges: Actions = {
  StartInstance: { parameters: { required: instanceId, optional: { DryRun: flag } }, handle: start },
  StopInstance: {
    parameters: {
      required: instanceId,
      optional: { ForceStop: flag, StoppedMode: ["StopCharging", "KeepCharging", "Not-applicable"], DryRun: flag },
    },
    handle: stop,
  },
  RebootInstance: { parameters: { required: instanceId, optional: { ForceStop: flag } }, handle: reboot },
  DeleteInstance: {
    parameters: { required: instanceId, optional: { Force: flag, TerminateSubscription: flag, DryRun: flag } },
    handle: remove,
  },
  ModifyInstanceSpec: {
    parameters: { required: instanceId, optional: { InstanceType: /^ecs\./, ...clientToken } },
    handle: modifySpec,
  },
  ModifyPrepayInstanceSpec: {
    parameters: {
      required: { ...instanceId, InstanceType: /^ecs\./ },
      optional: { OperatorType: ["upgrade", "downgrade"], AutoPay: flag, ...clientToken },
    },
    handle: modifySpec,
  },
  ModifyInstanceAttribute: {
    parameters: {
      required: instanceId,
      optional: {
        InstanceName: name,
        Description: text,
        HostName: text,
        UserData: text,
        DeletionProtection: flag,
        CreditSpecification: ["Standard", "Unlimited"],
        ...clientToken,
      },
    },
    handle: modifyAttribute,
  },
  ModifyInstanceMetadataOptions: {
    parameters: {
      required: { ...instanceId, HttpEndpoint: ["enabled", "disabled"] },
      optional: { HttpTokens: ["optional", "required"], HttpPutResponseHopLimit: whole },
    },
    handle: modifyMetadata,
  },
  ModifyInstanceChargeType: {
    parameters: {
      required: { InstanceIds: jsonList },
      optional: {
        InstanceChargeType: ["PostPaid", "PrePaid"],
        IncludeDataDisks: flag,
        AutoPay: flag,
        DryRun: flag,
        Period: whole,
        PeriodUnit: ["Week", "Month"],
        ...clientToken,
      },
    },
    handle: modifyChargeType,
  },
  ModifyInstanceAutoRenewAttribute: {
    parameters: {
      required: instanceId,
      optional: {
        RenewalStatus: ["AutoRenewal", "Normal", "NotRenewal"],
        Duration: whole,
        PeriodUnit: ["Week", "Month", "Year"],
        AutoRenew: flag,
      },
    },
    handle: modifyRenewal,
  },
};
