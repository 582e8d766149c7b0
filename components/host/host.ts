import * as pulumi from "@pulumi/pulumi";
import type { Network } from "./network";
import type { Platform } from "./platform";

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
  /** Proves the way to the machine, before the first remote command; undefined while the machine is switched off. */
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

/** A machine next to the host that only runs work of an App. */
export interface Worker extends Machine {
  /** Its name among the workers. */
  readonly name: string;
}

/** What one kind of target has of a {@link Host}. */
export interface HostParts extends Machine {
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
  readonly manualSteps: (domain: string, address: string) => string[];
  /** Serial number and size of the disk that Docker's data lives on; undefined: on the machine's own. */
  readonly dataDisk?: pulumi.Output<DataDiskFacts>;
  /** The bucket of the stack, where backups go to one. */
  readonly backupStore?: BackupStore;
  /** Whether the cloud may take the machine back, of which the machine hears a few minutes before. @default false */
  readonly spot?: boolean;
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

/** Price of a month. */
export interface MonthlyCost {
  /** That the account is billed in, such as USD. */
  readonly currency: string;
  readonly running: number;
  readonly stopped: number;
  /** What costs money but has no known price. */
  readonly notCounted: readonly string[];
}

export interface DataDiskFacts {
  readonly serial: string;
  readonly gib: number;
}

export interface HostArgs {
  /** The stack's target, which makes the machine or knows it. */
  readonly platform: Platform;
  /** What the machine is in, or behind. */
  readonly network: Network;
}

/** The machine of the stack. What a target makes for it (disk, address, keys, workers) is inside. */
export class Host extends pulumi.ComponentResource implements HostParts {
  readonly network: Network;
  readonly connection: Connection;
  readonly user: string;
  readonly port: number;
  readonly hostKey: pulumi.Output<string>;
  readonly reachable: pulumi.Resource | undefined;
  readonly machine?: pulumi.Resource;
  readonly generation?: pulumi.Output<string>;
  readonly clusterAddress: pulumi.Output<string>;
  readonly workers: readonly Worker[];
  readonly monthlyCost?: pulumi.Output<MonthlyCost>;
  readonly publicAddress: pulumi.Output<string>;
  readonly publicIpv6?: pulumi.Output<string>;
  readonly manualSteps: HostParts["manualSteps"];
  readonly dataDisk?: pulumi.Output<DataDiskFacts>;
  readonly backupStore?: BackupStore;
  readonly spot?: boolean;

  constructor(name: string, { platform, network }: HostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:Host", name, {}, opts);
    const parts = platform.host(name, this, network);
    this.network = network;
    this.connection = parts.connection;
    this.user = parts.user;
    this.port = parts.port;
    this.hostKey = parts.hostKey;
    this.reachable = parts.reachable;
    if (parts.machine) this.machine = parts.machine;
    if (parts.generation) this.generation = parts.generation;
    this.clusterAddress = parts.clusterAddress;
    this.workers = parts.workers;
    if (parts.monthlyCost) this.monthlyCost = parts.monthlyCost;
    this.publicAddress = parts.publicAddress;
    if (parts.publicIpv6) this.publicIpv6 = parts.publicIpv6;
    this.manualSteps = parts.manualSteps;
    if (parts.dataDisk) this.dataDisk = parts.dataDisk;
    if (parts.backupStore) this.backupStore = parts.backupStore;
    if (parts.spot !== undefined) this.spot = parts.spot;
    this.registerOutputs({ publicAddress: this.publicAddress, hostKey: this.hostKey });
  }

  /** False while the machine is switched off (`hostPower`): nothing runs on it, and no command reaches it. */
  get poweredOn(): boolean {
    return this.reachable !== undefined;
  }
}
