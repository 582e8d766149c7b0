import { z } from "zod";
import { ScriptError } from "./script";

const word = z.string().min(1);

/** What a placement must fit. */
export const placementRequestSchema = z.object({
  region: word,
  /** Best first. */
  instanceTypes: z.array(word).min(1),
  /** Where it may be, best first; empty: in every zone of the region. */
  zones: z.array(word),
  /** Categories of both disks, best first. */
  diskCategories: z.array(word).min(1),
  /** What the estimate of a month puts above `budgetUsd`. */
  overBudget: z.array(z.object({ instanceType: word, diskCategory: word })),
  spot: z.boolean(),
  subscription: z.boolean(),
  /** The machine that there is already; it needs no stock and no budget. */
  adopted: word.optional(),
});
export type PlacementRequest = z.infer<typeof placementRequestSchema>;

/** One choice. */
export const placeSchema = z.object({ zoneId: word, instanceType: word, diskCategory: word });
type Place = z.infer<typeof placeSchema>;

/** Where and as what a host is first made. */
export const placementSchema = placeSchema.extend({ region: word });
export type Placement = z.infer<typeof placementSchema>;

/** Asks for the type of a host that is placed; `zones` and `diskCategories` hold one each, its own. */
export const typeRequestSchema = placementRequestSchema.extend({ first: placeSchema });

/** What a zone has to say about an instance type it sells. */
export interface Offer {
  readonly zoneId: string;
  readonly instanceType: string;
  readonly inStock: boolean;
  /** Those that are to be had with this type for both disks. */
  readonly diskCategories: readonly string[];
}

/**
 * The first hit over types, then disk categories, then zones. What a host already is needs no stock and no budget.
 * Throws one error that says what was tried where (aliyun/terraform-provider-alicloud#6151, #6660).
 */
export function choosePlacement(request: PlacementRequest, offers: readonly Offer[], previous?: Place): Place {
  const { instanceTypes, diskCategories } = request;
  const zones = request.zones.length > 0 ? request.zones : [...new Set(offers.map((offer) => offer.zoneId))].sort();
  for (const instanceType of instanceTypes)
    for (const diskCategory of diskCategories)
      for (const zoneId of zones) {
        const place = { zoneId, instanceType, diskCategory };
        if (isPrevious(place, previous) || (isAffordable(place, request) && isOffered(place, offers))) return place;
      }
  throw new ScriptError(`${nothingFits(request, offers, zones)} ${fix(previous !== undefined)}`);
}

/**
 * The disk category of a host that was placed with `first`: that one while it is asked for, else the best of those asked for,
 * in stock or not. So a preview knows it, and shows a machine as replaced only when its system disk must be.
 */
export function diskCategoryOf(first: string, asked: readonly string[]): string {
  return asked.includes(first) ? first : (asked[0] ?? first);
}

/** Why a host cannot be where the settings want it now: its data disk never leaves its zone. */
export function misplaced({ region, zoneId }: Placement, wanted: string, vswitchZone?: string): string | undefined {
  if (region !== wanted)
    return `this stack is in region ${region} and cannot move to ${wanted}: set region back, or create another stack there and restore a backup into it`;
  if (vswitchZone !== undefined && vswitchZone !== zoneId)
    return `the vSwitch is in zone ${vswitchZone}, but this stack's data disk is in zone ${zoneId} and cannot leave it: set a vSwitch in ${zoneId}`;
  return undefined;
}

const isPrevious = (place: Place, previous?: Place): boolean =>
  place.zoneId === previous?.zoneId &&
  place.instanceType === previous.instanceType &&
  place.diskCategory === previous.diskCategory;

const isAffordable = (
  { instanceType, diskCategory }: Omit<Place, "zoneId">,
  { overBudget }: PlacementRequest,
): boolean => !overBudget.some((one) => one.instanceType === instanceType && one.diskCategory === diskCategory);

const offerOf = (offers: readonly Offer[], instanceType: string, zoneId: string): Offer | undefined =>
  offers.find((offer) => offer.instanceType === instanceType && offer.zoneId === zoneId);

function isOffered({ zoneId, instanceType, diskCategory }: Place, offers: readonly Offer[]): boolean {
  const offer = offerOf(offers, instanceType, zoneId);
  return offer !== undefined && offer.inStock && offer.diskCategories.includes(diskCategory);
}

function nothingFits(request: PlacementRequest, offers: readonly Offer[], zones: readonly string[]): string {
  const tried = request.instanceTypes.map((type) => {
    const reason = (zone: string) => whyNot(offerOf(offers, type, zone), type, request);
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

function whyNot(offer: Offer | undefined, instanceType: string, request: PlacementRequest): string {
  if (!offer) return "not sold";
  if (!offer.inStock) return "sold out";
  const dear = request.diskCategories.filter((diskCategory) => !isAffordable({ instanceType, diskCategory }, request));
  const missing = request.diskCategories.filter((category) => !dear.includes(category));
  return [
    ...(missing.length > 0 ? [`${missing.join(" or ")} not offered`] : []),
    ...(dear.length > 0 ? [`${dear.join(" or ")} above budgetUsd`] : []),
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
const plainUbuntu = /^ubuntu_24_04_x64_\d+G_alibase_\d{8}\.vhd$/;

/** The id of the newest Ubuntu 24.04 among the public x86_64 images of a region; throws if there is none. */
export function newestUbuntu(images: readonly Image[], region: string): string {
  const builds = images.filter((image) => plainUbuntu.test(image.name));
  const [newest] = builds.toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  if (!newest)
    throw new ScriptError(
      `${region} offers no public image of Ubuntu 24.04 for x86_64: set one with \`pulumi config set hostImage ID\`.`,
    );
  return newest.id;
}
