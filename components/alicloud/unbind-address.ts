/**
 * Run by `node bin/cloudcode-hook.cjs unbind-address` before a public address is released, `{region,
 * allocationId}` on standard input: takes it from a machine that goes after it. Nothing to do for one that is bound to none.
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type CloudApi, cloudApi } from "./api/api";
import { poll } from "../poll";
import { ScriptError, runScript } from "./hooks/script";

const inputSchema = z.object({ region: z.string().min(1), allocationId: z.string().min(1) });
export type UnbindAddressInput = z.infer<typeof inputSchema>;

const boundMs = 5 * 60_000;
const pauseMs = 1000;

const addressesSchema = z.object({
  EipAddresses: z.object({
    EipAddress: z.array(
      z.object({ IpAddress: z.string(), Status: z.string(), InstanceId: z.string(), InstanceType: z.string() }),
    ),
  }),
});

async function addressOf(api: CloudApi, allocationId: string) {
  const query = { AllocationId: allocationId };
  const read = (page: unknown) => addressesSchema.parse(page).EipAddresses.EipAddress;
  return (await api.list("vpc", "DescribeEipAddresses", query, read))[0];
}

void runScript(inputSchema, ({ region, allocationId }) => {
  const api = cloudApi(region);
  return poll({ boundMs, pauseMs }, async (remainingMs) => {
    const address = await addressOf(api, allocationId);
    if (!address) return { done: `public address ${allocationId} is gone already` };
    // https://www.alibabacloud.com/help/en/vpc/developer-reference/api-vpc-2016-04-28-eips-describeeipaddresses
    if (address.Status === "Available") return { done: `public address ${address.IpAddress} is not bound` };
    if (address.Status === "InUse" && remainingMs > 0)
      await api.call("vpc", "UnassociateEipAddress", {
        AllocationId: allocationId,
        InstanceId: address.InstanceId,
        InstanceType: address.InstanceType,
        ClientToken: randomUUID(),
      });
    return {
      late: new ScriptError(
        `The public address ${address.IpAddress} is still ${address.Status} after 5 minutes, so it was not released: run \`pulumi destroy\` again.`,
      ),
    };
  });
});
