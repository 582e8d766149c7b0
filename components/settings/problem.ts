/** A fault of one key. */
export interface Problem {
  readonly key: string;
  /** Completes the sentence "KEY …"; never quotes a value. */
  readonly fault: string;
}

/** A problem of `key` where the condition holds. */
export function when(holds: boolean, key: string, fault: string): Problem[] {
  return holds ? [{ key, fault }] : [];
}

/** Each of the keys without a value, and why it is needed. */
export function missing<K extends string>(
  values: Readonly<Partial<Record<K, unknown>>>,
  keys: readonly K[],
  why: string,
): Problem[] {
  return keys.flatMap((key) => when(values[key] === undefined, key, `is missing: ${why}`));
}
