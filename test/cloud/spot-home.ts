import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Disk } from "@cloudcode/alicloud-emulator/model";
import { CommandError } from "../../cli/run";
import { type Moment, PaperMachines } from "../support/paper-machines";
import { ramPolicy } from "../support/ram-policy";
import { type PlainStack, leastTemplate, openPlainStack } from "./plain-stack";

/** What a heal says at its end, and its exit code. */
export const healed = {
  code: 0,
  said: expect.stringMatching(/done after \d+\.\d minutes: https:\/\/home\.example\.com/) as unknown,
};

/**
 * A home on a spot machine, with the real CLI and provider, at an account whose machines are on paper. They answer SSH at port 22 of
 * loopback addresses, so the test runs as root. Its data disk has 200 files.
 */
export class SpotHome {
  /** Of all that is on the data disk. */
  #files = "";
  /** Address, keys and password by which the home is reached. */
  #access: unknown;
  /** How many of each kind are in the account. */
  #kinds: unknown;

  private constructor(
    private readonly folder: string,
    private readonly machines: PaperMachines,
    private readonly plain: PlainStack,
  ) {}

  static async open(name: string): Promise<SpotHome> {
    const folder = mkdtempSync(join(tmpdir(), `${name}-`));
    const machines = new PaperMachines(folder);
    const home = new SpotHome(folder, machines, await openPlainStack(name, leastTemplate, machines));
    home.emulator.rules.policy = ramPolicy("home.example.com");
    const settings = { charge: "spot", budgetUsd: "60", domain: "home.example.com", hostWaitSeconds: "20" };
    await home.stack.create(settings, {});
    await home.up();
    for (let number = 0; number < 200; number++) {
      const place = join(home.#diskFolder, "volumes", String(number % 20));
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, `file-${number}`), randomBytes(10_000));
    }
    home.#files = digestOf(home.#diskFolder);
    await home.noteAccess();
    home.#kinds = home.#countKinds();
    return home;
  }

  async close(): Promise<void> {
    await this.plain.close();
    await this.machines.stopAll();
    rmSync(this.folder, { recursive: true });
  }

  /** From now on nothing goes wrong. */
  calm(): void {
    this.emulator.rules.faults.clear();
    this.machines.seen = () => Promise.resolve();
  }

  get emulator() {
    return this.plain.emulator;
  }
  get stack() {
    return this.plain.stack;
  }
  get #diskFolder(): string {
    return this.machines.diskFolder(this.dataDisk().id);
  }

  /** Id of the machine that was made last. */
  get newest(): string {
    return this.machines.made.at(-1) ?? "";
  }

  dataDisk(): Disk {
    const [disk, ...more] = [...this.emulator.cloud.state.disks.values()].filter(({ type }) => type === "data");
    if (disk === undefined || more.length > 0) throw new Error("there is not one data disk");
    return disk;
  }

  async up(): Promise<void> {
    await this.stack.pulumi(["up", "--yes", "--skip-preview"]);
  }

  async heal(...words: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
    const { code, stdout, stderr } = await this.plain.ops("heal", ...words);
    return { code, said: stderr + stdout };
  }

  /** The machine is taken back while nothing happens. */
  async reclaim(): Promise<void> {
    await this.#take(this.newest);
    await this.emulator.idle();
  }

  /**
   * Takes back one machine at each of these moments. Of a command a part is enough, and it is never answered.
   *
   * @returns those that are gone, then and later
   */
  reclaimAt(...moments: readonly Moment[]): readonly string[] {
    const gone: string[] = [];
    this.machines.seen = async (id, what) => {
      const moment = moments[gone.length];
      if (moment === undefined || gone.includes(id) || !isAt(moment, what)) return;
      gone.push(id);
      await this.#take(id);
      if (typeof what !== "string") await new Promise(() => undefined);
    };
    return gone;
  }

  async #take(instance: string): Promise<void> {
    const url = `http://127.0.0.1:${this.emulator.port}/__control/reclaim`;
    const { status } = await fetch(url, { method: "POST", body: JSON.stringify({ instance }) });
    if (status !== 200) throw new Error(`${instance} cannot be taken back`);
  }

  /** An `up` during which the machine is taken back: it must end with an error. */
  async expectFailedUp(moment: Moment): Promise<void> {
    const gone = this.reclaimAt(moment);
    const failure = await this.up().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect([failure, gone]).toEqual([expect.any(CommandError), [this.newest]]);
    await this.emulator.idle();
  }

  /**
   * One machine and nothing that nobody owns; disk, files, address and keys are what they were, and nothing is left to do.
   *
   * @param strategy of that machine
   */
  async expectWhole(strategy = "SpotAsPriceGo"): Promise<void> {
    await this.emulator.idle();
    expect([...this.emulator.cloud.state.instances.values()]).toMatchObject([
      { id: this.newest, status: "Running", spotStrategy: strategy },
    ]);
    expect(this.#countKinds()).toEqual(this.#kinds);
    expect(this.machines.disksOf(this.newest)).toEqual([this.dataDisk().id]);
    expect(digestOf(this.#diskFolder)).toBe(this.#files);
    expect(await this.#readAccess()).toEqual(this.#access);
    for (const name of ["auth", "edge", "opencode"])
      expect(this.machines.host(this.newest).running(name)).not.toBe("none");
    await this.stack.pulumi(["preview", "--expect-no-changes"]);
    const { code, said } = await this.heal();
    expect([code, said]).toEqual([0, expect.stringMatching(new RegExp(`^the machine ${this.newest} is there.*\n$`))]);
  }

  /** Nothing that was asked for needed more rights, or was one that the real API would not know. */
  expectAllowed(): void {
    const { calls, violations } = this.emulator.journal;
    expect(calls.filter(({ code }) => code.startsWith("Forbidden"))).toEqual([]);
    expect(violations).toEqual([]);
  }

  /** From now on the home is reached as it is now. */
  async noteAccess(): Promise<void> {
    this.#access = await this.#readAccess();
  }

  async #readAccess(): Promise<unknown> {
    const { stdout } = await this.stack.pulumi(["stack", "output", "--json", "--show-secrets"]);
    const { operations, adminPassword } = JSON.parse(stdout) as {
      operations: { connection: object; publicAddress: string };
      adminPassword: string;
    };
    return [operations.connection, operations.publicAddress, adminPassword];
  }

  #countKinds(): Readonly<Record<string, number>> {
    const kinds = this.emulator.inventory().map(({ kind }) => kind);
    return Object.fromEntries(kinds.map((kind) => [kind, kinds.filter((one) => one === kind).length]));
  }
}

function isAt(moment: Moment, what: Moment): boolean {
  if (typeof moment === "string" || typeof what === "string") return moment === what;
  return what.command.includes(moment.command);
}

/** Of the names and contents of all files below a folder. */
function digestOf(of: string): string {
  const names = readdirSync(of, { recursive: true, encoding: "utf8" }).sort();
  const digest = createHash("sha256");
  for (const name of names)
    digest.update(`${name}\0`).update(statSync(join(of, name)).isDirectory() ? "" : readFileSync(join(of, name)));
  return digest.digest("hex");
}
