import type * as pulumi from "@pulumi/pulumi";
import type { WorkerOpenings } from "../apps/app";
import { type RequestedWorkers, requestedWorkers } from "../apps/registry";
import { knownHost } from "./checks";
import type { SettingValues } from "./table";

/** A machine that is there already. */
export interface ExistingTarget {
  /** Tells it from the other target. */
  readonly kind: "existing";
  /** IPv4 address, or name, of the machine. Setting `hostAddress`. */
  readonly address: string;
  /** SSH port. Default 22; setting `hostPort`. */
  readonly port: number;
  /** SSH user: root, or one that may `sudo` without a password. Default root; setting `hostUser`. */
  readonly user: string;
  /** SSH private key of that user, without a passphrase; a secret. Setting `hostPrivateKey`. */
  readonly privateKey: pulumi.Output<string>;
  /** Host key that is pinned, `type base64`. Setting `hostKey`. */
  readonly hostKey: string;
  /** Longest wait for SSH, in seconds. Default 600; setting `hostWaitSeconds`. */
  readonly waitSeconds: number;
  /** Networks in CIDR notation that may reach SSH; empty, as by default: the host's own firewall decides. Setting `sshCidrs`. */
  readonly sshCidrs: readonly string[];
  /** The same for the Apps; empty, as by default: everywhere. Setting `webCidrs`. */
  readonly webCidrs: readonly string[];
  /** Machines that only run work of an App. Default none; the setting is the App's. */
  readonly workers: readonly ExistingWorker[];
}

/** A machine that is there already and only runs work of an App. */
export interface ExistingWorker {
  /** Name in the cluster, made of the address. */
  readonly name: string;
  /** IPv4 address. */
  readonly address: string;
  /** SSH port. Default 22. */
  readonly port: number;
  /** Host key that is pinned, `type base64`. */
  readonly hostKey: string;
  readonly openings: WorkerOpenings;
}

/** A network, a machine, a disk and an address that the program creates on Alibaba Cloud. */
export interface AlicloudTarget {
  /** Tells it from the other target. */
  readonly kind: "alicloud";
  /** Region of all that is made. Default ap-southeast-1; setting `region`. */
  readonly region: string;
  /** Resource group of what is made; undefined, as by default: the account's own. Setting `resourceGroupId`. */
  readonly resourceGroupId: string | undefined;
  /** Longest wait for SSH, in seconds. Default 600; setting `hostWaitSeconds`. */
  readonly waitSeconds: number;
  /** VPC, vSwitch, and who may reach SSH. */
  readonly network: CloudNetworkSettings;
  /** The ECS instance and its address. */
  readonly machine: MachineSettings;
  /** The disk that holds all data. */
  readonly dataDisk: DataDiskSettings;
  /** Whether backups go to a bucket that the program makes: setting `backupRepository` is `oss`. */
  readonly backupBucket: boolean;
  /** Further instances that only run sandboxes. */
  readonly workers: WorkerSettings;
}

export interface WorkerSettings {
  /** How many. Default 0; the setting is the App's. */
  readonly count: number;
  /** Instance type; undefined, as by default: the host's own. The setting is the App's. */
  readonly instanceType: string | undefined;
}

export interface CloudNetworkSettings {
  /** Networks in CIDR notation that may reach SSH. Setting `sshCidrs`. */
  readonly sshCidrs: readonly string[];
  /** Networks in CIDR notation that may reach the Apps; empty, as by default: everywhere. Setting `webCidrs`. */
  readonly webCidrs: readonly string[];
  /** Id of a VPC that is there already; undefined, as by default: one is made. Setting `vpcId`. */
  readonly vpcId: string | undefined;
  /** Id of a vSwitch in that VPC, which decides the zone; undefined, as by default: one is made. Setting `vswitchId`. */
  readonly vswitchId: string | undefined;
  /** Id of an IPv6 gateway that is there already; undefined, as by default: one is made where IPv6 is on. Setting `ipv6GatewayId`. */
  readonly ipv6GatewayId: string | undefined;
  /** Network of the VPC that is made, in CIDR notation. Setting `vpcCidr`. */
  readonly vpcCidr: string;
  /** Network of the vSwitch that is made, in CIDR notation, inside the other. Setting `vswitchCidr`. */
  readonly vswitchCidr: string;
  /** Whether the machine has an IPv6 address that the internet reaches. Default false; setting `ipv6`. */
  readonly ipv6: boolean;
}

export interface MachineSettings {
  /** `stopped`: the machine is off and not billed. Default running; setting `power`. */
  readonly power: "running" | "stopped";
  /** Acceptable instance types; a new machine gets the cheapest in stock. Setting `instanceTypes`. */
  readonly instanceTypes: readonly string[];
  /** Zones it may be in; empty, as by default: all of the region. Setting `zones`. */
  readonly zones: readonly string[];
  /** Acceptable categories of both disks; a new machine gets the cheapest. Setting `diskCategories`. */
  readonly diskCategories: readonly string[];
  /** Image id; undefined, as by default: the newest Ubuntu 24.04 at creation. Setting `hostImage`. */
  readonly image: string | undefined;
  /** Id of a machine that was there before the stack; undefined, as by default: one is made. Setting `adoptedInstance`. */
  readonly adopted: string | undefined;
  /** Size of the system disk, in GiB. Default 20; setting `systemDiskGiB`. */
  readonly systemDiskGiB: number;
  /** Limit of the public address, in Mbit/s. Default 20; setting `bandwidthMbps`. */
  readonly bandwidthMbps: number;
  /** Outbound traffic that the price is estimated for, in GB a month. Default 5; setting `trafficGbPerMonth`. */
  readonly trafficGbPerMonth: number;
  /** How the machine is paid. Default payAsYouGo; setting `charge`. */
  readonly charge: "payAsYouGo" | "spot" | "subscription";
  /** Most that an hour of a spot machine may cost, in USD; undefined, as by default: the pay-as-you-go price. Setting `spotPriceLimitUsd`. */
  readonly spotPriceLimitUsd: number | undefined;
  /** Whether `ops heal` buys a machine by the hour when no spot machine can be had. Default false; setting `spotFallback`. */
  readonly spotFallback: boolean;
  /** Term of a subscription, in months. Setting `subscriptionMonths`. */
  readonly subscriptionMonths: number;
  /** Most that a month may cost, in USD; 0: no limit. Setting `budgetUsd`. */
  readonly budgetUsd: number;
  /** The same in the account's currency, in place of the other; undefined, as by default: the other counts. Setting `budget`. */
  readonly budget: number | undefined;
  /** Whether the cloud and Pulumi refuse to delete machine and address. Setting `protectMachine`. */
  readonly protect: boolean;
}

export interface DataDiskSettings {
  /** Size, in GiB. Default 20; setting `dataDiskGiB`. */
  readonly gib: number;
  /** How long the weekly snapshots are kept, in days. Setting `snapshotRetentionDays`. */
  readonly snapshotRetentionDays: number;
  /** Id of the snapshot that a new disk is made of; undefined, as by default: it is empty. Setting `restoreFromSnapshot`. */
  readonly restoreFrom: string | undefined;
  /** Whether a snapshot is left when the disk is deleted. Setting `finalSnapshot`. */
  readonly finalSnapshot: boolean;
}

export type Target = ExistingTarget | AlicloudTarget;

/** The stack's Target in its shape. */
export function toTarget(values: SettingValues): Target {
  return values.target === "existing" ? existingTarget(values) : alicloudTarget(values);
}

function existingTarget(values: SettingValues): ExistingTarget {
  return {
    kind: "existing",
    address: present(values.hostAddress),
    port: values.hostPort,
    user: values.hostUser,
    privateKey: present(values.hostPrivateKey),
    hostKey: present(values.hostKey),
    waitSeconds: values.hostWaitSeconds,
    sshCidrs: values.sshCidrs,
    webCidrs: values.webCidrs,
    workers: requestedWorkers(values).hosts.map(toWorker),
  };
}

function alicloudTarget(values: SettingValues): AlicloudTarget {
  const workers = requestedWorkers(values);
  const { sshCidrs, webCidrs, vpcId, vswitchId, ipv6GatewayId, vpcCidr, vswitchCidr, ipv6 } = values;
  return {
    kind: "alicloud",
    region: values.region,
    resourceGroupId: values.resourceGroupId,
    waitSeconds: values.hostWaitSeconds,
    network: { sshCidrs, webCidrs, vpcId, vswitchId, ipv6GatewayId, vpcCidr, vswitchCidr, ipv6 },
    machine: {
      power: values.power,
      instanceTypes: values.instanceTypes,
      zones: values.zones,
      diskCategories: values.diskCategories,
      image: values.hostImage,
      adopted: values.adoptedInstance,
      systemDiskGiB: values.systemDiskGiB,
      bandwidthMbps: values.bandwidthMbps,
      trafficGbPerMonth: values.trafficGbPerMonth,
      charge: values.charge,
      spotPriceLimitUsd: values.spotPriceLimitUsd,
      spotFallback: values.spotFallback,
      subscriptionMonths: values.subscriptionMonths,
      budgetUsd: values.budgetUsd,
      budget: values.budget,
      protect: values.protectMachine,
    },
    dataDisk: {
      gib: values.dataDiskGiB,
      snapshotRetentionDays: values.snapshotRetentionDays,
      restoreFrom: values.restoreFromSnapshot,
      finalSnapshot: values.finalSnapshot,
    },
    backupBucket: values.backupRepository === "oss",
    workers: { count: workers.count, instanceType: workers.instanceType },
  };
}

/** Named by its address, so that it stays itself whatever stands before it in the list. */
function toWorker({ line, openings }: RequestedWorkers["hosts"][number]): ExistingWorker {
  const { address, port, hostKey } = knownHost(line);
  return { name: `worker-${address.replaceAll(".", "-")}`, address, port, hostKey, openings };
}

/** A value whose presence the rules have settled. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a setting without default passed its checks without a value");
  return value;
}
