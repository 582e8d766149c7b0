import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { type InboundRule, type Network, inboundRules, inboundSuffix } from "../host/network";
import type { CloudNetworkSettings } from "../settings/targets";
import { ownership, stackName } from "./tags";

const sshPort = 22;

export interface AlicloudNetworkArgs extends CloudNetworkSettings {
  readonly zoneId: pulumi.Input<string>;
  readonly resourceGroupId: string | undefined;
  /** Options of each resource: error hooks, and what must outlive them. */
  readonly each: pulumi.CustomResourceOptions;
}

/** VPC, vSwitch and security group; an existing VPC or vSwitch can take the place of ours. */
export class AlicloudNetwork extends pulumi.ComponentResource implements Network {
  readonly inbound: readonly InboundRule[];
  readonly enforced = true;
  readonly vpcId: pulumi.Output<string>;
  readonly vswitchId: pulumi.Output<string>;
  readonly securityGroupId: pulumi.Output<string>;
  /** The rules: a machine is of no use before them. */
  readonly rules: readonly pulumi.Resource[];
  /** Undefined without IPv6. */
  readonly ipv6GatewayId?: pulumi.Output<string>;

  constructor(name: string, args: AlicloudNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:Network", name, {}, opts);
    const each = { ...args.each, parent: this };
    const { resourceGroupId, ipv6 } = args;
    const common = ownership(resourceGroupId);
    const title = stackName();

    this.vpcId =
      args.vpcId !== undefined
        ? pulumi.output(args.vpcId)
        : new alicloud.vpc.Network(
            `${name}-vpc`,
            { vpcName: title, cidrBlock: args.vpcCidr, ...(ipv6 && { enableIpv6: true }), ...common },
            each,
          ).id;
    this.vswitchId =
      args.vswitchId !== undefined
        ? pulumi.output(args.vswitchId)
        : new alicloud.vpc.Switch(
            `${name}-vswitch`,
            {
              vswitchName: title,
              vpcId: this.vpcId,
              zoneId: args.zoneId,
              cidrBlock: args.vswitchCidr,
              tags: common.tags,
              ...(ipv6 && { enableIpv6: true, ipv6CidrBlockMask: 1 }),
            },
            each,
          ).id;
    if (ipv6)
      this.ipv6GatewayId =
        args.ipv6GatewayId !== undefined
          ? pulumi.output(args.ipv6GatewayId)
          : new alicloud.vpc.Ipv6Gateway(
              `${name}-ipv6-gateway`,
              { vpcId: this.vpcId, ipv6GatewayName: title, ...common },
              each,
            ).id;
    this.securityGroupId = new alicloud.ecs.SecurityGroup(
      `${name}-security-group`,
      { securityGroupName: title, vpcId: this.vpcId, ...common },
      each,
    ).id;

    this.inbound = inboundRules(sshPort, args.sshCidrs);
    this.rules = securityRules(this.inbound, ipv6).map(
      ({ suffix, cidr, ...rule }) =>
        new alicloud.ecs.SecurityGroupRule(
          `${name}-${suffix}`,
          {
            securityGroupId: this.securityGroupId,
            nicType: "intranet",
            policy: "accept",
            priority: 1,
            ...(cidr.includes(":") ? { ipv6CidrIp: cidr } : { cidrIp: cidr }),
            ...rule,
          },
          each,
        ),
    );
    this.registerOutputs({ vpcId: this.vpcId, vswitchId: this.vswitchId });
  }
}

/** One rule of a security group. */
export interface SecurityRule {
  /** Ends the resource's name. */
  readonly suffix: string;
  readonly type: "ingress" | "egress";
  readonly ipProtocol: string;
  /** `from/to`; `-1/-1` for all. */
  readonly portRange: string;
  readonly cidr: string;
}

/** A rule of its own for each port and network, so that a change of one touches no other; everything may go out. */
export function securityRules(inbound: readonly InboundRule[], ipv6: boolean): SecurityRule[] {
  const everywhere = ["0.0.0.0/0", ...(ipv6 ? ["::/0"] : [])];
  const into = inbound.flatMap(({ protocol, port, sources }) =>
    [...new Set(sources.length > 0 ? sources : everywhere)].map((cidr) => ({
      suffix: inboundSuffix(protocol, String(port), cidr),
      type: "ingress" as const,
      ipProtocol: protocol,
      portRange: `${port}/${port}`,
      cidr,
    })),
  );
  const out = everywhere.map((cidr) => ({
    suffix: cidr.includes(":") ? "out-ipv6" : "out",
    type: "egress" as const,
    ipProtocol: "all",
    portRange: "-1/-1",
    cidr,
  }));
  return [...into, ...out];
}
