import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { costFactors, hostEstimate } from "../alicloud/cost";
import { describeEstimate } from "../alicloud/estimate";
import { findZone } from "../alicloud/dns";
import { AlicloudHost } from "../alicloud/host";
import { findVswitchZone } from "../alicloud/placed";
import type { Settings } from "../settings/settings";
import { ExistingHost } from "./existing-host";
import type { Host } from "./host";

/** The Host of the stack's Target. */
export async function provisionHost({ target, domain, deleteData }: Settings): Promise<Host> {
  if (target.kind === "existing") return new ExistingHost("host", target);
  if (pulumi.runtime.isDryRun())
    await pulumi.log.info(
      `${describeEstimate(hostEstimate(costFactors(target)))}, if ${target.machine.instanceTypes[0] ?? ""} is in stock`,
    );
  // Its keys come from the environment: no credential is in the configuration or the state.
  const provider = new alicloud.Provider("alicloud", { region: target.region });
  const zone = domain === undefined ? undefined : await findZone(domain, provider);
  const vswitchZone = await findVswitchZone(target, provider);
  return new AlicloudHost("host", { ...target, zone, vswitchZone, deleteData }, { provider });
}
