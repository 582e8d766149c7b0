import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { CloudNetwork } from "../../host/network";
import type { MachineSettings } from "../../settings/targets";
import type { HostPlacement } from "./placement";
import { ownership, stackName } from "./tags";

export interface MachineArgs extends MachineSettings {
  /** Zone, type, image and disk category. */
  readonly placement: HostPlacement;
  /** What it is in. */
  readonly network: CloudNetwork;
  /** Whether it has an IPv6 address. */
  readonly ipv6: boolean;
  /** Resource group of what is made; undefined: the account's own. */
  readonly resourceGroupId: string | undefined;
  /** Public half of the login key, in OpenSSH format. */
  readonly publicKey: pulumi.Input<string>;
  /** What cloud-init does at the first boot; holds the host key's private half. */
  readonly userData: pulumi.Input<string>;
  /** Options of each resource: parent, error hooks, and what must outlive it. */
  readonly resourceOptions: pulumi.CustomResourceOptions;
}

/**
 * Options of what an instance takes with it when it goes: deleting it afterwards would be tried for minutes
 * (pulumi/pulumi-command#553).
 */
export function deletedWithInstance(instance: alicloud.ecs.Instance, resourceOptions: pulumi.CustomResourceOptions) {
  return { ...resourceOptions, deletedWith: instance, deleteBeforeReplace: true };
}

/** The ECS instance, with nothing on it that is not on another disk or in the stack's state. */
export function instance(name: string, args: MachineArgs): alicloud.ecs.Instance {
  const { network, resourceGroupId, resourceOptions } = args;
  const common = ownership(resourceGroupId);
  // Given to the instance itself: a key attached later needs a reboot (aliyun/terraform-provider-alicloud#9589).
  const key = new alicloud.ecs.EcsKeyPair(
    `${name}-key-pair`,
    { keyPairName: stackName(), publicKey: args.publicKey, ...common },
    resourceOptions,
  );
  return new alicloud.ecs.Instance(
    `${name}-instance`,
    {
      ...instanceArgs(stackName(), { ...args, keyName: key.keyPairName }),
      deletionProtection: args.protect,
      ...(args.ipv6 && { ipv6AddressCount: 1 }),
    },
    {
      ...resourceOptions,
      dependsOn: [...network.rules],
      protect: args.protect,
      ...replacementRules,
    },
  );
}

/** When an instance is another one. */
export const replacementRules = {
  // Other user data would restart the machine and not even run (aliyun/terraform-provider-alicloud#1973).
  ignoreChanges: ["userData"],
  // The provider would wipe the system disk in place and show it as a small update
  // (aliyun/terraform-provider-alicloud#4550), and cannot move a machine to another VPC at all.
  replaceOnChanges: ["imageId", "vswitchId"],
};

/** What every instance of a stack is like. */
export function instanceArgs(
  name: string,
  args: Pick<MachineArgs, "placement" | "network" | "resourceGroupId" | "userData"> &
    MachineSettings & { readonly keyName: pulumi.Input<string> },
): alicloud.ecs.InstanceArgs {
  const { placement, network } = args;
  return {
    instanceName: name,
    hostName: hostNameOf(name),
    instanceType: placement.instanceType,
    imageId: placement.imageId,
    vswitchId: network.vswitchId,
    securityGroups: [network.securityGroupId],
    keyName: args.keyName,
    systemDiskCategory: placement.diskCategory,
    systemDiskSize: args.systemDiskGiB,
    userData: pulumi.secret(args.userData),
    // No process of the host gets credentials of the cloud: no role, and metadata only with a token.
    httpEndpoint: "enabled",
    httpTokens: "required",
    ...charge(args, placement.standIn),
    ...power(args.power),
    ...ownership(args.resourceGroupId),
  };
}

/** A host name out of a stack's name, which may hold dots and underscores. */
export function hostNameOf(name: string): string {
  return name
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .slice(0, 63)
    .replaceAll(/^-|-$/g, "");
}

/** How the instance is paid. https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-runinstances */
export function charge(machine: MachineSettings, standIn: pulumi.Output<boolean>): Partial<alicloud.ecs.InstanceArgs> {
  const { charge: kind, spotPriceLimitUsd, subscriptionMonths } = machine;
  if (kind === "subscription")
    return {
      instanceChargeType: "PrePaid",
      period: subscriptionMonths,
      periodUnit: "Month",
      renewalStatus: "AutoRenewal",
      autoRenewPeriod: 1,
      forceDelete: true,
    };
  if (kind === "payAsYouGo") return { instanceChargeType: "PostPaid" };
  const unlessStandIn = <T>(value: T) => standIn.apply((now) => (now ? undefined : value));
  return {
    instanceChargeType: "PostPaid",
    ...(spotPriceLimitUsd === undefined
      ? { spotStrategy: unlessStandIn("SpotAsPriceGo") }
      : { spotStrategy: unlessStandIn("SpotWithPriceLimit"), spotPriceLimit: unlessStandIn(spotPriceLimitUsd) }),
  };
}

/** While it runs, an instance has no stopped mode: anything given would be a difference for ever. */
export function power(wanted: MachineSettings["power"]): Partial<alicloud.ecs.InstanceArgs> {
  return wanted === "stopped" ? { status: "Stopped", stoppedMode: "StopCharging" } : { status: "Running" };
}
