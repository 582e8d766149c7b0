/**
 * Run by `node --import tsx components/alicloud/place.ts`, a PlacementRequest on standard input, its Placement on standard
 * output: once when the host is made and again when the request changes, so that what is on sale never moves a host.
 * The answer of the time before is in PULUMI_COMMAND_STDOUT.
 */
import { z } from "zod";
import { type CloudApi, cloudApi } from "./api";
import {
  type Image,
  type Offer,
  type Placement,
  type PlacementRequest,
  choosePlacement,
  newestUbuntu,
  placementRequestSchema,
  placementSchema,
} from "./placement";
import { ScriptError, runScript } from "./script";

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
    ...{ DestinationResource: resource, InstanceType: instanceType, IoOptimized: "optimized", NetworkCategory: "vpc" },
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

async function offersOf(api: CloudApi, request: PlacementRequest): Promise<Offer[]> {
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

const imagesSchema = z.object({
  Images: z.object({
    Image: z.array(z.object({ ImageId: z.string(), ImageName: z.string(), CreationTime: z.string() })),
  }),
});

async function images(api: CloudApi, query: Readonly<Record<string, string>>): Promise<Image[]> {
  return api.list("ecs", "DescribeImages", { Status: "Available", ...query }, (page) =>
    imagesSchema.parse(page).Images.Image.map((image) => ({
      ...{ id: image.ImageId, name: image.ImageName, createdAt: image.CreationTime },
    })),
  );
}

/** The image asked for, which must exist; else the one the host has; else the newest Ubuntu. */
async function imageOf(api: CloudApi, { region, image }: PlacementRequest, previous?: Placement): Promise<string> {
  if (previous && (image === undefined || image === previous.imageId)) return previous.imageId;
  if (image === undefined)
    return newestUbuntu(
      await images(api, { ImageOwnerAlias: "system", OSType: "linux", Architecture: "x86_64" }),
      region,
    );
  if ((await images(api, { ImageId: image })).length === 0)
    throw new ScriptError(
      `There is no image ${image} in ${region}: \`pulumi config rm hostImage\` takes Ubuntu 24.04.`,
    );
  return image;
}

function previousPlacement(stdout = ""): Placement | undefined {
  if (stdout.trim() === "") return undefined;
  try {
    return placementSchema.parse(JSON.parse(stdout));
  } catch {
    throw new ScriptError(`The state holds no placement but: ${stdout.trim()}`);
  }
}

void runScript(placementRequestSchema, async (request) => {
  const previous = previousPlacement(process.env["PULUMI_COMMAND_STDOUT"]);
  const api = cloudApi(request.region);
  const [offers, imageId] = await Promise.all([offersOf(api, request), imageOf(api, request, previous)]);
  const placement: Placement = { ...choosePlacement(request, offers, previous), imageId };
  return JSON.stringify(placement);
});
