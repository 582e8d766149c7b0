import { type Emulator, startEmulator } from "@cloudcode/alicloud-emulator";
import { Account } from "@cloudcode/alicloud-emulator/testing/account";
import { runHook } from "../support/alicloud-scripts";

let emulator: Emulator;
let account: Account;
beforeEach(async () => {
  emulator = await startEmulator();
  account = new Account(emulator);
});
afterEach(async () => {
  await emulator.close();
  expect(emulator.journal.violations).toEqual([]);
});

const region = "ap-southeast-1";
const tags = { project: "cloudcode", stack: "prod" };
const tagged = { "Tag.1.Key": "project", "Tag.1.Value": "cloudcode", "Tag.2.Key": "stack", "Tag.2.Value": "prod" };
const leftovers = (seconds = 0) => runHook(emulator, "leftovers", { region, tags, seconds });

const disk = (more: Readonly<Record<string, string>> = tagged) =>
  account.text("ecs", "CreateDisk", "DiskId", {
    ZoneId: "ap-southeast-1b",
    DiskCategory: "cloud_essd",
    Size: "40",
    ...more,
  });
const snapshot = async (diskId: string, more: Readonly<Record<string, string>> = {}) => {
  await emulator.idle();
  const id = await account.text("ecs", "CreateSnapshot", "SnapshotId", { DiskId: diskId, ...tagged, ...more });
  await emulator.idle();
  return id;
};

test("an empty account has nothing billed left", async () => {
  expect(await leftovers()).toEqual({ code: 0, stdout: `nothing billed is left in ${region}`, stderr: "" });
});

test("what has not every tag is somebody else's", async () => {
  await disk({});
  await disk({ ...tagged, "Tag.2.Value": "dev" });
  await emulator.idle();
  expect(await leftovers()).toMatchObject({ code: 0, stdout: `nothing billed is left in ${region}` });
});

test("every kind is found, with its id and what it costs", async () => {
  const network = await account.network();
  const instance = await account.run(network, tagged);
  await emulator.idle();
  const [systemDisk] = emulator.cloud.state.disks.keys();
  const diskId = await disk();
  const snapshotId = await snapshot(diskId);
  const eip = await account.text("vpc", "AllocateEipAddress", "AllocationId");
  const policy = await account.text("ecs", "CreateAutoSnapshotPolicy", "AutoSnapshotPolicyId", {
    timePoints: '["3"]',
    repeatWeekdays: '["1"]',
    retentionDays: "28",
    ...tagged,
  });
  const tag = (product: string, ResourceType: string, id: string) =>
    account.ask(product, "TagResources", { ResourceType, "ResourceId.1": id, ...tagged });
  await tag("vpc", "VPC", network.vpc);
  await tag("vpc", "VSWITCH", network.vswitch);
  await tag("vpc", "EIP", eip);
  await tag("ecs", "securitygroup", network.group);
  await tag("ecs", "keypair", "operator");
  await emulator.idle();

  const { code, stdout, stderr } = await leftovers();
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  const free = "free of charge";
  expect(stderr).toBe(
    `Left in ${region}: ` +
      [
        `instance (Running) ${instance}, billed by the second`,
        `system disk ${String(systemDisk)}, billed by size (40 GiB)`,
        `data disk ${diskId}, billed by size (40 GiB)`,
        `public address 198.51.100.1 ${eip}, billed by the hour while it is not bound, and by traffic`,
        `snapshot ${snapshotId}, billed by size (up to 40 GiB)`,
        `snapshot policy ${policy}, ${free}`,
        `security group ${network.group}, ${free}`,
        `key pair operator, ${free}`,
        `vSwitch ${network.vswitch}, ${free}`,
        `VPC ${network.vpc}, ${free}`,
      ].join("; ") +
      ". Delete them in the console, then run `pulumi destroy` again.",
  );
});

test("more than a page of leftovers is read to the end", async () => {
  const ids: string[] = [];
  for (let number = 0; number < 55; number++) ids.push(await disk());
  await emulator.idle();
  const { stderr } = await leftovers();
  for (const id of ids) expect(stderr).toContain(id);
});

test("a final snapshot is kept, not left over", async () => {
  const diskId = await disk();
  const final = await snapshot(diskId, { "Tag.3.Key": "cloudcode-final", "Tag.3.Value": "true" });
  const words = `Kept as requested: final snapshot ${final}, billed by size (up to 40 GiB).`;
  expect((await leftovers()).stderr).toMatch(
    new RegExp(`^Left in .*: data disk ${diskId}, .*Delete it in .* ${words.replace(/[()]/g, "\\$&")}$`),
  );
  await account.ask("ecs", "DeleteDisk", { DiskId: diskId });
  expect(await leftovers()).toEqual({
    code: 0,
    stdout: `nothing else billed is left in ${region}. ${words}`,
    stderr: "",
  });
});

test("what goes a little later is waited for", async () => {
  const diskId = await disk();
  await emulator.idle();
  const waiting = leftovers(20);
  setTimeout(() => void account.ask("ecs", "DeleteDisk", { DiskId: diskId }), 2000);
  expect(await waiting).toMatchObject({ code: 0, stdout: `nothing billed is left in ${region}` });
});

test("without a tag it would be the whole account, so it is refused", async () => {
  const { code, stderr } = await runHook(emulator, "leftovers", { region, tags: {} });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "The input of this script is not valid: tags: at least one is needed",
  });
});
