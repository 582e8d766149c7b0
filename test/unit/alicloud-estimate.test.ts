import fc from "fast-check";
import type { CostInput } from "../../components/alicloud/prices/estimate";
import { describeEstimate, estimateMonthly } from "../../components/alicloud/prices/estimate";
import type { PriceTable } from "../../components/alicloud/prices/prices";
import { priceSources, priceTable, snapshotUsdPerGiBMonth } from "../../components/alicloud/prices/prices";

const at = (usd: number) => ({ region: { usd, source: "eip" as const } });

/** Round figures, so that the sums below can be done in one's head. */
const table: PriceTable = {
  instancePerHour: { "ecs.a": at(0.02) },
  diskPerGiBMonth: { cloud_essd_entry: at(0.05), "cloud_essd PL0": at(0.1), "cloud_essd PL1": at(0.2) },
  snapshotPerGiBMonth: at(0.02),
  ossPerGiBMonth: at(0.01),
  trafficPerGb: at(0.08),
  idleEipPerHour: at(0.006),
};

const input: CostInput = {
  region: "region",
  instanceType: "ecs.a",
  charge: "payAsYouGo",
  systemDisk: { category: "cloud_essd_entry", gib: 40 },
  dataDisk: { category: "cloud_essd", performanceLevel: "PL0", gib: 20 },
  snapshots: { retained: 4, gib: 20 },
  traffic: { gbPerMonth: 50 },
  backupBucket: false,
  workers: { count: 0 },
};

const estimated = (change: Partial<CostInput> = {}) => estimateMonthly({ ...input, ...change }, table);

describe("estimateMonthly", () => {
  it("adds up what is billed while the host runs and while it is stopped", () => {
    // Running: 730 x 0.02 + 40 x 0.05 + 20 x 0.1 + 20 x 0.02 + 50 x 0.08 = 14.60 + 2 + 2 + 0.40 + 4.
    // Stopped: 2 + 2 + 0.40 + 730 x 0.006.
    expect(estimated()).toEqual({
      runningUsd: 23,
      stoppedUsd: 8.78,
      parts: [
        { name: "instance ecs.a", runningUsd: 14.6, stoppedUsd: 0 },
        { name: "system disk cloud_essd_entry 40 GiB", runningUsd: 2, stoppedUsd: 2 },
        { name: "data disk cloud_essd PL0 20 GiB", runningUsd: 2, stoppedUsd: 2 },
        { name: "snapshots of 20 GiB, one full copy", runningUsd: 0.4, stoppedUsd: 0.4 },
        { name: "traffic of 50 GB", runningUsd: 4, stoppedUsd: 0 },
        { name: "EIP while no instance runs", runningUsd: 0, stoppedUsd: 4.38 },
      ],
      unknown: [],
      pricesOf: priceSources.eip.seen,
    });
  });

  it("names backups in OSS with the price of what they will hold, where that is known", () => {
    expect(estimated({ backupBucket: true })).toEqual({
      ...estimated(),
      unknown: ["backups in OSS at 0.01 USD per GiB and month"],
    });
    expect(estimateMonthly({ ...input, region: "elsewhere", backupBucket: true }, table).unknown).toContain(
      "backups in OSS in region elsewhere",
    );
  });

  it("counts workers with their system disks, stopped ones by their disks alone", () => {
    expect(estimated({ workers: { count: 3, instanceType: "ecs.a" } })).toMatchObject({
      runningUsd: 72.8,
      stoppedUsd: 14.78,
    });
    expect(estimated({ workers: { count: 3 } })).toEqual(estimated({ workers: { count: 3, instanceType: "ecs.a" } }));
    expect(estimated({ workers: { count: 1, instanceType: "ecs.b" } }).unknown).toEqual([
      "1 workers: instance ecs.b in region region",
    ]);
  });

  it("takes PL1 for a cloud_essd without level, as ECS does", () => {
    expect(estimated({ dataDisk: { category: "cloud_essd", gib: 20 } }).runningUsd).toBe(25);
  });

  it("leaves out what there is none of", () => {
    const { parts, runningUsd } = estimated({ snapshots: { retained: 0, gib: 20 }, traffic: { gbPerMonth: 0 } });
    expect(runningUsd).toBe(18.6);
    expect(parts.map(({ name }) => name)).toEqual([
      "instance ecs.a",
      "system disk cloud_essd_entry 40 GiB",
      "data disk cloud_essd PL0 20 GiB",
      "EIP while no instance runs",
    ]);
  });

  it("counts a spot instance at its price limit, else at the pay-as-you-go price", () => {
    // 730 x 0.01 instead of 730 x 0.02.
    expect(estimated({ charge: "spot", spotHourlyLimitUsd: 0.01 }).runningUsd).toBe(15.7);
    expect(estimated({ charge: "spot" }).runningUsd).toBe(23);
    expect(estimated({ charge: "spot", spotHourlyLimitUsd: 0.01, instanceType: "ecs.b" }).unknown).toEqual([]);
  });

  it("ignores a spot limit that the charge type does not use", () => {
    expect(estimated({ spotHourlyLimitUsd: 0.01 }).runningUsd).toBe(23);
  });

  it("knows no price of a subscription, which is paid in both states", () => {
    const { parts, unknown, runningUsd, stoppedUsd } = estimated({ charge: "subscription" });
    expect(unknown).toEqual([
      "subscription of instance ecs.a in region region",
      "subscription of system disk cloud_essd_entry in region region",
    ]);
    expect(parts[0]).toEqual({ name: "subscription of instance ecs.a" });
    expect({ runningUsd, stoppedUsd }).toEqual({ runningUsd: 6.4, stoppedUsd: 6.78 });
  });

  it.each<[string, Partial<CostInput>, number, number]>([
    ["instance ecs.b in region region", { instanceType: "ecs.b" }, 8.4, 8.78],
    ["system disk cloud_x in region region", { systemDisk: { category: "cloud_x", gib: 40 } }, 21, 6.78],
    ["data disk cloud_x in region region", { dataDisk: { category: "cloud_x", gib: 20 } }, 21, 6.78],
    [
      "data disk cloud_essd PL3 in region region",
      { dataDisk: { category: "cloud_essd", performanceLevel: "PL3", gib: 20 } },
      21,
      6.78,
    ],
  ])("names the unknown part %s and sums the others", (name, change, runningUsd, stoppedUsd) => {
    expect(estimated(change)).toMatchObject({ unknown: [name], runningUsd, stoppedUsd });
  });

  it("names every part in a region the table does not have, and sums nothing", () => {
    expect(estimated({ region: "moon" })).toMatchObject({
      runningUsd: 0,
      stoppedUsd: 0,
      unknown: [
        "instance ecs.a in region moon",
        "system disk cloud_essd_entry in region moon",
        "data disk cloud_essd PL0 in region moon",
        "snapshots in region moon",
        "traffic in region moon",
        "idle EIP in region moon",
      ],
      pricesOf: "",
    });
  });

  it("never gets cheaper with more of anything", () => {
    const some = fc.integer({ min: 0, max: 100_000 });
    const sized = (system: number, data: number, gb: number) =>
      estimated({
        systemDisk: { ...input.systemDisk, gib: system },
        dataDisk: { ...input.dataDisk, gib: data },
        snapshots: { retained: 4, gib: data },
        traffic: { gbPerMonth: gb },
      });
    fc.assert(
      fc.property(some, some, some, some, some, some, (a, b, c, moreA, moreB, moreC) => {
        const [less, more] = [sized(a, b, c), sized(a + moreA, b + moreB, c + moreC)];
        expect(more.runningUsd).toBeGreaterThanOrEqual(less.runningUsd);
        expect(more.stoppedUsd).toBeGreaterThanOrEqual(less.stoppedUsd);
      }),
    );
  });
});

describe("describeEstimate", () => {
  it("says the sums, their date and what is not in them on one line", () => {
    expect(describeEstimate(estimated())).toBe(
      `about 23.00 USD a month running, 8.78 stopped (prices of ${priceSources.eip.seen})`,
    );
    expect(describeEstimate(estimated({ instanceType: "ecs.b" }))).toBe(
      `at least 8.40 USD a month running, 8.78 stopped (prices of ${priceSources.eip.seen}; not counted: instance ecs.b in region region)`,
    );
    expect(describeEstimate(estimateMonthly({ ...input, region: "moon" }, table))).toMatch(
      /^at least 0\.00 USD a month running, 0\.00 stopped \(not counted: instance ecs\.a in region moon, /,
    );
  });
});

describe("the price table", () => {
  const groups = {
    ...priceTable.instancePerHour,
    ...priceTable.diskPerGiBMonth,
    snapshots: priceTable.snapshotPerGiBMonth,
    traffic: priceTable.trafficPerGb,
    eip: priceTable.idleEipPerHour,
  };
  const figures = Object.entries(groups).flatMap(([group, regions]) =>
    Object.entries(regions).map(([region, price]) => ({ name: `${group} ${region}`, price })),
  );

  it("holds positive figures with a source that has a link and a date", () => {
    expect(figures.length).toBeGreaterThan(0);
    for (const { name, price } of figures) {
      expect([name, (price?.usd ?? 0) > 0]).toEqual([name, true]);
      expect([name, Object.keys(priceSources)]).toEqual([name, expect.arrayContaining([price?.source])]);
    }
    for (const { url, seen } of Object.values(priceSources)) {
      expect(url).toMatch(/^https:\/\/[^ ]+$/);
      expect(seen).toMatch(/^20\d\d-[01]\d(-[0-3]\d)?$/);
    }
  });

  it("uses every source", () => {
    expect(new Set(figures.map(({ price }) => price?.source))).toEqual(new Set(Object.keys(priceSources)));
  });

  it("prices the default host in the default region without an unknown part", () => {
    // 25.99 + 3.10 + 1.55 + 20 x 0.01715 + 50 x 0.081 = 25.99 + 3.10 + 1.55 + 0.34 + 4.05; stopped 4.99 + 730 x 0.006.
    const host = { ...input, region: "ap-southeast-1", instanceType: "ecs.e-c1m2.large" };
    const estimate = estimateMonthly({ ...host, dataDisk: { category: "cloud_essd_entry", gib: 20 } });
    expect(estimate).toMatchObject({ runningUsd: 35.03, stoppedUsd: 9.37, unknown: [], pricesOf: "2025-09" });
  });

  it("never makes a stopped host dearer than a running one", () => {
    for (const [instanceType, regions] of Object.entries(priceTable.instancePerHour)) {
      for (const region of Object.keys(regions ?? {})) {
        const { runningUsd, stoppedUsd } = estimateMonthly({ ...input, instanceType, region });
        expect({ instanceType, region, dearer: stoppedUsd > runningUsd }).toEqual({
          instanceType,
          region,
          dearer: false,
        });
      }
    }
  });

  it("knows regions and instance types by their ids", () => {
    const regions = Object.values(groups).flatMap((byRegion) => Object.keys(byRegion));
    expect(regions.filter((id) => !/^(ap|cn|eu|us)-[a-z]+(-\d)?$/.test(id))).toEqual([]);
    expect(Object.keys(priceTable.instancePerHour).filter((id) => !/^ecs\.[a-z0-9-]+\.x?large$/.test(id))).toEqual([]);
  });

  it("gives the price of a snapshot, or none", () => {
    for (const [region, price] of Object.entries(priceTable.snapshotPerGiBMonth)) {
      expect(snapshotUsdPerGiBMonth(region)).toBe(price?.usd);
    }
    expect(snapshotUsdPerGiBMonth("moon")).toBeUndefined();
  });
});
