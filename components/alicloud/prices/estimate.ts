import type { Price, PriceTable } from "./prices";
import { priceSources, priceTable } from "./prices";

/** Hours of a month: 365 days / 12 x 24 hours. */
export const hoursPerMonth = 730;

/** A cloud disk: category as the ECS API names it, size in GiB, performance level (`PL0`...) of a `cloud_essd` only. */
export interface DiskCost {
  readonly category: string;
  readonly gib: number;
  readonly performanceLevel?: string | undefined;
}

/** What the price of a month is estimated for. */
export interface CostInput {
  readonly region: string;
  readonly instanceType: string;
  readonly charge: "payAsYouGo" | "spot" | "subscription";
  /** The most an hour of a spot instance may cost, in USD; without it the pay-as-you-go price, its upper bound, counts. */
  readonly spotHourlyLimitUsd?: number | undefined;
  readonly systemDisk: DiskCost;
  readonly dataDisk: DiskCost;
  /** `retained`: how many snapshots the policy keeps (0: none); `gib`: size of the disk they are made of. */
  readonly snapshots: { readonly retained: number; readonly gib: number };
  /** Traffic from the host to the internet in GB a month; traffic to the host is free. */
  readonly traffic: { readonly gbPerMonth: number };
  /** Whether backups go to a bucket of the stack; what they hold is not known before. */
  readonly backupBucket: boolean;
  /** Machines that only run sandboxes, with a system disk as the host's; without a type of their own they are of the host's. */
  readonly workers: { readonly count: number; readonly instanceType?: string | undefined };
}

/** One billed thing. A figure that is missing is unknown, and {@link Estimate.unknown} names the part. */
export interface CostPart {
  readonly name: string;
  readonly runningUsd?: number;
  readonly stoppedUsd?: number;
}

/** Price of a month in USD, without tax and discounts: sums of the known parts only. */
export interface Estimate {
  /** The host runs the whole month. */
  readonly runningUsd: number;
  /** The host is stopped (StopCharging) the whole month: disks, snapshots and the idle fee of the EIP stay. */
  readonly stoppedUsd: number;
  readonly parts: readonly CostPart[];
  /** What is billed but not in the sums: "instance ecs.x in region y". */
  readonly unknown: readonly string[];
  /** Date of the oldest figure in the sums (YYYY-MM or YYYY-MM-DD); empty when nothing is known. */
  readonly pricesOf: string;
}

/** A part before rounding: its unit price, if known, and the units of it that a month has in each state. */
interface Line {
  readonly name: string;
  readonly unknownName: string;
  readonly price: { readonly usd: number; readonly seen?: string | undefined } | undefined;
  readonly running: number;
  readonly stopped: number;
}

/** The price with its date. */
const dated = (price: Price | undefined) => price && { usd: price.usd, seen: priceSources[price.source].seen };

function instance({ region, instanceType, charge, spotHourlyLimitUsd }: CostInput, table: PriceTable): Line {
  const subscribed = charge === "subscription";
  const listed = dated(table.instancePerHour[instanceType]?.[region]);
  const limit = charge === "spot" && spotHourlyLimitUsd !== undefined ? { usd: spotHourlyLimitUsd } : undefined;
  const kind = subscribed ? "subscription of instance" : limit ? "spot instance at its price limit" : "instance";
  return {
    name: `${kind} ${instanceType}`,
    unknownName: `${kind} ${instanceType} in region ${region}`,
    // A subscription has a price of its own that the table does not hold; it is paid whether the host runs or not.
    price: subscribed ? undefined : (limit ?? listed),
    running: hoursPerMonth,
    stopped: subscribed ? hoursPerMonth : 0,
  };
}

function disk(region: string, { category, gib, performanceLevel }: DiskCost, table: PriceTable): Line {
  const kind = category === "cloud_essd" ? `${category} ${performanceLevel ?? "PL1"}` : category;
  return {
    name: `disk ${kind} ${gib} GiB`,
    unknownName: `disk ${kind} in region ${region}`,
    price: dated(table.diskPerGiBMonth[kind]?.[region]),
    running: gib,
    stopped: gib,
  };
}

/** The system disk follows the instance: of a subscription it is prepaid too, at a price the table does not hold. */
function systemDisk({ region, charge, systemDisk: settings }: CostInput, table: PriceTable): Line {
  const line = disk(region, settings, table);
  const prefix = charge === "subscription" ? "subscription of system" : "system";
  return {
    ...line,
    name: `${prefix} ${line.name}`,
    unknownName: `${prefix} ${line.unknownName}`,
    price: charge === "subscription" ? undefined : line.price,
  };
}

function dataDisk({ region, dataDisk: settings }: CostInput, table: PriceTable): Line {
  const line = disk(region, settings, table);
  return { ...line, name: `data ${line.name}`, unknownName: `data ${line.unknownName}` };
}

function workers(input: CostInput, table: PriceTable): Line[] {
  const { count, instanceType = input.instanceType } = input.workers;
  return [instance({ ...input, instanceType }, table), systemDisk(input, table)].map((line) => ({
    ...line,
    name: `${count} workers: ${line.name}`,
    unknownName: `${count} workers: ${line.unknownName}`,
    running: count * line.running,
    stopped: count * line.stopped,
  }));
}

function lines(input: CostInput, table: PriceTable): Line[] {
  const { region, snapshots, traffic } = input;
  const copies = snapshots.retained > 0 ? snapshots.gib : 0;
  return [
    instance(input, table),
    systemDisk(input, table),
    dataDisk(input, table),
    ...workers(input, table),
    {
      name: `snapshots of ${snapshots.gib} GiB, one full copy`,
      unknownName: `snapshots in region ${region}`,
      price: dated(table.snapshotPerGiBMonth[region]),
      running: copies,
      stopped: copies,
    },
    {
      name: `traffic of ${traffic.gbPerMonth} GB`,
      unknownName: `traffic in region ${region}`,
      price: dated(table.trafficPerGb[region]),
      running: traffic.gbPerMonth,
      stopped: 0,
    },
    {
      name: "EIP while no instance runs",
      unknownName: `idle EIP in region ${region}`,
      price: dated(table.idleEipPerHour[region]),
      running: 0,
      stopped: hoursPerMonth,
    },
  ];
}

/** Backups as what is not counted, with the price of what they will hold. */
function bucketName(region: string, table: PriceTable): string {
  const price = table.ossPerGiBMonth[region];
  return price ? `backups in OSS at ${price.usd} USD per GiB and month` : `backups in OSS in region ${region}`;
}

const cents = (usd: number) => Math.round(usd * 100) / 100;

/** Cost of so many units; undefined when they are not none and their price is unknown. */
const cost = (units: number, price: Line["price"]) => (units === 0 ? 0 : price && cents(units * price.usd));

function part({ name, price, running, stopped }: Line): CostPart {
  const runningUsd = cost(running, price);
  const stoppedUsd = cost(stopped, price);
  return {
    name,
    ...(runningUsd === undefined ? {} : { runningUsd }),
    ...(stoppedUsd === undefined ? {} : { stoppedUsd }),
  };
}

/**
 * Price of a month from the dated table (or another one, for tests). Where the bill depends on use it takes a bound:
 * - a spot instance costs its price limit;
 * - snapshots are incremental: one full copy of the disk (empty blocks are free, what changes between copies adds up);
 * - traffic counts from the first GB, although the account may have a free allowance (200 GB a month outside the
 *   mainland, https://www.alibabacloud.com/help/en/cdt/product-overview/what-is-cdt);
 * - a stopped host pays the fee of an EIP without instance: EIPs stay billed while an instance is stopped
 *   (https://www.alibabacloud.com/help/en/ecs/user-guide/economical-mode), though bills seen in 2026 had no such item.
 */
export function estimateMonthly(input: CostInput, table: PriceTable = priceTable): Estimate {
  const billed = lines(input, table).filter(({ running, stopped }) => running > 0 || stopped > 0);
  const parts = billed.map(part);
  const seen = billed.flatMap(({ price }) => price?.seen ?? []);
  return {
    runningUsd: cents(parts.reduce((sum, { runningUsd }) => sum + (runningUsd ?? 0), 0)),
    stoppedUsd: cents(parts.reduce((sum, { stoppedUsd }) => sum + (stoppedUsd ?? 0), 0)),
    parts,
    unknown: [
      ...billed.filter(({ price }) => price === undefined).map(({ unknownName }) => unknownName),
      ...(input.backupBucket ? [bucketName(input.region, table)] : []),
    ],
    pricesOf: seen.sort()[0] ?? "",
  };
}

/** The estimate in one line: "about 22.90 USD a month running, 5.10 stopped (prices of 2026-02; not counted: ...)". */
export function describeEstimate({ runningUsd, stoppedUsd, unknown, pricesOf }: Estimate): string {
  const notes = [
    ...(pricesOf === "" ? [] : [`prices of ${pricesOf}`]),
    ...(unknown.length === 0 ? [] : [`not counted: ${unknown.join(", ")}`]),
  ];
  const suffix = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
  return `${unknown.length === 0 ? "about" : "at least"} ${runningUsd.toFixed(2)} USD a month running, ${stoppedUsd.toFixed(2)} stopped${suffix}`;
}
