import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { OperatorError } from "../../operator-error";
import type { AlicloudTarget } from "../../settings/targets";
import { architectureOf } from "../hooks/architecture";
import { explained } from "./fault-hook";
import { diskCategoryOf, misplaced, placeSchema, placementSchema } from "../hooks/placement";
import { newPlacementRequest, placementRequest } from "./placement-request";
import { onCreate } from "./script-command";

/** Zone, disk category, type and image of a host. A preview knows each of them, unless it is the one that must be looked up again. */
export interface HostPlacement {
  readonly zoneId: pulumi.Output<string>;
  readonly diskCategory: pulumi.Output<string>;
  readonly instanceType: pulumi.Output<string>;
  readonly imageId: pulumi.Output<string>;
  /** Whether the host, which is to be a spot machine, is paid by the hour for now. */
  readonly standIn: pulumi.Output<boolean>;
}

/**
 * Zone, disk category and instance type, chosen together by what is in stock when the host is made; a later change of the
 * stock or a newer image never touches it (aliyun/terraform-provider-alicloud#4550).
 * The zone is for life, the category changes when it is no longer
 * asked for, the type when another is asked for that can be had.
 *
 * @param vswitchZone zone of an existing vSwitch, which decides
 */
export function hostPlacement(
  name: string,
  target: AlicloudTarget,
  vswitchZone: string | undefined,
  opts: pulumi.CustomResourceOptions,
): HostPlacement {
  const { region, machine } = target;
  const request = placementRequest(target, vswitchZone);
  const asked = newPlacementRequest(target, request);
  const placement = onCreate(`${name}-placement`, "place", asked, {
    ...opts,
    ignoreChanges: ["stdin", "logging"],
  }).apply((text) => {
    const found = placementSchema.parse(JSON.parse(text));
    const fault = misplaced(found, region, machine.instanceTypes, vswitchZone);
    if (fault !== undefined) throw new OperatorError(fault);
    return found;
  });
  const diskCategory = placement.apply((first) => diskCategoryOf(first.diskCategory, machine.diskCategories));
  const typeRequest = pulumi
    .all([placement, diskCategory])
    .apply(([first, category]) => ({ ...request, zones: [first.zoneId], diskCategories: [category], first }));
  return {
    zoneId: placement.zoneId,
    diskCategory,
    standIn: placement.apply(({ standIn }) => standIn !== undefined),
    instanceType: onCreate(`${name}-type`, "choose-type", typeRequest, opts).apply(
      (text) => placeSchema.parse(JSON.parse(text)).instanceType,
    ),
    imageId:
      machine.image !== undefined
        ? pulumi.output(machine.image)
        : onCreate(
            `${name}-image`,
            "newest-image",
            {
              region,
              ...(machine.adopted !== undefined && { adopted: machine.adopted }),
              // Another input would have the image of every machine that exists looked up again.
              ...(machine.instanceTypes.some((type) => architectureOf(type) === "arm64") && { architecture: "arm64" }),
            },
            opts,
          ),
  };
}

/**
 * The zone of the existing vSwitch that is set, if one is.
 *
 * @throws OperatorError with one sentence, before any resource of the host is declared
 */
export async function findVswitchZone(
  { region, network: { vswitchId } }: AlicloudTarget,
  provider: pulumi.ProviderResource,
): Promise<string | undefined> {
  if (vswitchId === undefined) return undefined;
  const { vswitches } = await alicloud.vpc.getSwitches({ ids: [vswitchId] }, { provider }).catch(explained);
  if (vswitches[0] === undefined) throw new OperatorError(`there is no vSwitch ${vswitchId} in ${region}`);
  return vswitches[0].zoneId;
}

/**
 * Finds the image that is set, if one is.
 *
 * @throws OperatorError with one sentence, before any resource of the host is declared
 */
export async function checkImage({ region, machine: { image } }: AlicloudTarget, provider: pulumi.ProviderResource) {
  if (image === undefined) return;
  // The provider wants one of owner and name.
  const query = { imageId: image, nameRegex: ".*" };
  const { images } = await alicloud.ecs.getImages(query, { provider }).catch(explained);
  if (images.length === 0)
    throw new OperatorError(
      `there is no image ${image} in ${region}: \`pulumi config rm hostImage\` uses Ubuntu 24.04`,
    );
}
