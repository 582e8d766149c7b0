import * as fc from "fast-check";
import {
  type Offer,
  type PlacementRequest,
  choosePlacement,
  diskCategoryOf,
  misplaced,
  newestUbuntu,
} from "../../components/alicloud/hooks/placement";
import { type Emulator, startEmulator } from "@cloudcode/alicloud-emulator";
import { Account } from "@cloudcode/alicloud-emulator/testing/account";
import { runScript } from "../support/alicloud-scripts";

const zones = ["zone-a", "zone-b", "zone-c"];
const types = ["small", "medium", "large"];
const categories = ["cloud_essd", "cloud_auto", "cloud_essd_entry"];

const request = (more: Partial<PlacementRequest> = {}): PlacementRequest => ({
  ...{ region: "ap-southeast-1", instanceTypes: types, zones: [], diskCategories: categories },
  ...{ spot: false, subscription: false, overBudget: [] },
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
type Place = ReturnType<typeof choosePlacement>;
const anyPrevious = fc.record({
  zoneId: fc.constantFrom(...zones),
  instanceType: fc.constantFrom(...types),
  diskCategory: fc.constantFrom(...categories),
});

const chosen = (...input: Parameters<typeof choosePlacement>): Place | undefined => {
  try {
    return choosePlacement(...input);
  } catch {
    return undefined;
  }
};
const fits = (offer: Offer, place: Omit<Place, "diskCategory">): boolean =>
  offer.inStock && offer.zoneId === place.zoneId && offer.instanceType === place.instanceType;

describe("a new host", () => {
  it("gets what is asked for and on offer, and nothing only if nothing is", () => {
    fc.assert(
      fc.property(anyRequest, anyOffers, (asked, offers) => {
        const place = chosen(asked, offers);
        const possible = offers.filter(
          (offer) =>
            offer.inStock &&
            asked.instanceTypes.includes(offer.instanceType) &&
            (asked.zones.length === 0 || asked.zones.includes(offer.zoneId)) &&
            offer.diskCategories.some((category) => asked.diskCategories.includes(category)),
        );
        if (!place) return possible.length === 0;
        return (
          asked.diskCategories.includes(place.diskCategory) &&
          possible.some((offer) => fits(offer, place) && offer.diskCategories.includes(place.diskCategory))
        );
      }),
    );
  });

  it("is of the earliest type, and for that of the earliest disk category, that can be had", () => {
    fc.assert(
      fc.property(anyRequest, anyOffers, (asked, offers) => {
        const place = chosen(asked, offers);
        if (!place) return;
        const earlier = asked.instanceTypes.slice(0, asked.instanceTypes.indexOf(place.instanceType));
        for (const type of earlier) expect(chosen({ ...asked, instanceTypes: [type] }, offers)).toBeUndefined();
        const better = asked.diskCategories.slice(0, asked.diskCategories.indexOf(place.diskCategory));
        const only = { ...asked, instanceTypes: [place.instanceType] };
        for (const category of better) expect(chosen({ ...only, diskCategories: [category] }, offers)).toBeUndefined();
      }),
    );
  });

  it("is never one above the budget, if it is not so already", () => {
    const pairs = types.flatMap((instanceType) => categories.map((diskCategory) => ({ instanceType, diskCategory })));
    fc.assert(
      fc.property(anyRequest, anyOffers, fc.subarray(pairs), (asked, offers, overBudget) => {
        const place = chosen({ ...asked, overBudget }, offers);
        if (!place) return;
        expect(overBudget).not.toContainEqual({
          instanceType: place.instanceType,
          diskCategory: place.diskCategory,
        });
      }),
    );
    const [dear] = pairs;
    const previous = { zoneId: "zone-a", instanceType: "small", diskCategory: "cloud_essd" };
    const asked = request({ zones: ["zone-a"], overBudget: dear ? [dear] : [] });
    expect(chosen(asked, [], previous)).toMatchObject(dear ?? {});
  });
});

describe("a host that exists", () => {
  it("keeps what it is when nothing better is asked for, though it is sold out", () => {
    fc.assert(
      fc.property(anyPrevious, (previous) => {
        const { zoneId, instanceType, diskCategory } = previous;
        const asked = request({ zones: [zoneId], instanceTypes: [instanceType], diskCategories: [diskCategory] });
        expect(chosen(asked, [], previous)).toEqual(previous);
      }),
    );
  });

  it("gets another type only where that takes its disks", () => {
    const previous = { zoneId: "zone-b", instanceType: "small", diskCategory: "cloud_auto" };
    const offer = { zoneId: "zone-b", instanceType: "large", inStock: true };
    const asked = request({ zones: ["zone-b"], instanceTypes: ["large"], diskCategories: ["cloud_auto"] });
    expect(chosen(asked, [{ ...offer, diskCategories: categories }], previous)?.instanceType).toBe("large");
    expect(() => choosePlacement(asked, [{ ...offer, diskCategories: ["cloud_essd"] }], previous)).toThrow(
      "large: cloud_auto not offered in zone-b. Set another type with `pulumi config set --path 'instanceTypes[0]' TYPE` or another disk category with `pulumi config set --path 'diskCategories[0]' CATEGORY`, which replaces the machine with a new one that has the same data.",
    );
    // The same type with other disks must be on offer as any other.
    expect(
      chosen({ ...asked, instanceTypes: ["small"], diskCategories: ["cloud_essd"] }, [], previous),
    ).toBeUndefined();
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
    expect(misplaced(placement, "r")).toBeUndefined();
    expect(misplaced(placement, "r", "zone-b")).toBeUndefined();
    expect(misplaced(placement, "r", "zone-a")).toBe(
      "the vSwitch is in zone zone-a, but this stack's data disk is in zone zone-b and cannot leave it: set a vSwitch in zone-b",
    );
    expect(misplaced(placement, "s")).toBe(
      "this stack is in region r and cannot move to s: set region back, or create another stack there and restore a backup into it",
    );
  });
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
    expect(newestUbuntu(images, "ap-southeast-1")).toBe("ubuntu_24_04_x64_20G_alibase_20261012.vhd");
  });

  it("is missed in one sentence", () => {
    expect(() => newestUbuntu([], "me-east-1")).toThrow(
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
    ...{ region: "ap-southeast-1", instanceTypes: ["ecs.e-c1m2.large", "ecs.u1-c1m2.large"], zones: [] as string[] },
    ...{ diskCategories: ["cloud_essd", "cloud_essd_entry"], overBudget: [], spot: false, subscription: false },
  };
  const placement = {
    ...{ region: "ap-southeast-1", zoneId: "ap-southeast-1a" },
    ...{ instanceType: "ecs.e-c1m2.large", diskCategory: "cloud_essd" },
  };
  const retype = { ...asked, zones: ["ap-southeast-1c"], diskCategories: ["cloud_essd"] };
  const first = { zoneId: "ap-southeast-1c", instanceType: "ecs.e-c1m2.large", diskCategory: "cloud_essd" };

  it("find the newest image of all pages", async () => {
    const { code, stdout, stderr } = await runScript(emulator, "newest-image", { region: "ap-southeast-1" });
    expect({ code, stdout, stderr }).toEqual({
      ...{ code: 0, stdout: "ubuntu_24_04_x64_20G_alibase_20261012.vhd", stderr: "" },
    });
    expect(emulator.journal.calls.map((one) => one.parameters["PageNumber"])).toEqual(["1", "2"]);
  });

  it("place a host: the best of everything", async () => {
    const { code, stdout, stderr } = await runScript(emulator, "place", asked);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual(placement);
    for (const one of emulator.journal.calls.filter((call) => call.action === "DescribeAvailableResource"))
      expect(one.parameters).toMatchObject({ InstanceChargeType: "PostPaid", SpotStrategy: "NoSpot" });
  });

  it("take an adopted machine as it is: sold out, above the budget, and from an image that is gone", async () => {
    const account = new Account(emulator);
    const made = { "SystemDisk.Category": "cloud_essd_entry", "SystemDisk.Size": "40" };
    const adopted = await account.run(await account.network(), made);
    await emulator.idle();
    emulator.fail({ kind: "soldOut" });
    const { code, stdout } = await runScript(emulator, "place", { ...asked, adopted });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ...placement, zoneId: "ap-southeast-1b", diskCategory: "cloud_essd_entry" });
    const instance = emulator.cloud.state.instances.get(adopted);
    if (instance) instance.imageId = "m-gone";
    const image = await runScript(emulator, "newest-image", { region: "ap-southeast-1", adopted });
    expect(image.stdout).toBe("m-gone");
    const gone = await runScript(emulator, "place", { ...asked, adopted: "i-t4ngone" });
    expect({ code: gone.code, stderr: gone.stderr }).toEqual({
      code: 1,
      stderr: "There is no machine i-t4ngone: `pulumi config rm adoptedInstance` creates a new one.",
    });
  });

  it("ask for the market they are to buy in", async () => {
    await runScript(emulator, "place", { ...asked, spot: true });
    await runScript(emulator, "place", { ...asked, subscription: true });
    const stock = emulator.journal.calls.filter((one) => one.action === "DescribeAvailableResource");
    const markets = stock.map(
      (one) => `${String(one.parameters["InstanceChargeType"])} ${String(one.parameters["SpotStrategy"])}`,
    );
    expect([...new Set(markets)]).toEqual(["PostPaid SpotWithPriceLimit", "PrePaid NoSpot"]);
  });

  it("fall back to the next zone, then to the next disk category, then to the next type", async () => {
    emulator.fail({ kind: "soldOut", zone: "ap-southeast-1a", type: "ecs.e-c1m2.large" });
    expect(JSON.parse((await runScript(emulator, "place", asked)).stdout)).toEqual({
      ...placement,
      zoneId: "ap-southeast-1b",
    });
    emulator.fail({ kind: "noDisk", category: "cloud_essd" });
    expect(JSON.parse((await runScript(emulator, "place", asked)).stdout)).toEqual({
      ...{ ...placement, zoneId: "ap-southeast-1b" },
      diskCategory: "cloud_essd_entry",
    });
    emulator.fail({ kind: "soldOut", type: "ecs.e-c1m2.large" });
    expect(JSON.parse((await runScript(emulator, "place", asked)).stdout)).toEqual({
      ...placement,
      ...{ instanceType: "ecs.u1-c1m2.large", diskCategory: "cloud_essd_entry" },
    });
  });

  it("say in one sentence what was tried where and why not", async () => {
    emulator.fail({ kind: "soldOut", type: "ecs.e-c1m2.large" });
    emulator.fail({ kind: "noDisk", zone: "ap-southeast-1b", category: "cloud_essd" });
    const { code, stdout, stderr } = await runScript(emulator, "place", {
      ...asked,
      ...{ instanceTypes: ["ecs.e-c1m2.large", "ecs.c8i.large"], zones: ["ap-southeast-1a", "ap-southeast-1b"] },
      diskCategories: ["cloud_essd"],
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      "No pay-as-you-go instance is available in ap-southeast-1. Tried ecs.e-c1m2.large: sold out in ap-southeast-1a, ap-southeast-1b. " +
        "ecs.c8i.large: not sold in ap-southeast-1a; cloud_essd not offered in ap-southeast-1b. " +
        "Set another type with `pulumi config set --path 'instanceTypes[0]' TYPE`, another disk category with `pulumi config set --path 'diskCategories[0]' CATEGORY` or another region with `pulumi config set region REGION`.",
    );
  });

  it("say what is above the budget", async () => {
    const { stderr } = await runScript(emulator, "place", {
      ...asked,
      ...{
        instanceTypes: ["ecs.e-c1m2.large"],
        zones: ["ap-southeast-1a"],
        diskCategories: ["cloud_none", "cloud_essd"],
      },
      overBudget: [{ instanceType: "ecs.e-c1m2.large", diskCategory: "cloud_essd" }],
    });
    expect(stderr).toContain("cloud_none not offered, cloud_essd above budgetUsd in ap-southeast-1a.");
  });

  it("keep the type that a host was placed as, without a question, until the request changes", async () => {
    const { stdout } = await runScript(emulator, "choose-type", { ...retype, first });
    expect(JSON.parse(stdout)).toEqual(first);
    expect(emulator.journal.calls).toEqual([]);
    const env = { PULUMI_COMMAND_STDOUT: `${stdout}\n` };
    const other = { ...retype, first, instanceTypes: ["ecs.u1-c1m2.large", "ecs.e-c1m2.large"] };
    const changed = await runScript(emulator, "choose-type", other, env);
    expect(JSON.parse(changed.stdout)).toEqual({ ...first, instanceType: "ecs.u1-c1m2.large" });
    emulator.fail({ kind: "soldOut" });
    expect(JSON.parse((await runScript(emulator, "choose-type", other, env)).stdout)).toEqual(first);
  });

  it("say what the state holds when it is no choice", async () => {
    const env = { PULUMI_COMMAND_STDOUT: "ecs.old" };
    const { code, stderr } = await runScript(emulator, "choose-type", { ...retype, first }, env);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "The state has no instance type, but: ecs.old" });
  });

  it("refuse a request that is none", async () => {
    const { code, stderr } = await runScript(emulator, "place", { ...asked, instanceTypes: [] });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The input of this script is not valid: instanceTypes: .*$/);
  });
});
