import * as alicloud from "@pulumi/alicloud";
import type * as pulumi from "@pulumi/pulumi";
import type { MachineSettings } from "../../settings/targets";
import { onDelete } from "./script-command";
import { ownership, stackName } from "./tags";

export interface PublicAddressArgs {
  /** Region of the address. */
  readonly region: string;
  /** Bandwidth and protection. */
  readonly machine: MachineSettings;
  /** Resource group of what is made; undefined: the account's own. */
  readonly resourceGroupId: string | undefined;
  /** The machine that it leads to. */
  readonly ecs: alicloud.ecs.Instance;
  /** The data disk's: what releases the disk on the earlier machine is reached by this address, so the disk moves first. */
  readonly attachment: pulumi.Resource;
  /** Options of what goes with the machine. */
  readonly withInstance: pulumi.CustomResourceOptions;
  /** Options of each resource: error hooks, and what must outlive it. */
  readonly resourceOptions: pulumi.CustomResourceOptions;
  /** Parent of what is made. */
  readonly parent: pulumi.Resource;
}

/** The address that stays when the machine is another one, and what binds it to the machine. */
export function publicAddress(
  name: string,
  { region, machine, resourceGroupId, ecs, attachment, withInstance, resourceOptions, parent }: PublicAddressArgs,
): { readonly ipAddress: pulumi.Output<string>; readonly association: alicloud.ecs.EipAssociation } {
  const eip = new alicloud.ecs.EipAddress(
    name,
    {
      addressName: stackName(),
      bandwidth: String(machine.bandwidthMbps),
      internetChargeType: "PayByTraffic",
      paymentType: "PayAsYouGo",
      deletionProtection: machine.protect,
      ...ownership(resourceGroupId),
    },
    // Made after the machine: an account without balance must not be left with an address that costs money
    // (aliyun/terraform-provider-alicloud#6658).
    { ...resourceOptions, parent, protect: machine.protect, dependsOn: ecs },
  );
  // The provider's own unbinding is tried for minutes when the machine was deleted by hand, so it is skipped with the
  // machine's end; but the address goes before the machine, and must be free by then
  // (aliyun/terraform-provider-alicloud#3228).
  const unbound = onDelete(`${name}-unbinding`, "unbind-address", { region, allocationId: eip.id }, { parent });
  const association = new alicloud.ecs.EipAssociation(
    `${name}-association`,
    { allocationId: eip.id, instanceId: ecs.id, instanceType: "EcsInstance" },
    { ...withInstance, dependsOn: [unbound, attachment] },
  );
  return { ipAddress: eip.ipAddress, association };
}
