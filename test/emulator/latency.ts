/** How long a state change takes, in milliseconds, by what changes. */
export interface Latencies {
  readonly network: number;
  readonly instanceCreate: number;
  readonly instanceStart: number;
  readonly instanceStop: number;
  readonly instanceDelete: number;
  readonly disk: number;
  readonly snapshot: number;
  readonly address: number;
}

const all = (milliseconds: number): Latencies => ({
  network: milliseconds,
  instanceCreate: milliseconds,
  instanceStart: milliseconds,
  instanceStop: milliseconds,
  instanceDelete: milliseconds,
  disk: milliseconds,
  snapshot: milliseconds,
  address: milliseconds,
});

/**
 * `fast` for tests. `realistic`: what the provider's authors wait before they first ask for the result, as the best
 * public hint of what the change takes; nothing is known better without an account. A snapshot's time is a guess.
 * https://github.com/aliyun/terraform-provider-alicloud/tree/v1.285.0/alicloud (`BuildStateConf`)
 */
export const latencyProfiles: Readonly<Record<"fast" | "realistic", Latencies>> = {
  fast: all(0),
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

/** The same latency everywhere. */
export const everyLatency = all;
