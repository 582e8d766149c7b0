import type { Cloud } from "../cloud";
import { ApiError } from "../errors";
import type { Disk, Snapshot } from "../model";

/** Begins a snapshot of a disk that rests; throws while another one is under way. */
export function take(cloud: Cloud, disk: Disk, wanted: Partial<Snapshot>): Snapshot {
  for (const other of cloud.state.snapshots.values())
    if (other.diskId === disk.id && other.status === "progressing")
      throw new ApiError(403, "CreateSnapshot.Failed", "The process of creating a snapshot of this disk is under way.");
  const snapshot: Snapshot = {
    ...cloud.base("s", disk.regionId, {}, disk.resourceGroupId),
    name: "",
    description: "",
    retentionDays: 0,
    automatic: false,
    status: "progressing",
    diskId: disk.id,
    diskType: disk.type,
    size: disk.size,
    encrypted: disk.encrypted,
    ...wanted,
  };
  cloud.state.snapshots.set(snapshot.id, snapshot);
  cloud.later(snapshot.id, "snapshot", {
    // A system disk is no disk of its own to the machine: only the record of its snapshot is made.
    work: () => (disk.type === "data" ? cloud.machines.createSnapshot(snapshot.id, disk.id) : Promise.resolve()),
    settle: () => (snapshot.status = "accomplished"),
    fail: () => (snapshot.status = "failed"),
  });
  return snapshot;
}

/** The disk is deleted, and was to take them with it. */
export async function removeAutomaticSnapshots(cloud: Cloud, diskId: string): Promise<void> {
  for (const snapshot of cloud.state.snapshots.values())
    if (snapshot.diskId === diskId && snapshot.automatic) {
      if (snapshot.diskType === "data") await cloud.machines.removeSnapshot(snapshot.id);
      cloud.state.snapshots.delete(snapshot.id);
    }
}
