import { z } from "zod";
import { portalSubdomain } from "../../components/routes";
import type { Say } from "../../cli/run";
import { pickSnapshots, readSnapshots, snapshotsOf } from "../commands/backup";
import { operatorName } from "../host";
import { stackSettings } from "../settings";
import { Ssh } from "../ssh";
import {
  OpsError,
  type StackChoice,
  type StackOutputs,
  StackLocked,
  appliedStacks,
  pulumi,
  readOutputs,
  stackName,
  upWords,
} from "../stack";
import { visit } from "../status/outside";
import type { MoveActs } from "./drive";
import { Journal } from "./journal";
import { type Place, type Point, type Side, edge, inOrder } from "./plan";
import { hostsAgainst, roomAgainst, settingsAgainst, sidesIn, sitesAgainst } from "./refusals";

/** Longest `up`, full backup or restore, in ms. */
const longest = 12 * 3600_000;

/** How long the sites of the new host may take to answer, in ms. */
const patience = 120_000;

/** One of the two hosts. */
interface Reached {
  readonly ssh: Ssh;
  readonly outputs: StackOutputs;
}

const program = "/opt/cloudcode/bin/cloudcode-backup";
/** Whether its programs, and the page of its edge, know a move. */
const knows = `[ -e /opt/cloudcode/bin/backup-move.sh ] && grep -qs 'try_files /moving' /opt/cloudcode/stacks/edge/releases/current/live/Caddyfile && echo yes || echo no`;

async function reach(choice: StackChoice): Promise<Reached> {
  const outputs = await readOutputs(choice);
  if (!outputs.operations.awake) throw new OpsError(`the machine of ${await stackName(choice)} is switched off`);
  return { outputs, ssh: await Ssh.open(outputs.operations.connection) };
}

/** The password that the program made for a stack's backups; undefined: it has none. */
async function madePassword(choice: StackChoice): Promise<string | undefined> {
  const outputs = z.looseObject({ backupPassword: z.string().optional() });
  return outputs.parse(JSON.parse(await pulumi(choice, ["stack", "output", "--json", "--show-secrets"])))
    .backupPassword;
}

async function sidesOf(ssh: Ssh): Promise<Map<string, Side>> {
  return sidesIn((await ssh.script(`exec ${program} places`, [], { timeoutMs: longest })).stdout);
}

/** Size of the data, and what is free, in KiB. */
async function room(ssh: Ssh): Promise<number[]> {
  return (await ssh.script(`exec ${program} room`, [], { timeoutMs: longest })).stdout.trim().split(" ").map(Number);
}

/** @throws OpsError where the last line is none */
function snapshotIn(printed: string, stack: string): string {
  const last = printed.trim().split("\n").at(-1) ?? "";
  if (!/^[0-9a-f]{8,64}$/.test(last)) throw new OpsError(`the last backup of ${stack} has no name: ${last}`);
  return last;
}

/** The hosts of two stacks, by SSH and the Pulumi CLI. */
export class Hosts implements MoveActs {
  /** Seconds between the first stop and the moment when the new host answered. */
  unavailable = 0;
  private reached: Promise<Reached> | undefined;
  private readonly journal: Journal;

  private constructor(
    private readonly from: StackChoice,
    private readonly to: StackChoice,
    readonly names: { readonly from: string; readonly to: string },
    private readonly former: Reached,
    private readonly say: Say,
  ) {
    this.journal = new Journal(former.ssh, names.to);
  }

  static async open(from: StackChoice, to: StackChoice, say: Say): Promise<Hosts> {
    const names = { from: await stackName(from), to: await stackName(to) };
    if (names.from === names.to) throw new OpsError(`${names.to} is the stack that the home is to leave`);
    return new Hosts(from, to, names, await reach(from), say);
  }

  get onlyOnce(): readonly string[] {
    return this.former.outputs.operations.onlyOnce ?? [];
  }

  /** One connection, also for two that ask at once. */
  next(): Promise<Reached> {
    return (this.reached ??= reach(this.to).catch((error: unknown) => {
      this.reached = undefined;
      throw error;
    }));
  }

  /** Whether the former host passes connections on: it has no edge then. */
  async passesOn(): Promise<boolean> {
    return (await sidesOf(this.former.ssh)).get(edge)?.does === "given";
  }

  close(): void {
    this.former.ssh.close();
    this.reached?.then(
      ({ ssh }) => {
        ssh.close();
      },
      () => undefined,
    );
  }

  point(): Promise<Point | undefined> {
    return this.journal.read();
  }

  note(point: Point): Promise<void> {
    return this.journal.note(point);
  }

  async end(): Promise<void> {
    const times = await this.journal.end();
    this.unavailable = (times.get("forwarded") ?? 0) - (times.get("frozen") ?? 0);
  }

  async check(): Promise<void> {
    const [old, fresh, exported] = await Promise.all([
      stackSettings(this.from),
      stackSettings(this.to),
      pulumi(this.to, ["stack", "export"]),
    ]);
    if (!old.ok) throw new OpsError(old.message);
    if (!fresh.ok) throw new OpsError(fresh.message);
    const { ssh, outputs } = this.former;
    const isKnown = (await ssh.script(knows)).stdout.trim() === "yes";
    const sides = isKnown ? await sidesOf(ssh) : new Map<string, Side>();
    const places = [...sides].map(([name, former]) => ({ name, former }));
    const { stacks } = outputs.operations;
    const runs = fresh.values.standby === true ? [] : Object.keys(appliedStacks(exported));
    const passwords = {
      former: old.values.backupPassword ?? (await madePassword(this.from)),
      next: fresh.values.backupPassword ?? (await madePassword(this.to)),
    };
    const problems = [
      ...settingsAgainst(
        { name: this.names.from, values: old.values },
        { name: this.names.to, values: fresh.values },
        passwords,
      ),
      ...hostsAgainst({ knows: isKnown, places, stacks }, runs, this.names),
    ];
    if (problems.length > 0)
      throw new OpsError(`the move cannot begin:\n${problems.map((one) => `- ${one}`).join("\n")}`);
  }

  async make(): Promise<void> {
    await pulumi(this.to, ["config", "set", "standby", "true"]);
    await this.up(this.to);
    const { ssh, outputs } = await this.next();
    const { stacks } = this.former.outputs.operations;
    const others = outputs.operations.stacks.filter((one) => !stacks.includes(one));
    if (others.length > 0)
      throw new OpsError(
        `${others.join(", ")} is in the settings, and not on the host of ${this.names.from}: pulumi up --stack ${this.names.from}`,
      );
    const [kib = 0] = await room(this.former.ssh);
    const [, free = 0] = await room(ssh);
    const problem = roomAgainst(kib, free);
    if (problem !== undefined) throw new OpsError(problem);
  }

  async copy(): Promise<void> {
    await this.onFormer("run");
    for (const { app, id } of await this.newest(this.former.outputs.operations.stacks))
      await this.onNext("ahead", app, id);
    // One that passes connections on still does; that of a new machine starts now, since it takes a while.
    if ((await sidesOf((await this.next()).ssh)).get(edge)?.does !== "given") await this.startEdge();
  }

  private async newest(stacks: readonly string[]) {
    const { ssh } = await this.next();
    return pickSnapshots(snapshotsOf(await readSnapshots(ssh), this.names.from), stacks, undefined).picked;
  }

  private async startEdge(): Promise<void> {
    for (const { app, id } of await this.newest([edge])) await this.onNext("overwrite", app, id);
  }

  async places(): Promise<readonly Place[]> {
    const former = await sidesOf(this.former.ssh);
    const next = await this.next()
      .then(({ ssh }) => sidesOf(ssh))
      .catch((error: unknown) => {
        this.say(
          `the host of ${this.names.to} does not answer: ${error instanceof Error ? error.message : String(error)}`,
        );
        return new Map<string, Side>();
      });
    return inOrder(this.former.outputs.operations.stacks, this.onlyOnce).flatMap((name) => {
      const side = former.get(name);
      return side === undefined ? [] : [{ name, former: side, next: next.get(name) }];
    });
  }

  async shut(): Promise<void> {
    await this.onFormer("shut");
  }

  async reopen(): Promise<void> {
    await this.onFormer("reopen");
    await this.onNext("reopen").catch((error: unknown) => {
      if (!(error instanceof OpsError)) throw error;
    });
  }

  async yield(stack: string): Promise<string> {
    return snapshotIn(await this.onFormer("yield", stack, this.names.to), stack);
  }

  async arrive(stack: string, snapshot: string): Promise<void> {
    await this.onNext("overwrite", stack, snapshot);
  }

  async healthy(): Promise<void> {
    const { ssh, outputs } = await this.next();
    if ((await sidesOf(ssh)).get(edge)?.does !== "on") await this.startEdge();
    // It joins the networks of Apps that were not there when it came.
    const start = `CLOUDCODE_OPERATOR=$1 exec /opt/cloudcode/bin/cloudcode-host start ${edge}`;
    await ssh.script(start, [operatorName()], { timeoutMs: longest });
    const { domain, publicAddress, sites } = outputs.operations;
    const hosts = [domain, `${portalSubdomain}.${domain}`, ...sites.map(({ host }) => host)];
    const end = Date.now() + patience;
    for (;;) {
      const seen = await Promise.all(
        hosts.map(async (host) => ({ host, status: (await visit(publicAddress, host, "/")).status })),
      );
      const problems = sitesAgainst(seen);
      if (problems.length === 0) return;
      if (Date.now() > end) throw new OpsError(`${problems.join("; ")}, asked at ${publicAddress}`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  async leave(stack: string): Promise<void> {
    await this.onNext("give", stack, this.names.from);
  }

  async resume(stack: string): Promise<void> {
    await this.onFormer("resume", stack);
  }

  async carry(stack: string): Promise<void> {
    const snapshot = snapshotIn(await this.onNext("yield", stack, this.names.from), stack);
    await this.onFormer("overwrite", stack, snapshot);
  }

  async forward(): Promise<void> {
    const { publicAddress } = (await this.next()).outputs.operations;
    try {
      await this.onFormer("forward", publicAddress, this.names.to);
      const { domain, publicAddress: here } = this.former.outputs.operations;
      const { fault } = await visit(here, `${portalSubdomain}.${domain}`, "/");
      if (fault !== undefined)
        this.say(`${here} does not pass connections on (${fault}): open ports 80 and 443 in its firewall, too`);
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      this.say(`${error.message}; the host of ${this.names.from} answers 503 to those who still come there`);
    }
  }

  async turnNames(): Promise<void> {
    await pulumi(this.to, ["config", "rm", "standby"]);
    await this.up(this.to);
    await pulumi(this.from, ["config", "set", "standby", "true"]);
    await this.up(this.from);
  }

  private async up(choice: StackChoice): Promise<void> {
    this.say(`pulumi up --stack ${choice === this.to ? this.names.to : this.names.from}`);
    try {
      await pulumi(choice, ["up", "--yes", "--skip-preview", "--suppress-outputs"], { timeoutMs: longest });
    } catch (error) {
      if (!(error instanceof OpsError) || error instanceof StackLocked) throw error;
      throw new OpsError(upWords(error), { cause: error });
    }
  }

  private onFormer(...words: readonly string[]): Promise<string> {
    return this.onHost(this.former, this.names.from, words);
  }

  private async onNext(...words: readonly string[]): Promise<string> {
    return this.onHost(await this.next(), this.names.to, words);
  }

  private async onHost({ ssh }: Reached, name: string, words: readonly string[]): Promise<string> {
    const script = `operator=$1; shift; CLOUDCODE_OPERATOR=$operator exec ${program} "$@"`;
    const { stdout } = await ssh.script(script, [operatorName(), ...words], { timeoutMs: longest });
    this.say(`${name}: ${words.slice(0, 2).join(" ")}`);
    return stdout;
  }
}
