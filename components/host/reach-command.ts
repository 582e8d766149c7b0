import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { hookCommand } from "../hook";
import { shellWord } from "../stack/escape";
import type { Connection, Machine } from "./host";
import type { ReachInput } from "./reach";

/** How long a removal waits for a machine that does not answer, in seconds. */
const removalSeconds = 60;

/** Drained sandboxes, stopped containers and what an App takes back of the machine. */
const removalLimit = { seconds: 20 * 60, graceSeconds: 60 };

/** What a command needs in addition to the connection. */
type ReachOptions = Pick<ReachInput, "seconds" | "limit"> & { readonly payload?: pulumi.Input<string> };

/**
 * The local command line that runs a command of `sh` as root on a machine, by reach.ts. It takes the place of its shell, so
 * that nothing is left of it when Pulumi ends it.
 */
export function reachCommand(remote: string, urn?: string): string {
  return [`exec ${hookCommand("reach")}`, shellWord(remote), ...(urn ? [shellWord(urn)] : [])].join(" ");
}

/** Standard input of reach.ts. */
export function reachInput(connection: Connection, { payload, ...bounds }: ReachOptions): pulumi.Output<string> {
  return pulumi.all([connection, payload]).apply(([{ host, port, user, privateKey, hostKey }, given]) => {
    const input: ReachInput = {
      address: host,
      port,
      user,
      privateKey,
      hostKey,
      ...bounds,
      ...(given !== undefined && { payload: given }),
    };
    return JSON.stringify(input);
  });
}

/**
 * Inputs of a local command that runs words as root on a machine when it is deleted, and whose failure says how to forget it.
 *
 * @param name of the command, which stands in its own input
 * @param parent of the command
 */
export function onRemoval(
  name: string,
  parent: pulumi.Resource,
  machine: Pick<Machine, "connection">,
  words: string,
): command.local.CommandArgs {
  return {
    delete: urnBelow(parent, name).apply((urn) => reachCommand(words, urn)),
    stdin: reachInput(machine.connection, { seconds: removalSeconds, limit: removalLimit }),
    addPreviousOutputInEnv: false,
    logging: command.local.Logging.None,
  };
}

/** The URN of a command below its parent. An input made of the parent itself would wait for all its other children. */
function urnBelow(parent: pulumi.Resource, name: string): pulumi.Output<string> {
  const urn = new Promise<string>((resolve) => parent.urn.apply(resolve));
  return pulumi.createUrn(name, "command:local:Command", pulumi.output(urn));
}
