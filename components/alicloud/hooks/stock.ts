import { z } from "zod";
import type { CloudApi } from "../api/api";
import type { Offer, PlacementRequest } from "./placement";

const availableSchema = z.object({
  AvailableZones: z.object({
    AvailableZone: z.array(
      z.object({
        ZoneId: z.string(),
        AvailableResources: z
          .object({
            AvailableResource: z.array(
              z.object({
                SupportedResources: z.object({
                  SupportedResource: z.array(z.object({ Value: z.string(), Status: z.string() })),
                }),
              }),
            ),
          })
          .optional(),
      }),
    ),
  }),
});

/** What each zone has of `resource` for a type: the values in stock; a zone that does not sell the type is missing. */
async function inStock(
  api: CloudApi,
  { spot, subscription }: PlacementRequest,
  resource: "InstanceType" | "SystemDisk" | "DataDisk",
  instanceType: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const answer = await api.call("ecs", "DescribeAvailableResource", {
    DestinationResource: resource,
    InstanceType: instanceType,
    IoOptimized: "optimized",
    NetworkCategory: "vpc",
    InstanceChargeType: subscription ? "PrePaid" : "PostPaid",
    SpotStrategy: spot ? "SpotWithPriceLimit" : "NoSpot",
  });
  const zones = availableSchema.parse(answer).AvailableZones.AvailableZone;
  return new Map(
    zones.map((zone) => [
      zone.ZoneId,
      (zone.AvailableResources?.AvailableResource ?? [])
        .flatMap((list) => list.SupportedResources.SupportedResource)
        .filter((one) => one.Status === "Available")
        .map((one) => one.Value),
    ]),
  );
}

/** What is sold of the types asked for, zone by zone. */
export async function offersOf(api: CloudApi, request: PlacementRequest): Promise<Offer[]> {
  const byType = request.instanceTypes.map(async (instanceType): Promise<Offer[]> => {
    const [types, systemDisks, dataDisks] = await Promise.all([
      inStock(api, request, "InstanceType", instanceType),
      inStock(api, request, "SystemDisk", instanceType),
      inStock(api, request, "DataDisk", instanceType),
    ]);
    return [...types].map(([zoneId, available]) => ({
      zoneId,
      instanceType,
      inStock: available.includes(instanceType),
      diskCategories: (systemDisks.get(zoneId) ?? []).filter((category) => dataDisks.get(zoneId)?.includes(category)),
    }));
  });
  return (await Promise.all(byType)).flat();
}
