import { z } from "zod";
import { type Estimate, money } from "./estimate";
import type { CostFactors } from "./factors";

/** The settings that limit the price of a month; 0: there is no limit. */
export const budgetSchema = z.object({
  /** In the account's currency; it goes before the other. */
  budget: z.number().optional(),
  budgetUsd: z.number(),
});
export type Budget = z.infer<typeof budgetSchema>;

/** Most that a month may cost, and the setting that says so. */
export interface Limit {
  readonly key: keyof Budget;
  readonly amount: number;
}

/**
 * The limit that is set, if one is.
 *
 * @param currency of the account; undefined: not known, as nothing has a price
 * @throws Error where the account is billed in another currency than the limit
 */
export function limitOf({ budget, budgetUsd }: Budget, currency: string | undefined): Limit | undefined {
  if (budget !== undefined) return budget === 0 ? undefined : { key: "budget", amount: budget };
  if (budgetUsd === 0) return undefined;
  if (currency !== undefined && currency !== "USD")
    throw new Error(
      `budgetUsd is in USD, but the account is billed in ${currency}: set the most that a month may cost in ${currency}, as with \`pulumi config set budget 220\` (0: no limit)`,
    );
  return { key: "budgetUsd", amount: budgetUsd };
}

/** The account's currency; undefined where nothing has a price. */
export const currencyOf = (choices: readonly { readonly estimate: Estimate }[]): string | undefined =>
  choices.find(({ estimate }) => estimate.currency !== undefined)?.estimate.currency;

/** Why a budget does not allow a choice; undefined: it does. */
export function refusal({ unpriced, running, currency }: Estimate, limit: Limit | undefined): string | undefined {
  if (limit === undefined) return undefined;
  if (unpriced.length > 0) return `nobody prices ${unpriced.join(", ")}`;
  return running > limit.amount ? `${money(running, currency)} a month, above ${limit.key}` : undefined;
}

/** As a sentence names a choice. */
export const nameOf = ({ instanceType, diskCategory }: Pick<CostFactors, "instanceType" | "diskCategory">) =>
  `${instanceType} with ${diskCategory}`;

/** The cheapest first, what has a price before what has none in full. */
export function ranked<T extends { readonly estimate: Estimate }>(choices: readonly T[]): T[] {
  const known = ({ estimate }: T) => (estimate.unpriced.length === 0 ? 0 : 1);
  return choices.toSorted((a, b) => known(a) - known(b) || a.estimate.running - b.estimate.running);
}

/** Both ways out of a budget. */
export function waysOut({ key }: Limit): string {
  return `Name another type with \`pulumi config set instanceTypes '["TYPE"]'\`, or raise the limit with \`pulumi config set ${key} AMOUNT\`; without a limit (\`pulumi config set ${key} 0\`) what has no price is named and not counted.`;
}
