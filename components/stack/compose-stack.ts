import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Host } from "../host/host";
import { onRemoval, reachCommand } from "../host/reach-command";
import { formatComments } from "./plan";
import type { ReleaseSource } from "./release";
import { releaseCommand } from "./release-command";

/** What every ComposeStack of a program shares. */
export interface StackContext {
  /** The machine it runs on. */
  readonly host: Host;
  /** What must be on the Host first. Not an option of the components: a protected child would keep all that they depend on. */
  readonly engine: pulumi.Resource;
  /** Folder that holds a folder of templates for each stack; an absolute path. */
  readonly templatesRoot: string;
  /** Key of the digests that name releases and stand in previews; a secret kept in state. */
  readonly digestKey: pulumi.Input<string>;
  /** Whether removing the stack also deletes its volumes. */
  readonly deleteData: boolean;
}

export interface ComposeStackArgs extends StackContext {
  /** Undefined: there is nothing to apply now, but what is on the Host is removed when the stack is. */
  readonly release?: pulumi.Output<ReleaseSource>;
  /** Values of the templates that are secret or known only when resources exist: `secrets.NAME` in a template. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
  /** More secrets, made once: number of letters and digits by name. @default none */
  readonly generated?: Readonly<Record<string, number>>;
}

/** One Docker Compose project on the Host, applied as a Release in one SSH connection. */
export class ComposeStack extends pulumi.ComponentResource {
  /** Those given and those generated. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
  /**
   * Id of the release that the last `up` that succeeded applied: the keyed hash of its contents, 12 hexadecimal digits. An output
   * of the component in the state, where `npm run ops` reads it. Undefined where that `up` applied no or another release.
   */
  readonly release: pulumi.Output<string | undefined> | undefined;

  constructor(name: string, args: ComposeStackArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:ComposeStack", name, {}, opts);
    const { host, engine } = args;
    const onEngine = { parent: this, dependsOn: [engine] };
    const generated = Object.entries(args.generated ?? {}).map(([role, length]) => [
      role,
      new random.RandomPassword(`${name}-${role}`, { length, special: false }, { parent: this }).result,
    ]);
    this.secrets = { ...args.secrets, ...(Object.fromEntries(generated) as Record<string, pulumi.Output<string>>) };
    // First, so that the state knows how to remove what a cut-off `up` leaves on the Host.
    const removalName = `${name}-removal`;
    const removal = new command.local.Command(
      removalName,
      onRemoval(removalName, this, host, hostCommand("remove", name, args.deleteData ? "delete-data" : "keep-data")),
      { ...onEngine, ...(host.machine === undefined ? {} : { deletedWith: host.machine }) },
    );
    if (args.release) {
      const { command: applied, id } = releaseCommand(
        `${name}-release`,
        {
          ...args,
          source: args.release,
          secrets: this.secrets,
          words: (wanted) => hostCommand("apply", name, wanted),
          comments: (plan) => formatComments(plan, name),
        },
        { parent: this, dependsOn: [engine, removal] },
      );
      // Only what the engine says was applied: an `up` with --target leaves other stacks as they are, and yet the engine takes
      // the outputs of every component.
      const isApplied = (create = "", wanted: string) =>
        create.startsWith(`${reachCommand(hostCommand("apply", name, wanted))}\n`);
      this.release =
        applied &&
        pulumi.all([applied.create, id]).apply(([create, wanted]) => (isApplied(create, wanted) ? wanted : undefined));
    }
    this.registerOutputs({ release: this.release });
  }
}

function hostCommand(action: "apply" | "remove", name: string, argument: string): string {
  return `/opt/cloudcode/bin/cloudcode-host ${action} ${name} ${argument}`;
}
