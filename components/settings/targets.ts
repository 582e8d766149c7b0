import type * as pulumi from "@pulumi/pulumi";
import type { WorkerOpenings } from "../apps/app";
import { type RequestedWorkers, requestedWorkers } from "../apps/registry";
import { knownHost } from "./checks";
import type { SettingValues } from "./table";

/** A machine that is there already. */
export interface ExistingTarget {
  readonly kind: "existing";
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: pulumi.Output<string>;
  readonly hostKey: string;
  readonly waitSeconds: number;
  /** Networks that may reach SSH; empty: the host's own firewall decides. */
  readonly sshCidrs: readonly string[];
  readonly workers: readonly ExistingWorker[];
}

/** A machine that is there already and only runs work of an App. */
export interface ExistingWorker {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly hostKey: string;
  readonly openings: WorkerOpenings;
}

/** A network, a machine, a disk and an address that the program creates on Alibaba Cloud. */
export interface AlicloudTarget {
  readonly kind: "alicloud";
  readonly region: string;
  readonly resourceGroupId: string | undefined;
  /** Longest wait for SSH, in seconds. */
  readonly waitSeconds: number;
  readonly network: CloudNetworkSettings;
  readonly machine: MachineSettings;
  readonly dataDisk: DataDiskSettings;
  /** Whether backups go to a bucket that the program makes. */
  readonly backupBucket: boolean;
  readonly workers: WorkerSettings;
}

export interface WorkerSettings {
  readonly count: number;
  /** Undefined: the host's own. */
  readonly instanceType: string | undefined;
}

export interface CloudNetworkSettings {
  readonly sshCidrs: readonly string[];
  readonly vpcId: string | undefined;
  readonly vswitchId: string | undefined;
  readonly ipv6GatewayId: string | undefined;
  readonly vpcCidr: string;
  readonly vswitchCidr: string;
  readonly ipv6: boolean;
}

export interface MachineSettings {
  readonly power: "running" | "stopped";
  /** Best first. */
  readonly instanceTypes: readonly string[];
  /** Empty: all of the region. */
  readonly zones: readonly string[];
  /** Best first. */
  readonly diskCategories: readonly string[];
  /** Undefined: the newest Ubuntu 24.04 at creation. */
  readonly image: string | undefined;
  /** Id of a machine that was there before the stack. */
  readonly adopted: string | undefined;
  readonly systemDiskGiB: number;
  readonly bandwidthMbps: number;
  readonly trafficGbPerMonth: number;
  readonly charge: "payAsYouGo" | "spot" | "subscription";
  /** USD an hour. */
  readonly spotPriceLimitUsd: number | undefined;
  readonly subscriptionMonths: number;
  /** Most that the estimate of a month may be, in USD. */
  readonly budgetUsd: number;
  /** Whether the cloud and Pulumi refuse to delete machine and address. */
  readonly protect: boolean;
}

export interface DataDiskSettings {
  readonly gib: number;
  readonly snapshotRetentionDays: number;
  readonly restoreFrom: string | undefined;
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
    workers: requestedWorkers(values).hosts.map(toWorker),
  };
}

function alicloudTarget(values: SettingValues): AlicloudTarget {
  const workers = requestedWorkers(values);
  const { sshCidrs, vpcId, vswitchId, ipv6GatewayId, vpcCidr, vswitchCidr, ipv6 } = values;
  return {
    kind: "alicloud",
    region: values.region,
    resourceGroupId: values.resourceGroupId,
    waitSeconds: values.hostWaitSeconds,
    network: { sshCidrs, vpcId, vswitchId, ipv6GatewayId, vpcCidr, vswitchCidr, ipv6 },
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
      subscriptionMonths: values.subscriptionMonths,
      budgetUsd: values.budgetUsd,
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
