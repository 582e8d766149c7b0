import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { Connection, Worker } from "../../host/host";
import type { CloudNetwork } from "../../host/network";
import { waitReachable } from "../../host/wait-reachable";
import type { MachineSettings } from "../../settings/targets";
import { hostKey } from "./host-key";
import { instanceArgs, replacementRules } from "./machine";
import type { HostPlacement } from "./placement";
import { stackName } from "./tags";

export interface AlicloudWorkerArgs {
  /** What it has in common with the host. */
  readonly machine: MachineSettings;
  /** What it is in. */
  readonly network: CloudNetwork;
  /** Zone, image and disk category; the type where none is named. */
  readonly placement: HostPlacement;
  /** Undefined: the host's. */
  readonly instanceType: string | undefined;
  /** Resource group of what is made; undefined: the account's own. */
  readonly resourceGroupId: string | undefined;
  /** Name of the host's key pair. */
  readonly keyName: pulumi.Input<string>;
  /** Private half of that key; a secret. */
  readonly loginKey: pulumi.Input<string>;
  /** Longest wait for SSH, in seconds. */
  readonly waitSeconds: number;
  /** Options of each resource: error hooks, and what must outlive it. */
  readonly resourceOptions: pulumi.CustomResourceOptions;
}

/** An instance next to the host, with nothing on it that must be kept: so it has no data disk, no EIP and no protection. */
export class AlicloudWorker extends pulumi.ComponentResource implements Worker {
  readonly name: string;
  readonly connection: Connection;
  readonly user = "root";
  readonly reachable: pulumi.Resource | undefined;
  readonly machine: pulumi.Resource;
  readonly generation: pulumi.Output<string>;
  readonly clusterAddress: pulumi.Output<string>;

  constructor(name: string, args: AlicloudWorkerArgs, opts: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:AlicloudWorker", name, {}, opts);
    this.name = name;
    const { machine, network, placement } = args;
    const child = { parent: this };
    const key = hostKey(`${name}-host-key`, child);
    const ecs = new alicloud.ecs.Instance(
      `${name}-instance`,
      {
        ...instanceArgs(`${stackName()}-${name}`, {
          ...machine,
          network,
          resourceGroupId: args.resourceGroupId,
          keyName: args.keyName,
          placement: {
            ...placement,
            // The host's alone: a worker holds nothing that anybody waits for.
            standIn: pulumi.output(false),
            ...(args.instanceType !== undefined && { instanceType: pulumi.output(args.instanceType) }),
          },
          userData: key.userData,
        }),
        // Its own way out to the images' registries, and the operator's way in.
        internetMaxBandwidthOut: machine.bandwidthMbps,
        internetChargeType: "PayByTraffic",
      },
      // The earlier one has its sandboxes drained while it is still there.
      {
        ...args.resourceOptions,
        ...replacementRules,
        ...child,
        deleteBeforeReplace: true,
        dependsOn: [...network.rules],
      },
    );
    this.machine = ecs;
    this.generation = pulumi.interpolate`${ecs.id} ${ecs.instanceType}`;
    this.clusterAddress = ecs.primaryIpAddress;
    this.connection = pulumi.secret({
      host: ecs.publicIp,
      port: 22,
      user: this.user,
      privateKey: args.loginKey,
      hostKey: key.pinned,
    });
    this.reachable =
      machine.power === "stopped" ? undefined : waitReachable(`${name}-reachable`, this, args.waitSeconds, child);
    this.registerOutputs({ clusterAddress: this.clusterAddress });
  }
}
