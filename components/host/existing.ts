import * as pulumi from "@pulumi/pulumi";
import type { ExistingTarget } from "../settings/targets";
import type { Connection, Host, Worker } from "./host";
import { type Network, describeRule, inboundRules } from "./network";
import { pointNames } from "./names";
import { waitReachable } from "./wait-reachable";

/** A machine that is there already. It outlives the stack: nothing of it is created or deleted. */
export class ExistingHost extends pulumi.ComponentResource implements Host, Worker {
  readonly name: string;
  readonly connection: Connection;
  readonly network: Network;
  readonly publicAddress: pulumi.Output<string>;
  readonly clusterAddress: pulumi.Output<string>;
  readonly workers: readonly Worker[];
  readonly user: string;
  readonly port: number;
  readonly hostKey: pulumi.Output<string>;
  readonly reachable: pulumi.Resource;
  readonly before: Host["before"];

  constructor(
    name: string,
    args: ExistingTarget & { readonly keepsName: boolean },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("cloudcode:index:ExistingHost", name, {}, opts);
    const { address, port, user, privateKey, hostKey } = args;
    this.name = name;
    this.network = { inbound: inboundRules(port, args.sshCidrs), enforced: false };
    this.user = user;
    this.port = port;
    this.publicAddress = pulumi.output(address);
    this.clusterAddress = this.publicAddress;
    this.hostKey = pulumi.output(hostKey);
    this.connection = pulumi.secret({
      host: address,
      port,
      user,
      privateKey,
      hostKey,
    });
    this.reachable = waitReachable(`${name}-reachable`, this, args.waitSeconds, { parent: this });
    this.workers = args.workers.map(
      (worker) => new ExistingHost(worker.name, { ...args, ...worker, sshCidrs: [], workers: [] }, opts),
    );
    const open = this.network.inbound.map(describeRule).join(", ");
    this.before = (domain) => [
      `Firewall in front of the machine, where there is one: let in ${open}; nothing else.`,
      ...args.workers.map(
        (worker) =>
          `Firewall between the machines: let ${worker.address} reach ${address} on ${worker.openings.onHost}, and all of them each other on ${worker.openings.between}.`,
      ),
      ...(args.keepsName ? [] : [pointNames(domain, address)]),
    ];
    this.registerOutputs({ publicAddress: this.publicAddress });
  }
}
