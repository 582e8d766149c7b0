import type { CostFactors } from "./factors";
import { type ListPrice, type PriceList, priceLists, priceSources } from "./price-list";
import type { Quote } from "./quotes";

/** Hours of a month: 365 days / 12 x 24 hours. */
export const hoursPerMonth = 730;

/** What was answered to each of the questions; undefined: Alibaba Cloud has no price for it. */
export interface Quotes {
  readonly machine: Quote | undefined;
  readonly worker: Quote | undefined;
  readonly systemDisk: Quote | undefined;
  readonly dataDisk: Quote | undefined;
  readonly traffic: Quote | undefined;
}

/** One billed thing; a figure that is missing is unknown. */
export interface CostPart {
  readonly name: string;
  readonly running?: number;
  readonly stopped?: number;
}

/** Price of a month in the account's currency, without tax: sums of the known parts only. */
export interface Estimate {
  /** Of the sums; undefined where nothing has a price. */
  readonly currency: string | undefined;
  /** The host runs the whole month. */
  readonly running: number;
  /** The host is stopped (StopCharging) the whole month: disks, snapshots and the idle fee of the EIP stay. */
  readonly stopped: number;
  readonly parts: readonly CostPart[];
  /** Parts of a running month that nobody prices; a budget refuses them. */
  readonly unpriced: readonly string[];
  /** What else is billed but not in the sums: what depends on use, and what only a stopped host pays. */
  readonly notCounted: readonly string[];
  /** Parts by the dated list in place of the API, and the date of the oldest figure. */
  readonly listed: { readonly names: readonly string[]; readonly seen: string } | undefined;
}

/** A part before rounding: an undefined figure is unknown. */
interface Line {
  readonly name: string;
  readonly running: number | undefined;
  readonly stopped: number | undefined;
  /** Date of the list that it is priced by. */
  readonly seen?: string | undefined;
}

const cents = (amount: number) => Math.round(amount * 100) / 100;
/** So many units at a price; none cost nothing, whatever one costs. */
const times = (units: number, price: number | undefined) =>
  units === 0 ? 0 : price === undefined ? undefined : units * price;

/** Instance and system disk, which a subscription pays whether the host runs or not. */
function machine(factors: CostFactors, type: string, quote: Quote | undefined, disk: Quote | undefined): Line[] {
  const { charge, subscriptionMonths, spotPriceLimitUsd, diskCategory, systemDiskGiB } = factors;
  const subscribed = charge === "subscription";
  const units = subscribed ? 1 / subscriptionMonths : hoursPerMonth;
  const limited = charge === "spot" && spotPriceLimitUsd !== undefined && quote?.currency === "USD";
  const kind = subscribed ? "subscription of instance" : limited ? "spot instance at its price limit" : "instance";
  const alone = quote && quote.amount - (quote.systemDisk ?? 0);
  const running = limited ? hoursPerMonth * spotPriceLimitUsd : times(units, alone);
  // Without a share of its own in the answer a prepaid disk has no price, one paid by the hour has that of any disk.
  const share = times(units, quote?.systemDisk ?? (subscribed ? undefined : disk?.amount));
  return [
    { name: `${kind} ${type}`, running, stopped: subscribed ? running : 0 },
    { name: `system disk ${diskCategory} ${systemDiskGiB} GiB`, running: share, stopped: share },
  ];
}

function lines(factors: CostFactors, quotes: Quotes, list: PriceList | undefined): Line[] {
  const { region, instanceType, workers, diskCategory, dataDiskGiB, trafficGbPerMonth } = factors;
  const byList = (price: ListPrice | undefined) => price && { seen: priceSources[price.source].seen };
  const snapshot = list?.snapshotPerGiBMonth[region];
  const copies = factors.snapshotRetentionDays >= 7 ? dataDiskGiB : 0;
  const snapshots = times(copies, snapshot?.amount ?? list?.snapshotCeiling);
  const ceiling = snapshot || !list ? "" : ` at no more than ${list.snapshotCeiling} per GiB, assumed`;
  const idle = list?.idleEipPerHour[region];
  const disk = times(hoursPerMonth, quotes.dataDisk?.amount);
  return [
    ...machine(factors, instanceType, quotes.machine, quotes.systemDisk),
    { name: `data disk ${diskCategory} ${dataDiskGiB} GiB`, running: disk, stopped: disk },
    ...machine(factors, workers.instanceType ?? instanceType, quotes.worker, quotes.systemDisk).map((line) => ({
      name: `${workers.count} workers: ${line.name}`,
      running: times(workers.count, line.running),
      stopped: times(workers.count, line.stopped),
    })),
    { name: `snapshots of ${dataDiskGiB} GiB${ceiling}`, running: snapshots, stopped: snapshots, ...byList(snapshot) },
    {
      name: `traffic of ${trafficGbPerMonth} GB`,
      running: times(trafficGbPerMonth, quotes.traffic?.amount),
      stopped: 0,
    },
    { name: "idle public address", running: 0, stopped: times(hoursPerMonth, idle?.amount), ...byList(idle) },
  ];
}

/** Backups as what is not counted, with the price of what they will hold. */
function backups({ region }: CostFactors, list: PriceList | undefined, currency = ""): string {
  const price = list?.ossPerGiBMonth[region];
  return price ? `backups in OSS at ${price.amount} ${currency} per GiB and month` : `backups in OSS in ${region}`;
}

/**
 * Price of a month. Where the bill depends on use it takes a bound:
 * - a spot instance costs its price limit, or else what it costs by the hour on demand;
 * - snapshots are incremental: one full copy of the disk (empty blocks are free, what changes between copies adds up);
 * - traffic counts from the first GB, although the account may have a free allowance (200 GB a month outside the
 *   mainland, https://www.alibabacloud.com/help/en/cdt/product-overview/what-is-cdt);
 * - a stopped host pays the fee of an EIP without instance: EIPs stay billed while an instance is stopped
 *   (https://www.alibabacloud.com/help/en/ecs/user-guide/economical-mode), though bills seen in 2026 had no such item.
 */
export function estimateMonthly(factors: CostFactors, quotes: Quotes, lists = priceLists): Estimate {
  const { machine: host, worker, systemDisk, dataDisk, traffic } = quotes;
  const currency = [host, worker, systemDisk, dataDisk, traffic].find((quote) => quote !== undefined)?.currency;
  const list = lists[currency ?? ""];
  // What is answered in another currency cannot be added.
  const known = (quote: Quote | undefined) => (quote?.currency === currency ? quote : undefined);
  const same = {
    machine: known(host),
    worker: known(worker),
    systemDisk: known(systemDisk),
    dataDisk: known(dataDisk),
    traffic: known(traffic),
  };
  const billed = lines(factors, same, list).filter(({ running, stopped }) => running !== 0 || stopped !== 0);
  const parts = billed.map(({ name, running, stopped }) => ({
    name,
    ...(running !== undefined && { running: cents(running) }),
    ...(stopped !== undefined && { stopped: cents(stopped) }),
  }));
  const unpriced = billed.filter(({ running }) => running === undefined).map(({ name }) => name);
  const listed = billed.filter(({ seen }) => seen !== undefined);
  const [seen] = listed.map((line) => line.seen ?? "").sort();
  return {
    currency,
    running: cents(parts.reduce((sum, { running }) => sum + (running ?? 0), 0)),
    stopped: cents(parts.reduce((sum, { stopped }) => sum + (stopped ?? 0), 0)),
    parts,
    unpriced,
    notCounted: [
      ...billed.filter((one) => one.running !== undefined && one.stopped === undefined).map(({ name }) => name),
      ...(factors.backupBucket ? [backups(factors, list, currency)] : []),
    ],
    listed: seen === undefined ? undefined : { names: listed.map(({ name }) => name), seen },
  };
}

/** Of an estimate: a month of data disk and snapshots alone; undefined: not known. */
export function withoutMachine({ parts }: Estimate): number | undefined {
  const kept = parts.filter(({ name }) => /^(data disk|snapshots of) /.test(name)).map(({ stopped }) => stopped);
  const known = kept.filter((amount) => amount !== undefined);
  return kept.length > 0 && known.length === kept.length ? cents(known.reduce((sum, one) => sum + one, 0)) : undefined;
}

/** An amount with its currency. */
export const money = (amount: number, currency = "") => `${amount.toFixed(2)} ${currency}`.trim();

/** The estimate in one line: "about 22.90 USD a month running, 5.10 stopped (snapshots of 20 GiB by the price list of 2026-09)". */
export function describeEstimate({ currency, running, stopped, unpriced, notCounted, listed }: Estimate): string {
  const missing = [...unpriced, ...notCounted];
  const notes = [
    ...(listed ? [`${listed.names.join(" and ")} by the price list of ${listed.seen}`] : []),
    ...(missing.length === 0 ? [] : [`not counted: ${missing.join(", ")}`]),
  ];
  const suffix = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
  const sum = `${money(running, currency)} a month running, ${stopped.toFixed(2)} stopped`;
  return `${unpriced.length === 0 ? "about" : "at least"} ${sum}${suffix}`;
}
