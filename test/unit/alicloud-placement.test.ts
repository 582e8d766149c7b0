import * as fc from "fast-check";
import {
  type PlacementRequest,
  type PricedPlace,
  cheapestPlacement,
  diskCategoryOf,
  misplaced,
  newestUbuntu,
  retype,
  stands,
} from "../../components/alicloud/hooks/placement";
import { architectureOf } from "../../components/alicloud/hooks/architecture";
import { type Emulator, startEmulator } from "@cloudcode/alicloud-emulator";
import { type Estimate } from "../../components/alicloud/prices/estimate";
import { Account } from "@cloudcode/alicloud-emulator/testing/account";
import { runHook } from "../support/alicloud-scripts";

const zones = ["zone-a", "zone-b", "zone-c"];
const types = ["small", "medium", "large"];
const categories = ["cloud_essd", "cloud_auto", "cloud_essd_entry"];

const request = (more: Partial<PlacementRequest> = {}): PlacementRequest => ({
  region: "ap-southeast-1",
  instanceTypes: types,
  zones: [],
  diskCategories: categories,
  spot: false,
  subscription: false,
  ...more,
});

const anyOffers = fc.uniqueArray(
  fc.record({
    zoneId: fc.constantFrom(...zones),
    instanceType: fc.constantFrom(...types),
    inStock: fc.boolean(),
    diskCategories: fc.subarray(categories),
  }),
  { selector: (offer) => `${offer.zoneId} ${offer.instanceType}` },
);
const anyRequest = fc
  .record({
    instanceTypes: fc.shuffledSubarray(types, { minLength: 1 }),
    diskCategories: fc.shuffledSubarray(categories, { minLength: 1 }),
    zones: fc.shuffledSubarray(zones),
  })
  .map(request);
type Place = ReturnType<typeof retype>;
const anyPrevious = fc.record({
  zoneId: fc.constantFrom(...zones),
  instanceType: fc.constantFrom(...types),
  diskCategory: fc.constantFrom(...categories),
});

const estimate = (running: number, unpriced: readonly string[] = []): Estimate => ({
  currency: "USD",
  running,
  stopped: 0,
  parts: [],
  unpriced,
  notCounted: [],
  listed: undefined,
});
const pairs = types.flatMap((instanceType) => categories.map((diskCategory) => ({ instanceType, diskCategory })));
/** A price for each type and category; some of them are not known in full. */
const anyPrices = fc
  .tuple(...pairs.map(() => fc.tuple(fc.integer({ min: 10, max: 60 }), fc.integer({ min: 0, max: 4 }))))
  .map((all) =>
    all.map(([running, known], index): PricedPlace => ({
      ...(pairs[index] ?? { instanceType: "", diskCategory: "" }),
      estimate: estimate(running, known === 0 ? ["a part"] : []),
    })),
  );
const limit = { key: "budgetUsd", amount: 30 } as const;
const anyLimit = fc.constantFrom(limit, undefined);

const chosen = <T>(choose: () => T): T | undefined => {
  try {
    return choose();
  } catch {
    return undefined;
  }
};

describe("a new host", () => {
  it("gets the cheapest that is asked for, in stock and within the budget, and nothing only if nothing is", () => {
    fc.assert(
      fc.property(anyRequest, anyOffers, anyPrices, anyLimit, (asked, offers, prices, most) => {
        const possible = offers
          .filter((offer) => offer.inStock && asked.instanceTypes.includes(offer.instanceType))
          .filter((offer) => asked.zones.length === 0 || asked.zones.includes(offer.zoneId))
          .flatMap((offer) =>
            prices.filter(
              (one) =>
                one.instanceType === offer.instanceType &&
                asked.diskCategories.includes(one.diskCategory) &&
                offer.diskCategories.includes(one.diskCategory) &&
                (most === undefined || (one.estimate.unpriced.length === 0 && one.estimate.running <= most.amount)),
            ),
          );
        const choice = chosen(() => cheapestPlacement(asked, offers, prices, most));
        if (!choice) {
          expect(possible).toEqual([]);
          return;
        }
        const { place } = choice;
        const paid = possible.find(
          (one) => one.instanceType === place.instanceType && one.diskCategory === place.diskCategory,
        );
        const known = possible.filter((one) => one.estimate.unpriced.length === 0);
        const least = Math.min(...(known.length > 0 ? known : possible).map((one) => one.estimate.running));
        expect(paid?.estimate.running).toBe(least);
        const offer = offers.find((one) => one.zoneId === place.zoneId && one.instanceType === place.instanceType);
        expect(offer).toMatchObject({ inStock: true });
        expect(offer?.diskCategories).toContain(place.diskCategory);
      }),
    );
  });

  const offer = (instanceType: string, zoneId = "zone-a") => ({
    zoneId,
    instanceType,
    inStock: true,
    diskCategories: categories,
  });
  const priced = (instanceType: string, running: number): PricedPlace[] =>
    categories.map((diskCategory, index) => ({ instanceType, diskCategory, estimate: estimate(running + index) }));

  it("says why, and what the next would cost", () => {
    const asked = request({ instanceTypes: ["large", "small"] });
    const prices = [...priced("large", 28), ...priced("small", 20)];
    expect(cheapestPlacement(asked, [offer("small"), offer("large")], prices, limit)).toEqual({
      place: { zoneId: "zone-a", instanceType: "small", diskCategory: "cloud_essd" },
      why: "small with cloud_essd in zone-a is the cheapest in stock: 20.00 USD a month; the next, small with cloud_auto in zone-a, is 21.00 USD a month.",
    });
    const only = { ...asked, diskCategories: ["cloud_essd"] };
    expect(cheapestPlacement(only, [offer("small"), offer("large")], priced("large", 28), limit).why).toBe(
      "large with cloud_essd in zone-a is the cheapest in stock: 28.00 USD a month; nothing else is in stock and within the budget.",
    );
  });

  it("goes to the zone where spot is cheapest, within a budget that holds whatever spot comes to cost", () => {
    const asked = request({ instanceTypes: ["small"], diskCategories: ["cloud_essd"] });
    const spot = (zoneId: string, now: number, bound: number): PricedPlace => ({
      instanceType: "small",
      diskCategory: "cloud_essd",
      zoneId,
      estimate: estimate(bound),
      market: estimate(now),
    });
    const offers = [offer("small", "zone-a"), offer("small", "zone-b")];
    expect(cheapestPlacement(asked, offers, [spot("zone-a", 9, 25), spot("zone-b", 7, 25)], limit).place.zoneId).toBe(
      "zone-b",
    );
    expect(() => cheapestPlacement(asked, offers, [spot("zone-a", 9, 31), spot("zone-b", 7, 31)], limit)).toThrow(
      "small: with cloud_essd 31.00 USD a month, above budgetUsd in zone-a, zone-b.",
    );
  });
});

describe("a host that exists", () => {
  it("keeps what it is when nothing better is asked for, though it is sold out", () => {
    fc.assert(
      fc.property(anyPrevious, (previous) => {
        const { zoneId, instanceType, diskCategory } = previous;
        const asked = request({ zones: [zoneId], instanceTypes: [instanceType], diskCategories: [diskCategory] });
        expect(retype(asked, [], previous)).toEqual(previous);
        expect(stands(previous, asked)).toBe(true);
        expect(stands({ ...previous, asked: ["other", instanceType] }, asked)).toBe(false);
        expect(stands(previous, { ...asked, instanceTypes: ["other"] })).toBe(false);
      }),
    );
  });

  it("gets another type only where that takes its disks", () => {
    const previous = { zoneId: "zone-b", instanceType: "small", diskCategory: "cloud_auto" };
    const offer = { zoneId: "zone-b", instanceType: "large", inStock: true };
    const asked = request({ zones: ["zone-b"], instanceTypes: ["large"], diskCategories: ["cloud_auto"] });
    expect(retype(asked, [{ ...offer, diskCategories: categories }], previous).instanceType).toBe("large");
    expect(() => retype(asked, [{ ...offer, diskCategories: ["cloud_essd"] }], previous)).toThrow(
      "large: cloud_auto not offered in zone-b. Set another type with `pulumi config set --path 'instanceTypes[0]' TYPE` or another disk category with `pulumi config set --path 'diskCategories[0]' CATEGORY`, which replaces the machine with a new one that has the same data.",
    );
    // The same type with other disks must be on offer as any other.
    const disks = { ...asked, instanceTypes: ["small"], diskCategories: ["cloud_essd"] };
    expect(chosen<Place>(() => retype(disks, [], previous))).toBeUndefined();
  });

  it("keeps its disk category while that is asked for, else takes the best that is", () => {
    const anyList = fc.shuffledSubarray(categories, { minLength: 1 });
    fc.assert(
      fc.property(fc.constantFrom(...categories), anyList, (first, asked) => {
        expect(diskCategoryOf(first, asked)).toBe(asked.includes(first) ? first : asked[0]);
      }),
    );
  });

  it("cannot follow a vSwitch into another zone, nor the settings into another region", () => {
    const placement = { region: "r", zoneId: "zone-b", instanceType: "small", diskCategory: "cloud_auto" };
    expect(misplaced(placement, "r", ["small"])).toBeUndefined();
    expect(misplaced(placement, "r", ["small"], "zone-b")).toBeUndefined();
    expect(misplaced(placement, "r", ["small"], "zone-a")).toBe(
      "the vSwitch is in zone zone-a, but this stack's data disk is in zone zone-b and cannot leave it: set a vSwitch in zone-b",
    );
    const arm = { ...placement, instanceType: "ecs.g8y.large" };
    expect(misplaced(arm, "r", ["ecs.c8y.large"])).toBeUndefined();
    expect(misplaced(arm, "r", ["ecs.g7.large"])).toBe(
      "this stack's machine is ARM, and so are the images on its data disk; instanceTypes has only x86-64 ones: list ARM types, or create another stack and restore a backup into it",
    );
    expect(misplaced(placement, "r", ["ecs.g8y.large"])).toMatch(/^this stack's machine is x86-64, .* only ARM ones/);
    expect(misplaced(placement, "s", ["small"])).toBe(
      "this stack is in region r and cannot move to s: set region back, or create another stack there and restore a backup into it",
    );
  });
});

it.each([
  ["ecs.g8y.large", "arm64"],
  ["ecs.c8y.2xlarge", "arm64"],
  ["ecs.r8y.xlarge", "arm64"],
  ["ecs.ebmg8y.32xlarge", "arm64"],
  ["ecs.g6r.large", "arm64"],
  ["ecs.c6r.large", "arm64"],
  ["ecs.e-c1m2.large", "x86_64"],
  ["ecs.t6-c1m2.large", "x86_64"],
  ["ecs.c7.large", "x86_64"],
  ["ecs.g8ae.large", "x86_64"],
  ["ecs.r6.large", "x86_64"],
  ["ecs.i4r.large", "x86_64"],
  ["ecs.u1-c1m2.large", "x86_64"],
])("the processor of %s is %s", (type, architecture) => {
  expect(architectureOf(type)).toBe(architecture);
});

describe("an image", () => {
  const image = (name: string, createdAt: string) => ({ id: name, name, createdAt });

  it("is the newest plain build by its date, wherever it stands in the list", () => {
    const images = [
      image("ubuntu_24_04_x64_20G_alibase_20260119.vhd", "2026-01-20T02:00:00Z"),
      image("ubuntu_24_04_x64_20G_alibase_20261012.vhd", "2026-10-13T02:00:00Z"),
      image("ubuntu_24_04_x64_20G_alibase_20260613.vhd", "2026-06-14T02:00:00Z"),
      image("ubuntu_24_04_uefi_x64_20G_alibase_20261101.vhd", "2026-11-02T02:00:00Z"),
      image("ubuntu_22_04_x64_20G_alibase_20261101.vhd", "2026-11-02T02:00:00Z"),
    ];
    expect(newestUbuntu(images, "ap-southeast-1", "x86_64")).toBe("ubuntu_24_04_x64_20G_alibase_20261012.vhd");
  });

  it("is missed in one sentence", () => {
    expect(() => newestUbuntu([], "me-east-1", "x86_64")).toThrow(
      "me-east-1 offers no public image of Ubuntu 24.04 for x86_64: set one with `pulumi config set hostImage ID`.",
    );
  });
});

describe("the scripts", () => {
  let emulator: Emulator;
  beforeEach(async () => {
    emulator = await startEmulator();
  });
  afterEach(async () => {
    await emulator.close();
    expect(emulator.journal.violations).toEqual([]);
  });

  const asked = {
    region: "ap-southeast-1",
    instanceTypes: ["ecs.e-c1m2.large", "ecs.u1-c1m2.large"],
    zones: [] as string[],
    diskCategories: ["cloud_essd", "cloud_essd_entry"],
    spot: false,
    subscription: false,
    budget: { budgetUsd: 100 },
    cost: {
      region: "ap-southeast-1",
      charge: "payAsYouGo",
      subscriptionMonths: 1,
      systemDiskGiB: 20,
      dataDiskGiB: 20,
      snapshotRetentionDays: 28,
      trafficGbPerMonth: 5,
      backupBucket: false,
      workers: { count: 0 },
    },
  };
  const placement = {
    region: "ap-southeast-1",
    zoneId: "ap-southeast-1a",
    instanceType: "ecs.e-c1m2.large",
    diskCategory: "cloud_essd_entry",
  };
  const other = { ...asked, zones: ["ap-southeast-1c"], diskCategories: ["cloud_essd"] };
  const first = { zoneId: "ap-southeast-1c", instanceType: "ecs.e-c1m2.large", diskCategory: "cloud_essd" };

  it("find the newest image of all pages", async () => {
    const { code, stdout, stderr } = await runHook(emulator, "newest-image", { region: "ap-southeast-1" });
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "ubuntu_24_04_x64_20G_alibase_20261012.vhd",
      stderr: "",
    });
    expect(emulator.journal.calls.map((one) => one.parameters["PageNumber"])).toEqual(["1", "2"]);
    const arm = await runHook(emulator, "newest-image", { region: "ap-southeast-1", architecture: "arm64" });
    expect(arm.stdout).toBe("ubuntu_24_04_arm64_20G_alibase_20261012.vhd");
  });

  it("place a host: the cheapest of everything, asked once in half an hour, and say why", async () => {
    const { code, stdout, stderr } = await runHook(emulator, "place", asked);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr:
        "ecs.e-c1m2.large with cloud_essd_entry in ap-southeast-1a is the cheapest in stock: 29.84 USD a month; the next, ecs.u1-c1m2.large with cloud_essd_entry in ap-southeast-1a, is 29.91 USD a month.",
    });
    expect(JSON.parse(stdout)).toEqual(placement);
    const questions = () => emulator.journal.calls.filter((call) => call.action === "DescribePrice").length;
    // Two types with two categories, each of these for two disks of one size, and traffic.
    expect(questions()).toBe(4 + 2 + 1);
    await runHook(emulator, "place", asked);
    expect(questions()).toBe(7);

    for (const one of emulator.journal.calls.filter((call) => call.action === "DescribeAvailableResource"))
      expect(one.parameters).toMatchObject({ InstanceChargeType: "PostPaid", SpotStrategy: "NoSpot" });
  });

  it("take an adopted machine as it is: sold out, above the budget, and from an image that is gone", async () => {
    const account = new Account(emulator);
    const made = { "SystemDisk.Category": "cloud_essd_entry", "SystemDisk.Size": "40" };
    const adopted = await account.run(await account.network(), made);
    await emulator.idle();
    emulator.fail({ kind: "soldOut" });
    const { code, stdout } = await runHook(emulator, "place", { ...asked, adopted });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ...placement, zoneId: "ap-southeast-1b" });
    const instance = emulator.cloud.state.instances.get(adopted);
    if (instance) instance.imageId = "m-gone";
    const image = await runHook(emulator, "newest-image", { region: "ap-southeast-1", adopted });
    expect(image.stdout).toBe("m-gone");
    const gone = await runHook(emulator, "place", { ...asked, adopted: "i-t4ngone" });
    expect({ code: gone.code, stderr: gone.stderr }).toEqual({
      code: 1,
      stderr: "There is no machine i-t4ngone: `pulumi config rm adoptedInstance` creates a new one.",
    });
  });

  it("ask for the market they are to buy in", async () => {
    const cost = (charge: string) => ({ ...asked.cost, charge });
    const spot = await runHook(emulator, "place", { ...asked, spot: true, cost: cost("spot") });
    // A fifth of the list price in the first zone, more in the others.
    expect(spot.stderr).toMatch(/in ap-southeast-1a is the cheapest in stock: 9\.\d\d USD a month; the next, ecs\.u1/);
    await runHook(emulator, "place", { ...asked, subscription: true, cost: cost("subscription") });
    const stock = emulator.journal.calls.filter((one) => one.action === "DescribeAvailableResource");
    const markets = stock.map(
      (one) => `${String(one.parameters["InstanceChargeType"])} ${String(one.parameters["SpotStrategy"])}`,
    );
    expect([...new Set(markets)]).toEqual(["PostPaid SpotWithPriceLimit", "PrePaid NoSpot"]);
  });

  it("fall back to the next zone, then to what is the cheapest of the rest", async () => {
    emulator.fail({ kind: "soldOut", zone: "ap-southeast-1a", type: "ecs.e-c1m2.large" });
    expect(JSON.parse((await runHook(emulator, "place", asked)).stdout)).toEqual({
      ...placement,
      zoneId: "ap-southeast-1b",
    });
    emulator.fail({ kind: "soldOut", type: "ecs.e-c1m2.large" });
    expect(JSON.parse((await runHook(emulator, "place", asked)).stdout)).toEqual({
      ...placement,
      instanceType: "ecs.u1-c1m2.large",
    });
    emulator.fail({ kind: "noDisk", category: "cloud_essd_entry" });
    expect(JSON.parse((await runHook(emulator, "place", asked)).stdout)).toEqual({
      ...placement,
      instanceType: "ecs.u1-c1m2.large",
      diskCategory: "cloud_essd",
    });
  });

  it("say in one sentence what was tried where and why not", async () => {
    emulator.fail({ kind: "soldOut", type: "ecs.e-c1m2.large" });
    emulator.fail({ kind: "noDisk", zone: "ap-southeast-1b", category: "cloud_essd" });
    const { code, stdout, stderr } = await runHook(emulator, "place", {
      ...asked,
      instanceTypes: ["ecs.e-c1m2.large", "ecs.c8i.large"],
      zones: ["ap-southeast-1a", "ap-southeast-1b"],
      diskCategories: ["cloud_essd"],
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      "No pay-as-you-go instance is available in ap-southeast-1. Tried ecs.e-c1m2.large: sold out in ap-southeast-1a, ap-southeast-1b. " +
        "ecs.c8i.large: not sold in ap-southeast-1a; cloud_essd not offered in ap-southeast-1b. " +
        "Set another type with `pulumi config set --path 'instanceTypes[0]' TYPE`, another disk category with `pulumi config set --path 'diskCategories[0]' CATEGORY` or another region with `pulumi config set region REGION`.",
    );
  });

  it("say what is above the budget, and what nobody prices", async () => {
    emulator.fail({ kind: "noPrice", of: "ecs.u1-c1m2.large" });
    const { code, stderr } = await runHook(emulator, "place", {
      ...asked,
      zones: ["ap-southeast-1a"],
      diskCategories: ["cloud_none", "cloud_essd"],
      budget: { budgetUsd: 30 },
    });
    expect(code).toBe(1);
    expect(stderr).toContain(
      "ecs.e-c1m2.large: cloud_none not offered, with cloud_essd 34.14 USD a month, above budgetUsd in ap-southeast-1a.",
    );
    expect(stderr).toContain("with cloud_essd nobody prices instance ecs.u1-c1m2.large in ap-southeast-1a.");
  });

  it("say which right a key lacks", async () => {
    emulator.rules.policy = {
      Version: "1",
      Statement: [{ Effect: "Allow", Action: ["ecs:DescribeAvailableResource"], Resource: ["*"] }],
    };
    const { code, stderr } = await runHook(emulator, "place", asked);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        "The access key may not do ecs:DescribePrice: add that action to the RAM policy of its user (the whole policy is docs/ram-policy.json), then run the command again.",
    });
  });

  it("reckon in the account's currency with its discount", async () => {
    emulator.rules.terms = { currency: "CNY", discount: 0.1 };
    const { stderr } = await runHook(emulator, "place", { ...asked, budget: { budgetUsd: 30, budget: 220 } });
    expect(stderr).toMatch(/is the cheapest in stock: 19\d\.\d\d CNY a month; /);
    const onlyUsd = await runHook(emulator, "place", asked);
    expect(onlyUsd.stderr).toContain("budgetUsd is in USD, but the account is billed in CNY: ");
  });

  it("keep the type that a host was placed as, without a question, until the request changes", async () => {
    const { stdout } = await runHook(emulator, "choose-type", { ...other, first });
    expect(JSON.parse(stdout)).toEqual({ ...first, asked: other.instanceTypes });
    expect(emulator.journal.calls).toEqual([]);
  });

  it("turn to another type when the list does, not when the market or another setting does", async () => {
    const env = { PULUMI_COMMAND_STDOUT: JSON.stringify({ ...first, asked: other.instanceTypes }) };
    const turned = { ...other, first, instanceTypes: ["ecs.u1-c1m2.large", "ecs.e-c1m2.large"] };
    // Another market, disk or the like leaves the machine what it is; so does a choice made before lists were kept.
    const kept = await runHook(emulator, "choose-type", { ...other, first, spot: true }, env);
    const old = await runHook(emulator, "choose-type", turned, { PULUMI_COMMAND_STDOUT: JSON.stringify(first) });
    expect([JSON.parse(kept.stdout), JSON.parse(old.stdout)]).toMatchObject([first, first]);
    expect(emulator.journal.calls).toEqual([]);
    const changed = await runHook(emulator, "choose-type", turned, env);
    expect(JSON.parse(changed.stdout)).toMatchObject({ ...first, instanceType: "ecs.u1-c1m2.large" });
    emulator.fail({ kind: "soldOut" });
    expect(JSON.parse((await runHook(emulator, "choose-type", turned, env)).stdout)).toMatchObject(first);
  }, 120_000);

  it("say what the state holds when it is no choice", async () => {
    const env = { PULUMI_COMMAND_STDOUT: "ecs.old" };
    const { code, stderr } = await runHook(emulator, "choose-type", { ...other, first }, env);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "The state has no instance type, but: ecs.old" });
  });

  it("refuse a request that is none", async () => {
    const { code, stderr } = await runHook(emulator, "place", { ...asked, instanceTypes: [] });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The input of this script is not valid: instanceTypes: .*$/);
  });
});
