/**
 * List prices of Alibaba Cloud's international site in USD, before tax and discounts: one dated table, no figure without
 * a source. What was not found in a public source is absent, and the estimate names it instead of guessing.
 */

/** Where a group of figures was read, and the day or month they are of (YYYY-MM or YYYY-MM-DD). */
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
  /** Tables 1 and 3 (BGP multi-ISP). The copy read has no date of its own; it cites a rule in force since September 2025. */
  eip: { url: "https://www.alibabacloud.com/help/en/eip/pay-as-you-go", seen: "2025-09" },
  /** DescribePrice for Singapore, USD for 730 hours: 25.99; 16.10 with a disk of 3.10, so 13.00; 40 GiB of disk 7.39 and 3.10. */
  singaporeQuote: {
    url: "https://github.com/GinoLlerena/voltaic-alpha/blob/863d1c5668685d83921ad46ab4bd97fbb36e332c/docs/improvements/options_alpha_deployment_cost_analysis_v0_1.md",
    seen: "2026-09-19",
  },
  /** List price files 2.0.421 of this page, read for Virginia: 0.0838 an hour; ESSD PL0 0.01055 an hour for 100 GiB. */
  priceList: { url: "https://www.alibabacloud.com/en/product/ecs/pricing", seen: "2026-09-28" },
  /** The unit price in this page's own example for Hangzhou. */
  snapshotExample: { url: "https://www.alibabacloud.com/help/en/doc-detail/56159.htm", seen: "2024-12-26" },
  /** Derived: a GiB of snapshot costs what OSS Standard costs (that page, older edition); OSS as quoted with the host above. */
  snapshotAsOss: { url: "https://www.alibabacloud.com/help/doc-detail/56159.htm", seen: "2026-09-20" },
} as const satisfies Record<string, PriceSource>;

export type PriceSourceName = keyof typeof priceSources;

/** A price per region id. */
type ByRegion = Readonly<Partial<Record<string, Price>>>;

const from = (source: PriceSourceName, prices: Readonly<Record<string, number>>): ByRegion =>
  Object.fromEntries(Object.entries(prices).map(([region, usd]) => [region, { usd, source }]));

/** One price for the mainland regions that the source lists together. */
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
  /** Object storage, Standard LRS, USD per GiB and month. */
  readonly ossPerGiBMonth: ByRegion;
  /** Traffic out to the internet through an EIP, USD per GB. */
  readonly trafficPerGb: ByRegion;
  /** An EIP that no running instance uses, USD an hour. */
  readonly idleEipPerHour: ByRegion;
}

export const priceTable: PriceTable = {
  instancePerHour: {
    "ecs.e-c1m1.large": from("singaporeQuote", { "ap-southeast-1": 13 / 730 }),
    "ecs.e-c1m2.large": from("singaporeQuote", { "ap-southeast-1": 25.99 / 730 }),
    "ecs.e-c1m2.xlarge": from("priceList", { "us-east-1": 0.0838 }),
  },
  diskPerGiBMonth: {
    "cloud_essd PL0": from("priceList", { "us-east-1": (0.01055 * 730) / 100 }),
    "cloud_essd PL1": from("singaporeQuote", { "ap-southeast-1": 7.39 / 40 }),
    cloud_essd_entry: from("singaporeQuote", { "ap-southeast-1": 3.1 / 40 }),
  },
  snapshotPerGiBMonth: {
    ...from("snapshotAsOss", { "ap-southeast-1": 0.01715 }),
    ...from("snapshotExample", { "cn-hangzhou": 0.0173 }),
  },
  ossPerGiBMonth: from("snapshotAsOss", { "ap-southeast-1": 0.01715 }),
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
