import type { AlicloudTarget } from "../../settings/targets";
import { type NewPlacementRequest, type PlacementRequest, newPlacementRequestSchema } from "../hooks/placement";
import { costFactors } from "../prices/factors";

/** What the settings ask for; an existing vSwitch decides the zone. */
export function placementRequest(target: AlicloudTarget, vswitchZone: string | undefined): PlacementRequest {
  const { region, machine } = target;
  const { instanceTypes, zones, diskCategories, charge, adopted } = machine;
  return {
    region,
    instanceTypes: [...instanceTypes],
    zones: vswitchZone !== undefined ? [vswitchZone] : [...zones],
    diskCategories: [...diskCategories],
    spot: charge === "spot",
    subscription: charge === "subscription",
    ...(adopted !== undefined && { adopted }),
  };
}

/** The same with what decides the price; a change of it asks for no other placement. */
export function newPlacementRequest(target: AlicloudTarget, request: PlacementRequest): NewPlacementRequest {
  const cost = newPlacementRequestSchema.shape.cost.parse(costFactors(target, "any", "any"));
  const { budget, budgetUsd } = target.machine;
  return { ...request, cost, budget: { budget, budgetUsd } };
}
