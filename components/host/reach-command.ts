import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { shellWord } from "../stack/escape";
import { type Connection, type Machine, asRoot } from "./host";
import type { ReachInput } from "./reach";

/** How long a removal waits for a machine that does not answer, in seconds. */
const removalSeconds = 60;

/** The local command line that runs reach.ts; relative to the project, so that state holds no path of this machine. */
export function reachCommand(remote: string, urn?: string): string {
  return ["node --import tsx components/host/reach.ts", shellWord(remote), ...(urn ? [shellWord(urn)] : [])].join(" ");
}

/** Standard input of reach.ts: the connection, and the bound of the wait in seconds. */
export function reachInput(connection: Connection, seconds: number): pulumi.Output<string> {
  return connection.apply(({ host, port, user, privateKey, hostKey }) => {
    const input: ReachInput = { address: host, port, user, privateKey, hostKey, seconds };
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
  machine: Pick<Machine, "connection" | "user">,
  words: string,
): command.local.CommandArgs {
  return {
    delete: urnBelow(parent, name).apply((urn) => reachCommand(asRoot(machine.user, words), urn)),
    stdin: reachInput(machine.connection, removalSeconds),
    addPreviousOutputInEnv: false,
    logging: command.local.Logging.None,
  };
}

/** The URN of a command below its parent. An input made of the parent itself would wait for all its other children. */
function urnBelow(parent: pulumi.Resource, name: string): pulumi.Output<string> {
  const urn = new Promise<string>((resolve) => parent.urn.apply(resolve));
  return pulumi.createUrn(name, "command:local:Command", pulumi.output(urn));
}
