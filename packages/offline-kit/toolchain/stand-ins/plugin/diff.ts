import type { Value, ValueMap } from "./values";
import { isList, isMap, sameValue } from "./values";

export type ChangeKind = "add" | "delete" | "update";

/** Changed property paths in the engine's notation, e.g. `triggers[0]` or `connection.host`. */
export type Changes = ReadonlyMap<string, ChangeKind>;

function member(path: string, name: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}

function compare(
  path: string,
  before: Value | undefined,
  after: Value | undefined,
  found: Map<string, ChangeKind>,
): void {
  if (before === undefined || after === undefined) {
    if (before !== after) found.set(path, before === undefined ? "add" : "delete");
  } else if (isList(before) && isList(after)) {
    for (let i = 0; i < Math.max(before.length, after.length); i++) {
      compare(`${path}[${i}]`, before[i], after[i], found);
    }
  } else if (isMap(before) && isMap(after)) {
    compareMaps(path, before, after, found);
  } else if (!sameValue(before, after)) {
    found.set(path, "update");
  }
}

function compareMaps(path: string, before: ValueMap, after: ValueMap, found: Map<string, ChangeKind>): void {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    compare(member(path, name), before[name], after[name], found);
  }
}

/** Compares old and new inputs property by property; a secret is compared as one thing. */
export function findChanges(before: ValueMap, after: ValueMap): Changes {
  const found = new Map<string, ChangeKind>();
  compareMaps("", before, after, found);
  return found;
}

/** The input that a changed path belongs to. */
export function topLevel(path: string): string {
  return /^[^.[]+/.exec(path)?.[0] ?? path;
}
