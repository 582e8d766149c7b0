import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheDir } from "../../cli/cache";
import { trust } from "../../sandbox/cloud/trust";
import { projectRoot } from "../../sandbox/folder";
import { CommandError, run } from "../../cli/run";
import { Stack } from "../../sandbox/stack";
import { preparePulumi } from "@cloudcode/offline-kit/toolchain";
import { withPlaceholders } from "../../scripts/preview/placeholders";
import { type Emulator, emulatorEnvironment, startEmulator } from "@cloudcode/alicloud-emulator";
import { Account } from "@cloudcode/alicloud-emulator/testing/account";
import { ramPolicyForPreviews } from "../support/ram-policy";

// `npm run preview:stack` as the workflows run it, with the rights that docs/state-and-ci.md gives to CI. Its first run may build the provider.
jest.setTimeout(40 * 60_000);

const name = "drift-test";
// Where Pulumi looks for the configuration of a stack that is named on the command line.
const stackFile = join(projectRoot, `Pulumi.${name}.yaml`);
let folder: string;
let emulator: Emulator;
let stack: Stack;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "drift-test-"));
  mkdirSync(join(folder, "state"));
  const engine = await preparePulumi({ cacheDir, say: (line) => process.stderr.write(`${line}\n`), alicloud: true });
  emulator = await startEmulator({ stateFile: join(folder, "account") });
  const emulated = emulatorEnvironment(emulator);
  const { file, secrets } = withPlaceholders(
    readFileSync(join(projectRoot, "examples", "Pulumi.example.yaml"), "utf8"),
    "cloudcode",
  );
  const template = join(folder, "template.yaml");
  writeFileSync(template, file);
  const env = { ...emulated, ...trust(folder, emulated) };
  stack = new Stack(folder, engine, env, { name, project: projectRoot, template });
  await stack.create({ power: "stopped" }, secrets);
  await stack.pulumi(["up", "--yes", "--skip-preview"]);
  copyFileSync(stack.file, stackFile);
  emulator.rules.policy = ramPolicyForPreviews();
});
afterAll(async () => {
  rmSync(stackFile, { force: true });
  await emulator.close();
  rmSync(folder, { recursive: true });
});

async function preview(...args: readonly string[]): Promise<readonly [code: 0 | 1, summary: string]> {
  const summary = join(folder, "summary.md");
  writeFileSync(summary, "");
  const command = ["--import", "tsx", "scripts/preview-stack.ts", "--stack", name, "--summary", summary, ...args];
  try {
    await run(process.execPath, command, { cwd: projectRoot, env: stack.env });
    return [0, readFileSync(summary, "utf8")];
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return [1, readFileSync(summary, "utf8")];
  }
}

test("a stack that nobody touched: nothing changes, and nothing has drifted", async () => {
  expect(await preview()).toEqual([0, expect.stringMatching(/^## Preview of the stack drift-test\n\n\d+ unchanged\./)]);
  expect(await preview("--drift")).toEqual([
    0,
    expect.stringMatching(/^## Drift of the stack drift-test\n\n\d+ unchanged\./),
  ]);
});

test("what was changed by hand at the cloud fails the search for drift, and is named", async () => {
  const [AllocationId = ""] = emulator.cloud.state.eips.keys();
  emulator.rules.policy = undefined;
  await new Account(emulator).ask("vpc", "ModifyEipAddressAttribute", { AllocationId, Bandwidth: "77" });
  emulator.rules.policy = ramPolicyForPreviews();
  const [code, summary] = await preview("--drift");
  expect(code).toBe(1);
  expect(summary).toContain("### Changed\n\n- `host-address` (`alicloud:ecs/eipAddress:EipAddress`): `bandwidth`\n");
});

test("nothing that was asked for needed more rights", () => {
  const { calls } = emulator.journal;
  expect(calls.length).toBeGreaterThan(0);
  expect(calls.filter(({ code }) => code.startsWith("Forbidden"))).toEqual([]);
});
