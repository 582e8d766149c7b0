import { z } from "zod";
import type { Query } from "../api/api";
import type { CostFactors } from "./factors";

/** What ecs:DescribePrice answers to one question, in the account's currency and with its discounts. */
export interface Quote {
  /** USD at the international site, CNY at the Chinese one. */
  readonly currency: string;
  /** Of all that was asked for: an hour of it, the period asked for, or a GB of traffic. */
  readonly amount: number;
  /** The system disk's share of that, where the answer tells it. */
  readonly systemDisk: number | undefined;
}

const quoteSchema = z.object({
  PriceInfo: z.object({
    Price: z.object({
      Currency: z.string().min(1),
      TradePrice: z.number().nonnegative(),
      DetailInfos: z
        .object({
          DetailInfo: z
            .array(z.object({ Resource: z.string().optional(), TradePrice: z.number().optional() }))
            .optional(),
        })
        .optional(),
    }),
  }),
});

/** https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-describeprice (response parameters); undefined: it has no price */
export function quoteOf(answer: unknown): Quote | undefined {
  const read = quoteSchema.safeParse(answer);
  if (!read.success) return undefined;
  const { Currency, TradePrice, DetailInfos } = read.data.PriceInfo.Price;
  const disk = DetailInfos?.DetailInfo?.find(({ Resource }) => Resource === "systemDisk");
  return { currency: Currency, amount: TradePrice, systemDisk: disk?.TradePrice };
}

/** The questions that a price of a month is made of; each is the parameters of one DescribePrice. */
export interface Questions {
  readonly machine: Query;
  readonly worker: Query | undefined;
  readonly systemDisk: Query;
  readonly dataDisk: Query;
  readonly traffic: Query;
}

/** https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-describeprice (request parameters) */
export function questionsOf(factors: CostFactors): Questions {
  const { diskCategory, systemDiskGiB, dataDiskGiB, workers, instanceType } = factors;
  return {
    machine: machineQuestion(factors, instanceType),
    worker: workers.count > 0 ? machineQuestion(factors, workers.instanceType ?? instanceType) : undefined,
    systemDisk: diskQuestion(diskCategory, systemDiskGiB),
    dataDisk: diskQuestion(diskCategory, dataDiskGiB),
    // Answered by the GB: only pay-by-traffic is.
    traffic: { ResourceType: "bandwidth", InternetChargeType: "PayByTraffic", InternetMaxBandwidthOut: "1" },
  };
}

/** The market price of an hour of a spot machine; zones differ, and without one the region's is answered. */
export function spotQuestion(factors: CostFactors, zoneId: string | undefined): Query {
  return {
    ...machineQuestion({ ...factors, charge: "spot" }, factors.instanceType),
    SpotStrategy: "SpotAsPriceGo",
    ...(zoneId !== undefined && { ZoneId: zoneId }),
  };
}

function machineQuestion(
  { diskCategory, systemDiskGiB, charge, subscriptionMonths, image }: CostFactors,
  instanceType: string,
): Query {
  const years = subscriptionMonths / 12;
  const period = Number.isInteger(years)
    ? { PriceUnit: "Year", Period: String(years) }
    : { PriceUnit: "Month", Period: String(subscriptionMonths) };
  return {
    ResourceType: "instance",
    InstanceType: instanceType,
    IoOptimized: "optimized",
    InstanceNetworkType: "vpc",
    "SystemDisk.Category": diskCategory,
    "SystemDisk.Size": String(systemDiskGiB),
    ...(image !== undefined && { ImageId: image }),
    ...(charge === "subscription" ? period : { PriceUnit: "Hour", Period: "1" }),
  };
}

/** Of a disk that is paid by the hour; PL1 is what ECS gives to a cloud_essd that names no level. */
const diskQuestion = (category: string, gib: number): Query => ({
  ResourceType: "disk",
  PriceUnit: "Hour",
  "DataDisk.1.Category": category,
  "DataDisk.1.Size": String(gib),
  ...(category === "cloud_essd" && { "DataDisk.1.PerformanceLevel": "PL1" }),
});
