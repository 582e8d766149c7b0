import { ApiError } from "../errors";
import type { Call, Market } from "../call";
import type { InstanceType } from "../catalogue";

/** The market that a SpotStrategy buys in. */
export const marketOf = (spotStrategy: string): Market =>
  spotStrategy === "NoSpot" || spotStrategy === "" ? "onDemand" : "spot";

/** The type if the zone sells it with such a system disk and has it in stock; throws what RunInstances answers otherwise. */
export function buyType(
  { catalogue, stock }: Call,
  typeId: string,
  zone: string,
  category: string,
  spotStrategy: string,
): InstanceType {
  const type = catalogue.type(typeId);
  if (!type)
    throw new ApiError(404, "InvalidInstanceType.NotFound", `The specified InstanceType ${typeId} does not exist.`);
  if (!catalogue.typesIn(zone).includes(type))
    throw new ApiError(
      403,
      "InvalidInstanceType.ValueNotSupported",
      `The specified instanceType ${typeId} is not supported by the zone ${zone}.`,
    );
  if (!type.disks.includes(category) || stock.lacksDisk(zone, category))
    throw new ApiError(
      400,
      "InvalidSystemDiskCategory.ValueNotSupported",
      `The specified parameter 'SystemDisk.Category' ${category} is not support IoOptimized Instance ${typeId} in ${zone}.`,
    );
  if (!stock.canBuy(zone, typeId, marketOf(spotStrategy)))
    throw new ApiError(
      403,
      "OperationDenied.NoStock",
      "The requested resource is sold out in the specified zone; try other types of resources or other regions and zones.",
    );
  return type;
}
