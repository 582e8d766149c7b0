import { z } from "zod";

const milliseconds = z.number().nonnegative();

/** How long a state change takes, in milliseconds, by what changes. */
export const latenciesSchema = z.object({
  network: milliseconds,
  instanceCreate: milliseconds,
  instanceStart: milliseconds,
  instanceStop: milliseconds,
  instanceDelete: milliseconds,
  disk: milliseconds,
  snapshot: milliseconds,
  address: milliseconds,
});
export type Latencies = Readonly<z.infer<typeof latenciesSchema>>;

/** The same latency everywhere. */
export const everyLatency = (same: number): Latencies => ({
  network: same,
  instanceCreate: same,
  instanceStart: same,
  instanceStop: same,
  instanceDelete: same,
  disk: same,
  snapshot: same,
  address: same,
});

/**
 * `fast` for tests. `realistic`: what the provider's authors wait before they first ask for the result, as the best
 * public hint of what the change takes; nothing is known better without an account. A snapshot's time is a guess.
 * https://github.com/aliyun/terraform-provider-alicloud/tree/v1.285.0/alicloud (`BuildStateConf`)
 */
export const latencyProfiles: Readonly<Record<"fast" | "realistic", Latencies>> = {
  fast: everyLatency(0),
  realistic: {
    network: 5000,
    instanceCreate: 10_000,
    instanceStart: 5000,
    instanceStop: 5000,
    instanceDelete: 10_000,
    disk: 3000,
    snapshot: 5000,
    address: 5000,
  },
};
