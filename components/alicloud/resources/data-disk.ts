import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { DataDiskFacts } from "../../host/host";
import type { DataDiskSettings } from "../../settings/targets";
import type { HostPlacement } from "./placement";
import { onDelete } from "./script-command";
import { ownership, stackName } from "./tags";

export interface DataDiskArgs extends DataDiskSettings {
  /** Region of the disk. */
  readonly region: string;
  /** Zone and category of the disk. */
  readonly placement: HostPlacement;
  /** Resource group of what is made; undefined: the account's own. */
  readonly resourceGroupId: string | undefined;
  /** Whether the disk may be deleted. */
  readonly deleteData: boolean;
  /** Options of each resource: error hooks, and what must outlive it. */
  readonly resourceOptions: pulumi.CustomResourceOptions;
}

/** Sunday, 03:00 in the region. */
const weekly = { repeatWeekdays: ["7"], timePoints: ["3"] };

/**
 * The encrypted disk that holds all data: volumes and certificates. It belongs to no machine, so that it survives the
 * replacement of one, and is protected unless the operator gave the data up.
 */
export class DataDisk extends pulumi.ComponentResource {
  readonly diskId: pulumi.Output<string>;
  readonly facts: pulumi.Output<DataDiskFacts>;
  /** What must still be there when the disk is taken from its machine. */
  readonly beforeDetach: readonly pulumi.Resource[];

  constructor(name: string, args: DataDiskArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:DataDisk", name, {}, opts);
    const resourceOptions = { ...args.resourceOptions, parent: this };
    const { region, placement, resourceGroupId, gib } = args;
    const common = ownership(resourceGroupId);
    const disk = new alicloud.ecs.EcsDisk(
      `${name}-disk`,
      {
        diskName: stackName(),
        zoneId: placement.zoneId,
        category: placement.diskCategory,
        size: gib,
        encrypted: true,
        paymentType: "PayAsYouGo",
        deleteWithInstance: false,
        // Without a restart: https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-resizedisk
        type: "online",
        // The snapshots of a disk that is deleted by accident are what brings it back; of one that is given up they only cost.
        deleteAutoSnapshot: args.deleteData,
        enableAutoSnapshot: true,
        ...(args.restoreFrom !== undefined && { snapshotId: args.restoreFrom }),
        ...common,
      },
      // A disk in use must never be replaced because another snapshot is named.
      { ...resourceOptions, protect: !args.deleteData, ignoreChanges: ["snapshotId"] },
    );
    this.diskId = disk.id;
    // The serial number of a disk is its id without the prefix, https://www.alibabacloud.com/help/en/ecs/user-guide/query-the-serial-number-of-a-block-storage-device
    this.facts = disk.id.apply((id) => ({ serial: id.replace(/^d-/, ""), gib }));

    const policy = new alicloud.ecs.AutoSnapshotPolicy(
      `${name}-snapshot-policy`,
      { autoSnapshotPolicyName: stackName(), ...weekly, retentionDays: args.snapshotRetentionDays, ...common },
      // The cloud answers with the account's own group where none was asked for.
      { ...resourceOptions, ...(resourceGroupId === undefined && { ignoreChanges: ["resourceGroupId"] }) },
    );
    new alicloud.ecs.EcsAutoSnapshotPolicyAttachment(
      `${name}-snapshots`,
      { autoSnapshotPolicyId: policy.id, diskId: disk.id },
      resourceOptions,
    );
    const final = { region, diskId: disk.id, name: `${stackName()}-final`, tags: common.tags };
    this.beforeDetach = args.finalSnapshot
      ? [onDelete(`${name}-final-snapshot`, "final-snapshot", pulumi.output(final), { parent: this })]
      : [];
    this.registerOutputs({ diskId: disk.id });
  }
}
