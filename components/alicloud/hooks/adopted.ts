import { z } from "zod";
import type { CloudApi } from "../api/api";
import { ScriptError } from "./script";

const instancesSchema = z.object({
  Instances: z.object({
    Instance: z.array(
      z.object({
        InstanceId: z.string(),
        ZoneId: z.string(),
        InstanceType: z.string(),
        ImageId: z.string(),
        Status: z.string(),
        InstanceChargeType: z.string(),
        VpcAttributes: z.object({ VpcId: z.string(), VSwitchId: z.string() }),
        SecurityGroupIds: z.object({ SecurityGroupId: z.array(z.string()) }),
      }),
    ),
  }),
});
const disksSchema = z.object({
  Disks: z.object({ Disk: z.array(z.object({ Category: z.string(), Size: z.number() })) }),
});

/** A machine that is there already, as the cloud has it. */
export interface Machine {
  readonly zoneId: string;
  readonly instanceType: string;
  readonly imageId: string;
  readonly status: string;
  readonly chargeType: string;
  readonly vpcId: string;
  readonly vswitchId: string;
  readonly securityGroupIds: readonly string[];
  readonly diskCategory: string;
  readonly systemDiskGiB: number;
}

/** Undefined: there is no such machine in the region. */
export async function findMachine(api: CloudApi, instanceId: string): Promise<Machine | undefined> {
  const [instances, disks] = await Promise.all([
    api.list(
      "ecs",
      "DescribeInstances",
      { InstanceIds: JSON.stringify([instanceId]) },
      (page) => instancesSchema.parse(page).Instances.Instance,
    ),
    api.list(
      "ecs",
      "DescribeDisks",
      { InstanceId: instanceId, DiskType: "system" },
      (page) => disksSchema.parse(page).Disks.Disk,
    ),
  ]);
  const [instance] = instances;
  const [disk] = disks;
  if (!instance || !disk) return undefined;
  return {
    zoneId: instance.ZoneId,
    instanceType: instance.InstanceType,
    imageId: instance.ImageId,
    status: instance.Status,
    chargeType: instance.InstanceChargeType,
    vpcId: instance.VpcAttributes.VpcId,
    vswitchId: instance.VpcAttributes.VSwitchId,
    securityGroupIds: instance.SecurityGroupIds.SecurityGroupId,
    diskCategory: disk.Category,
    systemDiskGiB: disk.Size,
  };
}

/** The same for a script. @throws ScriptError where it is gone */
export async function machineOf(api: CloudApi, instanceId: string): Promise<Machine> {
  const machine = await findMachine(api, instanceId);
  if (!machine)
    throw new ScriptError(`There is no machine ${instanceId}: \`pulumi config rm adoptedInstance\` creates a new one.`);
  return machine;
}
