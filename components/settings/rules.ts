import { portalSubdomain } from "../routes";
import { appKinds } from "../apps/registry";
import { type Problem, when } from "./problem";
import type { PlainSettings } from "./table";
import { targetProblems } from "./target-rules";

/** Problems between settings that belong to no Target and no App. */
function generalProblems(values: PlainSettings): Problem[] {
  const { smtpAddress, smtpUsername, smtpPassword, imageRegistry, registryMirrors = [], dockerAddressPool } = values;
  return [
    ...when(
      (smtpUsername !== undefined || smtpPassword !== undefined) && smtpAddress === undefined,
      "smtpAddress",
      "is missing, but smtpUsername or smtpPassword is set",
    ),
    ...when(
      smtpUsername !== undefined && smtpPassword === undefined,
      "smtpPassword",
      "is missing, but smtpUsername is set",
    ),
    ...when(
      smtpPassword !== undefined && smtpUsername === undefined,
      "smtpUsername",
      "is missing, but smtpPassword is set",
    ),
    ...when(
      imageRegistry !== undefined && registryMirrors.length > 0,
      "registryMirrors",
      "has no effect beside imageRegistry: set one of the two",
    ),
    ...when(
      dockerAddressPool !== undefined &&
        (dockerAddressPool.includes(":") || Number(dockerAddressPool.split("/")[1]) > 20),
      "dockerAddressPool",
      "is not an IPv4 network of at least /20, room for 16 networks",
    ),
  ];
}

/** Two Apps at one name make Caddy refuse its whole configuration (lessons D3). */
function duplicateHosts(values: PlainSettings): Problem[] {
  const taken = new Map<string, string>([[portalSubdomain, "the login portal"]]);
  const keys = appKinds.flatMap(({ enabled, subdomains }) => (values[enabled] ? subdomains : []));
  return keys.flatMap((key) => {
    const subdomain = values[key];
    if (subdomain === undefined) return [];
    const owner = taken.get(subdomain);
    taken.set(subdomain, key);
    return owner === undefined ? [] : [{ key, fault: `is already the subdomain of ${owner}` }];
  });
}

/**
 * All problems between keys.
 *
 * @param values those that passed their own checks
 * @param broken keys that did not: their own fault is reported already, so their rules stay silent
 */
export function crossFieldProblems(values: PlainSettings, broken: ReadonlySet<string>): Problem[] {
  const ofApps = appKinds.flatMap((kind) => (values[kind.enabled] ? kind.problems(values, values) : []));
  return [...targetProblems(values), ...generalProblems(values), ...ofApps, ...duplicateHosts(values)].filter(
    ({ key }) => !broken.has(key),
  );
}
