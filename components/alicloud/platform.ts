import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { DomainCare, Platform } from "../host/platform";
import type { Settings } from "../settings/settings";
import type { AlicloudTarget } from "../settings/targets";
import { describeChoices, openCosts } from "./prices/cost";
import { findZone } from "./resources/dns";
import { faultHook } from "./resources/fault-hook";
import { cloudHost } from "./resources/host";
import { cloudNetwork } from "./resources/network";
import { checkImage, findVswitchZone, hostPlacement } from "./resources/placement";
import { onDelete } from "./resources/script-command";
import { stackTags } from "./resources/tags";

/**
 * Network and host on ECS, after what must be asked of the account before any resource is declared.
 *
 * @param settings without a domain the host's address gives the name; where others care for its records, or the home on standby has its
 * names elsewhere, none are made here
 * @param parent a provider of the package alicloud that it was given is used for all resources; without one, one is made
 * @throws OperatorError with one sentence when the account does not answer, lacks what is set, or costs more than the budget
 */
export async function alicloudPlatform(
  target: AlicloudTarget,
  {
    domain,
    standby,
    deleteData,
    care,
  }: Pick<Settings, "domain" | "standby" | "deleteData"> & { readonly care: DomainCare },
  parent: pulumi.ComponentResource,
): Promise<Platform> {
  const child = { parent };
  const { region, resourceGroupId } = target;
  // Its keys come from the environment: no credential is in the configuration or the state.
  const provider =
    parent.getProvider("alicloud:ecs/instance:Instance") ?? new alicloud.Provider("alicloud", { region }, child);
  const [costs, zone, vswitchZone] = await Promise.all([
    openCosts(target, (text) => void pulumi.log.warn(text)),
    domain === undefined || care.records || standby ? undefined : findZone(domain, provider),
    findVswitchZone(target, provider),
    checkImage(target, provider),
  ]);
  const said = describeChoices(costs.choices, costs.limit, costs.spot);
  if (pulumi.runtime.isDryRun() && said !== "") await pulumi.log.info(said);
  const leftovers = onDelete("host-leftovers", "leftovers", { region, tags: stackTags() }, child);
  const resourceOptions = { hooks: { onError: [faultHook()] }, dependsOn: [leftovers] };
  const place = hostPlacement("host", target, vswitchZone, child);
  return {
    options: { ...child, provider },
    network: (name, parent) =>
      cloudNetwork(name, {
        ...target.network,
        zoneId: place.zoneId,
        resourceGroupId,
        resourceOptions: { ...resourceOptions, parent },
      }),
    host(name, parent, { cloud }) {
      if (cloud === undefined) throw new Error("a host at a cloud needs a network there");
      return cloudHost(
        name,
        { ...target, network: cloud, placement: place, costs, zone, care, deleteData, leftovers, resourceOptions },
        parent,
      );
    },
  };
}
