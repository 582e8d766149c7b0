import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { type Connection, type Host, asRoot } from "./host";
import { reachCommand, reachInput } from "./reach-command";

/** Dials of one later command: the host has answered once, so that a short outage heals and a long one is told soon. */
export const laterDials = { dialErrorLimit: 10, perDialTimeout: 15 };

/**
 * The one bounded wait for SSH; its own program because its error names TCP, banner, host key or authentication (lessons A1).
 *
 * @param waitSeconds bound of the wait, in seconds
 */
export function waitReachable(
  name: string,
  host: Pick<Host, "user" | "generation"> & { readonly connection: Connection },
  waitSeconds: number,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const bound = `${waitSeconds + 60}s`;
  return new command.local.Command(
    name,
    {
      create: reachCommand(asRoot(host.user, "true")),
      stdin: reachInput(host.connection, waitSeconds),
      addPreviousOutputInEnv: false,
      logging: command.local.Logging.None,
      ...(host.generation && { triggers: [host.generation] }),
    },
    { ...opts, customTimeouts: { create: bound, update: bound } },
  );
}
