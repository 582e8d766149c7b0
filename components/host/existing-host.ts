import * as pulumi from "@pulumi/pulumi";
import type { ExistingTarget } from "../settings/targets";
import type { Connection, Host } from "./host";
import { type Network, describeRule, inboundRules } from "./network";
import { pointNames } from "./names";
import { laterDials, waitReachable } from "./wait-reachable";

/** A machine that is there already. It outlives the stack: nothing of it is created or deleted. */
export class ExistingHost extends pulumi.ComponentResource implements Host {
  readonly connection: Connection;
  readonly network: Network;
  readonly publicAddress: pulumi.Output<string>;
  readonly user: string;
  readonly port: number;
  readonly hostKey: pulumi.Output<string>;
  readonly reachable: pulumi.Resource;
  readonly before: Host["before"];

  constructor(name: string, args: ExistingTarget, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:ExistingHost", name, {}, opts);
    const { address, port, user, privateKey, hostKey } = args;
    this.network = { inbound: inboundRules(port, args.sshCidrs) };
    this.user = user;
    this.port = port;
    this.publicAddress = pulumi.output(address);
    this.hostKey = pulumi.output(hostKey);
    this.connection = pulumi.secret({
      host: address,
      port,
      user,
      privateKey,
      hostKey,
      ...laterDials,
    });
    this.reachable = waitReachable(`${name}-reachable`, this, args.waitSeconds, { parent: this });
    const open = this.network.inbound.map(describeRule).join(", ");
    this.before = (domain) => [
      `Firewall in front of the machine, where there is one: let in ${open}; nothing else.`,
      pointNames(domain, address),
    ];
    this.registerOutputs({ publicAddress: this.publicAddress });
  }
}
