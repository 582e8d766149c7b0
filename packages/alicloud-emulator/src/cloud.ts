import { randomBytes } from "node:crypto";
import { type Clock, timestamp } from "./clock";
import type { Latencies } from "./latency";
import type { Machines } from "./machine";
import type { State } from "./state";

/** Ids say where they were made: a region has a prefix of three characters. */
const idPrefixes: Readonly<Record<string, string>> = {
  "ap-southeast-1": "t4n",
  "cn-hongkong": "j6c",
  "cn-hangzhou": "bp1",
};

/** The resource group of what names none. */
export const defaultResourceGroup = "rg-acfmemulatordefault";

/** The account: what exists, what it really is, and what is under way. */
export class Cloud {
  readonly #underWay = new Set<Promise<void>>();

  constructor(
    readonly state: State,
    readonly machines: Machines,
    readonly clock: Clock,
    public latencies: Latencies,
    private readonly changed: () => void,
    private readonly failed: (what: string, why: string) => void,
  ) {}

  /** A new id; a disk's has 20 characters after `d-`, as much as a virtio serial holds. */
  newId(prefix: string, region: string): string {
    const random = [...randomBytes(17)].map((byte) => (byte % 36).toString(36)).join("");
    return `${prefix}-${idPrefixes[region] ?? "xyz"}${random}`;
  }

  /** What all resources have, of a new one. */
  base(prefix: string, region: string, tags: Record<string, string>, resourceGroupId: string) {
    const id = this.newId(prefix, region);
    return {
      id,
      regionId: region,
      createdAt: this.timestamp(),
      tags,
      resourceGroupId: resourceGroupId || defaultResourceGroup,
    };
  }

  /**
   * Goes on after the answer: `settle` runs when the latency is over and `work` is done, `fail` when `work` failed
   * (a short reason). Neither does where `still` no longer holds by then. The state is saved after either.
   */
  later(
    what: string,
    latency: keyof Latencies,
    steps: {
      readonly work?: () => Promise<void>;
      /** @default always */
      readonly still?: () => boolean;
      readonly settle: () => void;
      readonly fail?: (why: string) => void;
    },
  ): void {
    const wait = this.clock.after(this.latencies[latency]);
    const run = async (): Promise<void> => {
      const [, work] = await Promise.allSettled([wait, steps.work?.()]);
      const still = steps.still?.() ?? true;
      if (work.status === "fulfilled") {
        if (still) steps.settle();
      } else {
        const why = work.reason instanceof Error ? work.reason.message : String(work.reason);
        this.failed(what, why);
        if (still) (steps.fail ?? steps.settle)(why);
      }
      this.changed();
    };
    const running = run().finally(() => this.#underWay.delete(running));
    this.#underWay.add(running);
  }

  /** Resolves when nothing is under way; a clock that stands is turned for it. */
  async idle(): Promise<void> {
    if (this.clock.stands) await this.settled();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Turns the clock until nothing is under way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) {
      this.clock.turnTo(this.clock.next() ?? this.clock.now());
      await Promise.race(this.#underWay);
    }
  }

  /** Now, or another time, as the APIs write it. */
  timestamp(time = this.clock.now()): string {
    return timestamp(time);
  }
}
