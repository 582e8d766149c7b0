import { z } from "zod";
import { type Limit, budgetSchema, nameOf, ranked, refusal } from "../prices/budget";
import { type Estimate, money } from "../prices/estimate";
import { costFactorsSchema } from "../prices/factors";
import { type Architecture, architectureOf } from "./architecture";
import { ScriptError } from "./script";

const word = z.string().min(1);

/** What a placement must fit. */
export const placementRequestSchema = z.object({
  region: word,
  /** For a host that exists the best first; a new one gets the cheapest. */
  instanceTypes: z.array(word).min(1),
  /** Where it may be, best first; empty: in every zone of the region. */
  zones: z.array(word),
  /** Of both disks. */
  diskCategories: z.array(word).min(1),
  spot: z.boolean(),
  subscription: z.boolean(),
  /** The machine that there is already; it needs no stock and no budget. */
  adopted: word.optional(),
});
export type PlacementRequest = z.infer<typeof placementRequestSchema>;

/** The same for a new host, with what decides its price but for type and disks. */
export const newPlacementRequestSchema = placementRequestSchema.extend({
  cost: costFactorsSchema.omit({ instanceType: true, diskCategory: true }),
  budget: budgetSchema,
});
export type NewPlacementRequest = z.infer<typeof newPlacementRequestSchema>;

/** One choice. */
export const placeSchema = z.object({ zoneId: word, instanceType: word, diskCategory: word });
type Place = z.infer<typeof placeSchema>;

/** Where and as what a host is first made. */
export const placementSchema = placeSchema.extend({
  region: word,
  /** It is paid by the hour in place of a spot machine, since when (ISO 8601); `ops heal` decides that. */
  standIn: z.object({ since: z.iso.datetime() }).optional(),
});
export type Placement = z.infer<typeof placementSchema>;

/** Asks for the type of a host that is placed; `zones` and `diskCategories` hold one each, its own. */
export const typeRequestSchema = placementRequestSchema.extend({ first: placeSchema });

/** A choice of type, with the list that it was made from; choices made before it was kept have none. */
export const typeChoiceSchema = placeSchema.extend({ asked: z.array(word).optional() });
export type TypeChoice = z.infer<typeof typeChoiceSchema>;

/** What a zone has to say about an instance type it sells. */
export interface Offer {
  readonly zoneId: string;
  readonly instanceType: string;
  readonly inStock: boolean;
  /** Those that are to be had with this type for both disks. */
  readonly diskCategories: readonly string[];
}

/** What one choice costs; a spot price is of one zone. */
export interface PricedPlace {
  /** What a budget is held against. */
  readonly estimate: Estimate;
  /** At the price of now, where that is lower. @default the estimate */
  readonly market?: Estimate;
  readonly instanceType: string;
  readonly diskCategory: string;
  /** Undefined: it costs the same in every zone. */
  readonly zoneId?: string | undefined;
}

/** A placement, and in one sentence why it is that one. */
export interface Choice {
  readonly place: Place;
  readonly why: string;
}

const zonesOf = (request: PlacementRequest, offers: readonly Offer[]): readonly string[] =>
  request.zones.length > 0 ? request.zones : [...new Set(offers.map((offer) => offer.zoneId))].sort();

/** All that is in stock and that the budget allows, the cheapest first; of what costs the same the earliest type, disk category and zone. */
export function possiblePlaces(
  request: PlacementRequest,
  offers: readonly Offer[],
  prices: readonly PricedPlace[],
  limit: Limit | undefined,
): Candidate[] {
  const { instanceTypes, diskCategories } = request;
  const zones = zonesOf(request, offers);
  const priceOf = ({ instanceType, diskCategory, zoneId }: Place) =>
    prices.find(
      (one) =>
        one.instanceType === instanceType && one.diskCategory === diskCategory && (one.zoneId ?? zoneId) === zoneId,
    );
  const possible = instanceTypes.flatMap((instanceType) =>
    diskCategories.flatMap((diskCategory) =>
      zones.flatMap((zoneId) => {
        const place = { zoneId, instanceType, diskCategory };
        const priced = priceOf(place);
        if (!priced || refusal(priced.estimate, limit) !== undefined || !isOffered(place, offers)) return [];
        return [{ place, estimate: priced.market ?? priced.estimate }];
      }),
    ),
  );
  return ranked(possible);
}

/** What can be had, and what it costs. */
export interface Candidate {
  readonly place: Place;
  readonly estimate: Estimate;
}

/** Why there is no {@link possiblePlaces}: what was tried where. */
export function whyNone(
  request: PlacementRequest,
  offers: readonly Offer[],
  prices: readonly PricedPlace[],
  limit: Limit | undefined,
): string {
  const dear = (instanceType: string, diskCategory: string): string | undefined => {
    const priced = prices.filter((one) => one.instanceType === instanceType && one.diskCategory === diskCategory);
    const reasons = priced.map(({ estimate }) => refusal(estimate, limit));
    return reasons.length > 0 && reasons.every((why) => why !== undefined) ? reasons[0] : undefined;
  };
  return nothingFits(request, offers, zonesOf(request, offers), dear);
}

/**
 * The first of {@link possiblePlaces}.
 *
 * @throws ScriptError that says what was tried where (aliyun/terraform-provider-alicloud#6151, #6660)
 */
export function cheapestPlacement(
  request: PlacementRequest,
  offers: readonly Offer[],
  prices: readonly PricedPlace[],
  limit: Limit | undefined,
): Choice {
  const [best, ...others] = possiblePlaces(request, offers, prices, limit);
  if (best === undefined) throw new ScriptError(`${whyNone(request, offers, prices, limit)} ${fix(false)}`);
  return { place: best.place, why: whyBest(best, others) };
}

function whyBest({ place, estimate }: Candidate, others: readonly Candidate[]): string {
  const cost = (one: Candidate) =>
    `${one.estimate.unpriced.length > 0 ? "at least " : ""}${money(one.estimate.running, one.estimate.currency)} a month`;
  const next = others.find(
    (other) => other.place.instanceType !== place.instanceType || other.estimate.running > estimate.running,
  );
  const after = next
    ? `the next, ${nameOf(next.place)} in ${next.place.zoneId}, is ${cost(next)}`
    : "nothing else is in stock and within the budget";
  return `${nameOf(place)} in ${place.zoneId} is the cheapest in stock: ${cost({ place, estimate })}; ${after}.`;
}

/**
 * The type of a host that exists: what it is while the list stays, else the first of the list that can be had, for which what it
 * already is needs no stock. The zone and the disks are its own.
 */
export function retype(request: PlacementRequest, offers: readonly Offer[], previous: Place): Place {
  const { instanceTypes, diskCategories } = request;
  const zones = zonesOf(request, offers);
  for (const instanceType of instanceTypes)
    for (const diskCategory of diskCategories)
      for (const zoneId of zones) {
        const place = { zoneId, instanceType, diskCategory };
        if (isPrevious(place, previous) || isOffered(place, offers)) return place;
      }
  throw new ScriptError(`${nothingFits(request, offers, zones, () => undefined)} ${fix(true)}`);
}

/** Whether a choice stands without a look at the stock: its list is as it was, and zone and disks are those of the host. */
export function stands(
  { asked, ...place }: TypeChoice,
  { instanceTypes, zones, diskCategories }: PlacementRequest,
): boolean {
  const sameList = asked === undefined || JSON.stringify(asked) === JSON.stringify(instanceTypes);
  return (
    sameList &&
    instanceTypes.includes(place.instanceType) &&
    diskCategories.includes(place.diskCategory) &&
    zones.includes(place.zoneId)
  );
}

/**
 * The disk category of a host that was placed with `first`: that one while it is asked for, else the best of those asked for,
 * in stock or not. So a preview knows it, and shows a machine as replaced only when its system disk must be.
 */
export function diskCategoryOf(first: string, asked: readonly string[]): string {
  return asked.includes(first) ? first : (asked[0] ?? first);
}

/** Why a host cannot be where the settings want it now: its data disk never leaves its zone. */
export function misplaced(
  { region, zoneId, instanceType }: Placement,
  wanted: string,
  wantedTypes: readonly string[],
  vswitchZone?: string,
): string | undefined {
  if (region !== wanted)
    return `this stack is in region ${region} and cannot move to ${wanted}: set region back, or create another stack there and restore a backup into it`;
  if (vswitchZone !== undefined && vswitchZone !== zoneId)
    return `the vSwitch is in zone ${vswitchZone}, but this stack's data disk is in zone ${zoneId} and cannot leave it: set a vSwitch in ${zoneId}`;
  const [now, other] = [architectureOf(instanceType), wantedTypes.map(architectureOf)];
  if (!other.includes(now))
    return `this stack's machine is ${words[now]}, and so are the images on its data disk; instanceTypes has only ${words[other[0] ?? now]} ones: list ${words[now]} types, or create another stack and restore a backup into it`;
  return undefined;
}

const words: Readonly<Record<Architecture, string>> = { x86_64: "x86-64", arm64: "ARM" };

const isPrevious = (place: Place, previous: Place): boolean =>
  place.zoneId === previous.zoneId &&
  place.instanceType === previous.instanceType &&
  place.diskCategory === previous.diskCategory;

const offerOf = (offers: readonly Offer[], instanceType: string, zoneId: string): Offer | undefined =>
  offers.find((offer) => offer.instanceType === instanceType && offer.zoneId === zoneId);

function isOffered({ zoneId, instanceType, diskCategory }: Place, offers: readonly Offer[]): boolean {
  const offer = offerOf(offers, instanceType, zoneId);
  return offer !== undefined && offer.inStock && offer.diskCategories.includes(diskCategory);
}

/** Why the budget does not allow a choice, if it does not. */
type Dear = (instanceType: string, diskCategory: string) => string | undefined;

function nothingFits(
  request: PlacementRequest,
  offers: readonly Offer[],
  zones: readonly string[],
  dear: Dear,
): string {
  const tried = request.instanceTypes.map((type) => {
    const reason = (zone: string) => whyNot(offerOf(offers, type, zone), type, request, dear);
    const words = [...new Set(zones.map(reason))].map(
      (one) => `${one} in ${zones.filter((zone) => reason(zone) === one).join(", ")}`,
    );
    return `${type}: ${words.join("; ") || "not sold in any zone"}`;
  });
  const market = request.subscription ? "subscription" : request.spot ? "spot" : "pay-as-you-go";
  return `No ${market} instance is available in ${request.region}. Tried ${tried.join(". ")}.`;
}

function fix(exists: boolean): string {
  const type = "Set another type with `pulumi config set --path 'instanceTypes[0]' TYPE`";
  const category = "another disk category with `pulumi config set --path 'diskCategories[0]' CATEGORY`";
  return exists
    ? `${type} or ${category}, which replaces the machine with a new one that has the same data.`
    : `${type}, ${category} or another region with \`pulumi config set region REGION\`.`;
}

function whyNot(offer: Offer | undefined, instanceType: string, request: PlacementRequest, dear: Dear): string {
  if (!offer) return "not sold";
  if (!offer.inStock) return "sold out";
  const offered = request.diskCategories.filter((category) => offer.diskCategories.includes(category));
  const missing = request.diskCategories.filter((category) => !offered.includes(category));
  return [
    ...(missing.length > 0 ? [`${missing.join(" or ")} not offered`] : []),
    ...offered.map((category) => `with ${category} ${dear(instanceType, category) ?? "no price"}`),
  ].join(", ");
}

/** An image as far as the choice needs it. */
export interface Image {
  readonly id: string;
  readonly name: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** The plain builds, not those for UEFI only, with graphics drivers or the like. */
const plainUbuntu: Readonly<Record<Architecture, RegExp>> = {
  x86_64: /^ubuntu_24_04_x64_\d+G_alibase_\d{8}\.vhd$/,
  arm64: /^ubuntu_24_04_arm64_\d+G_alibase_\d{8}\.vhd$/,
};

/** The id of the newest Ubuntu 24.04 among the public images of a region; throws if there is none. */
export function newestUbuntu(images: readonly Image[], region: string, architecture: Architecture): string {
  const builds = images.filter((image) => plainUbuntu[architecture].test(image.name));
  const [newest] = builds.toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  if (!newest)
    throw new ScriptError(
      `${region} offers no public image of Ubuntu 24.04 for ${architecture}: set one with \`pulumi config set hostImage ID\`.`,
    );
  return newest.id;
}
