import { readFileSync } from "node:fs";
import type { Emulator } from "@cloudcode/alicloud-emulator";
import { failureOf } from "../sandbox/world";
import { ramPolicy, ramPolicyForBackups } from "../support/ram-policy";
import { type PlainStack, leastTemplate, openPlainStack } from "./plain-stack";

// `npm run ops -- destroy` with the real CLI and provider, at an account whose machines are none.
jest.setTimeout(40 * 60_000);

let plain: PlainStack;
let emulator: Emulator;
let stack: PlainStack["stack"];
const up = () => stack.pulumi(["up", "--yes", "--skip-preview"]);

beforeAll(async () => {
  plain = await openPlainStack("destroy-test", leastTemplate);
  ({ emulator, stack } = plain);
  const Statement = [ramPolicy("example.com"), ramPolicyForBackups()].flatMap((policy) => policy.Statement);
  emulator.rules.policy = { Version: "1", Statement };
  await stack.create({ power: "stopped", backupRepository: "oss", protectMachine: "true" }, {});
  await up();
});
afterAll(() => plain.close());

const kinds = () =>
  emulator
    .inventory()
    .map(({ kind }) => kind)
    .sort();

const destroy = (...words: readonly string[]) => plain.ops("destroy", ...words);

test("a pulumi destroy without a preview refuses before it touches anything", async () => {
  const before = kinds();
  const words = await failureOf(stack.pulumi(["destroy", "--yes", "--skip-preview"]));
  expect(words).toContain("nothing was touched");
  for (const part of ["the machine and its address", "the data disk", "the bucket of backups", "auth-encryption-key"])
    expect(words.replace(/\s+/g, " ")).toContain(part);
  expect(kinds()).toEqual(before);
  await stack.pulumi(["preview", "--expect-no-changes"]);
});

test("--preview-only names what goes, what stays and what that costs, and changes nothing", async () => {
  stack.configure({ protectMachine: "false" });
  await up();
  const before = kinds();
  const { code, stdout } = await destroy("--preview-only", "--json");
  expect(code).toBe(0);
  const plan = JSON.parse(stdout) as { goes: string[]; stays: string[]; costs: string };
  for (const part of [/^machine host-instance$/, /^public address \d/, /^network$/, /^opencode and its containers$/])
    expect(plan.goes).toContainEqual(expect.stringMatching(part));
  expect([...plan.stays].sort()).toEqual([
    expect.stringMatching(/^bucket of backups cloudcode-destroy-test-backups-\w+$/),
    "data disk of 20 GiB",
    "key of Authelia's database",
    "password of backups",
  ]);
  expect(plan.costs).toMatch(/^at most \d+\.\d\d USD a month, with its snapshots$/);
  expect(kinds()).toEqual(before);
});

test("nobody is there to say yes: nothing is changed", async () => {
  const before = kinds();
  const { code, stderr } = await destroy();
  expect([code, stderr]).toEqual([1, expect.stringContaining("nothing was changed") as string]);
  expect(kinds()).toEqual(before);
});

test("what is protected stays, and up brings the rest back", async () => {
  const { code, stdout } = await destroy("--yes");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Removed\. Kept: .*data disk of 20 GiB/);
  expect(kinds()).toEqual(["buckets", "disks"]);
  const [disk] = emulator.cloud.state.disks.keys();
  await up();
  expect([...emulator.cloud.state.disks.keys()]).toContain(disk);
});

test("--everything deletes data, too, also of a protected machine, proves that nothing is left, and leaves the settings as they were", async () => {
  stack.configure({ protectMachine: "true" });
  await up();
  const { code, stdout, stderr } = await destroy("--everything", "--yes");
  if (code !== 0) throw new Error(stderr);
  expect(stdout).toContain("The state is empty");
  expect(stderr).toMatch(/nothing billed is left in ap-southeast-1/);
  expect(kinds()).toEqual([]);
  const settings = readFileSync(plain.stackFile, "utf8");
  expect(settings).toMatch(/protectMachine: "?true/);
  expect(settings).not.toContain("deleteData");
  expect(emulator.journal.violations).toEqual([]);
});

test("of what is gone nothing is left to destroy", async () => {
  expect((await destroy("--yes")).stdout.trim()).toBe("Nothing of this stack is there.");
});
