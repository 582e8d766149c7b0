import { isIP } from "node:net";
import { isPrivate, nameProvider, nameProviders } from "../host/free-name";
import { defaultImages, exactVersion } from "../images";
import { credentialsOf, credentialsShape, dnsModule } from "../reverse-proxy/acme-dns";
import { type Problem, missing, when } from "./problem";
import type { PlainSettings } from "./table";

/** Problems between the settings of the domain, its DNS records and its certificates. */
export function domainProblems(values: PlainSettings): Problem[] {
  return [...recordProblems(values), ...addressProblems(values), ...challengeProblems(values)];
}

/** A token, and the name it is for. */
function recordProblems(values: PlainSettings): Problem[] {
  const { domain, domainToken: token, domainProvider } = values;
  const free = domain === undefined ? undefined : nameProvider(domain);
  if (domainProvider !== undefined)
    return [
      ...missing(values, ["domain", "domainToken"], `domainProvider is ${domainProvider}`),
      ...when(
        free !== undefined,
        "domainProvider",
        `has no effect: domain ends with ${free?.suffix ?? ""}, so its records are not at ${domainProvider}`,
      ),
    ];
  if (token === undefined) return [];
  const suffixes = nameProviders.map(({ suffix }) => `NAME.${suffix}`).join(" or ");
  if (!free)
    return [
      {
        key: "domain",
        fault: `is not ${suffixes}, whose records domainToken maintains; if its zone is at Cloudflare, set domainProvider`,
      },
    ];
  return when(!free.token.test(token), "domainToken", `is not a token of ${free.shape}`);
}

/** Certificate authorities that connect to the host do not reach a private address. */
function addressProblems(values: PlainSettings): Problem[] {
  const { domainAddress, domainToken, domainProvider, hostAddress, acmeDns, webCidrs = [] } = values;
  const byPorts = acmeDns === undefined;
  return [
    ...when(
      domainAddress !== undefined && domainToken === undefined,
      "domainAddress",
      "has no effect without domainToken, by which records are made",
    ),
    ...when(
      byPorts && domainAddress !== undefined && isPrivate(domainAddress),
      "domainAddress",
      "is a private address, which no certificate authority reaches: set acmeDns",
    ),
    ...when(
      byPorts &&
        domainProvider !== undefined &&
        domainAddress === undefined &&
        isIP(hostAddress ?? "") !== 0 &&
        isPrivate(hostAddress ?? ""),
      "domainAddress",
      "is missing: hostAddress is a private address, which no certificate authority reaches; set it to the public address of your router, or set acmeDns",
    ),
    ...when(
      byPorts && webCidrs.length > 0,
      "webCidrs",
      "needs acmeDns: without it certificate authorities connect to ports 80 and 443 from everywhere",
    ),
  ];
}

/** The challenge DNS-01, and what it needs. */
function challengeProblems(values: PlainSettings): Problem[] {
  const { acmeDns, acmeDnsCredentials, acmeWildcard, images } = values;
  const module = acmeDns === undefined ? undefined : dnsModule(acmeDns);
  if (module === undefined)
    return [
      ...when(acmeDnsCredentials !== undefined, "acmeDnsCredentials", "has no effect without acmeDns"),
      ...when(
        acmeWildcard === true,
        "acmeWildcard",
        "needs acmeDns: certificate authorities issue wildcards only by DNS records (DNS-01)",
      ),
    ];
  const credentials = acmeDnsCredentials ?? (keeper(values) === module.name ? values.domainToken : undefined);
  return [
    ...(credentials === undefined
      ? missing(values, ["acmeDnsCredentials"], `acmeDns is ${module.name}; it is ${credentialsShape(module)}`)
      : when(
          credentialsOf(module, credentials) === undefined,
          acmeDnsCredentials === undefined ? "domainToken" : "acmeDnsCredentials",
          `is not ${credentialsShape(module)}`,
        )),
    ...when(
      exactVersion(images?.caddy ?? defaultImages.caddy) === undefined,
      "images",
      "names no exact version of Caddy, such as caddy:2.11.7-alpine, which acmeDns needs to build the same one",
    ),
    ...when(
      values.domain === undefined,
      "domain",
      "is missing: acmeDns needs a domain whose records the provider keeps",
    ),
  ];
}

/** Whose records `domainToken` maintains, as `acmeDns` calls it. */
function keeper({ domain, domainProvider }: PlainSettings): string | undefined {
  return domainProvider ?? (domain === undefined ? undefined : nameProvider(domain)?.name);
}
