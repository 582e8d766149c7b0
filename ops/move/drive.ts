import type { Say } from "../../cli/run";
import { OpsError, StackLocked } from "../stack";
import { type Place, type Point, backOf, cutOf, edge, following, isTurned } from "./plan";

/** What a move does to both hosts. Each may be called again where an earlier run was cut off in it. */
export interface MoveActs {
  /** Where the journal stands; undefined: no move is under way. */
  point(): Promise<Point | undefined>;
  /** Writes the point that is reached. @throws OpsError where another run wrote one meanwhile */
  note(point: Point): Promise<void>;
  /** Takes the journal away. */
  end(): Promise<void>;
  /** @throws OpsError that lists everything that is in the way */
  check(): Promise<void>;
  make(): Promise<void>;
  copy(): Promise<void>;
  /** Each stack on both hosts, in the order in which they go. */
  places(): Promise<readonly Place[]>;
  /** The former host answers 503. */
  shut(): Promise<void>;
  reopen(): Promise<void>;
  /** Stops a stack on the former host for good, and gives the snapshot of its last backup. */
  yield(stack: string): Promise<string>;
  /** Starts it on the new host with the data of that snapshot. */
  arrive(stack: string, snapshot: string): Promise<void>;
  /** Has the edge of the new host run with its Apps. @throws OpsError unless every site answers there */
  healthy(): Promise<void>;
  leave(stack: string): Promise<void>;
  resume(stack: string): Promise<void>;
  carry(stack: string): Promise<void>;
  /** The former host passes connections on. */
  forward(): Promise<void>;
  /** The new stack makes the DNS records. */
  turnNames(): Promise<void>;
}

interface Ask {
  /** Apps whose data only one host may use. */
  readonly onlyOnce: readonly string[];
  /** Goes back to the former host instead. */
  readonly back: boolean;
  readonly say: Say;
}

const doing: Readonly<Record<Point, string>> = {
  begun: "making the new host, on standby",
  made: "copying the data, while everything runs",
  copied: "stopping the Apps",
  frozen: "bringing the last changes over",
  turned: "passing connections on to the new host",
  forwarded: "turning the names",
  returning: "going back",
};

/**
 * Moves a home from the point that its journal stands at. What fails before the turn goes back to the former host.
 *
 * @returns whether it has moved; false: it is back, as was asked
 * @throws OpsError where the former host serves in the end, or the work is to be finished by another run
 */
export async function drive(acts: MoveActs, { onlyOnce, back, say }: Ask): Promise<boolean> {
  let at = await begin(acts, back, say);
  let cause: OpsError | undefined;
  while (at !== "returning") {
    say(doing[at]);
    try {
      await work(acts, at);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      // Nothing was changed where another run of Pulumi holds the lock.
      if (error instanceof StackLocked) throw error;
      if (isTurned(at))
        throw new OpsError(`the new host serves, but ${doing[at]} failed: ${words}\nRun the same command again.`, {
          cause: error,
        });
      say(`${doing[at]} failed: ${words}`);
      cause = new OpsError(`${doing[at]} failed: ${words}\nThe former host serves again, and nothing was moved.`, {
        cause: error,
      });
      await acts.note("returning");
      break;
    }
    const next: Point | undefined = following[at];
    if (next === undefined) {
      await acts.end();
      return true;
    }
    await acts.note(next);
    at = next;
  }
  say(doing.returning);
  await goBack(acts, onlyOnce, say);
  await acts.end();
  if (back) return false;
  throw cause ?? new OpsError("the former host serves again, and nothing was moved");
}

async function begin(acts: MoveActs, back: boolean, say: Say): Promise<Point> {
  const at = await acts.point();
  if (at === undefined && back) throw new OpsError("there is no move to go back from");
  if (at === undefined) {
    await acts.check();
    await acts.note("begun");
    return "begun";
  }
  if (back && isTurned(at))
    throw new OpsError(
      "the new host serves already: finish this move with the same command without --back, then move back",
    );
  if (back && at !== "returning") await acts.note("returning");
  else say(`an earlier run was cut off, and this one goes on: ${doing[at]}`);
  return back ? "returning" : at;
}

async function work(acts: MoveActs, at: Exclude<Point, "returning">): Promise<void> {
  switch (at) {
    case "begun":
      return acts.make();
    case "made":
      return acts.copy();
    case "copied":
      return;
    case "frozen":
      return cut(acts);
    case "turned":
      return acts.forward();
    case "forwarded":
      return acts.turnNames();
  }
}

/** A stack starts on the new host while the next one is still being saved. */
async function cut(acts: MoveActs): Promise<void> {
  await acts.shut();
  let arriving: Promise<unknown> = Promise.resolve();
  try {
    for (const place of await acts.places()) {
      const { name } = place;
      const steps = cutOf(place);
      const snapshot = steps.includes("yield") ? await acts.yield(name) : place.former.yielded;
      await arriving;
      if (!steps.includes("arrive")) continue;
      if (snapshot === undefined) throw new OpsError(`${name} was taken to another host before this move`);
      arriving = acts.arrive(name, snapshot);
      arriving.catch(() => undefined);
    }
  } finally {
    // Also where the next one could not be saved: what goes back must know where each stack is.
    await arriving;
  }
  await acts.healthy();
}

async function goBack(acts: MoveActs, onlyOnce: readonly string[], say: Say): Promise<void> {
  const failed: string[] = [];
  for (const place of await acts.places()) {
    const { name } = place;
    const steps = backOf(place, onlyOnce);
    if (steps === undefined) {
      failed.push(name);
      say(
        `${name} may run on the new host, which does not answer, and only one host may use its data. Once that host is off for good: npm run ops -- resume ${name}`,
      );
      continue;
    }
    try {
      for (const step of steps) await acts[step](name);
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      failed.push(name);
      say(`${name}: ${error.message}`);
    }
  }
  if (!failed.includes(edge)) await acts.reopen();
  if (failed.length > 0)
    throw new OpsError(
      `the former host serves again, but without ${failed.join(", ")}: run the same command with --back again`,
    );
}
