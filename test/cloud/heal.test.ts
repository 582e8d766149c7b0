import { readFileSync, readdirSync, writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../cli/run";
import type { Emulator } from "@cloudcode/alicloud-emulator";
import { ramPolicy } from "../support/ram-policy";
import { type PlainStack, exampleConfiguration, openPlainStack } from "./plain-stack";

// `npm run ops -- heal` with the real CLI and provider, at an account whose machines are none: what Pulumi is asked to do, and what is bought.
// Each `up` of it ends where the new machine does not answer SSH.
jest.setTimeout(40 * 60_000);

let plain: PlainStack;
let emulator: Emulator;
let stack: PlainStack["stack"];

beforeAll(async () => {
  const { file, secrets } = exampleConfiguration();
  plain = await openPlainStack("heal-test", file);
  ({ emulator, stack } = plain);
  const settings = { charge: "spot", instanceTypes: undefined, budgetUsd: "60", protectMachine: undefined };
  await stack.create({ ...settings, power: "stopped", lwsandboxEnabled: "false", hostWaitSeconds: "5" }, secrets);
  await stack.pulumi(["up", "--yes", "--skip-preview"]);
  emulator.rules.policy = ramPolicy("home.example.com");
});
afterAll(() => plain.close());
afterEach(() => {
  emulator.rules.faults.clear();
});

async function heal(...words: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  const { code, stdout, stderr } = await plain.ops("heal", ...words);
  return { code, said: stderr + stdout };
}

const machines = () => [...emulator.cloud.state.instances.values()];
/** The only machine. */
function machine() {
  const [one, ...more] = machines();
  if (one === undefined || more.length > 0) throw new Error(`there are ${machines().length} machines`);
  return one;
}
async function reclaim(notice = false): Promise<string> {
  const { id } = machine();
  const url = `http://127.0.0.1:${emulator.port}/__control/reclaim`;
  await fetch(url, { method: "POST", body: JSON.stringify({ instance: id, notice }) });
  if (!notice) await emulator.idle();
  return id;
}
/** What the machine has: its market, and whether address and data disk are with it. */
function facts() {
  const { id, type, spotStrategy } = machine();
  const [eip] = emulator.cloud.state.eips.values();
  const disks = [...emulator.cloud.state.disks.values()].filter((disk) => disk.type === "data");
  return {
    type,
    spotStrategy,
    address: eip?.instanceId === id,
    disk: disks.map(({ instanceId }) => instanceId === id),
  };
}
const both = { address: true, disk: [true] };
const state = async () => (await stack.pulumi(["stack", "export"])).stdout;

test("a machine that is off or there is left alone, with one question to the cloud", async () => {
  expect(await heal()).toEqual({ code: 0, said: "the machine is switched off by the setting power\n" });
  stack.configure({ power: "running" });
  const { id } = machine();
  emulator.journal.calls.length = 0;
  expect(await heal()).toEqual({ code: 0, said: `the machine ${id} is there\n` });
  expect(emulator.journal.calls.map(({ action }) => action)).toEqual(["DescribeInstances"]);
  await reclaim(true);
  expect((await heal()).said).toBe(`Alibaba Cloud is about to take ${id} back; heal replaces it once it is gone\n`);
});

test("with nothing in stock in the disk's zone, one message says what was tried and each way out; nothing is changed", async () => {
  await reclaim();
  const before = await state();
  emulator.fail({ kind: "soldOut", zone: "ap-southeast-1a" });
  const { code, said } = await heal();
  expect(code).toBe(1);
  expect(said).toMatch(/The data disk d-\w+ is in zone ap-southeast-1a, which it cannot leave/);
  expect(said).toContain("ecs.e-c1m2.large: sold out in ap-southeast-1a");
  expect(said).toContain("pulumi config set spotFallback true");
  expect(said).toContain("restoreFromSnapshot s-… && pulumi config set zones '[\"ap-southeast-1b\"]'");
  expect(await state()).toBe(before);
  expect(machines()).toEqual([]);
});

test("next to another run of Pulumi it stops with exit code 75", async () => {
  const other = stack.pulumi(["refresh", "--yes", "--skip-preview"]);
  const locks = join(plain.folder, "state", ".pulumi", "locks");
  await until(
    60,
    () =>
      Promise.resolve(
        readdirSync(locks, { recursive: true, encoding: "utf8" }).some((file) => file.endsWith(".json")) || undefined,
      ),
    () => Promise.resolve("the refresh takes no lock"),
  );
  // A run that is killed leaves its lock; this one is held until heal has met it.
  const held = readdirSync(locks, { recursive: true, encoding: "utf8" }).find((file) => file.endsWith(".json")) ?? "";
  const lock = readFileSync(join(locks, held));
  await other;
  writeFileSync(join(locks, held), lock);
  const { code, said } = await heal();
  rmSync(join(locks, held));
  expect({ code, said }).toMatchObject({
    code: 75,
    said: expect.stringMatching(/holds the stack's lock[^]*heal has stopped here/) as unknown,
  });
  expect(machines()).toEqual([]);
});

test("with the cheapest gone at the till it takes the next, with disk and address", async () => {
  emulator.fail({ kind: "noStock", type: "ecs.e-c1m2.large" });
  const { code, said } = await heal();
  expect(said).toMatch(/taking spot ecs\.e-c1m2\.large [^\n]*\nit is sold out\ntaking spot ecs\.u1-c1m2\.large/);
  expect([code, facts()]).toEqual([1, { type: "ecs.u1-c1m2.large", spotStrategy: "SpotAsPriceGo", ...both }]);
  // The machine that is none: what its `up` said of it.
  expect(said).toMatch(/Diagnostics:[^]*host-reachable/);
});

test("with spotFallback it buys a pay-as-you-go machine, which stays for a day, and then a spot one again", async () => {
  await reclaim();
  stack.configure({ spotFallback: "true" });
  emulator.fail({ kind: "soldOut", market: "spot" });
  expect((await heal()).said).toMatch(/taking pay-as-you-go ecs\.e-c1m2\.large at [\d.]+ USD a month/);
  expect(facts()).toEqual({ type: "ecs.e-c1m2.large", spotStrategy: "NoSpot", ...both });
  const { id } = machine();
  expect((await heal()).said).toMatch(/is there, pay-as-you-go in place of spot until \d{4}-/);
  expect((await heal("--spot")).said).toContain("no spot machine can be had yet");
  // A person's preview does not want to replace it.
  const preview = await stack.pulumi(["preview", "--diff"]);
  expect(preview.stdout).not.toMatch(/host-instance/);
  emulator.rules.faults.clear();
  expect((await heal("--spot")).said).toMatch(/taking spot ecs\.e-c1m2\.large/);
  expect(machines().map(({ spotStrategy }) => spotStrategy)).toContain("SpotAsPriceGo");
  expect(machines().filter((one) => one.id === id && one.spotStrategy !== "NoSpot")).toEqual([]);
});

test("nothing that was asked for needed more rights or was one that the real API would not know", () => {
  expect(emulator.journal.calls.filter(({ code }) => code.startsWith("Forbidden"))).toEqual([]);
  expect(emulator.journal.violations).toEqual([]);
});
