import fc from "fast-check";
import { checkSettings } from "../../components/settings/read";
import type { PlainSettings } from "../../components/settings/table";
import { type MoveActs, drive } from "../../ops/move/drive";
import { type Place, type Point, type Side, backOf, cutOf, edge, inOrder } from "../../ops/move/plan";
import { hostsAgainst, roomAgainst, settingsAgainst, sidesIn, sitesAgainst } from "../../ops/move/refusals";
import { OpsError, StackLocked } from "../../ops/stack";

const once = ["tg"];
const names = inOrder(["auth", edge, "tg", "code"], once);

/** The operator's machine dies. */
class Killed extends Error {}

interface Stack {
  does: Side["does"];
  yielded?: string | undefined;
  arrived?: string | undefined;
  runs: boolean;
  /** Grows while an App runs whose data only one host may use. */
  data: number;
}

/** Two hosts that do what cloudcode-backup does, step by step; each step may be the last one of a run. */
class TwoHosts implements MoveActs {
  readonly former = this.stacks(true);
  readonly next = this.stacks(false);
  readonly snapshots = new Map<string, number>();
  journal: Point[] = [];
  shutDoor = false;
  forwards = false;
  turned = false;
  seen: string[] = [];
  private steps = 0;
  private dead = false;

  /**
   * @param killAt step at which the operator's machine dies
   * @param hostGoesOn whether the host finishes what it was doing then
   * @param failAt step that fails
   */
  constructor(
    private killAt: number,
    private hostGoesOn: boolean,
    private failAt: number,
  ) {}

  private stacks(runs: boolean): Map<string, Stack> {
    return new Map(names.map((name) => [name, { does: runs ? "on" : "stopped", runs, data: 0 }]));
  }

  revive(killAt: number, hostGoesOn: boolean, failAt: number): void {
    this.steps = 0;
    this.dead = false;
    [this.killAt, this.hostGoesOn, this.failAt] = [killAt, hostGoesOn, failAt];
  }

  /** One act, each of whose effects may be the last. */
  private async act(...effects: readonly (() => void)[]): Promise<void> {
    if (this.dead) throw new Killed();
    let dies = false;
    for (const effect of [...effects, () => undefined]) {
      await Promise.resolve();
      this.steps++;
      if (this.steps === this.failAt) throw new OpsError("broken");
      if (this.dead || this.steps >= this.killAt) {
        dies = this.dead = true;
        if (!this.hostGoesOn) throw new Killed();
      }
      effect();
      for (const name of names) {
        const [here, there] = [this.of(this.former, name), this.of(this.next, name)];
        if (name !== edge && here.runs && there.runs) this.seen.push(`${name} runs on both`);
        for (const one of [here, there]) if (once.includes(name) && one.runs) one.data = this.newest() + 1;
      }
    }
    if (dies) throw new Killed();
  }

  private newest(): number {
    return Math.max(...[this.former, this.next].map((host) => this.of(host, "tg").data));
  }

  private of(host: Map<string, Stack>, name: string): Stack {
    const found = host.get(name);
    if (!found) throw new Error(`no ${name}`);
    return found;
  }

  async point(): Promise<Point | undefined> {
    await this.act();
    return this.journal.at(-1);
  }

  note(point: Point): Promise<void> {
    return this.act(() => this.journal.push(point));
  }

  end(): Promise<void> {
    return this.act(() => {
      this.journal = [];
    });
  }

  check = () =>
    this.act(() => {
      if ([...this.former.values()].some(({ does }) => does !== "on")) throw new OpsError("it does not run here");
    });
  make = () => this.act();
  copy = () =>
    this.act(() => {
      this.start(this.next, edge, undefined);
    });
  healthy = () => this.act();

  async places(): Promise<readonly Place[]> {
    await this.act();
    const side = ({ does, yielded, arrived }: Stack): Side => ({
      does,
      ...(yielded !== undefined && { yielded }),
      ...(arrived !== undefined && { arrived }),
    });
    return names.map((name) => ({
      name,
      former: side(this.of(this.former, name)),
      next: side(this.of(this.next, name)),
    }));
  }

  shut = () =>
    this.act(() => {
      this.shutDoor = true;
    });
  reopen = () =>
    this.act(() => {
      this.shutDoor = false;
    });

  private async yields(host: Map<string, Stack>, name: string): Promise<string> {
    const stack = this.of(host, name);
    if (stack.does === "given" && stack.yielded !== undefined) {
      await this.act();
      return stack.yielded;
    }
    const id = `s${this.snapshots.size}`;
    await this.act(
      () => Object.assign(stack, { does: "half", runs: false }),
      () => this.snapshots.set(id, stack.data),
      () => Object.assign(stack, { does: "given", yielded: id }),
    );
    return id;
  }

  private start(host: Map<string, Stack>, name: string, snapshot: string | undefined): void {
    const data = snapshot === undefined ? undefined : this.snapshots.get(snapshot);
    Object.assign(this.of(host, name), {
      does: "on",
      runs: true,
      yielded: undefined,
      arrived: snapshot,
      ...(data !== undefined && { data }),
    });
  }

  yield = (name: string) => this.yields(this.former, name);
  arrive = (name: string, snapshot: string) =>
    this.act(() => {
      this.start(this.next, name, snapshot);
    });
  leave = (name: string) =>
    this.act(() => Object.assign(this.of(this.next, name), { does: "given", yielded: undefined, runs: false }));
  resume = (name: string) =>
    this.act(() => Object.assign(this.of(this.former, name), { does: "on", runs: true, yielded: undefined }));

  async carry(name: string): Promise<void> {
    const snapshot = await this.yields(this.next, name);
    await this.act(() => {
      this.start(this.former, name, snapshot);
    });
  }

  forward = () =>
    this.act(() => {
      Object.assign(this.of(this.former, edge), { does: "given", runs: false });
      this.forwards = true;
      this.shutDoor = false;
    });
  turnNames = () =>
    this.act(() => {
      this.turned = true;
    });

  serving(): string {
    const all = (host: Map<string, Stack>, runs: boolean) => [...host.values()].every((one) => one.runs === runs);
    const here = all(this.former, true) && all(this.next, false) && !this.shutDoor && !this.forwards && !this.turned;
    const there = all(this.next, true) && all(this.former, false) && this.forwards && this.turned;
    return here ? "former" : there ? "next" : "none, or both";
  }

  get tgIsNewest(): boolean {
    const host = this.of(this.former, "tg").runs ? this.former : this.next;
    return this.of(host, "tg").data === this.newest();
  }
}

/** Runs until it ends otherwise than by the death of the operator's machine. */
async function run(hosts: TwoHosts, back: boolean): Promise<"killed" | "moved" | "back" | "refused"> {
  try {
    return (await drive(hosts, { onlyOnce: once, back, say: () => undefined })) ? "moved" : "back";
  } catch (error) {
    if (error instanceof Killed) return "killed";
    if (error instanceof OpsError) return "refused";
    throw error;
  }
}

const never = Infinity;
const death = fc.record({ at: fc.integer({ min: 1, max: 70 }), goesOn: fc.boolean(), back: fc.boolean() });

describe("a move", () => {
  it("that nothing disturbs ends on the new host", async () => {
    const hosts = new TwoHosts(never, false, never);
    expect(await run(hosts, false)).toBe("moved");
    expect([hosts.serving(), hosts.seen, hosts.journal]).toEqual(["next", [], []]);
  });

  it("killed at any step, and again at any other, ends whole on one host, and no App ever runs on both", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(death, { maxLength: 4 }), async (deaths) => {
        const hosts = new TwoHosts(never, false, never);
        for (const { at, goesOn, back } of deaths) {
          hosts.revive(at, goesOn, never);
          await run(hosts, back);
        }
        hosts.revive(never, false, never);
        const going = hosts.journal.length > 0;
        const last = hosts.serving() === "next" && !going ? "moved" : await run(hosts, false);
        expect([last, hosts.serving(), hosts.seen, hosts.journal, hosts.tgIsNewest]).toEqual([
          expect.stringMatching(/^(moved|refused)$/),
          last === "moved" ? "next" : "former",
          [],
          [],
          true,
        ]);
      }),
      { numRuns: 2000 },
    );
  });

  it("that fails at any step is on the former host by itself, or ends on the new one with the next run", async () => {
    for (let step = 1; step < 90; step++) {
      const hosts = new TwoHosts(never, false, step);
      const first = await run(hosts, false);
      hosts.revive(never, false, never);
      if (hosts.journal.length > 0) await run(hosts, false);
      expect([step, ["former", "next"].includes(hosts.serving()), hosts.seen, hosts.journal]).toEqual([
        step,
        true,
        [],
        [],
      ]);
      expect([step, hosts.tgIsNewest]).toEqual([step, true]);
      if (first === "moved") expect(hosts.serving()).toBe("next");
    }
  });

  it("is not started where something is in the way, and has no way back then", async () => {
    const hosts = new TwoHosts(never, false, never);
    hosts.check = () => Promise.reject(new OpsError("in the way"));
    await expect(drive(hosts, { onlyOnce: once, back: false, say: () => undefined })).rejects.toThrow("in the way");
    expect(hosts.journal).toEqual([]);
    await expect(drive(hosts, { onlyOnce: once, back: true, say: () => undefined })).rejects.toThrow(
      "there is no move to go back from",
    );
  });

  it("stays where it is while another run of Pulumi holds the lock", async () => {
    const hosts = new TwoHosts(never, false, never);
    hosts.make = () => Promise.reject(new StackLocked("locked"));
    await expect(drive(hosts, { onlyOnce: once, back: false, say: () => undefined })).rejects.toThrow(StackLocked);
    expect([hosts.journal, hosts.serving()]).toEqual([["begun"], "former"]);
  });

  it("says at which step it failed, and that the former host serves", async () => {
    const hosts = new TwoHosts(never, false, never);
    hosts.healthy = () => Promise.reject(new OpsError("auth.home.example.com answers 502"));
    await expect(drive(hosts, { onlyOnce: once, back: false, say: () => undefined })).rejects.toThrow(
      "bringing the last changes over failed: auth.home.example.com answers 502\nThe former host serves again, and nothing was moved.",
    );
    expect(hosts.serving()).toBe("former");
  });
});

describe("the way back of a stack", () => {
  const given: Side = { does: "given", yielded: "s1" };
  it.each<[string, Place, ReturnType<typeof backOf>]>([
    ["that was not touched", { name: "auth", former: { does: "on" }, next: { does: "stopped" } }, []],
    ["whose backup was cut off", { name: "auth", former: { does: "half" }, next: { does: "stopped" } }, ["resume"]],
    ["that is gone", { name: "auth", former: given, next: { does: "on", arrived: "s1" } }, ["leave", "resume"]],
    ["that has been used there", { name: "tg", former: given, next: { does: "on", arrived: "s1" } }, ["carry"]],
    ["that never came", { name: "tg", former: given, next: { does: "stopped", arrived: "s0" } }, ["leave", "resume"]],
    ["when the new host is gone", { name: "auth", former: given, next: undefined }, ["resume"]],
    ["that may run there, nobody knows", { name: "tg", former: given, next: undefined }, undefined],
    ["that answers visitors", { name: edge, former: { does: "on" }, next: { does: "on" } }, ["leave"]],
  ])("%s", (_, place, expected) => {
    expect(backOf(place, once)).toEqual(expected);
  });

  it("forward: it arrives again only where it did not come with its last backup", () => {
    expect(cutOf({ name: "auth", former: given, next: { does: "on", arrived: "s1" } })).toEqual([]);
    expect(cutOf({ name: "auth", former: given, next: { does: "on", arrived: "s0" } })).toEqual(["arrive"]);
    expect(cutOf({ name: "auth", former: { does: "half" }, next: undefined })).toEqual(["yield", "arrive"]);
    expect(cutOf({ name: edge, former: { does: "on" }, next: { does: "on" } })).toEqual([]);
  });
});

const common = {
  target: "existing",
  hostAddress: "203.0.113.7",
  domain: "home.example.com",
  backupRepository: "s3:https://s3.example.com/bucket/home",
  opencodeEnabled: "true",
};
/** Checked one by one; the rules between them are not the move's. */
function settings(more: Readonly<Record<string, string>>): PlainSettings {
  return checkSettings({ ...common, ...more }, { isEncrypted: () => true }).values;
}
const password = "the password of the backups";
const against = (old: Readonly<Record<string, string>>, fresh: Readonly<Record<string, string>>) =>
  settingsAgainst(
    { name: "home", values: settings(old) },
    { name: "new", values: settings({ hostAddress: "203.0.113.8", ...old, ...fresh }) },
    { former: password, next: fresh["backupPassword"] ?? password },
  );

describe("what is in the way of a move", () => {
  it("is nothing where the stacks have the same settings and other machines", () => {
    expect(against({}, {})).toEqual([]);
    expect(
      against(
        {},
        { region: "cn-hongkong", target: "alicloud", dockerPackages: "distribution", opencodeMemoryMiB: "2048" },
      ),
    ).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>, RegExp]>([
    [
      "no repository of their own",
      { backupRepository: "oss" },
      {},
      /^backupRepository: home has oss, which another host/,
    ],
    ["a folder of the host", { backupRepository: "/srv/backups" }, {}, /^backupRepository: home has \/srv\/backups/],
    [
      "another repository",
      {},
      { backupRepository: "s3:https://s3.example.com/other/x" },
      /^backupRepository: "s3:.*home" and "s3:/,
    ],
    [
      "the other password",
      {},
      { backupPassword: "of their own, long" },
      /^backupPassword: new needs that of home: pulumi stack/,
    ],
    [
      "another domain",
      {},
      { domain: "else.example.com" },
      /^domain: "home.example.com" and "else.example.com"; both must/,
    ],
    ["lwsandbox", { lwsandboxEnabled: "true" }, {}, /^lwsandboxEnabled: the k3s of lwsandbox and its workers/],
    ["one machine", {}, { hostAddress: "203.0.113.7" }, /^hostAddress: new has the machine of home/],
    [
      "an App of one alone",
      { tgSignerEnabled: "true" },
      { tgSignerEnabled: "false" },
      /^tgSignerEnabled: true and false/,
    ],
    ["another version", {}, { opencodeVersion: "1.0.1" }, /^opencodeVersion: "[\d.]+" and "1.0.1"/],
    [
      "another password of the operator",
      {},
      { adminPassword: "hidden passphrase" },
      /^adminPassword: the two stacks have different ones/,
    ],
    ["a machine that is off", {}, { power: "stopped" }, /^power: the machine of new is switched off/],
    [
      "a tunnel of the program",
      { casecheckEnabled: "true", casecheckPublished: "tunnel", casecheckCloudflareApiToken: "token-of-cloudflare" },
      {},
      /^casecheckCloudflareApiToken: the tunnel belongs to the stack that made it/,
    ],
    [
      "records of the program at Cloudflare",
      { domainProvider: "cloudflare", domainToken: "token-of-cloudflare" },
      { domainProvider: "cloudflare", domainToken: "token-of-cloudflare" },
      /^domainProvider: the records at Cloudflare belong to the stack that made them/,
    ],
  ])("%s", (_, old, fresh, words) => {
    const problems = against(old, fresh);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(words);
    expect(problems.join()).not.toMatch(/hidden|token-of/);
  });

  it("all together, in one list", () => {
    const old = checkSettings({ target: "existing", hostAddress: "203.0.113.7" }, { isEncrypted: () => true }).values;
    const problems = settingsAgainst(
      { name: "home", values: old },
      { name: "new", values: old },
      { former: undefined, next: undefined },
    );
    expect(problems.map((one) => one.split(":")[0])).toEqual(["domain", "backupRepository", "hostAddress"]);
  });

  it("on the hosts: an older version, an App that was stopped or is elsewhere, or one of the other stack", () => {
    const from = { from: "home", to: "new" };
    const former = (does: Side["does"]) => ({
      knows: true,
      stacks: ["auth", "edge"],
      places: [
        { name: "auth", former: { does } },
        { name: "edge", former: { does: "on" } as const },
      ],
    });
    expect(hostsAgainst(former("on"), [], from)).toEqual([]);
    expect(hostsAgainst({ knows: false, stacks: ["auth"], places: [] }, [], from)).toEqual([
      "the host of home has an older version: pulumi up --stack home",
    ]);
    expect(hostsAgainst(former("stopped"), [], from)).toEqual([
      "auth is stopped: npm run ops -- start auth --stack home",
    ]);
    expect(hostsAgainst(former("half"), [], from)[0]).toContain("npm run ops -- resume auth --stack home");
    expect(hostsAgainst(former("given"), [], from)[0]).toContain("its data went to another stack");
    expect(hostsAgainst({ ...former("on"), places: [] }, [], from)).toHaveLength(2);
    expect(hostsAgainst(former("on"), ["auth", "edge"], from)[0]).toContain("new runs auth, edge, whose data");
  });

  it("on the new host: too little room", () => {
    const gib = 1024 * 1024;
    expect(roomAgainst(5 * gib, 7 * gib)).toBeUndefined();
    expect(roomAgainst(5 * gib, 6 * gib)).toBe("the new host has no room for the data: 6144 MiB free, 6656 MiB needed");
  });

  it("at its sites: no answer, or that of a broken App", () => {
    const seen = [
      { host: "auth.example.com", status: 200 },
      { host: "code.example.com", status: 302 },
      { host: "tg.example.com", status: 502 },
      { host: "example.com", status: undefined },
    ];
    expect(sitesAgainst(seen)).toEqual(["tg.example.com answers 502", "example.com does not answer"]);
  });
});

describe("what a host says of its stacks", () => {
  it("is a line for each; other lines are none", () => {
    expect(sidesIn("auth\ton\t-\t-\nedge\tgiven\ta1\tb2\nweb\tstopped\t-\tc3\n\nnoise\nx\tmaybe\t-\t-\n")).toEqual(
      new Map([
        ["auth", { does: "on" }],
        ["edge", { does: "given", yielded: "a1", arrived: "b2" }],
        ["web", { does: "stopped", arrived: "c3" }],
      ]),
    );
  });
});
