import type { Cloud } from "../cloud";
import type { Instance } from "../model";

/** The address that comes with a bandwidth of the instance's own: https://www.alibabacloud.com/help/en/ecs/user-guide/public-ip-address */
export async function takePublicAddress(cloud: Cloud, instance: Instance): Promise<void> {
  if (instance.bandwidthOut === 0 || instance.publicAddress !== "") return;
  instance.publicAddress = await cloud.machines.allocateAddress();
  await cloud.machines.bindAddress(instance.publicAddress, instance.id);
}

/** Gives it back, as the end of an instance and a stop without charge do. */
export async function freePublicAddress(cloud: Cloud, instance: Instance): Promise<void> {
  if (instance.publicAddress === "") return;
  await cloud.machines.unbindAddress(instance.publicAddress, instance.id);
  await cloud.machines.releaseAddress(instance.publicAddress);
  instance.publicAddress = "";
}
