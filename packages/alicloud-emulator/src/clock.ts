/** What waits for a time. */
interface Waiting {
  readonly due: number;
  readonly wake: () => void;
}

/** The account's time, in milliseconds as `Date.now()` counts them. It runs, or stands until it is turned. */
export class Clock {
  #ahead = 0;
  readonly #standsAt: number | undefined;
  readonly #waiting = new Set<Waiting>();

  /** @param stands whether time passes only when it is turned */
  constructor(stands = false) {
    this.#standsAt = stands ? Date.now() : undefined;
  }

  get stands(): boolean {
    return this.#standsAt !== undefined;
  }

  now(): number {
    return (this.#standsAt ?? Date.now()) + this.#ahead;
  }

  /** Resolves when so many milliseconds have passed on this clock. */
  after(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        resolve();
      };
      const waiting: Waiting = { due: this.now() + milliseconds, wake };
      const timer = this.stands ? undefined : setTimeout(wake, milliseconds);
      this.#waiting.add(waiting);
    });
  }

  /** Turns the clock forward to a time, never back; what is due by then resolves, in its order. */
  turnTo(time: number): void {
    this.#ahead += Math.max(0, time - this.now());
    const due = [...this.#waiting].filter((one) => one.due <= this.now()).sort((one, other) => one.due - other.due);
    for (const { wake } of due) wake();
  }

  /** When the next of what waits is due; undefined: nothing waits. */
  next(): number | undefined {
    return this.#waiting.size === 0 ? undefined : Math.min(...[...this.#waiting].map(({ due }) => due));
  }
}

/** Now, or another time, as the APIs write it. */
export const timestamp = (time = Date.now()): string => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
