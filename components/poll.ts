import { setTimeout as sleep } from "node:timers/promises";

/** What one look found: the result, or the error to throw when no time is left. */
export type Look<T> = { readonly done: T } | { readonly late: Error };

export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<unknown>;
}

export interface PollBounds {
  /** Milliseconds after which no further look begins. */
  readonly boundMs: number;
  /** Milliseconds between two looks. */
  readonly pauseMs: number;
  /** @default the real one */
  readonly clock?: Clock;
}

/**
 * Looks until a result is there.
 *
 * @param look gets the milliseconds that remain, which may be less than 0 at the last look
 * @throws the error of the last look when the time is up, and at once what `look` itself throws
 */
export async function poll<T>(
  { boundMs, pauseMs, clock = { now: Date.now, pause: sleep } }: PollBounds,
  look: (remainingMs: number) => Promise<Look<T>>,
): Promise<T> {
  const deadline = clock.now() + boundMs;
  for (;;) {
    const seen = await look(deadline - clock.now());
    if ("done" in seen) return seen.done;
    if (clock.now() > deadline) throw seen.late;
    await clock.pause(pauseMs);
  }
}
