import { snapshotUsdPerGiBMonth } from "../../components/alicloud/prices/price-list";
import { type Emulator, startEmulator } from "@cloudcode/alicloud-emulator";
import { everyLatency } from "@cloudcode/alicloud-emulator/latency";
import { Account } from "@cloudcode/alicloud-emulator/testing/account";
import { runHook } from "../support/alicloud-scripts";
import { until } from "../support/notifier";

let emulator: Emulator;
let account: Account;
let diskId: string;
beforeEach(async () => {
  emulator = await startEmulator();
  account = new Account(emulator);
  diskId = await account.text("ecs", "CreateDisk", "DiskId", {
    ZoneId: "ap-southeast-1b",
    DiskCategory: "cloud_essd",
    Size: "40",
  });
  await emulator.idle();
});
afterEach(async () => {
  await emulator.close();
  expect(emulator.journal.violations).toEqual([]);
});

const tags = { project: "cloudcode", stack: "prod" };
const finalSnapshot = () =>
  runHook(emulator, "final-snapshot", { region: "ap-southeast-1", diskId, name: "prod-final", tags });
const made = () => [...emulator.cloud.state.snapshots.values()];

test("a disk leaves a tagged snapshot, its price and how to restore it", async () => {
  emulator.cloud.latencies = everyLatency(1500);
  const { code, stdout, stderr } = await finalSnapshot();
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const [snapshot] = made();
  expect(made()).toMatchObject([
    { diskId, name: "prod-final", status: "accomplished", tags: { ...tags, "cloudcode-final": "true" } },
  ]);
  const id = String(snapshot?.id);
  const price = snapshotUsdPerGiBMonth("ap-southeast-1");
  const cost = price === undefined ? "its price is not known here" : `about ${(price * 40).toFixed(2)} USD a month`;
  expect(stdout).toBe(
    `final snapshot ${id} of disk ${diskId} (40 GiB): ${cost}; restore with: pulumi config set restoreFromSnapshot ${id}`,
  );
});

test("a disk that was deleted by hand is reported, not missed", async () => {
  await account.ask("ecs", "DeleteDisk", { DiskId: diskId });
  expect(await finalSnapshot()).toEqual({
    code: 0,
    stdout: `disk ${diskId} is gone already, so there is no final snapshot of it`,
    stderr: "",
  });
  expect(made()).toEqual([]);
});

test("a lost answer makes no second snapshot", async () => {
  emulator.fail({ kind: "lostAnswer", action: "CreateSnapshot", how: "cut" });
  expect(await finalSnapshot()).toMatchObject({ code: 0 });
  expect(made()).toHaveLength(1);
});

test("one that an interrupted run began is waited for instead of a second one", async () => {
  // It is under way until the run has seen it, however slow this machine starts one.
  const twentyMinutes = 20 * 60_000;
  emulator.cloud.latencies = everyLatency(twentyMinutes);
  const begun = await account.text("ecs", "CreateSnapshot", "SnapshotId", {
    DiskId: diskId,
    "Tag.1.Key": "cloudcode-final",
    "Tag.1.Value": "true",
  });
  const run = finalSnapshot();
  const looks = () => emulator.journal.calls.filter(({ action }) => action === "DescribeSnapshots");
  await until(() => looks().length > 0, looks);
  await emulator.advance(twentyMinutes);
  const { code, stdout } = await run;
  expect(code).toBe(0);
  expect(stdout).toContain(`final snapshot ${begun} of disk`);
  expect(made()).toHaveLength(1);
});

test("one of an earlier time is never taken for the present one", async () => {
  const mark = { "Tag.1.Key": "cloudcode-final", "Tag.1.Value": "true" };
  const earlier = await account.text("ecs", "CreateSnapshot", "SnapshotId", { DiskId: diskId, ...mark });
  await emulator.idle();
  expect((await finalSnapshot()).stdout).not.toContain(earlier);
  expect(made()).toHaveLength(2);
});

test("a refusal is one sentence", async () => {
  emulator.fail({ kind: "quota", action: "CreateSnapshot" });
  const { code, stdout, stderr } = await finalSnapshot();
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toBe(
    "The account has reached a quota (ecs:CreateSnapshot was refused): request a higher one in the console's Quota Center or delete unused resources, then run the command again.",
  );
});
