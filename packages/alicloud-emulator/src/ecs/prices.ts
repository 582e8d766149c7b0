import type { Actions, Answer, Call } from "../call";
import { ApiError, invalid } from "../errors";
import { text, whole } from "../parameters";

const hoursPerMonth = 730;
/** Of a USD; only the emulator's. */
const rates: Readonly<Record<string, number>> = { USD: 1, CNY: 7.1 };
/** What a month and a year of a subscription cost in months by the hour. */
const prepaid: Readonly<Record<string, number>> = { Month: 0.85, Year: 0.7 * 12 };

/** One thing asked for: its name in the answer, and its list price in USD. */
interface Item {
  readonly resource: string;
  readonly usd: number;
}

/** The goods that are named, or the refusal of what has no price. */
function sold(usd: number | undefined, name: string, { stock }: Call, code: string): number {
  if (stock.lacksPrice(name))
    throw new ApiError(400, "PRICE.PRICING_PLAN_RESULT_NOT_FOUND", `There is no price of ${name}.`);
  if (usd === undefined) throw invalid(code, name, "is not sold in the region");
  return usd;
}

/** Hours that one period asked for holds, as far as the bill counts them. */
function hours({ parameters }: Call): number {
  const unit = parameters.text("PriceUnit", "Hour");
  if (unit === "Hour") return 1;
  return hoursPerMonth * parameters.number("Period", 1) * (prepaid[unit] ?? 1);
}

function disk(call: Call, prefix: "SystemDisk" | "DataDisk.1", resource: string): Item[] {
  const { catalogue, parameters, region } = call;
  const category = parameters.text(`${prefix}.Category`);
  if (category === "") return [];
  const level = parameters.text(`${prefix}.PerformanceLevel`, "PL1");
  const perMonth = sold(
    catalogue.diskPrice(region, category, level),
    category,
    call,
    "InvalidDiskCategory.ValueNotSupported",
  );
  const size = parameters.number(`${prefix}.Size`, 20);
  return [{ resource, usd: (perMonth * size * hours(call)) / hoursPerMonth }];
}

function machine(call: Call): Item[] {
  const { catalogue, parameters, region } = call;
  const type = parameters.text("InstanceType");
  if (type === "") throw new ApiError(400, "MissingParameter", "The input parameter InstanceType is missing.");
  const listed = sold(catalogue.hourlyPrice(region, type), type, call, "InvalidInstanceType.ValueNotSupported");
  const category = parameters.text("SystemDisk.Category");
  if (category !== "" && !catalogue.type(type)?.disks.includes(category))
    throw invalid("InvalidSystemDiskCategory.ValueNotSupported", "SystemDisk.Category", `is not sold with ${type}`);
  const spot = parameters.text("SpotStrategy", "NoSpot") !== "NoSpot";
  const share = spot ? catalogue.spotShare(region, parameters.text("ZoneId")) : 1;
  return [
    { resource: "instanceType", usd: listed * share * hours(call) },
    ...disk(call, "SystemDisk", "systemDisk"),
    ...disk(call, "DataDisk.1", "dataDisk"),
  ];
}

function items(call: Call): Item[] {
  const { catalogue, parameters, region } = call;
  switch (parameters.text("ResourceType", "instance")) {
    case "instance":
      return machine(call);
    case "disk": {
      const asked = disk(call, "DataDisk.1", "dataDisk");
      if (asked.length === 0) throw new ApiError(400, "MissingParameter", "DataDisk.1.Category is missing.");
      if (parameters.text("PriceUnit", "Hour") !== "Hour") throw invalid("InvalidParameter", "PriceUnit");
      return asked;
    }
    default:
      return [{ resource: "bandwidth", usd: sold(catalogue.trafficPrice(region), "traffic", call, "PRICE.NotFound") }];
  }
}

function describePrice(call: Call): Answer {
  const { currency, discount } = call.terms;
  const amount = (usd: number) => Number((usd * (rates[currency] ?? 1)).toFixed(6));
  const priceOf = (usd: number): Answer => ({
    OriginalPrice: amount(usd),
    DiscountPrice: amount(usd * discount),
    TradePrice: amount(usd * (1 - discount)),
  });
  const asked = items(call);
  const DetailInfo = asked.map(({ resource, usd }) => ({
    Resource: resource,
    ...priceOf(usd),
    SubRules: { Rule: [] },
  }));
  const total = asked.reduce((sum, { usd }) => sum + usd, 0);
  return {
    PriceInfo: { Price: { ...priceOf(total), Currency: currency, DetailInfos: { DetailInfo } }, Rules: { Rule: [] } },
  };
}

const diskParameters = { Category: text, Size: whole, PerformanceLevel: ["PL0", "PL1", "PL2", "PL3"] } as const;

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/DescribePrice */
export const prices: Actions = {
  DescribePrice: {
    parameters: {
      optional: {
        ResourceType: ["instance", "disk", "bandwidth"],
        InstanceType: text,
        ImageId: text,
        ZoneId: text,
        IoOptimized: ["optimized", "none"],
        InstanceNetworkType: ["vpc", "classic"],
        Amount: whole,
        PriceUnit: ["Hour", "Month", "Year"],
        Period: whole,
        SpotDuration: whole,
        SpotStrategy: ["NoSpot", "SpotWithPriceLimit", "SpotAsPriceGo"],
        InternetChargeType: ["PayByTraffic", "PayByBandwidth"],
        InternetMaxBandwidthOut: whole,
        "SystemDisk.Category": diskParameters.Category,
        "SystemDisk.Size": diskParameters.Size,
        "SystemDisk.PerformanceLevel": diskParameters.PerformanceLevel,
        "DataDisk.N.Category": diskParameters.Category,
        "DataDisk.N.Size": diskParameters.Size,
        "DataDisk.N.PerformanceLevel": diskParameters.PerformanceLevel,
      },
    },
    handle: describePrice,
  },
};
