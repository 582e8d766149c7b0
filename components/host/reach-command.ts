import type * as pulumi from "@pulumi/pulumi";
import type { Connection } from "./host";
import type { ReachInput } from "./reach";
import { shellWord } from "../stack/escape";

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
