import { z } from "zod";
import { type CloudApi, type Environment, type Query, cloudApi } from "./api/api";
import { ApiFault } from "./api/api-fault";

/** What an account owes and has, in its own currency. */
export interface AccountMoney {
  /** USD at the international site, CNY at the Chinese one. */
  readonly currency: string;
  /** Billing cycle, `YYYY-MM`. */
  readonly month: string;
  /** Bill of that cycle so far, of the whole account, before tax and after discounts. */
  readonly bill: number;
  /** The same by product, the dearest first. */
  readonly byProduct: readonly { readonly product: string; readonly amount: number }[];
  /** What the account can still pay with: cash and credit. */
  readonly balance: number;
  /** What a day costs on average; undefined: nothing was billed yet. */
  readonly perDay: number | undefined;
  /** Days until the balance is used up at that rate; undefined: not known, or no balance, as with an account that pays by card. */
  readonly daysLeft: number | undefined;
}

/** Numbers are texts in QueryAccountBalance, with commas between thousands. */
const amount = z
  .union([z.number(), z.string()])
  .transform((value) => (typeof value === "number" ? value : Number(value.replaceAll(",", ""))))
  .pipe(z.number());

/** https://www.alibabacloud.com/help/doc-detail/87997.htm (QueryAccountBalance, response parameters) */
const balanceSchema = z.object({ Data: z.object({ AvailableAmount: amount, Currency: z.string().min(1) }) });

/** https://www.alibabacloud.com/help/en/user-center/developer-reference/api-bssopenapi-2017-12-14-querybilloverview (response parameters) */
const billSchema = z.object({
  Data: z.object({
    Items: z.object({
      Item: z.array(z.object({ ProductCode: z.string().default(""), PretaxAmount: amount, Currency: z.string() })),
    }),
  }),
});

const day = 86_400_000;
/** Billing cycles are those of Beijing. */
const zone = 8 * 3_600_000;
/** Days of a month in which its own bill says too little of what a day costs: a bill comes a day late. */
const fewDays = 3;

/** A billing cycle and how much of it has passed at a time. */
export function cycleAt(time: Date): { readonly month: string; readonly before: string; readonly days: number } {
  const there = new Date(time.getTime() + zone);
  const begin = Date.UTC(there.getUTCFullYear(), there.getUTCMonth());
  const month = (at: number) => new Date(at).toISOString().slice(0, 7);
  return { month: month(begin), before: month(begin - day), days: (there.getTime() - begin) / day };
}

/**
 * Bill and balance of the account whose keys the environment has.
 *
 * @param currency of the account, where it is known: it decides which of the two sites is asked
 * @throws ApiFault where it cannot be asked: no right, no key, no connection
 */
export async function readMoney(
  currency: string | undefined,
  now = new Date(),
  env: Environment = process.env,
): Promise<AccountMoney> {
  const api = cloudApi(currency === "CNY" ? "cn-hangzhou" : "ap-southeast-1", env);
  const { month, before, days } = cycleAt(now);
  const [balance, bill, former] = await Promise.all([
    ask(api, "QueryAccountBalance").then((answer) => balanceSchema.parse(answer).Data),
    billOf(api, month),
    days < fewDays ? billOf(api, before) : [],
  ]);
  const sum = total(bill);
  const all = sum + total(former);
  const perDay = all > 0 ? all / (days + (days < fewDays && former.length > 0 ? daysOf(before) : 0)) : undefined;
  const left = balance.AvailableAmount;
  return {
    currency: balance.Currency,
    month,
    bill: sum,
    byProduct: bill,
    balance: left,
    perDay,
    daysLeft: perDay === undefined || left <= 0 ? undefined : Math.floor(left / perDay),
  };
}

const outcomeSchema = z.object({
  Success: z.boolean().optional(),
  Code: z.string().default(""),
  Message: z.string().default(""),
});

/** These calls tell some refusals in an answer of status 200. */
async function ask(api: CloudApi, action: string, query: Query = {}): Promise<unknown> {
  const answer = await api.call("bssopenapi", action, query);
  const { Success, Code, Message } = outcomeSchema.parse(answer);
  if (Success === false) throw new ApiFault(`bssopenapi:${action}: ${Code}: ${Message}`, false);
  return answer;
}

type Products = AccountMoney["byProduct"];

const total = (products: Products) => products.reduce((sum, one) => sum + one.amount, 0);
const daysOf = (month: string) => new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).getUTCDate();

async function billOf(api: CloudApi, BillingCycle: string): Promise<Products> {
  const { Item } = billSchema.parse(await ask(api, "QueryBillOverview", { BillingCycle })).Data.Items;
  const products = [...new Set(Item.map((one) => one.ProductCode))];
  return products
    .map((product) => ({
      product,
      amount: Item.filter((one) => one.ProductCode === product).reduce((sum, one) => sum + one.PretaxAmount, 0),
    }))
    .sort((a, b) => b.amount - a.amount);
}
