/**
 * What no API of Alibaba Cloud prices: unit prices before tax and discounts, none without a source. All else is asked of the API, see
 * quotes.ts. A price that was not found in a public source is absent, and the estimate names the part.
 */

/** Where a group of figures was read, and the day or month they are of (YYYY-MM or YYYY-MM-DD). */
export interface PriceSource {
  readonly url: string;
  readonly seen: string;
}

export const priceSources = {
  /** Table 3 (BGP multi-ISP). The copy read has no date of its own; it cites a rule in force since September 2025. */
  eip: { url: "https://www.alibabacloud.com/help/en/eip/pay-as-you-go", seen: "2025-09" },
  /** The unit price in this page's own example for Hangzhou. */
  snapshotExample: { url: "https://www.alibabacloud.com/help/en/doc-detail/56159.htm", seen: "2024-12-26" },
  /** A GiB of snapshot costs what OSS Standard costs (that page, older edition); OSS as quoted for Singapore. */
  snapshotAsOss: { url: "https://www.alibabacloud.com/help/doc-detail/56159.htm", seen: "2026-09-20" },
  /** The same rule with the unit price in the example of OSS's Chinese site: 0.12 CNY for LRS. */
  snapshotAsOssCny: { url: "https://help.aliyun.com/en/oss/storage-fees", seen: "2024-12-20" },
} as const satisfies Record<string, PriceSource>;

export type PriceSourceName = keyof typeof priceSources;

/** A unit price in the currency of its table, and where it was read. */
export interface ListPrice {
  readonly amount: number;
  readonly source: PriceSourceName;
}

/** A price per region id. */
type ByRegion = Readonly<Partial<Record<string, ListPrice>>>;

export interface PriceList {
  /** Standard snapshots, per GiB and month. */
  readonly snapshotPerGiBMonth: ByRegion;
  /**
   * The same for a region that is not in the list: assumed, above every price of OSS Standard that was seen, so that snapshots never
   * count as nothing.
   */
  readonly snapshotCeiling: number;
  /** Object storage, Standard LRS, per GiB and month. */
  readonly ossPerGiBMonth: ByRegion;
  /** An EIP that no running instance uses, per hour. */
  readonly idleEipPerHour: ByRegion;
}

const from = (source: PriceSourceName, prices: Readonly<Record<string, number>>): ByRegion =>
  Object.fromEntries(Object.entries(prices).map(([region, amount]) => [region, { amount, source }]));

/** One price for the mainland regions that the sources list together. */
const mainland = (amount: number): Record<string, number> =>
  Object.fromEntries(
    ["cn-beijing", "cn-shanghai", "cn-hangzhou", "cn-shenzhen", "cn-guangzhou", "cn-chengdu"].map((id) => [id, amount]),
  );

/** By currency of the account. */
export const priceLists: Readonly<Partial<Record<string, PriceList>>> = {
  USD: {
    snapshotPerGiBMonth: {
      ...from("snapshotAsOss", { "ap-southeast-1": 0.01715 }),
      ...from("snapshotExample", { "cn-hangzhou": 0.0173 }),
    },
    snapshotCeiling: 0.03,
    ossPerGiBMonth: from("snapshotAsOss", { "ap-southeast-1": 0.01715 }),
    idleEipPerHour: from("eip", {
      "ap-southeast-1": 0.006,
      "ap-northeast-1": 0.005,
      "cn-hongkong": 0.009,
      "us-east-1": 0.005,
      "us-west-1": 0.005,
      "eu-central-1": 0.006,
      ...mainland(0.003),
    }),
  },
  CNY: {
    snapshotPerGiBMonth: from("snapshotAsOssCny", mainland(0.12)),
    snapshotCeiling: 0.2,
    ossPerGiBMonth: from("snapshotAsOssCny", mainland(0.12)),
    idleEipPerHour: {},
  },
};

/** Price of a standard snapshot in USD per GiB and month; undefined where no source was found. */
export function snapshotUsdPerGiBMonth(region: string): number | undefined {
  return priceLists["USD"]?.snapshotPerGiBMonth[region]?.amount;
}
