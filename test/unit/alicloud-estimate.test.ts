import fc from "fast-check";
import { limitOf, ranked, refusal } from "../../components/alicloud/prices/budget";
import { describeChoices, describeSpot, monthlyCost } from "../../components/alicloud/prices/cost";
import {
  type Quotes,
  describeEstimate,
  estimateMonthly,
  withoutMachine,
} from "../../components/alicloud/prices/estimate";
import type { CostFactors } from "../../components/alicloud/prices/factors";
import { type PriceList, priceLists, priceSources } from "../../components/alicloud/prices/price-list";
import { questionsOf, quoteOf, spotQuestion } from "../../components/alicloud/prices/quotes";

/** Round figures, so that the sums below can be done in one's head. */
const at = (amount: number) => ({ region: { amount, source: "eip" as const } });
const list: PriceList = {
  snapshotPerGiBMonth: at(0.02),
  snapshotCeiling: 0.05,
  ossPerGiBMonth: at(0.01),
  idleEipPerHour: at(0.006),
};
const quote = (amount: number, systemDisk?: number, currency = "USD") => ({ currency, amount, systemDisk });
const quotes: Quotes = {
  machine: quote(0.02 + 2 / 730, 2 / 730),
  worker: quote(0.01 + 2 / 730, 2 / 730),
  systemDisk: quote(2 / 730),
  dataDisk: quote(4 / 730),
  traffic: quote(0.08),
};
const factors: CostFactors = {
  region: "region",
  instanceType: "ecs.a",
  diskCategory: "cloud_essd",
  charge: "payAsYouGo",
  subscriptionMonths: 1,
  systemDiskGiB: 40,
  dataDiskGiB: 20,
  snapshotRetentionDays: 28,
  trafficGbPerMonth: 50,
  backupBucket: false,
  workers: { count: 0 },
};
const estimated = (change: Partial<CostFactors> = {}, answers: Partial<Quotes> = {}) =>
  estimateMonthly({ ...factors, ...change }, { ...quotes, ...answers }, { USD: list });

it("of data disk and snapshots alone is what a destroy that keeps them leaves", () => {
  expect(withoutMachine(estimated())).toBe(4.4);
  expect(withoutMachine(estimated({ snapshotRetentionDays: 1 }))).toBe(4);
  expect(withoutMachine(estimated({}, { dataDisk: undefined }))).toBeUndefined();
});

describe("the price of a month", () => {
  it("adds up what is billed while the host runs and while it is stopped", () => {
    expect(estimated()).toEqual({
      currency: "USD",
      // 14.60 + 2 + 4 + 0.40 + 4; stopped 2 + 4 + 0.40 + 4.38.
      running: 25,
      stopped: 10.78,
      parts: [
        { name: "instance ecs.a", running: 14.6, stopped: 0 },
        { name: "system disk cloud_essd 40 GiB", running: 2, stopped: 2 },
        { name: "data disk cloud_essd 20 GiB", running: 4, stopped: 4 },
        { name: "snapshots of 20 GiB", running: 0.4, stopped: 0.4 },
        { name: "traffic of 50 GB", running: 4, stopped: 0 },
        { name: "idle public address", running: 0, stopped: 4.38 },
      ],
      unpriced: [],
      notCounted: [],
      listed: { names: ["snapshots of 20 GiB", "idle public address"], seen: priceSources.eip.seen },
    });
  });

  it("is the sum of its parts, and what has no price is named and never 0", () => {
    const maybe = fc.option(
      fc.double({ min: 0.001, max: 50, noNaN: true }).map((amount) => quote(amount)),
      { nil: undefined },
    );
    const answers = fc.record({ machine: maybe, worker: maybe, systemDisk: maybe, dataDisk: maybe, traffic: maybe });
    fc.assert(
      fc.property(answers, fc.integer({ min: 0, max: 3 }), (given, count) => {
        const { parts, running, stopped, unpriced } = estimateMonthly({ ...factors, workers: { count } }, given, {
          USD: list,
        });
        const sum = (state: "running" | "stopped") => parts.reduce((all, part) => all + (part[state] ?? 0), 0);
        expect(running).toBeCloseTo(sum("running"), 2);
        expect(stopped).toBeCloseTo(sum("stopped"), 2);
        expect(parts.filter((part) => part.running === undefined).map(({ name }) => name)).toEqual(unpriced);
        const asked = [
          given.machine,
          given.systemDisk,
          given.dataDisk,
          given.traffic,
          ...(count > 0 ? [given.worker] : []),
        ];
        expect(unpriced.length > 0).toBe(asked.includes(undefined));
        // So that no budget, however high, allows it.
        const limit = { key: "budgetUsd", amount: 1_000_000_000 } as const;
        expect(
          refusal(estimateMonthly({ ...factors, workers: { count } }, given, { USD: list }), limit) === undefined,
        ).toBe(unpriced.length === 0);
      }),
    );
  });

  it("never gets lower with more of anything", () => {
    const some = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(some, some, fc.integer({ min: 0, max: 50 }), (gb, more, count) => {
        const less = estimated({ trafficGbPerMonth: gb, workers: { count } });
        expect(estimated({ trafficGbPerMonth: gb + more, workers: { count } }).running).toBeGreaterThanOrEqual(
          less.running,
        );
        expect(estimated({ trafficGbPerMonth: gb, workers: { count: count + 1 } }).running).toBeGreaterThan(
          less.running,
        );
      }),
    );
  });

  it("counts a spot machine at its limit, else at the price on demand that it never passes", () => {
    expect(estimated({ charge: "spot", spotPriceLimitUsd: 0.01 }).running).toBe(17.7);
    expect(estimated({ charge: "spot" }).running).toBe(25);
    expect(estimated({ spotPriceLimitUsd: 0.01 }).running).toBe(25);
  });

  it("counts a subscription by the month, running or stopped, and its disk as it is answered", () => {
    const year = estimated({ charge: "subscription", subscriptionMonths: 12 }, { machine: quote(120, 12) });
    expect(year.parts.slice(0, 2)).toEqual([
      { name: "subscription of instance ecs.a", running: 9, stopped: 9 },
      { name: "system disk cloud_essd 40 GiB", running: 1, stopped: 1 },
    ]);
    expect(estimated({ charge: "subscription" }, { machine: quote(10) }).unpriced).toEqual([
      "system disk cloud_essd 40 GiB",
    ]);
  });

  it("takes a ceiling for snapshots where the list has no region, and says so", () => {
    const { parts, notCounted, unpriced } = estimated({ region: "moon", backupBucket: true });
    expect(parts[3]).toEqual({
      name: "snapshots of 20 GiB at no more than 0.05 per GiB, assumed",
      running: 1,
      stopped: 1,
    });
    expect({ notCounted, unpriced }).toEqual({
      notCounted: ["idle public address", "backups in OSS in moon"],
      unpriced: [],
    });
  });

  it("is said in one line with its currency, its list and what is missing", () => {
    const seen = priceSources.eip.seen;
    expect(describeEstimate(estimated())).toBe(
      `about 25.00 USD a month running, 10.78 stopped (snapshots of 20 GiB and idle public address by the price list of ${seen})`,
    );
    expect(describeEstimate(estimated({ backupBucket: true }, { traffic: undefined }))).toBe(
      `at least 21.00 USD a month running, 10.78 stopped (snapshots of 20 GiB and idle public address by the price list of ${seen}; not counted: traffic of 50 GB, backups in OSS at 0.01 USD per GiB and month)`,
    );
    expect(monthlyCost(estimated({}, { traffic: undefined }))).toEqual({
      currency: "USD",
      running: 21,
      stopped: 10.78,
      notCounted: ["traffic of 50 GB"],
    });
  });

  it("of an account in CNY takes no figure in USD", () => {
    const cny = quote(1, undefined, "CNY");
    const all = { machine: cny, worker: cny, systemDisk: cny, dataDisk: cny, traffic: cny };
    const { currency, listed, unpriced } = estimateMonthly(factors, all, { USD: list });
    expect({ currency, listed, unpriced }).toEqual({
      currency: "CNY",
      listed: undefined,
      unpriced: ["snapshots of 20 GiB"],
    });
  });
});

describe("a budget", () => {
  it("is in the account's currency; 0 is none", () => {
    expect(limitOf({ budgetUsd: 30 }, "USD")).toEqual({ key: "budgetUsd", amount: 30 });
    expect(limitOf({ budgetUsd: 30, budget: 220 }, "CNY")).toEqual({ key: "budget", amount: 220 });
    expect(limitOf({ budgetUsd: 0 }, "CNY")).toBeUndefined();
    expect(limitOf({ budgetUsd: 30, budget: 0 }, "USD")).toBeUndefined();
    expect(() => limitOf({ budgetUsd: 30 }, "CNY")).toThrow(
      "budgetUsd is in USD, but the account is billed in CNY: set the most that a month may cost in CNY, as with `pulumi config set budget 220` (0: no limit)",
    );
  });

  it("refuses what is above it and what nobody prices, by name", () => {
    const limit = { key: "budgetUsd", amount: 24.99 } as const;
    expect(refusal(estimated(), limit)).toBe("25.00 USD a month, above budgetUsd");
    expect(refusal(estimated(), { ...limit, amount: 25 })).toBeUndefined();
    expect(refusal(estimated({}, { traffic: undefined }), limit)).toBe("nobody prices traffic of 50 GB");
    expect(refusal(estimated({}, { traffic: undefined }), undefined)).toBeUndefined();
    // 0.5 CNY are no 0.5 USD.
    expect(refusal(estimated({}, { traffic: quote(0.5, undefined, "CNY") }), limit)).toBe(
      "nobody prices traffic of 50 GB",
    );
  });

  it("takes the cheapest first, and tells it and the next", () => {
    const choice = (instanceType: string, traffic: number | undefined) => ({
      factors: { ...factors, instanceType },
      quotes,
      estimate: estimated({ instanceType }, { traffic: traffic === undefined ? undefined : quote(traffic) }),
    });
    const [dear, unknown, cheap] = [choice("ecs.dear", 1), choice("ecs.unknown", undefined), choice("ecs.cheap", 0.08)];
    expect(ranked([dear, unknown, cheap])).toEqual([cheap, dear, unknown]);
    expect(describeChoices([dear, unknown, cheap], { key: "budgetUsd", amount: 100 })).toMatch(
      /^about 25\.00 USD .*: ecs\.cheap with cloud_essd, the cheapest of instanceTypes, if it is in stock; the next is ecs\.dear with cloud_essd at 71\.00 USD$/,
    );
    expect(describeChoices([dear, cheap], { key: "budgetUsd", amount: 30 })).toMatch(
      /; no other is within the budget$/,
    );
  });

  it("of a spot machine stands next to the list price, with what it saves", () => {
    const list = estimated();
    const at = (amount: number) => ({ now: estimated({}, { machine: quote(amount, 2 / 730) }), list });
    // A quarter of 14.60 for the machine; all else stays.
    const spot = at(0.005 + 2 / 730);
    expect(describeSpot(spot)).toBe("spot costs 14.05 USD a month now, 25.00 USD by list: it saves 10.95 USD, 44 %");
    expect(describeSpot(at(0.03 + 2 / 730))).toMatch(/25\.00 USD by list: it saves nothing$/);
    expect(describeSpot({ now: estimated({}, { machine: undefined }), list })).toBe(
      "its spot price is not known now; 25.00 USD by list",
    );
    const choice = { factors: { ...factors, charge: "spot" as const }, quotes, estimate: list };
    expect(describeChoices([choice], undefined, spot)).toContain(
      "if it is in stock; spot costs 14.05 USD a month now, 25.00 USD by list: it saves 10.95 USD, 44 %; no other",
    );
  });
});

describe("the questions", () => {
  it("name all that decides a price", () => {
    const asked = questionsOf({ ...factors, image: "m-1", workers: { count: 2, instanceType: "ecs.b" } });
    expect(asked.machine).toEqual({
      ResourceType: "instance",
      InstanceType: "ecs.a",
      IoOptimized: "optimized",
      InstanceNetworkType: "vpc",
      "SystemDisk.Category": "cloud_essd",
      "SystemDisk.Size": "40",
      ImageId: "m-1",
      PriceUnit: "Hour",
      Period: "1",
    });
    expect(asked.worker).toMatchObject({ InstanceType: "ecs.b" });
    expect(asked.dataDisk).toEqual({
      ResourceType: "disk",
      PriceUnit: "Hour",
      "DataDisk.1.Category": "cloud_essd",
      "DataDisk.1.Size": "20",
      "DataDisk.1.PerformanceLevel": "PL1",
    });
    expect(spotQuestion(factors, "zone-a")).toMatchObject({
      SpotStrategy: "SpotAsPriceGo",
      ZoneId: "zone-a",
      PriceUnit: "Hour",
    });
  });

  it.each([
    [1, "Month", "1"],
    [6, "Month", "6"],
    [12, "Year", "1"],
    [36, "Year", "3"],
  ])("ask %s months of a subscription as %s %s", (subscriptionMonths, PriceUnit, Period) => {
    expect(questionsOf({ ...factors, charge: "subscription", subscriptionMonths }).machine).toMatchObject({
      PriceUnit,
      Period,
    });
  });

  it("are answered in the account's currency, less its discount", () => {
    const Price = { Currency: "CNY", OriginalPrice: 4368, DiscountPrice: 655.2, TradePrice: 3712.8 };
    expect(quoteOf({ PriceInfo: { Price } })).toEqual(quote(3712.8, undefined, "CNY"));
    const DetailInfo = [
      { Resource: "instanceType", TradePrice: 3700 },
      { Resource: "systemDisk", TradePrice: 12.8 },
    ];
    expect(quoteOf({ PriceInfo: { Price: { ...Price, DetailInfos: { DetailInfo } } } })?.systemDisk).toBe(12.8);
  });

  it.each([
    {},
    null,
    "",
    { PriceInfo: {} },
    { PriceInfo: { Price: { Currency: "USD" } } },
    { PriceInfo: { Price: { TradePrice: 1 } } },
    { PriceInfo: { Price: { Currency: "", TradePrice: 1 } } },
    { PriceInfo: { Price: { Currency: "USD", TradePrice: "1" } } },
    { PriceInfo: { Price: { Currency: "USD", TradePrice: null } } },
    { PriceInfo: { Price: { Currency: "USD", TradePrice: -1 } } },
  ])("answered by %j have no price, as what is not sold", (answer) => {
    expect(quoteOf(answer)).toBeUndefined();
  });
});

test("the price list holds positive figures, each with a source that has a link and a date", () => {
  const groups = Object.values(priceLists).flatMap((one) =>
    one ? [one.snapshotPerGiBMonth, one.ossPerGiBMonth, one.idleEipPerHour] : [],
  );
  const figures = groups.flatMap((group) => Object.values(group));
  expect(figures.length).toBeGreaterThan(0);
  for (const figure of figures) expect(figure?.amount).toBeGreaterThan(0);
  expect(new Set(figures.map((figure) => figure?.source))).toEqual(new Set(Object.keys(priceSources)));
  for (const { url, seen } of Object.values(priceSources)) {
    expect(url).toMatch(/^https:\/\/[^ ]+$/);
    expect(seen).toMatch(/^20\d\d-[01]\d(-[0-3]\d)?$/);
  }
  for (const one of Object.values(priceLists))
    for (const figure of Object.values(one?.snapshotPerGiBMonth ?? {}))
      expect(figure?.amount).toBeLessThan(one?.snapshotCeiling ?? 0);
});
