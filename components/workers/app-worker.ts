import { basename } from "node:path";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Host, Worker } from "../host/host";
import { onRemoval, reachCommand } from "../host/reach-command";
import { remoteCommand } from "../host/remote";
import type { DockerSettings } from "../settings/settings";
import { type ReleaseSource, digestComment, releasePayload, renderRelease, unpackAndRun } from "../stack/release";

export interface ClusterWorkerArgs {
  /** The machine that runs the cluster. */
  readonly host: Host;
  readonly worker: Worker;
  /** What the worker's k3s is made of; `agent.sh` installs it. */
  readonly release: Pick<ReleaseSource, "template" | "values">;
  /** How it keeps its system up to date. */
  readonly updates: Pick<DockerSettings, "automaticUpdates" | "rebootTime">;
  /** The ComposeStack that the cluster belongs to: on the host first, and gone last. */
  readonly cluster: pulumi.Resource;
  readonly templatesRoot: string;
  /** Key of the digests that the preview shows. */
  readonly digestKey: pulumi.Input<string>;
}

const onHost = "/opt/cloudcode/k3s/worker.sh";
/** What a worker does as the host does. */
const shared = [
  ...["host/transaction.sh", "host/apt.sh", "host/updates.sh"],
  ...["1-begin", "2-system", "3-storage", "4-packages", "7-access", "8-end"].map((part) => `host/look/${part}.sh`),
];
const gone = "/opt/cloudcode/k3s/gone.sh";

/**
 * A machine that joins the host's k3s as an agent (https://docs.k3s.io/cli/agent). When it is no longer wanted its sandboxes are
 * drained, the cluster forgets it, and k3s goes from it.
 */
export class ClusterWorker extends pulumi.ComponentResource {
  constructor(name: string, args: ClusterWorkerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:ClusterWorker", name, {}, opts);
    const { host, worker, cluster } = args;
    const [removal, membership, dismissal] = [`${name}-removal`, `${name}-membership`, `${name}-dismissal`];
    const left =
      worker.machine !== undefined
        ? []
        : [
            new command.local.Command(
              removal,
              onRemoval(removal, this, worker, `[ ! -e ${gone} ] || sh ${gone} delete-data`),
              { parent: this },
            ),
          ];
    const dismiss = `${onHost} dismiss ${name}`;
    const onCluster = host.machine === undefined ? {} : { deletedWith: host.machine };
    // In the state before the machine is let in, so that it is shut out again even if that is cut off.
    const shutOut = new command.local.Command(dismissal, onRemoval(dismissal, this, host, dismiss), {
      parent: this,
      dependsOn: [cluster, ...left],
      ...onCluster,
    });
    const say = (words: string) => reachCommand(`${onHost} ${words}`);
    const member = new command.local.Command(
      membership,
      {
        ...onRemoval(membership, this, host, dismiss),
        create: worker.clusterAddress.apply((address) => say(`admit ${name} ${address}`)),
        update: say(`token ${name}`),
        triggers: [worker.generation ?? worker.clusterAddress],
      },
      {
        parent: this,
        dependsOn: [shutOut],
        // The machine of before is drained before the cluster hears of the new one under its name.
        deleteBeforeReplace: true,
        additionalSecretOutputs: ["stdout", "stderr"],
        ...onCluster,
      },
    );
    const release = pulumi
      .all([args.digestKey, member.stdout])
      .apply(([key, token]) =>
        renderRelease(args.templatesRoot, { ...args.release, plan: { networks: [] } }, { token }, key),
      );
    const words = pulumi.all([host.clusterAddress, worker.clusterAddress, member.id]).apply((each) => [name, ...each]);
    const { automaticUpdates, rebootTime = "" } = args.updates;
    const upkeep = pulumi
      .output(args.digestKey)
      .apply((key) =>
        renderRelease(
          args.templatesRoot,
          {
            template: "worker",
            also: Object.fromEntries(shared.map((path) => [basename(path), path])),
            values: { automaticUpdates, rebootTime },
            plan: { networks: [] },
          },
          {},
          key,
        ),
      );
    // The look at the machine is the first of it.
    const prepared = remoteCommand(
      `${name}-upkeep`,
      {
        host: worker,
        create: unpackAndRun("upkeep.sh", ""),
        digests: pulumi.unsecret(upkeep).apply(digestComment),
        stdin: pulumi.secret(upkeep.apply(releasePayload)),
        warns: true,
      },
      { parent: this },
    );
    remoteCommand(
      `${name}-agent`,
      {
        host: worker,
        create: words.apply((each) => unpackAndRun("agent.sh", each.join(" "))),
        digests: pulumi.unsecret(release).apply(digestComment),
        stdin: pulumi.secret(release.apply(releasePayload)),
      },
      { parent: this, dependsOn: prepared === undefined ? [] : [prepared] },
    );
    this.registerOutputs();
  }
}
