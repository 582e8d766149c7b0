import type * as pulumi from "@pulumi/pulumi";
import type { Network } from "./network";

/** How remote commands reach the machine, with the given key alone. */
export interface ConnectionParts {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  /** `type base64`. */
  readonly hostKey: string;
}

/** One secret object, built once and passed unchanged: it never shows a diff of its own (pulumi/pulumi-command#447). */
export type Connection = pulumi.Output<ConnectionParts>;

/** One machine reachable by SSH, wherever it came from. */
export interface Machine {
  readonly connection: Connection;
  /** `root`, or a user that may `sudo` without a password. */
  readonly user: string;
  /** What must be there before the first remote command; undefined while the machine is switched off. */
  readonly reachable: pulumi.Resource | undefined;
  /**
   * The machine, where it is ours: what lives on it is deleted with it, without a connection (pulumi/pulumi-command#553).
   * Undefined for an `existing` host, which outlives the stack.
   */
  readonly machine?: pulumi.Resource;
  /**
   * Changes when the machine is a new one or was made another size: every remote command then runs again
   * (pulumi/pulumi-command#189).
   */
  readonly generation?: pulumi.Output<string>;
  /** IPv4 address by which the stack's machines reach this one. */
  readonly clusterAddress: pulumi.Output<string>;
}

/** A machine beside the host that only runs work of an App. */
export interface Worker extends Machine {
  /** Its name among the workers. */
  readonly name: string;
}

/** The machine of the stack. Each Target provides one. */
export interface Host extends Machine {
  readonly network: Network;
  readonly workers: readonly Worker[];
  /** Price of a month by the published prices, where the machine is ours. */
  readonly monthlyCost?: pulumi.Output<MonthlyCost>;
  /** Where the names of the stack point to. */
  readonly publicAddress: pulumi.Output<string>;
  /** IPv6 address that is open to the internet, too. @default none */
  readonly publicIpv6?: pulumi.Output<string>;
  /** SSH port. */
  readonly port: number;
  /** Public half of the host key: `type base64`. */
  readonly hostKey: pulumi.Output<string>;
  /** What the operator does outside the program before the first sign-in, one sentence each. */
  readonly before: (domain: string, address: string) => string[];
  /** Serial number and size of the disk that Docker's data lives on; undefined: on the machine's own. */
  readonly dataDisk?: pulumi.Output<DataDiskFacts>;
  /** The bucket of the stack, where backups go to one. */
  readonly backupStore?: BackupStore;
}

/** Where restic keeps backups. */
export interface BackupStore {
  /** In restic's words. */
  readonly repository: pulumi.Output<string>;
  /** What S3 requests are signed for; empty: restic asks the store. */
  readonly region: string;
  readonly accessKeyId: pulumi.Output<string>;
  readonly secretAccessKey: pulumi.Output<string>;
}

/** USD a month. */
export interface MonthlyCost {
  readonly running: number;
  readonly stopped: number;
  /** What costs money but has no known price. */
  readonly notCounted: readonly string[];
}

export interface DataDiskFacts {
  readonly serial: string;
  readonly gib: number;
}
