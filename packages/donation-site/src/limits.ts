/** So many in so long for each key, counted in fixed windows in memory: a restart forgives, which no attacker can cause. */
export class Limit {
  readonly #counts = new Map<string, { readonly until: number; count: number }>();

  /** @param windowSeconds length of a window */
  constructor(
    readonly most: number,
    readonly windowSeconds: number,
    readonly now: () => number = Date.now,
  ) {}

  /** Counts one. @returns false where it is one too many */
  allows(key: string): boolean {
    const now = this.now();
    if (this.#counts.size > 10_000) {
      for (const [old, { until }] of this.#counts) if (until <= now) this.#counts.delete(old);
    }
    const found = this.#counts.get(key);
    const window = found && found.until > now ? found : { until: now + this.windowSeconds * 1000, count: 0 };
    window.count += 1;
    this.#counts.set(key, window);
    return window.count <= this.most;
  }
}
