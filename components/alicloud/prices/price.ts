import { askPrices } from "./ask";
import { type Estimate, type Quotes, estimateMonthly } from "./estimate";
import type { CostFactors } from "./factors";
import { questionsOf, spotQuestion } from "./quotes";

/** One choice of type and disks with its price. */
export interface Priced {
  readonly factors: CostFactors;
  readonly quotes: Quotes;
  readonly estimate: Estimate;
}

/** Prices of all choices, asked side by side. @throws ApiFault where they cannot be asked */
export async function price(choices: readonly CostFactors[]): Promise<Priced[]> {
  const [first] = choices;
  if (first === undefined) return [];
  const each = choices.map((factors) => {
    const { machine, worker, systemDisk, dataDisk, traffic } = questionsOf(factors);
    return [machine, worker ?? machine, systemDisk, dataDisk, traffic];
  });
  const answers = await askPrices(first.region, each.flat());
  return choices.map((factors, index) => {
    const [machine, worker, systemDisk, dataDisk, traffic] = answers.slice(5 * index, 5 * index + 5);
    const quotes = { machine, worker, systemDisk, dataDisk, traffic };
    return { factors, quotes, estimate: estimateMonthly(factors, quotes) };
  });
}

/** The same at the market price of spot machines, which is of now and differs by zone. @throws ApiFault as before */
export async function atMarketPrice(
  places: readonly { readonly priced: Priced; readonly zoneId: string | undefined }[],
): Promise<Estimate[]> {
  const [first] = places;
  if (first === undefined) return [];
  const questions = places.map(({ priced, zoneId }) => spotQuestion(priced.factors, zoneId));
  const answers = await askPrices(first.priced.factors.region, questions);
  return places.map(({ priced: { factors, quotes } }, index) => {
    const machine = answers[index];
    // Workers without a type of their own are such machines, too.
    const worker = factors.workers.instanceType === undefined ? machine : quotes.worker;
    return estimateMonthly({ ...factors, charge: "payAsYouGo" }, { ...quotes, machine, worker });
  });
}
