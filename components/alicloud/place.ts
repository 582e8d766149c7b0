/**
 * Run by `node bin/cloudcode-hook.cjs place` once, when the host is made: a request for a new placement on standard input, its
 * Placement on standard output, and why it is that one on standard error, which the engine shows.
 */
import { type CloudApi, cloudApi } from "./api/api";
import { machineOf } from "./hooks/adopted";
import {
  type NewPlacementRequest,
  type Offer,
  type Placement,
  type PricedPlace,
  cheapestPlacement,
  newPlacementRequestSchema,
} from "./hooks/placement";
import { runScript } from "./hooks/script";
import { offersOf } from "./hooks/stock";
import { currencyOf, limitOf } from "./prices/budget";
import type { CostFactors } from "./prices/factors";
import { type Priced, atMarketPrice, price } from "./prices/price";

void runScript(newPlacementRequestSchema, async (request) => {
  const { region, adopted } = request;
  const api = cloudApi(region);
  if (adopted !== undefined) {
    const { zoneId, instanceType, diskCategory } = await machineOf(api, adopted);
    return JSON.stringify({ region, zoneId, instanceType, diskCategory } satisfies Placement);
  }
  return JSON.stringify(await place(api, request));
});

async function place(api: CloudApi, request: NewPlacementRequest): Promise<Placement> {
  const { region, cost, instanceTypes, diskCategories } = request;
  const all = instanceTypes.flatMap((instanceType) =>
    diskCategories.map((diskCategory): CostFactors => ({ ...cost, instanceType, diskCategory })),
  );
  const [offers, priced] = await Promise.all([offersOf(api, request), price(all)]);
  const limit = limitOf(request.budget, currencyOf(priced));
  const prices = request.spot ? await spotPrices(priced, offers) : priced.map(pricedPlace);
  const { place: chosen, why } = cheapestPlacement(request, offers, prices, limit);
  console.error(why);
  return { region, ...chosen };
}

const pricedPlace = ({ factors, estimate }: Priced): PricedPlace => ({
  instanceType: factors.instanceType,
  diskCategory: factors.diskCategory,
  estimate,
});

/** Each in every zone that has it in stock, where spot machines cost less by the market of now. */
async function spotPrices(priced: readonly Priced[], offers: readonly Offer[]): Promise<PricedPlace[]> {
  const places = priced.flatMap((one) =>
    offers
      .filter(({ instanceType, inStock }) => inStock && instanceType === one.factors.instanceType)
      .filter(({ diskCategories }) => diskCategories.includes(one.factors.diskCategory))
      .map(({ zoneId }) => ({ priced: one, zoneId })),
  );
  const markets = await atMarketPrice(places);
  return places.map(({ priced: one, zoneId }, index) => {
    const market = markets[index];
    return { ...pricedPlace(one), zoneId, ...(market && { market }) };
  });
}
