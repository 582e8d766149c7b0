import { type Emulator, emulatorEnvironment, startEmulator } from "@cloudcode/alicloud-emulator";
import { cycleAt } from "../../components/alicloud/bill";
import { costText } from "../../ops/commands/cost";
import { runOps, stackOutputs } from "../support/ops-process";
import { ramPolicy, ramPolicyForBills } from "../support/ram-policy";

// Each command is a process of its own.
jest.setTimeout(120_000);

describe("a billing cycle", () => {
  it.each([
    ["2026-11-29T12:00:00Z", { month: "2026-11", before: "2026-10", days: 28 + 20 / 24 }],
    ["2026-11-30T15:59:59Z", { month: "2026-11", before: "2026-10" }],
    // Midnight in Beijing.
    ["2026-11-30T16:00:00Z", { month: "2026-12", before: "2026-11", days: 0 }],
    ["2026-12-31T20:00:00Z", { month: "2027-01", before: "2026-12" }],
  ])("at %s is %j", (time, cycle) => {
    expect(cycleAt(new Date(time))).toMatchObject(cycle);
  });
});

describe("npm run ops -- cost", () => {
  const estimate = { currency: "USD", running: 29.84, stopped: 3.5 };
  const { month, before, days } = cycleAt(new Date());
  let emulator: Emulator;
  beforeEach(async () => {
    emulator = await startEmulator({ finances: { balance: 1_234.5, bills: {} } });
  });
  afterEach(async () => {
    await emulator.close();
    expect(emulator.journal.violations).toEqual([]);
  });
  // Of a machine that is off nothing but the account is asked.
  const operations = { ...stackOutputs.operations, awake: false };
  const cost = (outputs: object, env = {}) =>
    runOps(
      ["cost"],
      { outputs: { ...stackOutputs, operations, ...outputs } },
      { ...emulatorEnvironment(emulator), ...env },
    );

  it("prints the estimate, the bill by product and the days that the balance lasts, with the right to read them alone", async () => {
    emulator.rules.policy = ramPolicyForBills();
    const bills = { [month]: { ecs: 2 * days, eip: days / 2 }, [before]: { ecs: 80 } };
    emulator.rules.finances = { balance: 1_234.5, bills };
    const { code, stdout, stderr } = await cost({ monthlyCost: estimate });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^estimate of a month: 29\.84 USD running, 3\.50 USD stopped\n/);
    expect(stdout).toContain(`\nbill of the whole account for ${month} so far: `);
    expect(stdout).toMatch(/ USD: ecs [\d.]+, eip [\d.]+\n/);
    // In the first days of a month the one before counts as well.
    if (days > 3) expect(stdout).toContain("\nbalance: 1234.50 USD, 493 days left at 2.50 USD a day\n");
    else expect(stdout).toMatch(/\nbalance: 1234\.50 USD, \d+ days left at \d+\.\d\d USD a day\n/);
  });

  it("is in CNY where the account is", async () => {
    emulator.rules.terms = { currency: "CNY", discount: 0 };
    const { stdout } = await cost({ monthlyCost: { ...estimate, currency: "CNY" } });
    expect(stdout).toMatch(
      / 29\.84 CNY running.*\n.* so far: 0\.00 CNY\nbalance: 1234\.50 CNY, nothing was billed yet\ntraffic and models: not known\. The machine is switched off\.\n$/,
    );
  });

  it("prints all else and one line where the key may not read bills, where it is refused in an answer, and without a key", async () => {
    emulator.rules.policy = ramPolicy("example.com");
    const refused = await cost({ monthlyCost: estimate });
    expect(refused).toMatchObject({ code: 0, stderr: "" });
    expect(refused.stdout).toMatch(
      /^estimate of a month: 29.*\nbill and balance: not known\. The access key may not read the bill: grant docs\/ram-policy-billing\.json to its user\. Nothing else needs that right\.\ntraffic and models: not known/,
    );
    const none = {
      ALICLOUD_ACCESS_KEY: "",
      ALIBABA_CLOUD_ACCESS_KEY_ID: "",
      ALIBABA_CLOUD_ECS_METADATA_DISABLED: "true",
    };
    const keyless = await cost({}, none);
    expect([keyless.code, keyless.stdout]).toEqual([
      0,
      expect.stringMatching(
        /^estimate of a month: none, .*\nbill and balance: not known\. There is no access key: .*\n/,
      ),
    ]);
    emulator.rules.policy = undefined;
    emulator.fail({ kind: "error", action: "QueryAccountBalance", status: 400, code: "NotApplicable" });
    expect((await cost({ monthlyCost: estimate })).stdout).toContain("Alibaba Cloud shows this account no bill");
  });

  it("prints what a month costs in other regions, each in a line, whatever the budget", async () => {
    const config = {
      target: { value: "alicloud" },
      budgetUsd: { value: "1" },
      sshCidrs: { value: '["203.0.113.0/24"]' },
    };
    const { code, stdout, stderr } = await runOps(
      ["cost", "--region", "ap-southeast-1", "cn-hangzhou"],
      { outputs: {}, config },
      emulatorEnvironment(emulator),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      expect.stringMatching(
        /^ap-southeast-1: about [\d.]+ USD a month running.*: ecs\.\S+ with \S+, the cheapest of instanceTypes/,
      ),
      expect.stringMatching(/^cn-hangzhou: about [\d.]+ USD a month running/),
      "",
    ]);
    const existing = await runOps(["cost", "--region", "cn-hongkong"], { outputs: {} });
    expect(existing.code).toBe(1);
  });

  it("names no days where the account has nothing to pay with", () => {
    const account = { currency: "USD", month, bill: 3, byProduct: [], balance: 0, perDay: 1, daysLeft: undefined };
    expect(costText(undefined, account, {})).toMatch(/so far: 3\.00 USD\nbalance: 0\.00 USD, 1\.00 USD a day$/);
  });

  it("prints what the host counts: traffic, models with their limit, and its own reading of the bill where this shell has none", () => {
    const bill = { month, currency: "CNY", amount: 21.3, limit: 40, balance: 44.1, days: 55 };
    const host = {
      traffic: { month, since: 1, bytes: 12_340_000_000 },
      models: { month, usd: 20.5, limit: 20, closed: true },
      proxy: { month, requests: 1234, failed: 3, tokens: 5_612_345 },
      bill,
    };
    expect(costText(undefined, "There is no key.", host).split("\n").slice(1)).toEqual([
      `bill of the whole account for ${month} so far: 21.30 of 40.00 CNY (53 %)`,
      "balance: 44.10 CNY, 55 days left",
      `traffic sent in ${month}: 12.3 GB`,
      `OpenCode's models in ${month}: 20.50 of 20.00 USD (102 %), closed: npm run ops -- cost --allow opens them for this month`,
      `model proxy in ${month}: 1234 requests, 3 of them failed, 5.6 million tokens`,
    ]);
    const account = {
      currency: "CNY",
      month,
      bill: 20,
      byProduct: [{ product: "ecs", amount: 20 }],
      balance: 5,
      perDay: 1,
      daysLeft: 5,
    };
    const models = { month, usd: 1.234, limit: null, closed: false };
    expect(
      costText(undefined, account, { ...host, models, proxy: undefined })
        .split("\n")
        .slice(1),
    ).toEqual([
      `bill of the whole account for ${month} so far: 20.00 of 40.00 CNY (50 %): ecs 20.00`,
      "balance: 5.00 CNY, 5 days left at 1.00 CNY a day",
      `traffic sent in ${month}: 12.3 GB`,
      `OpenCode's models in ${month}: 1.23 USD`,
    ]);
    expect(costText(undefined, "There is no key.", {}).split("\n")).toHaveLength(2);
  });
});
