import { ecsTags, find, hasTags, matches, paged } from "../answers";
import type { Actions, Answer, Call } from "../call";
import { ApiError, invalid, wrongStatus } from "../errors";
import type { Disk } from "../model";
import { clientToken, flag, id, jsonList, name, page, resourceGroup, tagFilter, text, whole } from "../parameters";
import { removeAutomaticSnapshots } from "./take-snapshot";

export const findDisk = ({ cloud }: Call, diskId: string): Disk =>
  find(cloud.state.disks, diskId, "InvalidDiskId.NotFound");

/** Throws what reads of a disk answer whose real one failed. */
function working(disk: Disk): Disk {
  if (disk.failure !== "") throw new ApiError(500, "InternalError", disk.failure);
  return disk;
}

type New = Pick<Disk, "type" | "status" | "zoneId" | "category" | "size" | "tags"> &
  Partial<Disk> & { resourceGroupId: string };

/** A disk that is not stored yet; throws if there is none of such a category and size. */
export function newDisk(call: Call, wanted: New): Disk {
  const { cloud, catalogue, region } = call;
  const category = catalogue.category(wanted.category);
  if (!category) throw invalid("InvalidDiskCategory.ValueNotSupported", "DiskCategory");
  if (wanted.size < category.minGiB || wanted.size > category.maxGiB)
    throw invalid("InvalidDiskSize.NotSupported", "Size", `must be ${category.minGiB} to ${category.maxGiB} GiB`);
  return {
    ...cloud.base("d", region, wanted.tags, wanted.resourceGroupId),
    name: "",
    description: "",
    instanceId: "",
    device: "",
    snapshotId: "",
    imageId: "",
    policyId: "",
    encrypted: false,
    kmsKeyId: "",
    attachedAt: "",
    detachedAt: "",
    failure: "",
    deleteWithInstance: false,
    deleteAutoSnapshot: false,
    enableAutoSnapshot: true,
    sizeWaits: false,
    ...wanted,
    performanceLevel: wanted.category === "cloud_essd" ? (wanted.performanceLevel ?? "") || "PL1" : "",
  };
}

function create(call: Call): Answer {
  const { cloud, parameters, region, catalogue, stock } = call;
  const zoneId = parameters.text("ZoneId");
  if (!catalogue.zones(region).includes(zoneId))
    throw new ApiError(404, "InvalidZoneId.NotFound", "The specified zone does not exist.");
  const category = parameters.text("DiskCategory", "cloud");
  if (stock.lacksDisk(zoneId, category))
    throw new ApiError(403, "InvalidDiskCategory.ValueUnauthorized", `The disk category is not sold in ${zoneId}.`);
  const snapshotId = parameters.text("SnapshotId");
  const source = snapshotId === "" ? undefined : find(cloud.state.snapshots, snapshotId, "InvalidSnapshotId.NotFound");
  if (source && source.status !== "accomplished") throw wrongStatus("IncorrectSnapshotStatus", source.status);
  const size = parameters.number("Size", source?.size ?? 0);
  if (size < (source?.size ?? 0)) throw invalid("InvalidDiskSize.TooSmall", "Size", "is less than the snapshot's");
  const disk = newDisk(call, {
    type: "data",
    status: "Creating",
    zoneId,
    category,
    size,
    snapshotId,
    tags: parameters.tags(),
    performanceLevel: parameters.text("PerformanceLevel"),
    name: parameters.text("DiskName"),
    description: parameters.text("Description"),
    encrypted: parameters.flag("Encrypted", source?.encrypted ?? false),
    kmsKeyId: parameters.text("KMSKeyId"),
    resourceGroupId: parameters.text("ResourceGroupId"),
  });
  cloud.state.disks.set(disk.id, disk);
  cloud.later(disk.id, "disk", {
    work: () => cloud.machines.createDisk(disk.id, disk.size, ...(source ? [source.id] : [])),
    settle: () => (disk.status = "Available"),
    fail: (why) => (disk.failure = why),
  });
  return { DiskId: disk.id };
}

const show = (disk: Disk): Answer => ({
  DiskId: disk.id,
  DiskName: disk.name,
  Description: disk.description,
  Type: disk.type,
  Status: disk.status,
  Category: disk.category,
  Size: disk.size,
  PerformanceLevel: disk.performanceLevel === "" ? undefined : disk.performanceLevel,
  RegionId: disk.regionId,
  ZoneId: disk.zoneId,
  InstanceId: disk.instanceId,
  Device: disk.device,
  SerialNumber: disk.id.slice(2),
  SourceSnapshotId: disk.snapshotId,
  ImageId: disk.imageId,
  Encrypted: disk.encrypted,
  KMSKeyId: disk.kmsKeyId,
  DeleteWithInstance: disk.deleteWithInstance,
  DeleteAutoSnapshot: disk.deleteAutoSnapshot,
  EnableAutoSnapshot: disk.enableAutoSnapshot,
  EnableAutomatedSnapshotPolicy: disk.policyId !== "",
  AutoSnapshotPolicyId: disk.policyId,
  CreationTime: disk.createdAt,
  AttachedTime: disk.attachedAt,
  DetachedTime: disk.detachedAt,
  DiskChargeType: "PostPaid",
  ExpiredTime: "2099-12-31T15:59Z",
  Portable: disk.type === "data",
  MultiAttach: "Disabled",
  ResourceGroupId: disk.resourceGroupId,
  OperationLocks: { OperationLock: [] },
  MountInstances: { MountInstance: [] },
  Tags: ecsTags(disk.tags),
});

function describe(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const ids = parameters.jsonList("DiskIds");
  const type = parameters.text("DiskType", "all");
  const found = [...cloud.state.disks.values()].filter(
    (disk) =>
      disk.regionId === region &&
      (ids?.includes(disk.id) ?? true) &&
      (type === "all" || type === disk.type) &&
      matches(parameters, "ZoneId", disk.zoneId) &&
      matches(parameters, "InstanceId", disk.instanceId) &&
      matches(parameters, "Status", disk.status) &&
      matches(parameters, "Category", disk.category) &&
      matches(parameters, "DiskName", disk.name) &&
      matches(parameters, "SnapshotId", disk.snapshotId) &&
      matches(parameters, "AutoSnapshotPolicyId", disk.policyId) &&
      matches(parameters, "ResourceGroupId", disk.resourceGroupId) &&
      hasTags(disk, parameters),
  );
  return { ...paged(call, found.map(working), ["Disks", "Disk"], show), RegionId: region, NextToken: "" };
}

function modifyAttribute(call: Call): Answer {
  const { parameters } = call;
  const disk = findDisk(call, parameters.text("DiskId"));
  disk.name = parameters.optional("DiskName") ?? disk.name;
  disk.description = parameters.optional("Description") ?? disk.description;
  disk.deleteWithInstance = parameters.flag("DeleteWithInstance", disk.deleteWithInstance);
  disk.deleteAutoSnapshot = parameters.flag("DeleteAutoSnapshot", disk.deleteAutoSnapshot);
  disk.enableAutoSnapshot = parameters.flag("EnableAutoSnapshot", disk.enableAutoSnapshot);
  return {};
}

async function remove(call: Call): Promise<Answer> {
  const { cloud } = call;
  const disk = findDisk(call, call.parameters.text("DiskId"));
  if (disk.status !== "Available") throw wrongStatus("IncorrectDiskStatus", disk.status);
  await cloud.machines.removeDisk(disk.id);
  cloud.state.disks.delete(disk.id);
  if (disk.deleteAutoSnapshot) await removeAutomaticSnapshots(cloud, disk.id);
  return {};
}

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/CreateDisk and the same page of each action. */
export const disks: Actions = {
  CreateDisk: {
    parameters: {
      required: { ZoneId: text },
      optional: {
        DiskName: name,
        Description: text,
        DiskCategory: /^cloud/,
        Size: whole,
        SnapshotId: id("s"),
        PerformanceLevel: /^PL[0-3]$/,
        Encrypted: flag,
        KMSKeyId: text,
        EncryptAlgorithm: text,
        ...clientToken,
        ...resourceGroup,
        ...tagFilter,
      },
    },
    handle: create,
  },
  DescribeDisks: {
    parameters: {
      optional: {
        DiskIds: jsonList,
        InstanceId: id("i"),
        DiskType: ["system", "data", "all"],
        ZoneId: text,
        Status: text,
        Category: text,
        DiskName: text,
        SnapshotId: id("s"),
        AutoSnapshotPolicyId: id("sp"),
        ...page,
        ...resourceGroup,
        ...tagFilter,
        MaxResults: whole,
        NextToken: text,
      },
    },
    handle: describe,
  },
  ModifyDiskAttribute: {
    parameters: {
      required: { DiskId: id("d") },
      optional: {
        DiskName: name,
        Description: text,
        DeleteWithInstance: flag,
        DeleteAutoSnapshot: flag,
        EnableAutoSnapshot: flag,
      },
    },
    handle: modifyAttribute,
  },
  DeleteDisk: { parameters: { required: { DiskId: id("d") } }, handle: remove },
};
