import { explainFault } from "../../components/alicloud/api/faults";
import { type AccountMoney, readMoney } from "../../components/alicloud/bill";
import { describeChoices, openCosts } from "../../components/alicloud/prices/cost";
import { money } from "../../components/alicloud/prices/estimate";
import { OperatorError } from "../../components/operator-error";
import { toSettings } from "../../components/settings/settings";
import { stackSettings } from "../settings";
import { type Answer, answer } from "../shapes";
import { OpsError, type StackChoice, type StackOutputs, readOutputs } from "../stack";

/** What the stack costs: the estimate of a month, and the account's bill and balance, as far as the keys of this shell may read them. */
export async function cost(choice: StackChoice): Promise<Answer> {
  const { monthlyCost } = await readOutputs(choice);
  const account = await readMoney(monthlyCost?.currency).catch((error: unknown) => {
    const words = error instanceof Error ? error.message : String(error);
    return explainFault(words) ?? words;
  });
  return answer(
    "cost",
    {
      ...(monthlyCost && { month: monthlyCost }),
      ...(typeof account === "string" ? { accountUnknown: account } : { account }),
    },
    costText(monthlyCost, account),
  );
}

/** @param account what was read, or why nothing was */
export function costText(estimate: StackOutputs["monthlyCost"], account: AccountMoney | string): string {
  const month =
    estimate === undefined
      ? "estimate of a month: none, this machine is not bought by the stack"
      : `estimate of a month: ${money(estimate.running, estimate.currency)} running, ${money(estimate.stopped, estimate.currency)} stopped`;
  if (typeof account === "string") return `${month}\nbill and balance: not known. ${account}`;
  const { currency, bill, byProduct, balance, perDay, daysLeft } = account;
  const parts = byProduct.map(({ product, amount }) => `${product} ${amount.toFixed(2)}`).join(", ");
  const rate = perDay === undefined ? "nothing was billed yet" : `${money(perDay, currency)} a day`;
  const left = daysLeft === undefined ? rate : `${daysLeft} days left at ${rate}`;
  return [
    month,
    `bill of the whole account for ${account.month} so far: ${money(bill, currency)}${parts && ` (${parts})`}`,
    `balance: ${money(balance, currency)}, ${left}`,
  ].join("\n");
}

/** Price of a month for the stack's settings in other regions, a line for each. Nothing is changed. */
export async function costIn(choice: StackChoice, regions: readonly string[]): Promise<Answer> {
  const parsed = await stackSettings(choice);
  if (!parsed.ok) throw new OpsError(parsed.message);
  const { target } = toSettings(parsed.values);
  if (target.kind !== "alicloud") throw new OpsError("only target alicloud has regions");
  // Whatever it costs, it is to be shown.
  const machine = { ...target.machine, budget: undefined, budgetUsd: 0 };
  const lines = regions.map(async (region) => {
    const said: string[] = [];
    const costs = await openCosts({ ...target, region, machine }, (text) => said.push(text)).catch((error: unknown) => {
      if (!(error instanceof OperatorError)) throw error;
      return error.message;
    });
    return {
      region,
      price: typeof costs === "string" ? costs : (said[0] ?? describeChoices(costs.choices, undefined)),
    };
  });
  const prices = await Promise.all(lines);
  return answer("cost", prices, prices.map(({ region, price }) => `${region}: ${price}`).join("\n"));
}
