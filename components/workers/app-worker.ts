import { basename } from "node:path";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { WorkerRelease } from "../apps/app";
import type { Host, Worker } from "../host/host";
import { onRemoval, reachCommand } from "../host/reach-command";
import type { DockerSettings } from "../settings/settings";
import { unpackAndRun } from "../stack/payload";
import { releaseCommand } from "../stack/release-command";

export interface ClusterWorkerArgs {
  /** The machine that runs the App. */
  readonly host: Host;
  /** The machine that joins it. */
  readonly worker: Worker;
  /** The App's part on the worker; `agent.sh` of its template installs it. */
  readonly release: WorkerRelease;
  /** How it keeps its system up to date, and from where. */
  readonly updates: Pick<DockerSettings, "automaticUpdates" | "rebootTime" | "aptMirror">;
  /** The ComposeStack of the App: on the host first, and gone last. */
  readonly stack: pulumi.Resource;
  /** Folder that holds a folder of templates for each stack; an absolute path. */
  readonly templatesRoot: string;
  /** Key of the digests that the preview shows. */
  readonly digestKey: pulumi.Input<string>;
}

/** Parts of the look at a machine (stack-templates/host/look) that fit a worker: it has neither Docker nor the edge. */
export const workerLook = ["1-begin.sh", "2-system.sh", "3-storage.sh", "4-packages.sh", "7-access.sh", "8-end.sh"];

/** What a worker does as the host does. */
const shared = [
  "host/transaction.sh",
  "host/apt.sh",
  "host/updates.sh",
  ...workerLook.map((part) => `host/look/${part}`),
];

/** The values of a worker's settings.sh. */
export function workerValues({ automaticUpdates, rebootTime = "", aptMirror }: ClusterWorkerArgs["updates"]) {
  return { automaticUpdates, rebootTime, aptMirror: aptMirror?.address ?? "", aptSources: aptMirror?.program ?? "" };
}

/**
 * A machine that does a part of an App's work, as a member that the App's own script on the host admits. When it is no longer
 * wanted the App drains it and forgets it, and its part is taken off the machine.
 */
export class ClusterWorker extends pulumi.ComponentResource {
  constructor(name: string, args: ClusterWorkerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:ClusterWorker", name, {}, opts);
    const { host, worker, stack } = args;
    const { members, uninstall, ...source } = args.release;
    const [removal, membership, dismissal] = [`${name}-removal`, `${name}-membership`, `${name}-dismissal`];
    const left =
      worker.machine !== undefined
        ? []
        : [
            new command.local.Command(
              removal,
              onRemoval(removal, this, worker, `[ ! -e ${uninstall} ] || sh ${uninstall} delete-data`),
              { parent: this },
            ),
          ];
    const dismiss = `${members} dismiss ${name}`;
    const withHost = host.machine === undefined ? {} : { deletedWith: host.machine };
    // In the state before the machine is let in, so that it is shut out again even if that is cut off.
    const shutOut = new command.local.Command(dismissal, onRemoval(dismissal, this, host, dismiss), {
      parent: this,
      dependsOn: [stack, ...left],
      ...withHost,
    });
    const say = (words: string) => reachCommand(`${members} ${words}`);
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
        // The former machine is drained before the App hears of the new one under its name.
        deleteBeforeReplace: true,
        additionalSecretOutputs: ["stdout", "stderr"],
        ...withHost,
      },
    );
    const words = pulumi.all([host.clusterAddress, worker.clusterAddress, member.id]).apply((each) => [name, ...each]);
    const upkeep = {
      template: "worker",
      also: Object.fromEntries(shared.map((path) => [basename(path), path])),
      values: workerValues(args.updates),
      plan: { networks: [] },
    };
    const onWorker = { host: worker, templatesRoot: args.templatesRoot, digestKey: args.digestKey };
    // The look at the machine is the first of it.
    const { command: prepared } = releaseCommand(
      `${name}-upkeep`,
      { ...onWorker, source: upkeep, secrets: {}, words: unpackAndRun("upkeep.sh", ""), warns: true },
      { parent: this },
    );
    releaseCommand(
      `${name}-agent`,
      {
        ...onWorker,
        source: { ...source, plan: { networks: [] } },
        secrets: { token: member.stdout },
        words: words.apply((each) => unpackAndRun("agent.sh", each.join(" "))),
      },
      { parent: this, dependsOn: prepared === undefined ? [] : [prepared] },
    );
    this.registerOutputs();
  }
}
