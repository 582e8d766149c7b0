import { portalSubdomain } from "../routes";
import { appKinds } from "../apps/registry";
import type { Problem } from "./problem";
import type { PlainSettings } from "./table";
import { targetProblems } from "./target-rules";

/** Values that passed their own checks; where one failed its key is in `broken` and its rules stay silent. */
type Rule = (values: PlainSettings) => Problem | undefined;

/** Rules that look at more than one key. */
const rules: readonly Rule[] = [
  ({ smtpAddress, smtpUsername, smtpPassword }) =>
    (smtpUsername !== undefined || smtpPassword !== undefined) && smtpAddress === undefined
      ? { key: "smtpAddress", fault: "is missing, but smtpUsername or smtpPassword is set" }
      : undefined,
  ({ smtpUsername, smtpPassword }) =>
    smtpUsername !== undefined && smtpPassword === undefined
      ? { key: "smtpPassword", fault: "is missing, but smtpUsername is set" }
      : undefined,
  ({ smtpUsername, smtpPassword }) =>
    smtpPassword !== undefined && smtpUsername === undefined
      ? { key: "smtpUsername", fault: "is missing, but smtpPassword is set" }
      : undefined,
  ({ imageRegistry, registryMirrors }) =>
    imageRegistry !== undefined && (registryMirrors?.length ?? 0) > 0
      ? { key: "registryMirrors", fault: "has no effect beside imageRegistry: set one of the two" }
      : undefined,
  ({ dockerAddressPool }) =>
    dockerAddressPool !== undefined && (dockerAddressPool.includes(":") || Number(dockerAddressPool.split("/")[1]) > 20)
      ? { key: "dockerAddressPool", fault: "is not an IPv4 network of at least /20, room for 16 networks" }
      : undefined,
];

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

/** All problems between keys; those of keys in `broken` are left out, since their own fault is reported already. */
export function crossFieldProblems(values: PlainSettings, broken: ReadonlySet<string>): Problem[] {
  const found = rules.map((rule) => rule(values)).filter((problem) => problem !== undefined);
  const ofApps = appKinds.flatMap((kind) => (values[kind.enabled] ? kind.problems(values) : []));
  return [...targetProblems(values), ...found, ...ofApps, ...duplicateHosts(values)].filter(
    ({ key }) => !broken.has(key),
  );
}
