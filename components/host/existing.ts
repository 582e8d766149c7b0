import * as pulumi from "@pulumi/pulumi";
import type { ExistingTarget, ExistingWorker as ExistingWorkerSettings } from "../settings/targets";
import type { Connection, HostParts, Worker } from "./host";
import { isPrivate } from "./free-name";
import { behindNat, pointNames } from "./names";
import { describeRule, inboundRules } from "./network";
import type { DomainCare, Platform } from "./platform";
import { waitReachable } from "./wait-reachable";

/**
 * Machines that are there already. They outlive the stack: nothing of them is created or deleted.
 *
 * @param care what of the domain is not the operator's to do
 */
export function existingPlatform(target: ExistingTarget, care: DomainCare, parent: pulumi.Resource): Platform {
  const { address, port, user, privateKey, waitSeconds } = target;
  const login = { user, privateKey, waitSeconds };
  return {
    options: { parent },
    network: () => ({ inbound: inboundRules(port, target.sshCidrs, target.webCidrs), enforced: false }),
    host(name, parent, { inbound }): HostParts {
      const { connection, hostKey, reachable } = reached(name, { ...target, ...login }, parent);
      const open = inbound.map(describeRule).join(", ");
      return {
        connection,
        hostKey,
        reachable,
        user,
        port,
        publicAddress: pulumi.output(address),
        clusterAddress: pulumi.output(address),
        workers: target.workers.map((worker) => new ExistingWorker(worker.name, { ...worker, ...login }, { parent })),
        manualSteps: (domain) => [
          `Firewall in front of the machine, if there is one: allow ${open}; nothing else.`,
          ...target.workers.map(
            (worker) =>
              `Firewall between the machines: allow ${worker.address} to connect to ${address} on ${worker.openings.onHost}, and all of them to each other on ${worker.openings.between}.`,
          ),
          ...(isPrivate(address)
            ? [behindNat(domain, address, care)]
            : care.records
              ? []
              : [pointNames(domain, address)]),
        ],
      };
    },
  };
}

/** How a machine is reached. */
type Login = Pick<ExistingTarget, "address" | "port" | "user" | "privateKey" | "hostKey" | "waitSeconds">;

function reached(name: string, { address, waitSeconds, ...login }: Login, parent: pulumi.Resource) {
  const { port, user, privateKey, hostKey } = login;
  const connection: Connection = pulumi.secret({ host: address, port, user, privateKey, hostKey });
  return {
    connection,
    hostKey: pulumi.output(hostKey),
    reachable: waitReachable(`${name}-reachable`, { connection }, waitSeconds, { parent }),
  };
}

export interface ExistingWorkerArgs
  extends ExistingWorkerSettings, Pick<ExistingTarget, "user" | "privateKey" | "waitSeconds"> {}

/** A machine that is there already and only runs sandboxes. */
class ExistingWorker extends pulumi.ComponentResource implements Worker {
  readonly name: string;
  readonly connection: Connection;
  readonly user: string;
  readonly reachable: pulumi.Resource;
  readonly clusterAddress: pulumi.Output<string>;

  constructor(name: string, args: ExistingWorkerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:ExistingWorker", name, {}, opts);
    const { connection, reachable } = reached(name, args, this);
    this.name = name;
    this.connection = connection;
    this.user = args.user;
    this.reachable = reachable;
    this.clusterAddress = pulumi.output(args.address);
    this.registerOutputs({ clusterAddress: this.clusterAddress });
  }
}
