import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { latencyProfiles } from "@cloudcode/alicloud-emulator/latency";
import type { Emulator } from "@cloudcode/alicloud-emulator";
import { CommandError } from "../../cli/run";
import { PaperMachines } from "../support/paper-machines";
import { ramPolicy } from "../support/ram-policy";
import { type PlainStack, leastTemplate, openPlainStack } from "./plain-stack";

// A spot machine that is taken back at each moment, and `npm run ops -- heal` after it: the real CLI and provider, at an account whose machines
// are on paper. They answer SSH at port 22 of loopback addresses, so the test runs as root.
jest.setTimeout(40 * 60_000);

let folder: string;
let machines: PaperMachines;
let plain: PlainStack;
let emulator: Emulator;
let stack: PlainStack["stack"];
/** Of all that is on the data disk. */
let files: string;
/** The host's public address and host key, and the password of the operator. */
let identity: unknown;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "spot-"));
  machines = new PaperMachines(folder);
  plain = await openPlainStack("spot-test", leastTemplate, machines);
  ({ emulator, stack } = plain);
  emulator.rules.policy = ramPolicy("home.example.com");
  await stack.create({ charge: "spot", budgetUsd: "60", domain: "home.example.com", hostWaitSeconds: "20" }, {});
  await stack.pulumi(["up", "--yes", "--skip-preview"]);
  for (let number = 0; number < 200; number++) {
    const place = join(machines.diskFolder(dataDisk().id), "volumes", String(number % 20));
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `file-${number}`), randomBytes(10_000));
  }
  files = digestOf(machines.diskFolder(dataDisk().id));
  identity = await outputs();
});
afterAll(async () => {
  await plain.close();
  await machines.stopAll();
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  emulator.rules.faults.clear();
  machines.seen = () => Promise.resolve();
});

/** Of the names and contents of all files below a folder. */
function digestOf(of: string): string {
  const names = readdirSync(of, { recursive: true, encoding: "utf8" }).sort();
  const digest = createHash("sha256");
  for (const name of names)
    digest.update(`${name}\0`).update(statSync(join(of, name)).isDirectory() ? "" : readFileSync(join(of, name)));
  return digest.digest("hex");
}

async function outputs(): Promise<unknown> {
  const { operations } = JSON.parse((await stack.pulumi(["stack", "output", "--json", "--show-secrets"])).stdout) as {
    operations: { connection: object; publicAddress: string };
  };
  return [operations.connection, operations.publicAddress];
}

const dataDisks = () => [...emulator.cloud.state.disks.values()].filter(({ type }) => type === "data");
function dataDisk() {
  const [disk, ...more] = dataDisks();
  if (disk === undefined || more.length > 0) throw new Error(`there are ${dataDisks().length} data disks`);
  return disk;
}
const newest = () => machines.made.at(-1) ?? "";

async function reclaim(instance = newest()): Promise<string> {
  const url = `http://127.0.0.1:${emulator.port}/__control/reclaim`;
  const { status } = await fetch(url, { method: "POST", body: JSON.stringify({ instance }) });
  expect(status).toBe(200);
  return instance;
}

async function heal(): Promise<{ readonly code: number; readonly said: string }> {
  const { code, stdout, stderr } = await plain.ops("heal");
  return { code, said: stderr + stdout };
}

/** Takes back one machine at each of these moments: what happens to it, or a part of a command, which it never answers. */
function reclaimAt(...moments: readonly string[]): readonly string[] {
  const gone: string[] = [];
  machines.seen = async (id, what) => {
    const moment = moments[gone.length];
    const here = typeof what === "string" ? what === moment : moment !== undefined && what.command.includes(moment);
    if (!here || gone.includes(id)) return;
    gone.push(id);
    await reclaim(id);
    if (typeof what !== "string") await new Promise(() => undefined);
  };
  return gone;
}

/** An `up` during which the newest machine is taken back at that moment: it ends with an error, and heal puts everything right. */
async function expectHealedUp(moment: string): Promise<void> {
  const gone = reclaimAt(moment);
  const failure = await stack.pulumi(["up", "--yes", "--skip-preview"]).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect([failure, gone]).toEqual([expect.any(CommandError), [newest()]]);
  await emulator.idle();
  expect(await heal()).toEqual(done);
  await expectWhole();
}

/** One machine, a spot one that has disk and address; all that there was is there, and nothing is left to do. */
async function expectWhole(): Promise<void> {
  const [machine, ...more] = [...emulator.cloud.state.instances.values()];
  expect(more).toEqual([]);
  expect(machine).toMatchObject({ id: newest(), status: "Running" });
  expect(machines.disksOf(newest())).toEqual([dataDisk().id]);
  expect(digestOf(machines.diskFolder(dataDisk().id))).toBe(files);
  expect(await outputs()).toEqual(identity);
  for (const name of ["auth", "edge", "opencode"]) expect(machines.host(newest()).running(name)).not.toBe("none");
  await stack.pulumi(["preview", "--expect-no-changes"]);
  expect((await heal()).said).toBe(`the machine ${newest()} is there\n`);
}

const done = {
  code: 0,
  said: expect.stringMatching(/done after \d+\.\d minutes: https:\/\/home\.example\.com/) as unknown,
};

test("idle: heal makes a machine with the same disk, address and host key, and all Apps", async () => {
  await reclaim();
  await emulator.idle();
  emulator.cloud.latencies = latencyProfiles.realistic;
  const healed = await heal();
  emulator.cloud.latencies = latencyProfiles.fast;
  expect(healed).toEqual(done);
  await expectWhole();
});

test("in an up, while an App is applied: the up ends with an error, and heal puts everything right", async () => {
  stack.configure({ opencodeMemoryMiB: "1024" });
  await expectHealedUp("cloudcode-host apply opencode");
});

test("in an up that buys the machine, as soon as it is bought", async () => {
  await reclaim();
  await emulator.idle();
  await stack.pulumi(["refresh", "--yes", "--skip-preview"]);
  await expectHealedUp("create");
});

test("nothing that was asked for needed more rights or was one that the real API would not know", () => {
  expect(emulator.journal.calls.filter(({ code }) => code.startsWith("Forbidden"))).toEqual([]);
  expect(emulator.journal.violations).toEqual([]);
});
