/** How far a move has come, as the journal on the host that is left says. */
export const points = ["begun", "made", "copied", "frozen", "turned", "forwarded", "returning"] as const;

export type Point = (typeof points)[number];

/** Point that comes next, once the work at this one is done; undefined: the move has ended. */
export const following = {
  /** The new host is made, on standby. */
  begun: "made",
  /** A full backup is made and unpacked there, while the former host serves. */
  made: "copied",
  /** Nothing: from the next point on the former host answers 503. */
  copied: "frozen",
  /** Stack by stack: the last backup, and its restore on the new host. */
  frozen: "turned",
  /** The former host passes connections on. There is no way back by itself any more. */
  turned: "forwarded",
  /** The new stack has the DNS records, and the former one is on standby. */
  forwarded: undefined,
  /** Stack by stack: the former host serves again. */
  returning: undefined,
} as const satisfies Record<Point, Point | undefined>;

/** Whether the new host serves. */
export const isTurned = (point: Point): boolean => point === "turned" || point === "forwarded";

/** A stack on one of the two hosts, as `cloudcode-backup places` prints it. */
export interface Side {
  /**
   * `half`: its last backup was cut off; `stopped`: by a person, or it waits for its data; `given`: its data went to the other host,
   * and nothing starts it here.
   */
  readonly does: "on" | "half" | "stopped" | "given";
  /** Snapshot that its data went away with. */
  readonly yielded?: string;
  /** Snapshot that its data came with. */
  readonly arrived?: string;
}

/** A stack on both. */
export interface Place {
  readonly name: string;
  readonly former: Side;
  /** Undefined: the new host does not answer, or does not have it. */
  readonly next: Side | undefined;
}

/** The stack that answers visitors: it needs no last backup, and stays on the former host until the new one is whole. */
export const edge = "edge";

/** The order in which stacks go: those whose data only one host may use come last, when all others are healthy there. */
export function inOrder(names: readonly string[], onlyOnce: readonly string[]): string[] {
  return [...names.filter((one) => !onlyOnce.includes(one)), ...names.filter((one) => onlyOnce.includes(one))];
}

/** Whether it came with the very snapshot that it left with: it has been started there. */
const hasArrived = ({ former, next }: Place): boolean =>
  former.does === "given" && former.yielded !== undefined && next?.arrived === former.yielded;

/** What is left to do for a stack, so that it runs on the new host. */
export function cutOf(place: Place): readonly ("yield" | "arrive")[] {
  if (place.name === edge) return [];
  if (place.former.does !== "given") return ["yield", "arrive"];
  return hasArrived(place) && place.next?.does !== "given" ? [] : ["arrive"];
}

/**
 * What is left to do for a stack, so that it runs on the former host again: `leave` stops it on the new one, `resume` starts it with
 * what it had, `carry` brings the data that it has on the new host, which has been used there.
 *
 * @returns undefined where nobody knows if it runs on a host that does not answer, and only one host may use its data
 */
export function backOf(
  place: Place,
  onlyOnce: readonly string[],
): readonly ("leave" | "resume" | "carry")[] | undefined {
  const once = onlyOnce.includes(place.name);
  if (place.former.does !== "given")
    return [
      ...(place.name === edge && place.next?.does === "on" ? (["leave"] as const) : []),
      ...(place.former.does === "half" ? (["resume"] as const) : []),
    ];
  if (place.next === undefined) return once ? undefined : ["resume"];
  return once && hasArrived(place) ? ["carry"] : ["leave", "resume"];
}
