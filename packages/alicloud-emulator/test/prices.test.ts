// DescribePrice: made-up prices that hang together as the real ones do.
import type { Emulator } from "../src/emulator";
import { startEmulator } from "../src/emulator";
import { Account, type Parameters } from "../testing/account";

let emulator: Emulator;
let account: Account;
beforeEach(async () => {
  emulator = await startEmulator();
  account = new Account(emulator);
});
afterEach(async () => {
  await emulator.close();
  expect(emulator.journal.violations).toEqual([]);
});

const machine = {
  InstanceType: "ecs.e-c1m2.large",
  "SystemDisk.Category": "cloud_essd_entry",
  "SystemDisk.Size": "40",
};
const priceOf = async (parameters: Parameters) => {
  const { PriceInfo } = (await account.ask("ecs", "DescribePrice", parameters)) as {
    PriceInfo: {
      Price: { Currency: string; TradePrice: number; OriginalPrice: number; DetailInfos: { DetailInfo: object[] } };
    };
  };
  return PriceInfo.Price;
};

test("an hour of a machine is the sum of instance and disks", async () => {
  const price = await priceOf(machine);
  expect(price).toMatchObject({ Currency: "USD", OriginalPrice: price.TradePrice });
  expect(price.DetailInfos.DetailInfo).toMatchObject([
    { Resource: "instanceType", TradePrice: 0.0356 },
    { Resource: "systemDisk", TradePrice: 0.004247 },
  ]);
  expect(price.TradePrice).toBeCloseTo(0.0356 + 0.004247, 5);
});

test("region, charge, spot and zone, currency and discount each have their price", async () => {
  const [here, there, month, spotA, spotB] = await Promise.all(
    [
      machine,
      { ...machine, RegionId: "cn-hangzhou" },
      { ...machine, PriceUnit: "Month", Period: "1" },
      { ...machine, SpotStrategy: "SpotAsPriceGo", ZoneId: "ap-southeast-1a" },
      { ...machine, SpotStrategy: "SpotAsPriceGo", ZoneId: "ap-southeast-1b" },
    ].map(async (parameters) => (await priceOf(parameters)).TradePrice),
  );
  if (!here || !there || !month || !spotA || !spotB) throw new Error("something is free");
  expect(there).toBeLessThan(here);
  expect(month).toBeLessThan(730 * here);
  expect(spotA).toBeLessThan(spotB);
  expect(spotB).toBeLessThan(here / 2);
  emulator.rules.terms = { currency: "CNY", discount: 0.25 };
  const price = await priceOf(machine);
  expect(price.Currency).toBe("CNY");
  expect(price.TradePrice).toBeCloseTo(0.75 * price.OriginalPrice, 5);
  expect(price.OriginalPrice).toBeCloseTo(7.1 * here, 4);
});

test("disks are paid by the hour, traffic by the GB", async () => {
  const disk = { ResourceType: "disk", "DataDisk.1.Category": "cloud_essd", "DataDisk.1.Size": "73" };
  expect((await priceOf(disk)).TradePrice).toBeCloseTo(0.0185, 6);
  expect((await priceOf({ ResourceType: "bandwidth" })).TradePrice).toBe(0.081);
  expect(await account.refusal("ecs", "DescribePrice", { ...disk, PriceUnit: "Month" })).toBe("400 InvalidParameter");
});

test("what is not sold, has no price or may not be asked is refused", async () => {
  const refused = (parameters: Parameters) => account.refusal("ecs", "DescribePrice", parameters);
  expect(await refused({ InstanceType: "ecs.none" })).toBe("400 InvalidInstanceType.ValueNotSupported");
  expect(await refused({ ...machine, "SystemDisk.Category": "cloud_ssd" })).toBe(
    "400 InvalidSystemDiskCategory.ValueNotSupported",
  );
  emulator.fail({ kind: "noPrice", of: "ecs.e-c1m2.large" });
  expect(await refused(machine)).toBe("400 PRICE.PRICING_PLAN_RESULT_NOT_FOUND");
  emulator.rules.policy = {
    Version: "1",
    Statement: [{ Effect: "Allow", Action: ["ecs:DescribeDisks"], Resource: ["*"] }],
  };
  expect(await refused(machine)).toBe("403 Forbidden.RAM");
});
