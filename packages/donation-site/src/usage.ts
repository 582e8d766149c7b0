import type { ModelProxy, UsedModel } from "./model-proxy";
import type { Store, Usage } from "./store";

/** The month of a time in the time zone of this process, `2026-11`. */
export function monthOf(time: Date): string {
  return `${time.getFullYear()}-${String(time.getMonth() + 1).padStart(2, "0")}`;
}

/** Adds what the proxy has answered since the last look to its months. @throws UpstreamError where the proxy does not say it */
export async function countUsage(proxy: ModelProxy, store: Store): Promise<void> {
  for await (const requests of proxy.takeUsed()) for (const request of requests) store.addUsage(usageOf(request));
}

function usageOf({ timestamp, failed, tokens }: UsedModel): Usage {
  return { month: monthOf(timestamp), requests: 1, failed: failed ? 1 : 0, tokens: tokens.total_tokens };
}
