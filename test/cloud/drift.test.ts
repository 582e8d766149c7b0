import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../sandbox/folder";
import { CommandError, run } from "../../cli/run";
import type { Emulator } from "@cloudcode/alicloud-emulator";
import { Account } from "@cloudcode/alicloud-emulator/testing/account";
import { ramPolicyForPreviews } from "../support/ram-policy";
import { type PlainStack, exampleConfiguration, openPlainStack } from "./plain-stack";

// `npm run preview:stack` as the workflows run it, with the rights that docs/state-and-ci.md gives to CI.
jest.setTimeout(40 * 60_000);

const name = "drift-test";
let plain: PlainStack;
let emulator: Emulator;
let stack: PlainStack["stack"];

beforeAll(async () => {
  const { file, secrets } = exampleConfiguration();
  plain = await openPlainStack(name, file);
  ({ emulator, stack } = plain);
  await stack.create({ power: "stopped" }, secrets);
  await stack.pulumi(["up", "--yes", "--skip-preview"]);
  copyFileSync(stack.file, plain.stackFile);
  emulator.rules.policy = ramPolicyForPreviews();
});
afterAll(() => plain.close());

async function preview(...args: readonly string[]): Promise<readonly [code: 0 | 1, summary: string]> {
  const summary = join(plain.folder, "summary.md");
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
