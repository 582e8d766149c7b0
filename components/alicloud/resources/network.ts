import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { type InboundRule, type NetworkParts, inboundRules, inboundSuffix } from "../../host/network";
import type { CloudNetworkSettings } from "../../settings/targets";
import { ownership, stackName } from "./tags";

const sshPort = 22;

export interface CloudNetworkArgs extends CloudNetworkSettings {
  /** Zone of the vSwitch. */
  readonly zoneId: pulumi.Input<string>;
  /** Resource group of what is made; undefined: the account's own. */
  readonly resourceGroupId: string | undefined;
  /** Options of each resource: its parent, error hooks, and what must outlive it. */
  readonly resourceOptions: pulumi.CustomResourceOptions;
}

/** VPC, vSwitch and security group; an existing VPC or vSwitch can take the place of ours. */
export function cloudNetwork(name: string, args: CloudNetworkArgs): NetworkParts {
  const { resourceGroupId, ipv6, resourceOptions } = args;
  const common = ownership(resourceGroupId);
  const title = stackName();
  const vpcId =
    args.vpcId !== undefined
      ? pulumi.output(args.vpcId)
      : new alicloud.vpc.Network(
          `${name}-vpc`,
          { vpcName: title, cidrBlock: args.vpcCidr, ...(ipv6 && { enableIpv6: true }), ...common },
          resourceOptions,
        ).id;
  const vswitchId =
    args.vswitchId !== undefined
      ? pulumi.output(args.vswitchId)
      : new alicloud.vpc.Switch(
          `${name}-vswitch`,
          {
            vswitchName: title,
            vpcId,
            zoneId: args.zoneId,
            cidrBlock: args.vswitchCidr,
            tags: common.tags,
            ...(ipv6 && { enableIpv6: true, ipv6CidrBlockMask: 1 }),
          },
          resourceOptions,
        ).id;
  const gatewayOf = () =>
    args.ipv6GatewayId !== undefined
      ? pulumi.output(args.ipv6GatewayId)
      : new alicloud.vpc.Ipv6Gateway(
          `${name}-ipv6-gateway`,
          { vpcId, ipv6GatewayName: title, ...common },
          resourceOptions,
        ).id;
  const ipv6GatewayId = ipv6 ? gatewayOf() : undefined;
  const securityGroupId = new alicloud.ecs.SecurityGroup(
    `${name}-security-group`,
    { securityGroupName: title, vpcId, ...common },
    resourceOptions,
  ).id;
  const inbound = inboundRules(sshPort, args.sshCidrs, args.webCidrs);
  const rules = securityRules(inbound, ipv6).map(
    ({ suffix, cidr, ...rule }) =>
      new alicloud.ecs.SecurityGroupRule(
        `${name}-${suffix}`,
        {
          securityGroupId,
          nicType: "intranet",
          policy: "accept",
          priority: 1,
          ...(cidr.includes(":") ? { ipv6CidrIp: cidr } : { cidrIp: cidr }),
          ...rule,
        },
        resourceOptions,
      ),
  );
  return { inbound, enforced: true, cloud: { vpcId, vswitchId, securityGroupId, rules, ipv6GatewayId } };
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
