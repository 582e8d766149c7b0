import { find } from "../answers";
import type { Actions, Answer, Call } from "../call";
import type { Cloud } from "../cloud";
import { ApiError, invalid, wrongStatus } from "../errors";
import type { Disk, Instance } from "../model";
import { clientToken, flag, id, text, whole } from "../parameters";
import { findDisk, newDisk } from "./disks";

const instanceOf = ({ cloud, parameters }: Call): Instance =>
  find(cloud.state.instances, parameters.text("InstanceId"), "InvalidInstanceId.NotFound");

function mustRest(instance: Instance): void {
  if (instance.status !== "Running" && instance.status !== "Stopped")
    throw wrongStatus("IncorrectInstanceStatus", instance.status);
}

function attach(call: Call): Answer {
  const { cloud, parameters } = call;
  const disk = findDisk(call, parameters.text("DiskId"));
  const instance = instanceOf(call);
  mustRest(instance);
  if (disk.status !== "Available") throw wrongStatus("IncorrectDiskStatus", disk.status);
  if (disk.zoneId !== instance.zoneId)
    throw new ApiError(403, "ResourcesNotInSameZone", "The specified instance and disk are not in the same zone.");
  if (!call.catalogue.type(instance.type)?.disks.includes(disk.category))
    throw new ApiError(
      403,
      "InvalidInstanceType.NotSupportDiskCategory",
      "The instanceType of the specified instance does not support this disk category.",
    );
  Object.assign(disk, { status: "Attaching", instanceId: instance.id, attachedAt: cloud.timestamp() });
  disk.deleteWithInstance = parameters.flag("DeleteWithInstance", disk.deleteWithInstance);
  let device = "";
  cloud.later(disk.id, "disk", {
    work: async () => {
      ({ device } = await cloud.machines.attachDisk(disk.id, instance.id));
    },
    // Where the instance was released meanwhile, the disk is free.
    still: () => disk.instanceId === instance.id,
    settle: () => Object.assign(disk, { status: "In_use", device }),
    fail: (why) => (disk.failure = why),
  });
  return {};
}

function detach(call: Call): Answer {
  const { cloud } = call;
  const disk = findDisk(call, call.parameters.text("DiskId"));
  const instance = instanceOf(call);
  if (disk.instanceId !== instance.id)
    throw new ApiError(403, "InvalidDisk.AlreadyDetached", "The specified disk is not attached to the instance.");
  mustRest(instance);
  if (disk.type === "system") throw invalid("InvalidDiskId.OperationNotSupported", "DiskId", "is a system disk");
  if (disk.status !== "In_use") throw wrongStatus("IncorrectDiskStatus", disk.status);
  disk.status = "Detaching";
  cloud.later(disk.id, "disk", {
    work: () => cloud.machines.detachDisk(disk.id, instance.id),
    settle: () => {
      setFree(cloud, disk);
    },
    fail: (why) => (disk.failure = why),
  });
  return {};
}

function setFree(cloud: Cloud, disk: Disk): void {
  Object.assign(disk, { status: "Available", instanceId: "", device: "", failure: "", detachedAt: cloud.timestamp() });
}

/** The instance is released: its disks go with it or are free. */
export async function releaseDisks(cloud: Cloud, instance: Instance): Promise<void> {
  for (const disk of cloud.state.disks.values()) {
    if (disk.instanceId !== instance.id) continue;
    if (disk.type === "data") {
      await cloud.machines.detachDisk(disk.id, instance.id);
      if (disk.deleteWithInstance) await cloud.machines.removeDisk(disk.id);
    }
    if (disk.type === "system" || disk.deleteWithInstance) cloud.state.disks.delete(disk.id);
    else setFree(cloud, disk);
  }
}

async function resize(call: Call): Promise<Answer> {
  const { cloud, parameters } = call;
  const disk = findDisk(call, parameters.text("DiskId"));
  const size = parameters.number("NewSize", 0);
  if (disk.status !== "Available" && disk.status !== "In_use") throw wrongStatus("IncorrectDiskStatus", disk.status);
  if (size <= disk.size) throw invalid("InvalidDiskSize.TooSmall", "NewSize", "is not larger than the disk");
  if (size > (call.catalogue.category(disk.category)?.maxGiB ?? 0)) throw invalid("InvalidNewSize", "NewSize");
  const running = cloud.state.instances.get(disk.instanceId)?.status === "Running";
  disk.sizeWaits = running && parameters.text("Type", "offline") === "offline";
  if (disk.type === "data" && !disk.sizeWaits) await cloud.machines.resizeDisk(disk.id, size);
  disk.size = size;
  return { OrderId: "" };
}

/** The instance starts and sees its disks as large as they are. */
export async function showSizes(cloud: Cloud, instance: Instance): Promise<void> {
  for (const disk of cloud.state.disks.values())
    if (disk.instanceId === instance.id && disk.sizeWaits) {
      if (disk.type === "data") await cloud.machines.resizeDisk(disk.id, disk.size);
      disk.sizeWaits = false;
    }
}

function modifySpec(call: Call): Answer {
  const { parameters } = call;
  const disk = findDisk(call, parameters.text("DiskId"));
  if (disk.status !== "Available" && disk.status !== "In_use") throw wrongStatus("IncorrectDiskStatus", disk.status);
  const changed = newDisk(call, {
    ...disk,
    category: parameters.text("DiskCategory", disk.category),
    performanceLevel: parameters.text("PerformanceLevel", disk.performanceLevel),
  });
  Object.assign(disk, { category: changed.category, performanceLevel: changed.performanceLevel });
  return { TaskId: "", OrderId: "" };
}

/** A new system disk from an image: what was on the old one is gone. */
async function replaceSystemDisk(call: Call): Promise<Answer> {
  const { cloud, parameters, catalogue } = call;
  const instance = instanceOf(call);
  if (instance.status !== "Stopped") throw wrongStatus("IncorrectInstanceStatus", instance.status);
  const image = catalogue.image(parameters.text("ImageId"));
  if (!image) throw new ApiError(404, "InvalidImageId.NotFound", "The specified ImageId does not exist.");
  const old = [...cloud.state.disks.values()].find((one) => one.instanceId === instance.id && one.type === "system");
  if (!old) throw new ApiError(404, "InvalidDiskId.NotFound", "The instance has no system disk.");
  const size = parameters.number("SystemDisk.Size", old.size);
  const disk = newDisk(call, { ...old, id: cloud.newId("d", old.regionId), imageId: image.id, size });
  await cloud.machines.reimage(instance.id);
  cloud.state.disks.delete(old.id);
  cloud.state.disks.set(disk.id, disk);
  Object.assign(instance, { imageId: image.id, keyPairName: parameters.text("KeyPairName") });
  return { DiskId: disk.id };
}

const both = { DiskId: id("d"), InstanceId: id("i") };

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/AttachDisk and the same page of each action. */
export const diskAttachment: Actions = {
  AttachDisk: {
    parameters: { required: both, optional: { DeleteWithInstance: flag, Bootable: ["false"] } },
    handle: attach,
  },
  DetachDisk: { parameters: { required: both, optional: { DeleteWithInstance: flag } }, handle: detach },
  ResizeDisk: {
    parameters: {
      required: { DiskId: id("d"), NewSize: whole },
      optional: { Type: ["offline", "online"], ...clientToken },
    },
    handle: resize,
  },
  ModifyDiskSpec: {
    parameters: {
      required: { DiskId: id("d") },
      optional: { DiskCategory: /^cloud/, PerformanceLevel: /^PL[0-3]$/, DryRun: flag },
    },
    handle: modifySpec,
  },
  ReplaceSystemDisk: {
    parameters: {
      required: { InstanceId: id("i"), ImageId: text },
      optional: {
        "SystemDisk.Size": whole,
        KeyPairName: text,
        SecurityEnhancementStrategy: text,
        Encrypted: flag,
        KMSKeyId: text,
        PasswordInherit: flag,
        ...clientToken,
      },
    },
    handle: replaceSystemDisk,
  },
};
