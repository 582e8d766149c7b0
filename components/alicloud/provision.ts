import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { AlicloudTarget } from "../settings/targets";
import { costFactors, hostEstimate } from "./cost";
import { findZone } from "./dns";
import { describeEstimate } from "./estimate";
import { AlicloudHost } from "./host";
import { checkImage, findVswitchZone } from "./placed";

/**
 * The Host on ECS, after what must be asked of the account before any resource is declared.
 *
 * @param domain undefined: the host's address gives the name, so no records are made
 * @throws OperatorError with one sentence when the account does not answer or lacks what is set
 */
export async function provisionAlicloud(
  target: AlicloudTarget,
  { domain, deleteData }: { readonly domain: string | undefined; readonly deleteData: boolean },
): Promise<AlicloudHost> {
  if (pulumi.runtime.isDryRun())
    await pulumi.log.info(
      `${describeEstimate(hostEstimate(costFactors(target)))}, if ${target.machine.instanceTypes[0] ?? ""} is in stock`,
    );
  // Its keys come from the environment: no credential is in the configuration or the state.
  const provider = new alicloud.Provider("alicloud", { region: target.region });
  const [zone, vswitchZone] = await Promise.all([
    domain === undefined ? undefined : findZone(domain, provider),
    findVswitchZone(target, provider),
    checkImage(target, provider),
  ]);
  return new AlicloudHost("host", { ...target, zone, vswitchZone, deleteData }, { provider });
}
