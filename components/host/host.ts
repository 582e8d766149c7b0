import type * as pulumi from "@pulumi/pulumi";
import type { Network } from "./network";

/** How remote commands reach the machine, in the words of the command provider. */
export interface ConnectionParts {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  /** `type base64`. */
  readonly hostKey: string;
  /** Failed dials before a command gives up. */
  readonly dialErrorLimit: number;
  /** Seconds. */
  readonly perDialTimeout: number;
}

/** One secret object, built once and passed unchanged, so that it never shows a diff of its own (lessons A16). */
export type Connection = pulumi.Output<ConnectionParts>;

/** One machine reachable by SSH, wherever it came from. Each Target provides one. */
export interface Host {
  readonly connection: Connection;
  readonly network: Network;
  /** Where the names of the stack point to. */
  readonly publicAddress: pulumi.Output<string>;
  /** `root`, or a user that may `sudo` without a password. */
  readonly user: string;
  /** SSH port. */
  readonly port: number;
  /** Public half of the host key: `type base64`. */
  readonly hostKey: pulumi.Output<string>;
  /** What the operator does outside the program before the first sign-in, one sentence each. */
  readonly before: (domain: string, address: string) => string[];
  /** What must be there before the first remote command. */
  readonly reachable: pulumi.Resource;
  /**
   * The machine, where it is ours: what lives on it is deleted with it, without a connection (lessons A5).
   * Undefined for an `existing` host, which outlives the stack.
   */
  readonly machine?: pulumi.Resource;
}

/** `sudo -n` where the user is not root. */
export function asRoot(user: string, command: string): string {
  return user === "root" ? command : `sudo -n ${command}`;
}
