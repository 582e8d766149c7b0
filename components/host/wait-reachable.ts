import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { Connection, Host } from "./host";
import { reachCommand, reachInput } from "./reach-command";

/** Of the command that proves the way to root, which does nothing. */
const limit = { seconds: 30, graceSeconds: 5 };

/**
 * The one bounded wait for SSH; its own program because its error names TCP, banner, host key or authentication
 * (pulumi/pulumi-command#1238).
 *
 * @param waitSeconds bound of the wait, in seconds
 */
export function waitReachable(
  name: string,
  host: Pick<Host, "generation"> & { readonly connection: Connection },
  waitSeconds: number,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const bound = `${waitSeconds + 60}s`;
  return new command.local.Command(
    name,
    {
      create: reachCommand("true"),
      stdin: reachInput(host.connection, { seconds: waitSeconds, limit }),
      addPreviousOutputInEnv: false,
      logging: command.local.Logging.None,
      ...(host.generation && { triggers: [host.generation] }),
    },
    { ...opts, customTimeouts: { create: bound, update: bound } },
  );
}
