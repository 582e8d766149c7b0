import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Machine } from "./host";
import { reachCommand, reachInput } from "./reach-command";

/** Seconds to wait for a machine that has answered before: enough for a short outage, and a long one is reported soon. */
const laterSeconds = 60;

/** Image builds on a small host take most of it; the grace is for going back to the release before. */
const limit = { seconds: 34 * 60, graceSeconds: 9 * 60 };
const remoteTimeout = "45m";

/** A command run as root on a machine, its secrets on standard input only. */
export interface RemoteCommandArgs {
  /** The machine that it runs on. */
  readonly host: Machine;
  /** Fixed words, never a secret: they stand in plain state, in previews and in errors, which quote the command. */
  readonly create: pulumi.Input<string>;
  /** Comments that show in a preview what changes, since standard input is secret; one a line. */
  readonly digests: pulumi.Input<string>;
  /** Standard input of the command: what may be secret. */
  readonly stdin: pulumi.Input<string>;
  /** Whether its standard error is for the operator to read: warnings that hold no secret. @default false */
  readonly warns?: boolean;
}

/**
 * The one way to make a remote command. Not the provider's own `remote.Command`: that asks an SSH agent whenever SSH_AUTH_SOCK is
 * set, which fails at one that is gone (pulumi/pulumi-command, connection.go), knows no bound of time, hands its text to whatever
 * login shell there is, and sends no keep-alives. No output of the last run is sent back (A4), nothing is streamed to the log
 * but warnings where it has some (A10), a change is an update in place (A14), unless the machine itself changed. A machine that is switched off gets none.
 */
export function remoteCommand(
  name: string,
  args: RemoteCommandArgs,
  { parent, dependsOn = [] }: { readonly parent: pulumi.Resource; readonly dependsOn?: readonly pulumi.Resource[] },
): command.local.Command | undefined {
  const { host } = args;
  const { reachable } = host;
  if (reachable === undefined) return undefined;
  return new command.local.Command(
    name,
    {
      create: pulumi.all([args.create, args.digests]).apply(([words, lines]) => `${reachCommand(words)}\n${lines}`),
      stdin: reachInput(host.connection, { seconds: laterSeconds, limit, payload: args.stdin }),
      addPreviousOutputInEnv: false,
      logging: args.warns === true ? command.local.Logging.Stderr : command.local.Logging.None,
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
