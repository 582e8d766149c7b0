import { z } from "zod";
import type { AlicloudTarget } from "../../settings/targets";

/** What decides the price of a host. */
export const costFactorsSchema = z.object({
  region: z.string().min(1),
  instanceType: z.string().min(1),
  diskCategory: z.string().min(1),
  charge: z.enum(["payAsYouGo", "spot", "subscription"]),
  subscriptionMonths: z.number(),
  /** Image id; the newest Ubuntu costs nothing. */
  image: z.string().optional(),
  /** USD an hour. */
  spotPriceLimitUsd: z.number().optional(),
  systemDiskGiB: z.number(),
  dataDiskGiB: z.number(),
  snapshotRetentionDays: z.number(),
  trafficGbPerMonth: z.number(),
  /** Whether backups go to a bucket of the stack. */
  backupBucket: z.boolean(),
  workers: z.object({ count: z.number(), instanceType: z.string().optional() }),
});
export type CostFactors = z.infer<typeof costFactorsSchema>;

/** What is set, with one choice of type and disk. */
export function costFactors(
  { region, machine, dataDisk, backupBucket, workers }: Omit<AlicloudTarget, "network">,
  instanceType: string,
  diskCategory: string,
): CostFactors {
  const { charge, subscriptionMonths, image, spotPriceLimitUsd, systemDiskGiB, trafficGbPerMonth } = machine;
  const { gib: dataDiskGiB, snapshotRetentionDays } = dataDisk;
  return {
    region,
    instanceType,
    diskCategory,
    charge,
    subscriptionMonths,
    image,
    spotPriceLimitUsd,
    trafficGbPerMonth,
    systemDiskGiB,
    dataDiskGiB,
    snapshotRetentionDays,
    backupBucket,
    workers,
  };
}
