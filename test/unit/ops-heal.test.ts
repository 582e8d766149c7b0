import { type Emulator, emulatorEnvironment, startEmulator } from "@cloudcode/alicloud-emulator";
import { Account } from "@cloudcode/alicloud-emulator/testing/account";
import type { MachineState } from "../../components/alicloud/heal";
import { chosenPlacement } from "../../components/alicloud/hooks/chosen-placement";
import { judge, knownOf } from "../../ops/heal/judge";
import { pulumiFault } from "../../ops/stack";
import { type Answering, answering, runHook } from "../support/alicloud-scripts";
import type { HealLook } from "../support/heal-look";
import { alicloudTargetOf, faultsOf } from "../support/settings";

const placement = {
  region: "ap-southeast-1",
  zoneId: "ap-southeast-1a",
  instanceType: "ecs.e-c1m2.large",
  diskCategory: "cloud_essd_entry",
};
const urn = (type: string, name: string) => `urn:pulumi:home::cloudcode::cloudcode:index:Home$${type}::${name}`;
const resource = (type: string, name: string, more: object = {}) => ({ urn: urn(type, name), ...more });
const instance = "alicloud:ecs/instance:Instance";
const host = resource(instance, "host-instance", { id: "i-host" });
const rest = (standIn?: { readonly since: string }) => [
  resource("command:local:Command", "host-placement", {
    id: "echo1",
    outputs: { stdout: JSON.stringify({ ...placement, ...(standIn && { standIn }) }) },
  }),
  resource("command:local:Command", "host-type", { id: "echo2" }),
  resource("alicloud:ecs/ecsDisk:EcsDisk", "host-data-disk", { id: "d-data" }),
  resource("alicloud:ecs/eipAddress:EipAddress", "host-address", { id: "eip-1" }),
];
const known = (...resources: readonly object[]) => knownOf(JSON.stringify({ deployment: { resources } }));
const states = (all: Readonly<Record<string, MachineState>>) => new Map(Object.entries(all));
const spot = alicloudTargetOf({ charge: "spot" });
const now = Date.parse("2026-11-29T12:00:00Z");

// The first look starts a process.
jest.setTimeout(120_000);

describe("what heal does", () => {
  it.each([
    ["leaves a machine that is there", [host, ...rest()], { "i-host": "there" }, "nothing"],
    ["waits while the cloud is about to take it", [host, ...rest()], { "i-host": "leaving" }, "nothing"],
    ["replaces one that is gone", [host, ...rest()], { "i-host": "gone" }, "host"],
    ["goes on where the state has forgotten it, as after a heal that was cut off", rest(), {}, "host"],
    ["makes none in a stack that never had one", rest().slice(0, 3), {}, "nothing"],
    ["makes none where a destroy has left the disk alone", rest().slice(2, 3), {}, "nothing"],
    [
      "takes what waits for its deletion for no machine",
      [resource(instance, "host-instance", { id: "i-old", delete: true }), host, ...rest()],
      { "i-host": "there" },
      "nothing",
    ],
    [
      "makes a worker again",
      [host, ...rest(), resource(instance, "worker-1-instance", { id: "i-w" })],
      { "i-host": "there", "i-w": "gone" },
      "workers",
    ],
    [
      "makes a worker that the state has forgotten",
      [host, ...rest(), resource("cloudcode:index:AlicloudWorker", "worker-1")],
      { "i-host": "there" },
      "workers",
    ],
  ] as const)("%s", (_what, resources, seen, act) => {
    expect(judge(known(...resources), states(seen), spot, now).act).toBe(act);
  });

  it("goes on with an up that was cut off after it had a machine, and with no other", () => {
    const command = (name: string, trigger: string) =>
      resource("command:local:Command", name, { id: name, inputs: { triggers: [trigger] } });
    const cutOff = [
      host,
      ...rest(),
      command("docker-install", "i-host ecs.a"),
      command("auth-release", "i-old ecs.a"),
      command("host-data-release", "d-data:i-old"),
      command("worker-1-release", "i-worker ecs.a"),
    ];
    const there = states({ "i-host": "there" });
    expect(judge(known(...cutOff), there, spot, now)).toEqual({ act: "finish", behind: ["auth-release"] });
    const retyped = [host, ...rest(), command("docker-install", "i-host ecs.b")];
    expect(judge(known(...retyped), there, spot, now).act).toBe("nothing");
  });

  it("makes none while the setting power switches it off", () => {
    const off = alicloudTargetOf({ charge: "spot", power: "stopped" });
    expect(judge(known(...rest()), states({}), off, now).act).toBe("nothing");
  });

  it("goes back to spot after a day, at once if that is asked for, and never against protectMachine", () => {
    const standIn = known(host, ...rest({ since: "2026-11-29T06:00:00.000Z" }));
    const there = states({ "i-host": "there" });
    expect(judge(standIn, there, spot, now)).toEqual({
      act: "nothing",
      why: "the machine i-host is there, pay-as-you-go in place of spot until 2026-11-30T06:00:00.000Z at least",
    });
    expect(judge(standIn, there, spot, now + 19 * 3_600_000).act).toBe("spot");
    expect(judge(standIn, there, spot, Infinity).act).toBe("spot");
    expect(judge(standIn, there, alicloudTargetOf({ charge: "payAsYouGo" }), Infinity).act).toBe("nothing");
    const guarded = alicloudTargetOf({ charge: "spot", protectMachine: "true" });
    expect(judge(standIn, there, guarded, Infinity)).toMatchObject({ act: "nothing" });
  });

  it("names the commands that choose the machine, and the disk", () => {
    expect(known(host, ...rest())).toMatchObject({
      diskId: "d-data",
      placement,
      choice: [urn("command:local:Command", "host-placement"), urn("command:local:Command", "host-type")],
    });
  });
});

it("spotFallback is refused where it has no effect", () => {
  const target = { target: "alicloud", sshCidrs: '["192.0.2.1/32"]', spotFallback: "true" };
  expect(faultsOf({ ...target, charge: "payAsYouGo" })).toContain("spotFallback has no effect unless charge is spot");
  expect(faultsOf({ ...target, charge: "spot" })).not.toContain("spotFallback has no effect unless charge is spot");
});

it.each([
  [
    "error: the stack is currently locked by 1 lock(s). Either wait…\n  x: created by jo@laptop (pid 7) at 2026-11-29T02:00:00Z",
    "jo@laptop",
  ],
  ["error: [409] Conflict: Another update is currently in progress.", "another run"],
])("a lock is reported: %s", (words, who) => {
  expect(pulumiFault(words)).toMatch(new RegExp(`^${who}.* holds the stack's lock`));
});

describe("at the cloud", () => {
  let emulator: Emulator;
  let looks: Answering | undefined;
  afterAll(() => looks?.stop());
  beforeEach(async () => {
    emulator = await startEmulator();
  });
  afterEach(async () => {
    await emulator.close();
    expect(emulator.journal.violations).toEqual([]);
  });

  interface Seen {
    readonly states: Readonly<Record<string, string>>;
    readonly zone?: string;
    readonly found: readonly { readonly placement: object; readonly words: string }[];
    readonly none: string;
  }
  async function look(asked: Partial<Omit<HealLook, "environment">> = {}): Promise<Seen> {
    const environment = emulatorEnvironment(emulator);
    const least = { machines: [], disk: "d-t4n", settings: { charge: "spot" }, placement };
    const input: HealLook = { environment, ...least, ...asked };
    looks ??= answering(emulator, "test/support/heal-look.ts");
    return JSON.parse(await looks.ask(input)) as Seen;
  }

  it("a machine is there, is about to be taken back, and is gone; its data disk stays", async () => {
    const account = new Account(emulator);
    const machine = await account.run(await account.network(), { SpotStrategy: "SpotAsPriceGo" });
    const made = { ZoneId: "ap-southeast-1b", DiskCategory: "cloud_essd_entry", Size: "20", DiskName: "data" };
    const disk = await account.text("ecs", "CreateDisk", "DiskId", made);
    await emulator.idle();
    const asked = { machines: [machine, "i-t4nother"], disk };
    expect(await look(asked)).toMatchObject({
      states: { [machine]: "there", "i-t4nother": "gone" },
      zone: "ap-southeast-1b",
    });
    const control = (body: object) =>
      fetch(`http://127.0.0.1:${emulator.port}/__control/reclaim`, { method: "POST", body: JSON.stringify(body) });
    expect((await control({ instance: "i-t4nother" })).status).toBe(400);
    await control({ instance: machine, notice: true });
    expect((await look(asked)).states[machine]).toBe("leaving");
    await control({ instance: machine });
    await emulator.idle();
    expect(await look(asked)).toMatchObject({ states: { [machine]: "gone" }, zone: "ap-southeast-1b" });
    expect((await look({ disk: "d-t4nother" })).zone).toBeUndefined();
  });

  it("the next machine is of the disk's zone and category, the cheapest in stock first", async () => {
    const { found } = await look();
    expect(found[0]).toEqual({
      placement,
      words: expect.stringMatching(/^spot ecs\.e-c1m2\.large at 9\.\d\d USD a month$/) as unknown,
    });
    expect(found.map((one) => one.placement)).toEqual(
      found.map(
        () => expect.objectContaining({ zoneId: "ap-southeast-1a", diskCategory: "cloud_essd_entry" }) as unknown,
      ),
    );
    emulator.fail({ kind: "soldOut", type: "ecs.e-c1m2.large", market: "spot" });
    expect((await look()).found[0]?.words).toMatch(/^spot ecs\.(t6|u1)-c1m2\.large at /);
  });

  it("one above the budget is none", async () => {
    const { found, none } = await look({ settings: { charge: "spot", budgetUsd: "5" } });
    expect(found).toEqual([]);
    expect(none).toMatch(/above budgetUsd/);
  });

  it("with spotFallback pay-as-you-go machines come last, marked as standing in since now", async () => {
    const settings = { charge: "spot", spotFallback: "true" };
    const { found } = await look({ settings });
    const kinds = found.map(({ words }) => words.split(" ")[0]);
    expect(kinds).toEqual([...kinds].sort((a, b) => Number(a === "pay-as-you-go") - Number(b === "pay-as-you-go")));
    expect(new Set(kinds)).toEqual(new Set(["spot", "pay-as-you-go"]));
    emulator.fail({ kind: "soldOut", market: "spot" });
    expect((await look({ settings })).found[0]).toEqual({
      placement: { ...placement, standIn: { since: "2026-11-29T12:00:00.000Z" } },
      words: "pay-as-you-go ecs.e-c1m2.large at 29.84 USD a month",
    });
  });

  it("where the disk's zone has none, one message has each way out, over a snapshot where another zone has stock", async () => {
    emulator.fail({ kind: "soldOut", zone: "ap-southeast-1a" });
    const { found, none } = await look();
    expect(found).toEqual([]);
    expect(none).toMatch(
      /^The data disk d-t4n is in zone ap-southeast-1a, which it cannot leave, and no machine for it can be had there now\. /,
    );
    expect(none).toContain("ecs.e-c1m2.large: sold out in ap-southeast-1a");
    expect(none).toContain("pulumi config set spotFallback true");
    expect(none).toContain("in stock now: ecs.e-c1m2.large in ap-southeast-1b");
    expect(none).toContain("pulumi refresh && pulumi destroy --exclude-protected, which lets the zone go");
    expect(none).toContain(`pulumi config set zones '["ap-southeast-1b"]'`);
    emulator.fail({ kind: "soldOut" });
    const nowhere = await look({ settings: { charge: "spot", spotFallback: "true" } });
    expect(nowhere.none).toContain("once one has stock: none has now");
    expect(nowhere.none).not.toContain("spotFallback");
  });

  it("the command that places a host takes the machine that heal has chosen, whatever stock and its request say", async () => {
    emulator.fail({ kind: "soldOut" });
    const chosen = { ...placement, standIn: { since: "2026-11-29T12:00:00.000Z" } };
    const env = { [chosenPlacement]: JSON.stringify(chosen) };
    expect(JSON.parse((await runHook(emulator, "place", { region: "of an earlier version" }, env)).stdout)).toEqual(
      chosen,
    );
    const broken = await runHook(emulator, "place", {}, { [chosenPlacement]: '{"zoneId":"x"}' });
    expect(broken.code).toBe(1);
  });
});
