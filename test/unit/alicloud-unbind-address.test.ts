import { type Emulator, startEmulator } from "@cloudcode/alicloud-emulator";
import { everyLatency } from "@cloudcode/alicloud-emulator/latency";
import { Account } from "@cloudcode/alicloud-emulator/testing/account";
import { runHook } from "../support/alicloud-scripts";

let emulator: Emulator;
let account: Account;
let allocationId: string;
beforeEach(async () => {
  emulator = await startEmulator();
  account = new Account(emulator);
  allocationId = await account.text("vpc", "AllocateEipAddress", "AllocationId", { Bandwidth: "5" });
});
afterEach(async () => {
  await emulator.close();
  expect(emulator.journal.violations).toEqual([]);
});

const unbind = () => runHook(emulator, "unbind-address", { region: "ap-southeast-1", allocationId });
const address = () => emulator.cloud.state.eips.get(allocationId);

async function bind(): Promise<void> {
  const instanceId = await account.run(await account.network());
  await emulator.idle();
  await account.ask("vpc", "AssociateEipAddress", {
    AllocationId: allocationId,
    InstanceId: instanceId,
    InstanceType: "EcsInstance",
  });
  await emulator.idle();
  expect(address()).toMatchObject({ status: "InUse", instanceId });
}

test("an address that a machine has is free when it returns", async () => {
  await bind();
  emulator.cloud.latencies = everyLatency(1500);
  expect(await unbind()).toMatchObject({ code: 0, stderr: "" });
  expect(address()).toMatchObject({ status: "Available", instanceId: "" });
});

test("one that is bound to nothing is left as it is", async () => {
  const { code, stdout } = await unbind();
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `public address ${String(address()?.address)} is not bound`,
  });
});

test("one that was released by hand holds nothing up", async () => {
  await account.ask("vpc", "ReleaseEipAddress", { AllocationId: allocationId });
  await emulator.idle();
  expect(await unbind()).toEqual({ code: 0, stdout: `public address ${allocationId} is gone already`, stderr: "" });
});

test("a lost answer is no failure", async () => {
  await bind();
  emulator.fail({ kind: "lostAnswer", action: "UnassociateEipAddress", how: "cut" });
  expect(await unbind()).toMatchObject({ code: 0, stderr: "" });
  expect(address()).toMatchObject({ status: "Available" });
});
