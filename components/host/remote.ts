import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type Machine, asRoot } from "./host";

/** Longest run of one remote command; image builds on a small host take most of it. */
const remoteTimeout = "45m";

/** A command run as root on a machine, its secrets on standard input only. */
export interface RemoteCommandArgs {
  readonly host: Machine;
  /** Fixed words and digests, never a secret: it stands in plain state, in previews and in errors (lessons A11). */
  readonly create: pulumi.Input<string>;
  readonly stdin: pulumi.Input<string>;
  /** Whether its standard error is for the operator to read: warnings that hold no secret. @default false */
  readonly warns?: boolean;
}

/**
 * The one way to make a remote command: host key checked by the connection, no environment (sshd drops it, lessons A3), no
 * output of the last run sent back (A4), nothing streamed to the log but warnings where it has some (A10), no `delete` half (A5; see reach-command.ts), a change
 * is an update in place (A14), unless the machine itself changed. A machine that is switched off gets none.
 */
export function remoteCommand(
  name: string,
  args: RemoteCommandArgs,
  { parent, dependsOn = [] }: { readonly parent: pulumi.Resource; readonly dependsOn?: readonly pulumi.Resource[] },
): void {
  const { host } = args;
  const { reachable } = host;
  if (reachable === undefined) return;
  const create = pulumi.output(args.create).apply((text) => asRoot(host.user, text));
  new command.remote.Command(
    name,
    {
      connection: host.connection,
      create,
      stdin: args.stdin,
      addPreviousOutputInEnv: false,
      logging: args.warns === true ? command.remote.Logging.Stderr : command.remote.Logging.None,
      ...(host.generation && { triggers: [host.generation] }),
    },
    {
      parent,
      dependsOn: [reachable, ...dependsOn],
      additionalSecretOutputs: ["stdout", "stderr"],
      customTimeouts: { create: remoteTimeout, update: remoteTimeout },
      ...(host.machine === undefined ? {} : { deletedWith: host.machine }),
    },
  );
}
