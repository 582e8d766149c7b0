import { z } from "zod";
import { poll } from "../../components/poll";
import { portalSubdomain } from "../../components/routes";
import type { Say } from "../../cli/run";
import { pickSnapshots, readSnapshots, snapshotsOf } from "../commands/backup";
import { stackSettings } from "../settings";
import { OpsError, type StackChoice, StackLocked, appliedStacks, pulumi, stackName, upWords } from "../stack";
import { visit } from "../status/outside";
import type { MoveActs } from "./drive";
import { Journal } from "./journal";
import { MovingHost, longest, snapshotIn } from "./moving-host";
import { type Place, type Point, type Side, edge, inOrder } from "./plan";
import { hostsAgainst, roomAgainst, settingsAgainst, sitesAgainst } from "./refusals";

/** How long the sites of the new host may take to answer, in ms. */
const patience = 120_000;

/** The password that the program made for a stack's backups; undefined: it has none. */
async function madePassword(choice: StackChoice): Promise<string | undefined> {
  const outputs = z.looseObject({ backupPassword: z.string().optional() });
  return outputs.parse(JSON.parse(await pulumi(choice, ["stack", "output", "--json", "--show-secrets"])))
    .backupPassword;
}

/** The hosts of two stacks, by SSH and the Pulumi CLI. */
export class Hosts implements MoveActs {
  /** Seconds between the first stop and the moment when the new host answered. */
  unavailable = 0;
  private reached: Promise<MovingHost> | undefined;
  private readonly journal: Journal;

  private constructor(
    private readonly from: StackChoice,
    private readonly to: StackChoice,
    readonly names: { readonly from: string; readonly to: string },
    private readonly former: MovingHost,
    private readonly say: Say,
  ) {
    this.journal = new Journal(former.ssh, names.to);
  }

  static async open(from: StackChoice, to: StackChoice, say: Say): Promise<Hosts> {
    const names = { from: await stackName(from), to: await stackName(to) };
    if (names.from === names.to) throw new OpsError(`${names.to} is the stack that the home is to leave`);
    return new Hosts(from, to, names, await MovingHost.reach(from, names.from, say), say);
  }

  get onlyOnce(): readonly string[] {
    return this.former.outputs.operations.onlyOnce ?? [];
  }

  /** One connection, also for two that ask at once. */
  next(): Promise<MovingHost> {
    return (this.reached ??= MovingHost.reach(this.to, this.names.to, this.say).catch((error: unknown) => {
      this.reached = undefined;
      throw error;
    }));
  }

  /** Whether the former host passes connections on: it has no edge then. */
  async passesOn(): Promise<boolean> {
    return (await this.former.sides()).get(edge)?.does === "given";
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
    const knows = await this.former.knowsMoves();
    const sides = knows ? await this.former.sides() : new Map<string, Side>();
    const places = [...sides].map(([name, former]) => ({ name, former }));
    const { stacks } = this.former.outputs.operations;
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
      ...hostsAgainst({ knows, places, stacks }, runs, this.names),
    ];
    if (problems.length > 0)
      throw new OpsError(`the move cannot begin:\n${problems.map((one) => `- ${one}`).join("\n")}`);
  }

  async make(): Promise<void> {
    await pulumi(this.to, ["config", "set", "standby", "true"]);
    await this.up(this.to);
    const next = await this.next();
    const { stacks } = this.former.outputs.operations;
    const others = next.outputs.operations.stacks.filter((one) => !stacks.includes(one));
    if (others.length > 0)
      throw new OpsError(
        `${others.join(", ")} is in the settings, and not on the host of ${this.names.from}: pulumi up --stack ${this.names.from}`,
      );
    const problem = roomAgainst((await this.former.room()).used, (await next.room()).free);
    if (problem !== undefined) throw new OpsError(problem);
  }

  async copy(): Promise<void> {
    await this.former.act("run");
    const next = await this.next();
    for (const { app, id } of await this.newest(this.former.outputs.operations.stacks))
      await next.act("ahead", app, id);
    // One that passes connections on still does; that of a new machine starts now, since it takes a while.
    if ((await next.sides()).get(edge)?.does !== "given") await this.startEdge();
  }

  private async newest(stacks: readonly string[]) {
    const { ssh } = await this.next();
    return pickSnapshots(snapshotsOf(await readSnapshots(ssh), this.names.from), stacks, undefined).picked;
  }

  private async startEdge(): Promise<void> {
    for (const { app, id } of await this.newest([edge])) await (await this.next()).act("overwrite", app, id);
  }

  async places(): Promise<readonly Place[]> {
    const former = await this.former.sides();
    const next = await this.next()
      .then((host) => host.sides())
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
    await this.former.act("shut");
  }

  async reopen(): Promise<void> {
    await this.former.act("reopen");
    await this.next()
      .then((next) => next.act("reopen"))
      .catch((error: unknown) => {
        if (!(error instanceof OpsError)) throw error;
      });
  }

  async yield(stack: string): Promise<string> {
    return snapshotIn(await this.former.act("yield", stack, this.names.to), stack);
  }

  async arrive(stack: string, snapshot: string): Promise<void> {
    await (await this.next()).act("overwrite", stack, snapshot);
  }

  async healthy(): Promise<void> {
    const next = await this.next();
    if ((await next.sides()).get(edge)?.does !== "on") await this.startEdge();
    // It joins the networks of Apps that were not there when it came.
    await next.start(edge);
    const { domain, publicAddress, sites } = next.outputs.operations;
    const hosts = [domain, `${portalSubdomain}.${domain}`, ...sites.map(({ host }) => host)];
    await poll({ boundMs: patience, pauseMs: 1000 }, async () => {
      const seen = await Promise.all(
        hosts.map(async (host) => ({ host, status: (await visit(publicAddress, host, "/")).status })),
      );
      const problems = sitesAgainst(seen);
      if (problems.length === 0) return { done: undefined };
      return { late: new OpsError(`${problems.join("; ")}, asked at ${publicAddress}`) };
    });
  }

  async leave(stack: string): Promise<void> {
    await (await this.next()).act("give", stack, this.names.from);
  }

  async resume(stack: string): Promise<void> {
    await this.former.act("resume", stack);
  }

  async carry(stack: string): Promise<void> {
    const snapshot = snapshotIn(await (await this.next()).act("yield", stack, this.names.from), stack);
    await this.former.act("overwrite", stack, snapshot);
  }

  async forward(): Promise<void> {
    const { publicAddress } = (await this.next()).outputs.operations;
    try {
      await this.former.act("forward", publicAddress, this.names.to);
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
}
