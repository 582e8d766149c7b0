import type { MonthlyCost } from "../../host/host";
import { type Estimate, estimateMonthly } from "./estimate";
import type { AlicloudTarget, WorkerSettings } from "../../settings/targets";

/** What decides the price of a host. */
export interface CostFactors {
  readonly region: string;
  readonly instanceType: string;
  readonly diskCategory: string;
  readonly charge: "payAsYouGo" | "spot" | "subscription";
  /** USD an hour. */
  readonly spotPriceLimitUsd: number | undefined;
  readonly systemDiskGiB: number;
  readonly dataDiskGiB: number;
  readonly snapshotRetentionDays: number;
  readonly trafficGbPerMonth: number;
  /** Whether backups go to a bucket of the stack. */
  readonly backupBucket: boolean;
  readonly workers: WorkerSettings;
}

/** What is set, with one choice of type and disk. */
export function costFactors(
  { region, machine, dataDisk, backupBucket, workers }: Omit<AlicloudTarget, "network">,
  instanceType = machine.instanceTypes[0] ?? "",
  diskCategory = machine.diskCategories[0] ?? "",
): CostFactors {
  const { charge, spotPriceLimitUsd, systemDiskGiB, trafficGbPerMonth } = machine;
  const { gib: dataDiskGiB, snapshotRetentionDays } = dataDisk;
  return {
    ...{ region, instanceType, diskCategory, charge, spotPriceLimitUsd, trafficGbPerMonth },
    ...{ systemDiskGiB, dataDiskGiB, snapshotRetentionDays, backupBucket, workers },
  };
}

/** The estimate of one choice of type and disk. */
export function hostEstimate(factors: CostFactors): Estimate {
  const { region, instanceType, charge, diskCategory: category, dataDiskGiB } = factors;
  return estimateMonthly({
    region,
    instanceType,
    charge,
    spotHourlyLimitUsd: factors.spotPriceLimitUsd,
    systemDisk: { category, gib: factors.systemDiskGiB },
    dataDisk: { category, gib: dataDiskGiB },
    snapshots: { retained: Math.floor(factors.snapshotRetentionDays / 7), gib: dataDiskGiB },
    traffic: { gbPerMonth: factors.trafficGbPerMonth },
    backupBucket: factors.backupBucket,
    workers: factors.workers,
  });
}

/** The estimate as the stack's output. */
export function monthlyCost({ runningUsd, stoppedUsd, unknown }: Estimate): MonthlyCost {
  return { running: runningUsd, stopped: stoppedUsd, notCounted: unknown };
}
