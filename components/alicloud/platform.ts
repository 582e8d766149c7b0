import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/settings";
import type { AlicloudTarget } from "../settings/targets";
import { costFactors, hostEstimate } from "./cost";
import { findZone } from "./dns";
import { describeEstimate } from "./estimate";
import { AlicloudHost } from "./host";
import { checkImage, findVswitchZone } from "./placed";

/**
 * The Host on ECS, after what must be asked of the account before any resource is declared.
 *
 * @param settings without a domain the host's address gives the name, and a free name is kept by the host: no records are made
 * @throws OperatorError with one sentence when the account does not answer or lacks what is set
 */
export async function provisionAlicloud(
  target: AlicloudTarget,
  { domain, freeName, deleteData }: Pick<Settings, "domain" | "freeName" | "deleteData">,
): Promise<AlicloudHost> {
  if (pulumi.runtime.isDryRun())
    await pulumi.log.info(
      `${describeEstimate(hostEstimate(costFactors(target)))}, if ${target.machine.instanceTypes[0] ?? ""} is in stock`,
    );
  // Its keys come from the environment: no credential is in the configuration or the state.
  const provider = new alicloud.Provider("alicloud", { region: target.region });
  const [zone, vswitchZone] = await Promise.all([
    domain === undefined || freeName ? undefined : findZone(domain, provider),
    findVswitchZone(target, provider),
    checkImage(target, provider),
  ]);
  return new AlicloudHost(
    "host",
    { ...target, zone, vswitchZone, keepsName: freeName !== undefined, deleteData },
    { provider },
  );
}
