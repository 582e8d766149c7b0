import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheDir } from "../../cli/cache";
import { CommandError, run } from "../../cli/run";
import { trust } from "../../sandbox/cloud/trust";
import { projectRoot } from "../../sandbox/folder";
import { Stack } from "../../sandbox/stack";
import { type Emulator, emulatorEnvironment, startEmulator } from "@cloudcode/alicloud-emulator";
import { preparePulumi } from "@cloudcode/offline-kit/toolchain";
import { failureOf } from "../sandbox/world";
import { ramPolicy, ramPolicyForBackups } from "../support/ram-policy";

// `npm run ops -- destroy` with the real CLI and provider, at an account whose machines are none. Its first run may build the provider.
jest.setTimeout(40 * 60_000);

const name = "destroy-test";
// Where Pulumi looks for the configuration of a stack that is named on the command line.
const stackFile = join(projectRoot, `Pulumi.${name}.yaml`);
let folder: string;
let emulator: Emulator;
let stack: Stack;
const up = () => stack.pulumi(["up", "--yes", "--skip-preview"]);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "destroy-test-"));
  mkdirSync(join(folder, "state"));
  const engine = await preparePulumi({ cacheDir, say: (line) => process.stderr.write(`${line}\n`), alicloud: true });
  emulator = await startEmulator({ stateFile: join(folder, "account") });
  const Statement = [ramPolicy("example.com"), ramPolicyForBackups()].flatMap((policy) => policy.Statement);
  emulator.rules.policy = { Version: "1", Statement };
  const emulated = emulatorEnvironment(emulator);
  const template = join(folder, "template.yaml");
  writeFileSync(template, 'config:\n  cloudcode:sshCidrs: ["203.0.113.0/24"]\n');
  const env = { ...emulated, ...trust(folder, emulated) };
  stack = new Stack(folder, engine, env, { name, project: projectRoot, template });
  await stack.create({ power: "stopped", backupRepository: "oss", protectMachine: "true" }, {});
  await up();
});
afterAll(async () => {
  rmSync(stackFile, { force: true });
  await emulator.close();
  rmSync(folder, { recursive: true });
});

const kinds = () =>
  emulator
    .inventory()
    .map(({ kind }) => kind)
    .sort();

async function destroy(...words: readonly string[]) {
  copyFileSync(stack.file, stackFile);
  const args = ["--import", "tsx", "ops/main.ts", "--stack", name, "destroy", ...words];
  try {
    return { code: 0, ...(await run(process.execPath, args, { cwd: projectRoot, env: stack.env })) };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { code: Number(/exit code (\d+)/.exec(error.message)?.[1]), ...error.output };
  }
}

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
  const settings = readFileSync(stackFile, "utf8");
  expect(settings).toMatch(/protectMachine: "?true/);
  expect(settings).not.toContain("deleteData");
  expect(emulator.journal.violations).toEqual([]);
});

test("of what is gone nothing is left to destroy", async () => {
  expect((await destroy("--yes")).stdout.trim()).toBe("Nothing of this stack is there.");
});
