import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { AlicloudTarget } from "../settings/targets";
import { costFactors, hostEstimate } from "./cost";
import { explained } from "./fault-hook";
import { type Placement, type PlacementRequest, placementSchema } from "./placement";
import { onCreate } from "./script-command";

/** A {@link Placement} that may not be known yet. */
export type Placed = pulumi.Output<Placement>;

/**
 * Zone, instance type, disk category and image, chosen once by what is in stock and then kept in state: a later change of
 * the stock or a newer image never touches the host (lessons B1, B2). Another request chooses anew, in the same zone.
 */
export function placed(
  name: string,
  request: pulumi.Input<PlacementRequest>,
  opts: pulumi.CustomResourceOptions,
): Placed {
  return onCreate(name, "place", request, opts).apply((text) => placementSchema.parse(JSON.parse(text)));
}

/** What the settings ask for; an existing vSwitch decides the zone. */
export function placementRequest(target: AlicloudTarget, vswitchZone: string | undefined): PlacementRequest {
  const { region, machine } = target;
  const { instanceTypes, zones, diskCategories, image, charge } = machine;
  return {
    region,
    instanceTypes: [...instanceTypes],
    zones: [...zones],
    diskCategories: [...diskCategories],
    overBudget: instanceTypes.flatMap((instanceType) =>
      diskCategories
        .filter((category) => hostEstimate(costFactors(target, instanceType, category)).runningUsd > machine.budgetUsd)
        .map((diskCategory) => ({ instanceType, diskCategory })),
    ),
    ...(image !== undefined && { image }),
    spot: charge === "spot",
    subscription: charge === "subscription",
    ...(vswitchZone !== undefined && { zone: vswitchZone }),
  };
}

/**
 * The zone of the existing vSwitch that is set, if one is.
 *
 * @throws pulumi.RunError with one sentence, before any resource of the host is declared
 */
export async function findVswitchZone(
  { region, network: { vswitchId } }: AlicloudTarget,
  provider: alicloud.Provider,
): Promise<string | undefined> {
  if (vswitchId === undefined) return undefined;
  const { vswitches } = await alicloud.vpc.getSwitches({ ids: [vswitchId] }, { provider }).catch(explained);
  if (vswitches[0] === undefined) throw new pulumi.RunError(`there is no vSwitch ${vswitchId} in ${region}`);
  return vswitches[0].zoneId;
}
