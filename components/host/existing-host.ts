import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ExistingTarget } from "../settings/settings";
import type { Connection, Host } from "./host";
import { asRoot } from "./host";
import { type Network, describeRule, inboundRules } from "./network";
import { pointNames } from "./names";
import { reachCommand, reachInput } from "./reach-command";

/** Dials of one later command: the host has answered once, so that a short outage heals and a long one is told soon. */
const dialErrorLimit = 10;
const perDialTimeoutSeconds = 15;

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
      dialErrorLimit,
      perDialTimeout: perDialTimeoutSeconds,
    });
    // The one bounded wait; its own program because its error names TCP, banner, host key or authentication (lessons A1).
    this.reachable = new command.local.Command(
      `${name}-reachable`,
      {
        create: reachCommand(asRoot(user, "true")),
        stdin: reachInput(this.connection, args.waitSeconds),
        addPreviousOutputInEnv: false,
        logging: command.local.Logging.None,
      },
      { parent: this, customTimeouts: { create: `${args.waitSeconds + 60}s`, update: `${args.waitSeconds + 60}s` } },
    );
    const open = this.network.inbound.map(describeRule).join(", ");
    this.before = (domain) => [
      `Firewall in front of the machine, where there is one: let in ${open}; nothing else.`,
      pointNames(domain, address),
    ];
    this.registerOutputs({ publicAddress: this.publicAddress });
  }
}
