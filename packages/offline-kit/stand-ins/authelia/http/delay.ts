// Stand-in for Authelia 4.39.20: answers to passwords take as long as good ones took lately, so that their time tells nothing.
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Handler } from "./call";

const remembered = 10;
const firstMs = 1000;
const leastMs = 250;
const jitterMs = 85;

/** Delays handlers together: by the mean of what the last good answers took. */
export function createDelay(): (handler: Handler) => Handler {
  const took = Array.from({ length: remembered }, () => firstMs);
  let next = 0;
  return (handler) => async (call) => {
    const start = Date.now();
    const answer = await handler(call);
    const mean = took.reduce((sum, one) => sum + one, 0) / remembered;
    const own = Date.now() - start;
    if (answer.status === 200) took[next++ % remembered] = own;
    await sleep(Math.max(1, Math.max(mean, leastMs) + randomInt(jitterMs) - own));
    return answer;
  };
}
