import { getDomain } from "tldts";
import type { DomainCare } from "./platform";

/** The free name that answers with the address in it (https://sslip.io). */
export function sslipName(address: string): string {
  return `${address.replaceAll(".", "-")}.sslip.io`;
}

/**
 * Free services that give names below these domains to anybody, and are not on the Public Suffix List
 * (https://publicsuffix.org): DNS that answers with an address in the name, ydns.eu, and the largest of FreeDNS.
 */
const sharedDomains: ReadonlySet<string> = new Set([
  "sslip.io",
  "nip.io",
  "traefik.me",
  "xip.io",
  "ydns.eu",
  "mooo.com",
  "us.to",
  "strangled.net",
  "chickenkiller.com",
  "crabdance.com",
  "ignorelist.com",
  "jumpingcrab.com",
  "twilightparadox.com",
]);

/**
 * The domain that this one shares with strangers, if it does. To a browser all names below it are one site: their pages send
 * each other's cookies with SameSite=Lax and Strict, and certificate authorities count their certificates together.
 */
export function sharedDomain(domain: string): string | undefined {
  // What joins the list is no site any more, but a suffix, and its names are sites of their own.
  const site = getDomain(domain, { allowPrivateDomains: true });
  return site !== null && sharedDomains.has(site) ? site : undefined;
}

/**
 * Whether browsers send a host the gateway's cookie: it is the domain, or stands below it.
 *
 * @param domain undefined: the name of an address that may not be known yet, so all of sslip.io counts
 */
export function getsGateCookie(host: string, domain: string | undefined): boolean {
  const name = host.toLowerCase().replace(/\.+$/, "");
  return `.${name}`.endsWith(`.${domain ?? "sslip.io"}`);
}

/** What is wrong with such a host where another server answers. */
export const cookieFault =
  "at or below domain (by default a name of sslip.io), where browsers would send it the cookie of the sign-in portal: use a name outside it";

/**
 * What the operator does for a machine behind NAT, whose address is known to its own network alone.
 *
 * @param care what of the domain is not the operator's to do
 */
export function behindNat(domain: string, address: string, care: DomainCare): string {
  if (domain === sslipName(address))
    return `${address} is a private address, and so is that of ${domain}: only your own network reaches it, with certificates that no browser trusts. Set domain for the internet.`;
  if (care.certificates) {
    const own = care.records ? "" : ` Point ${domain} and *.${domain} to it.`;
    return `${address} is a private address: only networks that reach it can open the Apps.${own} For the internet, forward TCP 80 and 443 and UDP 443 from the router to it, and set domainAddress to the router's public address if domainToken is set.`;
  }
  const records = care.records ? "" : ` and point ${domain} and *.${domain} to the router's public address`;
  return `${address} is a private address: forward TCP 80 and 443 and UDP 443 from the router to it${records}. Behind a provider's NAT (CGNAT), which forwards nothing, only your own network reaches it.`;
}

/** The DNS records that the operator makes. */
export function pointNames(domain: string, address: string): string {
  const byItself = domain === sslipName(address) ? " (sslip.io does that automatically)" : "";
  return `DNS: ${domain} and *.${domain} must point to ${address}${byItself}.`;
}
