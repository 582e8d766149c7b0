import { isIP } from "node:net";
import { portalSubdomain } from "../routes";
import type { SettingKey, Values } from "./table";

/** A fault of one key. */
export interface Problem {
  readonly key: string;
  /** Completes the sentence "KEY …"; never quotes a value. */
  readonly fault: string;
}

/** Values that passed their own checks; where one failed its key is in `broken` and its rules stay silent. */
type Rule = (values: Values) => Problem | undefined;

function needed(key: SettingKey, why: string): Rule {
  return (values) => (values[key] === undefined ? { key, fault: `is missing: ${why}` } : undefined);
}

/** Rules that look at more than one key. */
const rules: readonly Rule[] = [
  needed("hostAddress", "the target existing needs the address of a host"),
  needed("hostPrivateKey", "the target existing needs a key to log in with"),
  needed("hostKey", "the host key is pinned, never trusted on first use"),
  ({ domain, hostAddress }) =>
    domain === undefined && hostAddress !== undefined && isIP(hostAddress) !== 4
      ? { key: "domain", fault: "is missing: only an IPv4 hostAddress gives a name of its own (<address>.sslip.io)" }
      : undefined,
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

/** Keys whose values are subdomains, with the key that switches the App. */
const subdomains = [["opencodeSubdomain", "opencodeEnabled"]] as const satisfies readonly (readonly [
  SettingKey,
  SettingKey,
])[];

/** Two Apps at one name make Caddy refuse its whole configuration (lessons D3). */
function duplicateHosts(values: Values): Problem[] {
  const taken = new Map<string, string>([[portalSubdomain, "the login portal"]]);
  return subdomains.flatMap(([key, enabled]) => {
    const subdomain = values[key];
    if (!values[enabled] || subdomain === undefined) return [];
    const owner = taken.get(subdomain);
    taken.set(subdomain, key);
    return owner === undefined ? [] : [{ key, fault: `is already the subdomain of ${owner}` }];
  });
}

/** All problems between keys; those of keys in `broken` are left out, since their own fault is reported already. */
export function crossFieldProblems(values: Values, broken: ReadonlySet<string>): Problem[] {
  const found = rules.map((rule) => rule(values)).filter((problem) => problem !== undefined);
  return [...found, ...duplicateHosts(values)].filter(({ key }) => !broken.has(key));
}
