import type { Quote } from "../../components/alicloud/prices/quotes";
import type { Query } from "../../components/alicloud/api/api";

/** How an account is priced in a run of the program. */
export interface AccountPrices {
  /** @default USD */
  readonly currency?: string;
  /** Types, categories of disks and `bandwidth` that have no price. @default none */
  readonly unpriced?: readonly string[];
  /** Why prices cannot be asked. @default they can */
  readonly fault?: string;
}

/** An hour of a type, in USD; all others cost as the first. */
const hourly: Readonly<Record<string, number>> = { "ecs.e-c1m2.large": 0.0356, "ecs.c7.large": 0.09 };

/** Stands in for askPrices: a GiB of disk is 0.0775 a month, a GB of traffic 0.081. */
export function pricesOf({ currency = "USD", unpriced = [], fault }: AccountPrices = {}) {
  const quote = (amount: number, systemDisk?: number): Quote => ({ currency, amount, systemDisk });
  const disk = (gib = "0") => (0.0775 * Number(gib)) / 730;
  const answer = (query: Query): Quote | undefined => {
    if (Object.values(query).some((value) => unpriced.includes(value))) return undefined;
    if (query["ResourceType"] === "bandwidth") return quote(0.081);
    if (query["ResourceType"] === "disk") return quote(disk(query["DataDisk.1.Size"]));
    const system = disk(query["SystemDisk.Size"]);
    return quote((hourly[query["InstanceType"] ?? ""] ?? 0.0356) + system, system);
  };
  return (_region: string, questions: readonly Query[]): Promise<(Quote | undefined)[]> =>
    fault === undefined ? Promise.resolve(questions.map(answer)) : Promise.reject(new Error(fault));
}
