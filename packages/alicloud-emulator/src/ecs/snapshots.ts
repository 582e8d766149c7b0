import { ecsTags, find, hasTags, matches, paged } from "../answers";
import type { Actions, Answer, Call } from "../call";
import { wrongStatus } from "../errors";
import type { Snapshot } from "../model";
import { clientToken, flag, id, jsonList, name, page, resourceGroup, tagFilter, text, whole } from "../parameters";
import { findDisk } from "./disks";
import { take } from "./take-snapshot";

const findSnapshot =
  ({ cloud }: Call): ((snapshotId: string) => Snapshot) =>
  (snapshotId) =>
    find(cloud.state.snapshots, snapshotId, "InvalidSnapshotId.NotFound");

function create(call: Call): Answer {
  const { cloud, parameters } = call;
  const disk = findDisk(call, parameters.text("DiskId"));
  if (disk.status !== "In_use" && disk.status !== "Available") throw wrongStatus("IncorrectDiskStatus", disk.status);
  const { id: snapshotId } = take(cloud, disk, {
    name: parameters.text("SnapshotName"),
    description: parameters.text("Description"),
    resourceGroupId: parameters.text("ResourceGroupId", disk.resourceGroupId),
    retentionDays: parameters.number("RetentionDays", 0),
    tags: parameters.tags(),
  });
  return { SnapshotId: snapshotId };
}

const show = (snapshot: Snapshot): Answer => ({
  SnapshotId: snapshot.id,
  SnapshotName: snapshot.name,
  Description: snapshot.description,
  SourceDiskId: snapshot.diskId,
  SourceDiskSize: String(snapshot.size),
  SourceDiskType: snapshot.diskType,
  Status: snapshot.status,
  Progress: snapshot.status === "accomplished" ? "100%" : "0%",
  Encrypted: snapshot.encrypted,
  CreationTime: snapshot.createdAt,
  RetentionDays: snapshot.retentionDays === 0 ? undefined : snapshot.retentionDays,
  Usage: "none",
  Category: "standard",
  SnapshotType: snapshot.automatic ? "auto" : "user",
  ResourceGroupId: snapshot.resourceGroupId,
  RegionId: snapshot.regionId,
  Tags: ecsTags(snapshot.tags),
});

function describe(call: Call): Answer {
  const { cloud, parameters, region } = call;
  const ids = parameters.jsonList("SnapshotIds");
  const found = [...cloud.state.snapshots.values()].filter(
    (snapshot) =>
      snapshot.regionId === region &&
      (ids?.includes(snapshot.id) ?? true) &&
      matches(parameters, "DiskId", snapshot.diskId) &&
      ["all", snapshot.automatic ? "auto" : "user"].includes(parameters.text("SnapshotType", "all")) &&
      matches(parameters, "SnapshotName", snapshot.name) &&
      (parameters.text("Status", "all") === "all" || matches(parameters, "Status", snapshot.status)) &&
      matches(parameters, "ResourceGroupId", snapshot.resourceGroupId) &&
      hasTags(snapshot, parameters),
  );
  return { ...paged(call, found, ["Snapshots", "Snapshot"], show), NextToken: "" };
}

function modify(call: Call): Answer {
  const { parameters } = call;
  const snapshot = findSnapshot(call)(parameters.text("SnapshotId"));
  snapshot.name = parameters.optional("SnapshotName") ?? snapshot.name;
  snapshot.description = parameters.optional("Description") ?? snapshot.description;
  return {};
}

async function remove(call: Call): Promise<Answer> {
  const { cloud } = call;
  const snapshot = findSnapshot(call)(call.parameters.text("SnapshotId"));
  if (snapshot.status === "progressing") throw wrongStatus("IncorrectSnapshotStatus", snapshot.status);
  if (snapshot.diskType === "data") await cloud.machines.removeSnapshot(snapshot.id);
  cloud.state.snapshots.delete(snapshot.id);
  return {};
}

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/CreateSnapshot and the same page of each action. */
export const snapshots: Actions = {
  CreateSnapshot: {
    parameters: {
      required: { DiskId: id("d") },
      optional: {
        SnapshotName: name,
        Description: text,
        RetentionDays: whole,
        Category: ["standard", "flash"],
        InstantAccess: flag,
        ...clientToken,
        ...resourceGroup,
        ...tagFilter,
      },
    },
    handle: create,
  },
  DescribeSnapshots: {
    parameters: {
      optional: {
        SnapshotIds: jsonList,
        DiskId: id("d"),
        SnapshotName: text,
        Status: text,
        SnapshotType: ["auto", "user", "all"],
        ...page,
        ...resourceGroup,
        ...tagFilter,
        MaxResults: whole,
        NextToken: text,
      },
    },
    handle: describe,
  },
  ModifySnapshotAttribute: {
    parameters: { required: { SnapshotId: id("s") }, optional: { SnapshotName: name, Description: text } },
    handle: modify,
  },
  DeleteSnapshot: {
    parameters: { required: { SnapshotId: id("s") }, optional: { Force: flag } },
    handle: remove,
  },
};
