import { type Limit, currencyOf, limitOf } from "../prices/budget";
import type { CostFactors } from "../prices/factors";
import { type Priced, atMarketPrice, price } from "../prices/price";
import type { NewPlacementRequest, Offer, PricedPlace } from "./placement";

/**
 * What each choice of a request costs, and the limit that it is held against.
 *
 * @throws ApiFault where prices cannot be asked
 */
export async function pricedPlaces(
  { cost, instanceTypes, diskCategories, spot, budget }: NewPlacementRequest,
  offers: Promise<readonly Offer[]>,
): Promise<{ readonly prices: readonly PricedPlace[]; readonly limit: Limit | undefined }> {
  const all = instanceTypes.flatMap((instanceType) =>
    diskCategories.map((diskCategory): CostFactors => ({ ...cost, instanceType, diskCategory })),
  );
  const [known, priced] = await Promise.all([offers, price(all)]);
  const limit = limitOf(budget, currencyOf(priced));
  return { prices: spot ? await spotPrices(priced, known) : priced.map(pricedPlace), limit };
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
