import type { MonthlyCost } from "../../host/host";
import { OperatorError } from "../../operator-error";
import type { AlicloudTarget } from "../../settings/targets";
import { explainFault } from "../api/faults";
import { type Budget, type Limit, currencyOf, limitOf, nameOf, ranked, refusal, waysOut } from "./budget";
import { type Estimate, type Quotes, describeEstimate, estimateMonthly, money } from "./estimate";
import { type CostFactors, costFactors } from "./factors";
import { type Priced, atMarketPrice, price } from "./price";

const allowedChoices = (choices: readonly Priced[], limit: Limit | undefined): Priced[] =>
  ranked(choices.filter(({ estimate }) => refusal(estimate, limit) === undefined));

/** A month of the same machine in both markets. */
export interface SpotPrice {
  /** At the spot price of now. */
  readonly now: Estimate;
  /** At the list price by the hour. */
  readonly list: Estimate;
}

/** "spot costs 9.72 USD a month now, 29.84 USD by list: it saves 20.12 USD, 67 %". */
export function describeSpot({ now, list }: SpotPrice): string {
  const both = `${money(list.running, list.currency)} by list`;
  if (now.unpriced.length > 0) return `its spot price is not known now; ${both}`;
  const saved = list.running - now.running;
  const share = list.running > 0 ? Math.round((100 * saved) / list.running) : 0;
  const words = saved > 0 ? `it saves ${money(saved, list.currency)}, ${share} %` : "it saves nothing";
  return `spot costs ${money(now.running, now.currency)} a month now, ${both}: ${words}`;
}

/**
 * What is said of the prices of a new host, in one line; the cheapest that the budget allows is taken if it is in stock.
 *
 * @param spot of that one; undefined: it is no spot machine
 */
export function describeChoices(choices: readonly Priced[], limit: Limit | undefined, spot?: SpotPrice): string {
  const [best, ...others] = allowedChoices(choices, limit);
  if (best === undefined) return "";
  // Another disk of the same type says less than another type.
  const [next] = [...others.filter(({ factors }) => factors.instanceType !== best.factors.instanceType), ...others];
  const after = next
    ? `the next is ${nameOf(next.factors)} at ${money(next.estimate.running, next.estimate.currency)}`
    : "no other is within the budget";
  const market = spot === undefined ? "" : `; ${describeSpot(spot)}`;
  return `${describeEstimate(best.estimate)}: ${nameOf(best.factors)}, the cheapest of instanceTypes, if it is in stock${market}; ${after}`;
}

/** The prices of a target: of what it may become, and of what it is. */
export interface Costs {
  readonly choices: readonly Priced[];
  readonly limit: Limit | undefined;
  /** Of the cheapest choice that the limit allows; undefined: it is no spot machine, or nothing is known of its price. */
  readonly spot: SpotPrice | undefined;
  /** The price of one choice; every part is unpriced where prices cannot be asked. */
  readonly of: (instanceType: string, diskCategory: string) => Promise<Estimate>;
  /** The same, held to the budget. @throws OperatorError where that does not allow it */
  readonly allowed: (instanceType: string, diskCategory: string) => Promise<Estimate>;
}

/**
 * Asks the price of every type and disk that the host may get.
 *
 * @param warn hears why prices cannot be asked, where nothing limits them
 * @throws OperatorError where the budget allows none of them, or prices cannot be asked and a budget needs them
 */
export async function openCosts(target: Omit<AlicloudTarget, "network">, warn: (text: string) => void): Promise<Costs> {
  const { machine } = target;
  const all = machine.instanceTypes.flatMap((type) =>
    machine.diskCategories.map((category) => costFactors(target, type, category)),
  );
  const ask = async (factors: readonly CostFactors[]): Promise<Priced[]> => {
    try {
      return await price(factors);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      const why = explainFault(said) ?? said;
      const limit = limitOf(machine, undefined);
      if (limit !== undefined)
        throw new OperatorError(
          `prices cannot be asked, which ${limit.key} needs: ${why} Without a limit (\`pulumi config set ${limit.key} 0\`) prices are not needed.`,
        );
      warn(`The price of a month is not known: ${why}`);
      return factors.map((one) => ({ factors: one, quotes: nothing, estimate: estimateMonthly(one, nothing) }));
    }
  };
  const choices = await ask(all);
  const limit = readLimit(machine, choices);
  const refused = choices.map(({ estimate }) => refusal(estimate, limit));
  // A machine that was adopted is what it is.
  if (limit !== undefined && machine.adopted === undefined && refused.every((why) => why !== undefined))
    throw new OperatorError(
      `${limit.key} allows none of instanceTypes; nothing was touched.\n${ranked(choices)
        .map(({ factors, estimate }) => `  ${nameOf(factors)}: ${refusal(estimate, limit) ?? ""}\n`)
        .join("")}${waysOut(limit)}`,
    );
  const of = async (type: string, category: string): Promise<Estimate> => {
    const factors = costFactors(target, type, category);
    const isIt = (one: Priced) => one.factors.instanceType === type && one.factors.diskCategory === category;
    const [priced] = [...choices.filter(isIt), ...(choices.some(isIt) ? [] : await ask([factors]))];
    return priced?.estimate ?? estimateMonthly(factors, nothing);
  };
  return {
    choices,
    limit,
    spot:
      machine.charge === "spot" ? await spotPriceOf(allowedChoices(choices, limit)[0], machine.zones[0]) : undefined,
    of,
    allowed: async (type, category) => {
      const estimate = await of(type, category);
      const why = refusal(estimate, limit);
      if (limit !== undefined && why !== undefined)
        throw new OperatorError(`${limit.key} does not allow ${type} with ${category}: ${why}. ${waysOut(limit)}`);
      return estimate;
    },
  };
}

/** @param zoneId undefined: the region's */
async function spotPriceOf(choice: Priced | undefined, zoneId: string | undefined): Promise<SpotPrice | undefined> {
  if (choice?.quotes.machine === undefined) return undefined;
  const { factors, quotes } = choice;
  const [now] = await atMarketPrice([{ priced: choice, zoneId }]);
  return now && { now, list: estimateMonthly({ ...factors, charge: "payAsYouGo" }, quotes) };
}

function readLimit(machine: Budget, choices: readonly Priced[]): Limit | undefined {
  try {
    return limitOf(machine, currencyOf(choices));
  } catch (error) {
    throw new OperatorError(error instanceof Error ? error.message : String(error));
  }
}

/** Where nothing was answered. */
const nothing: Quotes = {
  machine: undefined,
  worker: undefined,
  systemDisk: undefined,
  dataDisk: undefined,
  traffic: undefined,
};

/** The estimate as the stack's output. */
export function monthlyCost({ currency, running, stopped, unpriced, notCounted }: Estimate): MonthlyCost {
  return { currency: currency ?? "USD", running, stopped, notCounted: [...unpriced, ...notCounted] };
}
