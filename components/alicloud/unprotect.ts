/**
 * Run by `node bin/cloudcode-hook.cjs unprotect` before a machine is deleted, `{region, instanceId}` on standard
 * input: takes the cloud's own protection from it. Pulumi has let it go by then, but in the same update could not tell the cloud.
 */
import { z } from "zod";
import { cloudApi } from "./api/api";
import { runScript } from "./hooks/script";

const instancesSchema = z.object({
  Instances: z.object({ Instance: z.array(z.object({ DeletionProtection: z.boolean().default(false) })) }),
});

void runScript(
  z.object({ region: z.string().min(1), instanceId: z.string().min(1) }),
  async ({ region, instanceId }) => {
    const api = cloudApi(region);
    const query = { InstanceIds: JSON.stringify([instanceId]) };
    const [instance] = await api.list(
      "ecs",
      "DescribeInstances",
      query,
      (page) => instancesSchema.parse(page).Instances.Instance,
    );
    if (!instance) return `machine ${instanceId} is gone already`;
    if (!instance.DeletionProtection) return `machine ${instanceId} is not protected`;
    await api.call("ecs", "ModifyInstanceAttribute", { InstanceId: instanceId, DeletionProtection: "false" });
    return `machine ${instanceId} is no longer protected`;
  },
);
