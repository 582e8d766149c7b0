import * as pulumi from "@pulumi/pulumi";
import type { Platform } from "./platform";

/** One thing that the network in front of a Host lets in. */
export interface InboundRule {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** Networks in CIDR notation; empty: everywhere. */
  readonly sources: readonly string[];
}

/** What one kind of target has of a {@link Network}. */
export interface NetworkParts {
  /** What may come in; nothing else may. */
  readonly inbound: readonly InboundRule[];
  /**
   * Whether it is the network that keeps all else out. Where not, the machine itself refuses SSH from elsewhere; where it is, the
   * machine does not, since a rule on a machine that no longer lets the operator in can be changed from nowhere.
   */
  readonly enforced: boolean;
  /** The network that the target made for its machines; undefined: the machine is in one already. */
  readonly cloud?: CloudNetwork;
}

/** A network at a cloud. */
export interface CloudNetwork {
  /** Id of the VPC. */
  readonly vpcId: pulumi.Output<string>;
  /** Id of the vSwitch that the machines are in. */
  readonly vswitchId: pulumi.Output<string>;
  /** Id of the security group that the machines are in. */
  readonly securityGroupId: pulumi.Output<string>;
  /** The rules of the group: a machine is of no use before them. */
  readonly rules: readonly pulumi.Resource[];
  /** Id of the IPv6 gateway; undefined without IPv6. */
  readonly ipv6GatewayId: pulumi.Output<string> | undefined;
}

export interface NetworkArgs {
  /** The stack's target, which makes the network. */
  readonly platform: Platform;
}

/**
 * What stands between the internet and a Host. A target that makes its own (VPC, vSwitch, security group) opens just what is
 * inbound; in front of an existing host the operator does.
 */
export class Network extends pulumi.ComponentResource implements NetworkParts {
  readonly inbound: readonly InboundRule[];
  readonly enforced: boolean;
  readonly cloud?: CloudNetwork;

  constructor(name: string, { platform }: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:Network", name, {}, opts);
    const { inbound, enforced, cloud } = platform.network(name, this);
    this.inbound = inbound;
    this.enforced = enforced;
    if (cloud) this.cloud = cloud;
    this.registerOutputs({ vpcId: cloud?.vpcId, vswitchId: cloud?.vswitchId });
  }
}

/**
 * SSH for the operator, HTTP for redirects and certificates, HTTPS by TCP and by QUIC (HTTP/3); nothing else.
 *
 * @param webCidrs networks that may reach HTTP and HTTPS; empty: everywhere
 */
export function inboundRules(
  sshPort: number,
  sshCidrs: readonly string[],
  webCidrs: readonly string[] = [],
): InboundRule[] {
  return [
    { protocol: "tcp", port: sshPort, sources: sshCidrs },
    { protocol: "tcp", port: 80, sources: webCidrs },
    { protocol: "tcp", port: 443, sources: webCidrs },
    { protocol: "udp", port: 443, sources: webCidrs },
  ];
}

export function describeRule({ protocol, port, sources }: InboundRule): string {
  return `${port}/${protocol}${sources.length > 0 ? ` (from ${sources.join(" ")})` : ""}`;
}

/** Ends the name of a security group's rule. */
export function inboundSuffix(protocol: string, ports: string, cidr: string): string {
  return `in-${protocol}-${ports}-from-${cidr.replace("/", "-").replaceAll(":", "_")}`;
}
