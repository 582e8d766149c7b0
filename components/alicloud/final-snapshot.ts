/**
 * Run by `node bin/cloudcode-hook.cjs final-snapshot` when the data disk was detached and is about to be
 * deleted, `{region, diskId, name, tags}` on standard input: leaves a snapshot of it and says what that costs.
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type CloudApi, type Query, cloudApi, tagParameters } from "./api/api";
import { poll } from "../poll";
import { finalTag } from "./hooks/final-tag";
import { snapshotUsdPerGiBMonth } from "./prices/price-list";
import { ScriptError, runScript } from "./hooks/script";

const inputSchema = z.object({
  region: z.string().min(1),
  diskId: z.string().min(1),
  name: z.string().min(1),
  tags: z.record(z.string(), z.string()),
});
type Input = z.infer<typeof inputSchema>;
export type { Input as FinalSnapshotInput };

const boundMs = 30 * 60_000;
const pauseMs = 3000;

const disksSchema = z.object({ Disks: z.object({ Disk: z.array(z.object({ Size: z.number() })) }) });

const snapshotsSchema = z.object({
  Snapshots: z.object({ Snapshot: z.array(z.object({ SnapshotId: z.string(), Status: z.string() })) }),
});
type Snapshot = z.infer<typeof snapshotsSchema>["Snapshots"]["Snapshot"][number];

async function snapshots(api: CloudApi, query: Query): Promise<Snapshot[]> {
  return api.list("ecs", "DescribeSnapshots", query, (page) => snapshotsSchema.parse(page).Snapshots.Snapshot);
}

/** The id of the new snapshot, or of one that a run before this one began: a disk has one under way at a time. */
async function begin(api: CloudApi, { diskId, name, tags }: Input): Promise<string> {
  const final = { [finalTag.key]: finalTag.value };
  const [begun] = await snapshots(api, { DiskId: diskId, Status: "progressing", ...tagParameters(final) });
  if (begun) return begun.SnapshotId;
  const answer = await api.call("ecs", "CreateSnapshot", {
    DiskId: diskId,
    SnapshotName: name,
    ClientToken: randomUUID(),
    ...tagParameters({ ...tags, ...final }),
  });
  return z.object({ SnapshotId: z.string() }).parse(answer).SnapshotId;
}

function accomplished(api: CloudApi, snapshotId: string, diskId: string): Promise<string> {
  return poll({ boundMs, pauseMs }, async () => {
    const [snapshot] = await snapshots(api, { SnapshotIds: JSON.stringify([snapshotId]) });
    if (snapshot?.Status === "accomplished") return { done: snapshotId };
    if (snapshot?.Status === "failed")
      throw new ScriptError(
        `The final snapshot ${snapshotId} of disk ${diskId} failed, so the disk was not deleted: run \`pulumi destroy\` again.`,
      );
    return {
      late: new ScriptError(
        `The final snapshot ${snapshotId} of disk ${diskId} is not complete after 30 minutes, so the disk was not deleted: run \`pulumi destroy\` again later.`,
      ),
    };
  });
}

function costOf(region: string, sizeGiB: number): string {
  const price = snapshotUsdPerGiBMonth(region);
  return price === undefined ? "its price is not known here" : `about ${(price * sizeGiB).toFixed(2)} USD a month`;
}

void runScript(inputSchema, async (input) => {
  const { region, diskId } = input;
  const api = cloudApi(region);
  const [disk] = await api.list(
    "ecs",
    "DescribeDisks",
    { DiskIds: JSON.stringify([diskId]) },
    (page) => disksSchema.parse(page).Disks.Disk,
  );
  if (!disk) return `disk ${diskId} is gone already, so there is no final snapshot of it`;
  const snapshotId = await begin(api, input);
  await accomplished(api, snapshotId, diskId);
  return `final snapshot ${snapshotId} of disk ${diskId} (${disk.Size} GiB): ${costOf(region, disk.Size)}; restore with: pulumi config set restoreFromSnapshot ${snapshotId}`;
});
