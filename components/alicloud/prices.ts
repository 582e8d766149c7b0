/**
 * List prices of Alibaba Cloud's international site in USD, before tax and discounts: one dated table, no figure without
 * a source. What was not found in a public source is absent, and the estimate names it instead of guessing.
 */

/** Where a group of figures was read, and the day (or month) the source carries. */
export interface PriceSource {
  readonly url: string;
  readonly seen: string;
}

/** A unit price and the key of its source in {@link priceSources}. */
export interface Price {
  readonly usd: number;
  readonly source: PriceSourceName;
}

export const priceSources = {
  /** Tables 1 and 3: traffic out to the internet, and the fee of an address not bound to an instance (BGP multi-ISP). */
  eip: { url: "https://www.alibabacloud.com/help/en/eip/pay-as-you-go", seen: "2026-06" },
} as const satisfies Record<string, PriceSource>;

export type PriceSourceName = keyof typeof priceSources;

/** A price per region id. */
type ByRegion = Readonly<Partial<Record<string, Price>>>;

const from = (source: PriceSourceName, prices: Readonly<Record<string, number>>): ByRegion =>
  Object.fromEntries(Object.entries(prices).map(([region, usd]) => [region, { usd, source }]));

/** All mainland regions of the table have one price in most groups. */
const mainland = (usd: number): Record<string, number> =>
  Object.fromEntries(
    ["cn-beijing", "cn-shanghai", "cn-hangzhou", "cn-shenzhen", "cn-guangzhou", "cn-chengdu"].map((id) => [id, usd]),
  );

export interface PriceTable {
  /** Pay-as-you-go Linux instance, USD an hour, by type and then region. */
  readonly instancePerHour: Readonly<Partial<Record<string, ByRegion>>>;
  /** Pay-as-you-go disk, USD per GiB and month, by category (with the performance level of `cloud_essd`) and then region. */
  readonly diskPerGiBMonth: Readonly<Partial<Record<string, ByRegion>>>;
  /** Standard snapshots, USD per GiB and month. */
  readonly snapshotPerGiBMonth: ByRegion;
  /** Traffic out to the internet through an EIP, USD per GB. */
  readonly trafficPerGb: ByRegion;
  /** An EIP that no running instance uses, USD an hour. */
  readonly idleEipPerHour: ByRegion;
}

export const priceTable: PriceTable = {
  instancePerHour: {},
  diskPerGiBMonth: {},
  snapshotPerGiBMonth: {},
  trafficPerGb: from("eip", {
    "ap-southeast-1": 0.081,
    "ap-northeast-1": 0.087,
    "cn-hongkong": 0.153,
    "us-east-1": 0.076,
    "us-west-1": 0.077,
    "eu-central-1": 0.07,
    ...mainland(0.123),
  }),
  idleEipPerHour: from("eip", {
    "ap-southeast-1": 0.006,
    "ap-northeast-1": 0.005,
    "cn-hongkong": 0.009,
    "us-east-1": 0.005,
    "us-west-1": 0.005,
    "eu-central-1": 0.006,
    ...mainland(0.003),
  }),
};

/** Price of a standard snapshot in USD per GiB and month; undefined where no source was found. */
export function snapshotUsdPerGiBMonth(region: string): number | undefined {
  return priceTable.snapshotPerGiBMonth[region]?.usd;
}
