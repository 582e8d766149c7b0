import { BlockList, isIP } from "node:net";
import type * as pulumi from "@pulumi/pulumi";
import type { FreeNameSettings } from "../settings/settings";
import type { TemplateValues } from "../stack/template";

/** A provider of free names that are sites of their own to browsers and to certificate authorities. */
export interface NameProvider {
  /** Which half of `stack-templates/host/cloudcode-name` speaks to it. */
  readonly name: "duckdns" | "desec";
  /** What its names end with; on the Public Suffix List. */
  readonly suffix: string;
  readonly token: RegExp;
  /** What a token looks like. */
  readonly shape: string;
  /** The token in a line of curl's configuration, behind the line's name and a prefix. */
  readonly curl: { readonly line: string; readonly prefix: string };
}

export const nameProviders: readonly NameProvider[] = [
  {
    name: "duckdns",
    suffix: "duckdns.org",
    token: /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/,
    shape: "DuckDNS, five groups of 0-9 and a-f",
    curl: { line: "data", prefix: "token=" },
  },
  {
    name: "desec",
    suffix: "dedyn.io",
    // desec-io/desec-stack, api/desecapi/models/tokens.py
    token: /^[\w-]{28}$/,
    shape: "deSEC, 28 letters, digits, - and _",
    curl: { line: "header", prefix: "Authorization: Token " },
  },
];

/** The provider of a domain that is one of its names; undefined: none of them gave it. */
export function nameProvider(domain: string): NameProvider | undefined {
  return nameProviders.find(
    ({ suffix }) => domain.endsWith(`.${suffix}`) && !domain.slice(0, -suffix.length - 1).includes("."),
  );
}

/** Addresses that nobody reaches from the internet (https://www.iana.org/assignments/iana-ipv4-special-registry/). */
const unreachable = new BlockList();
for (const [network, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const)
  unreachable.addSubnet(network, bits);
for (const [network, bits] of [
  ["fc00::", 7],
  ["fe80::", 10],
  ["::1", 128],
] as const)
  unreachable.addSubnet(network, bits, "ipv6");

/**
 * Whether a host announces the address that its provider sees: the one by which the program reaches it is a name, or known to a
 * local network alone, and says nothing of the public one, which may change.
 */
export function isDetected(address: string): boolean {
  return isIP(address) === 0 || isPrivate(address);
}

/** Whether nobody on the internet reaches an address; false for a name. */
export function isPrivate(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && unreachable.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** What the records of a name get; empty: none of that kind. */
export interface NameAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

/** The addresses that are announced of a host; none: see {@link isDetected}. */
export function announced(address: string, ipv6: string): NameAddresses {
  return isDetected(address) ? { ipv4: "", ipv6: "" } : addressesOf(address, ipv6);
}

/** An address by its family, and an IPv6 address next to one of IPv4. */
export function addressesOf(address: string, ipv6 = ""): NameAddresses {
  return isIP(address) === 4 ? { ipv4: address, ipv6 } : { ipv4: "", ipv6: address };
}

/** `name` of `stack-templates/host/`; an empty provider means that nothing is kept. */
export function nameValues(name: FreeNameSettings | undefined, addresses: NameAddresses): TemplateValues {
  const provider = name && nameProvider(name.domain);
  if (!name || !provider) return { provider: "", domain: "", ipv4: "", ipv6: "", tokenLine: "", tokenPrefix: "" };
  const { line: tokenLine, prefix: tokenPrefix } = provider.curl;
  return { provider: provider.name, domain: name.domain, ...addresses, tokenLine, tokenPrefix };
}

/** `secrets.NAME` of the templates. */
export function nameSecrets(name: FreeNameSettings | undefined): Record<string, pulumi.Input<string>> {
  return { nameToken: name?.token ?? "" };
}
