// Balance and bills: what the account was told, in the API's form.
import type { Emulator } from "../src/emulator";
import { startEmulator } from "../src/emulator";
import { Account } from "../testing/account";

let emulator: Emulator;
let account: Account;
beforeEach(async () => {
  emulator = await startEmulator({ finances: { balance: 1234.5, bills: { "2026-11": { ecs: 20.5, eip: 1 } } } });
  account = new Account(emulator);
});
afterEach(async () => {
  await emulator.close();
});

test("amounts are texts with commas in the balance, and numbers in the bill of a cycle", async () => {
  emulator.rules.terms = { currency: "CNY", discount: 0 };
  expect(await account.ask("bssapi", "QueryAccountBalance")).toMatchObject({
    Success: true,
    Code: "Success",
    Data: { AvailableAmount: "1,234.50", Currency: "CNY" },
  });
  expect(await account.ask("bssapi", "QueryBillOverview", { BillingCycle: "2026-11" })).toMatchObject({
    Data: {
      BillingCycle: "2026-11",
      Items: { Item: [{ ProductCode: "ecs", PretaxAmount: 20.5, Currency: "CNY" }, {}] },
    },
  });
  expect(await account.ask("bssapi", "QueryBillOverview", { BillingCycle: "2026-10" })).toMatchObject({
    Data: { Items: { Item: [] } },
  });
  expect(await account.refusal("bssapi", "QueryBillOverview")).toBe("400 MissingParameter");
});

test("the rights are called otherwise than the actions", async () => {
  const allow = (...Action: string[]) => {
    emulator.rules.policy = { Version: "1", Statement: [{ Effect: "Allow", Action, Resource: ["*"] }] };
  };
  allow("bssapi:QueryAccountBalance");
  expect(await account.refusal("bssapi", "QueryAccountBalance")).toBe("403 Forbidden.RAM");
  allow("bss:DescribeAcccount", "bss:DescribeBillList");
  await account.ask("bssapi", "QueryAccountBalance");
  await account.ask("bssapi", "QueryBillOverview", { BillingCycle: "2026-11" });
});
