import { z } from "zod";
import type { AlicloudTarget } from "../settings/targets";
import type { CloudApi } from "./api/api";
import {
  type Candidate,
  type NewPlacementRequest,
  type Offer,
  type Placement,
  diskCategoryOf,
  possiblePlaces,
  whyNone,
} from "./hooks/placement";
import { pricedPlaces } from "./hooks/priced-places";
import { offersOf } from "./hooks/stock";
import { type Estimate, money } from "./prices/estimate";
import { newPlacementRequest, placementRequest } from "./resources/placement-request";

const instancesSchema = z.object({
  Instances: z.object({
    Instance: z.array(
      z.object({
        InstanceId: z.string(),
        OperationLocks: z
          .object({ LockReason: z.array(z.object({ LockReason: z.string() })).default([]) })
          .default({ LockReason: [] }),
      }),
    ),
  }),
});
const disksSchema = z.object({
  Disks: z.object({ Disk: z.array(z.object({ DiskId: z.string(), ZoneId: z.string() })) }),
});

/** What the cloud says of a machine; `leaving`: it is about to take it back. */
export type MachineState = "there" | "leaving" | "gone";

/**
 * The states of machines, by id. A spot machine that is about to be taken back is locked, the reason being Recycling:
 * https://www.alibabacloud.com/help/en/ecs/user-guide/query-the-interruption-events-of-preemptible-instances
 *
 * @throws ApiFault where the cloud cannot be asked: then nothing is known to be gone
 */
export async function machineStates(api: CloudApi, ids: readonly string[]): Promise<Map<string, MachineState>> {
  const query = { InstanceIds: JSON.stringify(ids) };
  const found =
    ids.length === 0
      ? []
      : await api.list("ecs", "DescribeInstances", query, (page) => instancesSchema.parse(page).Instances.Instance);
  const stateOf = (id: string): MachineState => {
    const machine = found.find(({ InstanceId }) => InstanceId === id);
    if (machine === undefined) return "gone";
    return machine.OperationLocks.LockReason.some(({ LockReason }) => LockReason === "Recycling") ? "leaving" : "there";
  };
  return new Map(ids.map((id) => [id, stateOf(id)]));
}

/** The zone of a disk; undefined: there is no such disk. @throws ApiFault where the cloud cannot be asked */
export async function zoneOfDisk(api: CloudApi, diskId: string): Promise<string | undefined> {
  const query = { DiskIds: JSON.stringify([diskId]) };
  const [disk] = await api.list("ecs", "DescribeDisks", query, (page) => disksSchema.parse(page).Disks.Disk);
  return disk?.ZoneId;
}

/** A machine that may take the place of one that is gone. */
export interface Successor {
  readonly placement: Placement;
  /** "ecs.u1-c1m2.large at 9.70 USD a month". */
  readonly words: string;
}

/** What may take the place of a machine, the best first; or why nothing may, with the ways out. */
export interface Successors {
  readonly found: readonly Successor[];
  readonly none: string;
}

/**
 * All that can be had next to a data disk, which never leaves its zone: spot machines first, and pay-as-you-go ones after them where
 * `spotFallback` allows it.
 *
 * @param before where and as what the host was
 * @param diskId for the words
 */
export async function successors(
  api: CloudApi,
  target: AlicloudTarget,
  before: Placement,
  diskId: string,
  now: Date,
): Promise<Successors> {
  const { region, machine } = target;
  const { zoneId } = before;
  const category = diskCategoryOf(before.diskCategory, machine.diskCategories);
  const requestFor = (charge: AlicloudTarget["machine"]["charge"]): NewPlacementRequest => {
    const asked = {
      ...target,
      machine: { ...machine, charge, zones: [], diskCategories: [category], adopted: undefined },
    };
    return newPlacementRequest(asked, placementRequest(asked, undefined));
  };
  const market = await look(api, requestFor(machine.charge), zoneId);
  const fallback =
    machine.charge === "spot" && machine.spotFallback ? await look(api, requestFor("payAsYouGo"), zoneId) : undefined;
  const placed = ({ place }: Candidate, standIn?: Placement["standIn"]): Placement => ({
    region,
    ...place,
    ...(standIn && { standIn }),
  });
  const found = [
    ...market.possible.map((one) => ({ placement: placed(one), words: wordsOf(one, machine.charge) })),
    ...(fallback?.possible ?? []).map((one) => ({
      placement: placed(one, { since: now.toISOString() }),
      words: wordsOf(one, "payAsYouGo"),
    })),
  ];
  const tried = [market, ...(fallback ? [fallback] : [])].map(({ why }) => why).join(" ");
  return { found, none: noneWords({ tried, zoneId, diskId, elsewhere: market.elsewhere, target }) };
}

interface Look {
  readonly possible: readonly Candidate[];
  readonly why: string;
  /** What other zones have in stock. */
  readonly elsewhere: readonly Offer[];
}

async function look(api: CloudApi, request: NewPlacementRequest, zoneId: string): Promise<Look> {
  const asked = offersOf(api, request);
  const [offers, { prices, limit }] = await Promise.all([asked, pricedPlaces(request, asked)]);
  const here = { ...request, zones: [zoneId] };
  return {
    possible: possiblePlaces(here, offers, prices, limit),
    why: whyNone(here, offers, prices, limit),
    elsewhere: offers.filter((one) => one.zoneId !== zoneId && one.inStock && one.diskCategories.length > 0),
  };
}

function wordsOf({ place, estimate }: { place: { instanceType: string }; estimate: Estimate }, charge: string): string {
  const market = charge === "spot" ? "spot " : charge === "payAsYouGo" ? "pay-as-you-go " : "";
  return `${market}${place.instanceType} at ${money(estimate.running, estimate.currency)} a month`;
}

interface NoneFacts {
  readonly tried: string;
  readonly zoneId: string;
  readonly diskId: string;
  readonly elsewhere: readonly Offer[];
  readonly target: AlicloudTarget;
}

/** One message: what was tried, and each way out. The disk is in one zone for good; a snapshot of it is not. */
function noneWords({ tried, zoneId, diskId, elsewhere, target: { machine } }: NoneFacts): string {
  const [first] = elsewhere;
  const inStock = [...new Set(elsewhere.map((one) => `${one.instanceType} in ${one.zoneId}`))];
  return [
    `The data disk ${diskId} is in zone ${zoneId}, which it cannot leave, and no machine for it can be had there now. ${tried}`,
    "Nothing was changed. heal finds a machine as soon as there is one; or:",
    ...(machine.charge === "spot" && !machine.spotFallback
      ? ["- buy a pay-as-you-go machine for a while: pulumi config set spotFallback true, then heal again"]
      : []),
    `- accept further types: pulumi config set --path 'instanceTypes[${machine.instanceTypes.length}]' TYPE, then heal again; or raise the budget`,
    first === undefined
      ? "- move to another zone over a snapshot, once one has stock: none has now"
      : `- move to another zone over a snapshot; in stock now: ${inStock.join(", ")}. The public address changes:`,
    ...(first === undefined
      ? []
      : [
          `    1. in the console create a snapshot of ${diskId}, with the tag project: cloudcode`,
          `    2. pulumi destroy --exclude-protected, then delete ${diskId} in the console`,
          // A destroy keeps what a protected disk depends on, its zone too; one after a refresh alone would wait for the machine that is gone.
          "    3. pulumi refresh && pulumi destroy --exclude-protected, which lets the zone go",
          `    4. pulumi config set restoreFromSnapshot s-… && pulumi config set zones '["${first.zoneId}"]' && pulumi up`,
        ]),
  ].join("\n");
}
