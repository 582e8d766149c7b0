import { z } from "zod";
import { act, knownStack, onHost } from "../host";
import { type Answer, answer } from "../shapes";
import { type Sinks, type Ssh, collected } from "../ssh";
import { OpsError, type StackChoice, appliedStacks, pulumi, stackName } from "../stack";

const program = "/opt/cloudcode/bin/cloudcode-backup";

/** One backup of one stack. */
export interface Snapshot {
  readonly id: string;
  readonly app: string;
  /** Name of the Pulumi stack whose host made it; several may share a repository. */
  readonly stack: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Whether it is what a restore replaced. */
  readonly beforeRestore: boolean;
}

const snapshotsSchema = z.array(
  z.object({ short_id: z.string(), time: z.string(), hostname: z.string(), tags: z.array(z.string()).optional() }),
);

/** Reads what `restic snapshots --json` prints; snapshots that are not cloudcode's are left out. */
export function parseSnapshots(json: string): Snapshot[] {
  return snapshotsSchema.parse(JSON.parse(json)).flatMap(({ short_id: id, time, hostname: stack, tags = [] }) => {
    const app = tags.find((tag) => tag.startsWith("app="))?.slice("app=".length);
    if (app === undefined) return [];
    return [{ id, app, stack, time: Date.parse(time), beforeRestore: tags.includes("before-restore") }];
  });
}

/**
 * The snapshots of one Pulumi stack, out of all that share the repository.
 *
 * @throws OpsError that names the stacks there are, where it has none
 */
export function snapshotsOf(all: readonly Snapshot[], name: string): Snapshot[] {
  const its = all.filter(({ stack }) => stack === name);
  if (its.length > 0) return its;
  const others = [...new Set(all.map(({ stack }) => stack))].sort();
  const there = others.length === 0 ? "has no backups" : `has backups of ${others.join(", ")}`;
  throw new OpsError(`there is no backup of a stack ${name}: the repository ${there}`);
}

/** Apps with a snapshot that a host does not run, so that a restore has no place for it. */
export function withoutPlace(all: readonly Snapshot[], stacks: readonly string[]): string[] {
  return [...new Set(all.map(({ app }) => app))].filter((app) => !stacks.includes(app)).sort();
}

/**
 * The newest snapshot of each stack up to a time. What a restore replaced is taken only where a time is given.
 *
 * @param at milliseconds since 1970; undefined: now
 * @throws OpsError that names the stacks without one
 */
export function pickSnapshots(
  all: readonly Snapshot[],
  stacks: readonly string[],
  at: number | undefined,
): { readonly picked: readonly Snapshot[]; readonly without: readonly string[] } {
  const newest = (stack: string) =>
    all
      .filter(({ app, time, beforeRestore }) => app === stack && (at === undefined ? !beforeRestore : time <= at))
      .sort((a, b) => b.time - a.time)[0];
  const picked = stacks.map(newest).filter((one) => one !== undefined);
  const without = stacks.filter((stack) => newest(stack) === undefined);
  if (picked.length > 0) return { picked, without };
  const until = at === undefined ? "" : ` from before ${new Date(at).toISOString()}`;
  throw new OpsError(`there is no backup of ${without.join(", ")}${until}; npm run ops -- snapshots lists them all`);
}

export function renderSnapshots(all: readonly Snapshot[]): string {
  if (all.length === 0) return "There are no backups yet; npm run ops -- backup creates one.";
  const width = Math.max(...all.map(({ app }) => app.length));
  const line = ({ id, app, stack, time, beforeRestore }: Snapshot) =>
    `${new Date(time).toISOString()}  ${id}  ${stack}  ${app.padEnd(width)}${beforeRestore ? "  before a restore" : ""}`.trimEnd();
  return [...all]
    .sort((a, b) => a.time - b.time)
    .map(line)
    .join("\n");
}

/** What a restore of these on the host of another stack must stop on the former host first. */
export function toBeGiven(
  picked: readonly Snapshot[],
  { onlyOnce = [] }: { readonly onlyOnce?: readonly string[] | undefined },
): readonly Snapshot[] {
  return picked.filter(({ app }) => onlyOnce.includes(app));
}

/** A word of the host's program with the stacks of some Apps, or of all. Gives the exit code. */
const overApps = (word: string) => (choice: StackChoice, apps: readonly string[], sinks?: Sinks) =>
  onHost(choice, (ssh, outputs) =>
    ssh.attach(
      false,
      `exec ${program} ${word} "$@"`,
      apps.map((app) => knownStack(outputs, app)),
      sinks,
    ),
  );

/** Makes a backup now. Gives the exit code. */
export const backup = overApps("run");

/** Restores the newest backups next to what runs, and says whether they work. Gives the exit code. */
export const drill = overApps("drill");

/** What a backup said, once it has ended. */
export function backupAnswer(choice: StackChoice, apps: readonly string[]) {
  return said("backup", (sinks) => backup(choice, apps, sinks));
}

/** What a drill said, once it has ended. */
export function drillAnswer(choice: StackChoice, apps: readonly string[]) {
  return said("drill", (sinks) => drill(choice, apps, sinks));
}

async function said(command: "backup" | "drill", action: (sinks: Sinks) => Promise<number>) {
  const { exitCode, stdout } = await collected((sinks) => action({ stdout: sinks.stdout }));
  const lines = stdout.split("\n").filter((line) => line !== "");
  return { exitCode, answer: answer(command, { lines }, lines.join("\n")) };
}

export async function snapshots(choice: StackChoice): Promise<Answer> {
  const all = await onHost(choice, readSnapshots);
  return answer(
    "snapshots",
    all.map((one) => ({ ...one, time: new Date(one.time).toISOString() })),
    renderSnapshots(all),
  );
}

export async function readSnapshots(ssh: Ssh): Promise<Snapshot[]> {
  const { stdout } = await ssh.script(`exec ${program} snapshots`);
  return parseSnapshots(stdout);
}

export interface RestoreOptions {
  readonly app?: string;
  /** Milliseconds since 1970. */
  readonly at?: number;
  /** Stack whose host takes the data. @default the chosen one */
  readonly to?: string;
  readonly force: boolean;
  /** Whether nobody need ask if an App, whose data may be in use once only, is stopped on a former host that does not answer. */
  readonly formerIsOff: boolean;
}

interface Person {
  readonly say: (line: string) => void;
  readonly confirmed: (question: string) => Promise<boolean>;
}

/**
 * Puts the data of backups in place, stack by stack; each runs again before the next is touched.
 *
 * @throws OpsError that names the stacks which kept what they had: newer data that nobody agreed to lose, or a fault
 */
export async function restore(choice: StackChoice, options: RestoreOptions, person: Person): Promise<string[]> {
  const from = await stackName(choice);
  const target = options.to === undefined ? choice : { ...choice, stack: options.to };
  const to = await stackName(target);
  return onHost(target, async (ssh, outputs) => {
    const stacks = options.app === undefined ? outputs.operations.stacks : [knownStack(outputs, options.app)];
    const all = snapshotsOf(await readSnapshots(ssh), from);
    const { picked, without } = pickSnapshots(all, stacks, options.at);
    for (const app of options.app === undefined ? withoutPlace(all, stacks) : [])
      person.say(`${app} has a backup, but does not run here: skipped`);
    for (const app of without) person.say(`${app} has no backup and is left unchanged`);
    const moved = from === to ? [] : toBeGiven(picked, outputs.operations);
    const failed: string[] = [];
    for (const snapshot of picked) {
      try {
        await agreeToLose(ssh, snapshot, options.force, person);
        if (moved.includes(snapshot)) await stopOnFormerHost(choice, snapshot.app, to, options.formerIsOff, person);
        person.say(await onStack(ssh, "overwrite", snapshot.app, snapshot.id));
      } catch (error) {
        if (!(error instanceof OpsError)) throw error;
        person.say(error.message);
        failed.push(snapshot.app);
      }
    }
    if (failed.length > 0) throw new OpsError(`not restored: ${failed.join(", ")}; what ran before keeps running`);
    return picked.map(({ app }) => app);
  });
}

/** Deletes the data that was kept when the format of an App's data changed: there is no way back to that version's data then. */
export function dropCopy(choice: StackChoice, app: string): Promise<string> {
  return onHost(choice, (ssh, outputs) => onStack(ssh, "drop", knownStack(outputs, app)));
}

/** Starts an App that a restore on another host stopped here. */
export function resume(choice: StackChoice, app: string): Promise<string> {
  return onHost(choice, (ssh, outputs) => onStack(ssh, "resume", knownStack(outputs, app)));
}

function onStack(ssh: Ssh, ...words: readonly [action: string, app: string, ...more: string[]]): Promise<string> {
  return act(ssh, "cloudcode-backup", words);
}

const newerData = "has data that is newer than the snapshot";

async function agreeToLose(ssh: Ssh, { app, time }: Snapshot, force: boolean, { say, confirmed }: Person) {
  say(`Restoring ${app} from ${new Date(time).toISOString()}`);
  try {
    await onStack(ssh, "newer", app, String(Math.ceil(time / 1000)));
  } catch (error) {
    if (!(error instanceof OpsError) || !error.message.includes(newerData)) throw error;
    say(error.message);
    if (!force && !(await confirmed(`Replace it with the snapshot? The current data is backed up first.`)))
      throw new OpsError(`${app} is left unchanged; --force replaces newer data with the snapshot`, {
        cause: error,
      });
  }
}

/**
 * Stops an App for good where its data came from: in use at two places at once, the data would be worth nothing at either.
 *
 * @param to name of the stack that takes the data
 * @throws OpsError where it may still run there
 */
async function stopOnFormerHost(former: StackChoice, app: string, to: string, isOff: boolean, person: Person) {
  try {
    if (appliedStacks(await pulumi(former, ["stack", "export"]))[app] === undefined) return;
    person.say(await onHost(former, (ssh) => onStack(ssh, "give", app, to)));
    person.say(
      `npm run ops -- resume ${app} --stack ${await stackName(former)} starts it there again, once it is stopped here`,
    );
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    const name = await stackName(former);
    person.say(`${app} could not be stopped on the host of ${name}: ${error.message}`);
    if (isOff || (await person.confirmed(`Is it certain that ${app} does not run there, and never will again?`)))
      return;
    throw new OpsError(
      `${app} is left unchanged: only one host may use its data. Stop it there, or add --former-is-off if that host can never start it again`,
      { cause: error },
    );
  }
}
