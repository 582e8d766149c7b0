import * as pulumi from "@pulumi/pulumi";
import type { ReachInput } from "./reach";
import { shellWord } from "../stack/escape";

/** The local command line that runs reach.ts; relative to the project, so that state holds no path of this machine. */
export function reachCommand(remote: string, urn?: string): string {
  return ["node --import tsx components/host/reach.ts", shellWord(remote), ...(urn ? [shellWord(urn)] : [])].join(" ");
}

/** Standard input of reach.ts. */
export function reachInput(input: { readonly [K in keyof ReachInput]: pulumi.Input<ReachInput[K]> }): pulumi.Output<string> {
  return pulumi.secret(pulumi.jsonStringify(input));
}
