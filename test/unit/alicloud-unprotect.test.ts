import { type Emulator, startEmulator } from "@cloudcode/alicloud-emulator";
import { Account } from "@cloudcode/alicloud-emulator/testing/account";
import { runHook } from "../support/alicloud-scripts";

let emulator: Emulator;
let account: Account;
let instanceId: string;
beforeEach(async () => {
  emulator = await startEmulator();
  account = new Account(emulator);
  instanceId = await account.run(await account.network());
  await emulator.idle();
});
afterEach(async () => {
  await emulator.close();
  expect(emulator.journal.violations).toEqual([]);
});

const unprotect = () => runHook(emulator, "unprotect", { region: "ap-southeast-1", instanceId });
const release = () => account.ask("ecs", "DeleteInstance", { InstanceId: instanceId, Force: "true" });

test("a protected machine can be deleted when it returns", async () => {
  await account.ask("ecs", "ModifyInstanceAttribute", { InstanceId: instanceId, DeletionProtection: "true" });
  await expect(release()).rejects.toThrow(/DeletionProtection/);
  expect(await unprotect()).toEqual({ code: 0, stdout: `machine ${instanceId} is no longer protected`, stderr: "" });
  await release();
});

test("another is left as it is, and one that was deleted by hand holds nothing up", async () => {
  expect((await unprotect()).stdout).toBe(`machine ${instanceId} is not protected`);
  expect(emulator.journal.calls.filter(({ action }) => action === "ModifyInstanceAttribute")).toEqual([]);
  await release();
  await emulator.idle();
  expect(await unprotect()).toEqual({ code: 0, stdout: `machine ${instanceId} is gone already`, stderr: "" });
});
