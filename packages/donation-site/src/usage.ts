import type { ModelProxy, UsedModel } from "./model-proxy";
import type { Store, Usage } from "./store";

/** The month of a time in the time zone of this process, `2026-11`. */
export function monthOf(time: Date): string {
  return `${time.getFullYear()}-${String(time.getMonth() + 1).padStart(2, "0")}`;
}

/** Adds what the proxy has answered since the last look to its months. @throws UpstreamError where the proxy does not say it */
export async function countUsage(proxy: ModelProxy, store: Store): Promise<void> {
  for await (const requests of proxy.takeUsed()) for (const usage of byMonth(requests)) store.addUsage(usage);
}

/** The sums of each month, so that each is one write to the disk. */
function byMonth(requests: readonly UsedModel[]): Usage[] {
  const sums = new Map<string, Usage>();
  for (const { timestamp, failed, tokens } of requests) {
    const month = monthOf(timestamp);
    const sum = sums.get(month) ?? { month, requests: 0, failed: 0, tokens: 0 };
    sums.set(month, {
      month,
      requests: sum.requests + 1,
      failed: sum.failed + (failed ? 1 : 0),
      tokens: sum.tokens + tokens.total_tokens,
    });
  }
  return [...sums.values()];
}
