// Stand-in for Authelia 4.39.20: reads and checks `session`.
import { isIP } from "node:net";
import { getPublicSuffix } from "tldts";
import type { Section } from "./section";
import { joinOr } from "./section";
import type { CookieConfig, GatewayConfig, RedisConfig } from "./types";

const minute = 60_000;
const sameSites = ["none", "lax", "strict"] as const;
const domainCharacters = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;

export function hasDomainSuffix(host: string, domain: string): boolean {
  return domain !== "" && (host === domain || host.endsWith(domain.startsWith(".") ? domain : `.${domain}`));
}

export function readSession(section: Section): GatewayConfig["session"] {
  const secret = section.string("secret");
  const common = {
    name: section.string("name", "authelia_session"),
    sameSite: section.oneOf("same_site", sameSites, "lax"),
    expiration: section.duration("expiration", 60 * minute),
    inactivity: section.duration("inactivity", 5 * minute),
    rememberMe: readRememberMe(section, 30 * 24 * 60 * minute),
  };
  const redisSection = section.optional("redis");
  const redis = redisSection && readRedis(redisSection);
  if (redis && secret === "") section.error("session: option 'secret' is required when using the 'redis' provider");
  const cookies = section.sections("cookies").map((cookie, index) => readCookie(cookie, index, common));
  if (cookies.length === 0) section.error("session: option 'cookies' is required");
  checkScopes(cookies, section);
  return { secret, cookies, redis };
}

function readRememberMe(section: Section, fallback: number | undefined): number | undefined {
  const raw = section.raw("remember_me");
  return raw === -1 || raw === "-1" ? undefined : section.duration("remember_me", fallback ?? 0) || undefined;
}

type Common = Pick<CookieConfig, "name" | "sameSite" | "expiration" | "inactivity" | "rememberMe">;

function readCookie(section: Section, index: number, common: Common): CookieConfig {
  const domain = section.string("domain");
  const name = `session: domain config #${index + 1} (domain '${domain}'):`;
  const say = (message: string): void => {
    section.error(`${name} ${message}`);
  };
  checkDomain(domain, say);
  const written = section.string("authelia_url");
  if (written === "" && domain !== "") say("option 'authelia_url' is required");
  if (written !== "") checkUrl("authelia_url", written, domain, say);
  const redirection = section.string("default_redirection_url");
  if (redirection !== "") checkUrl("default_redirection_url", redirection, domain, say);
  if (redirection !== "" && written !== "" && sameUrl(written, redirection))
    say(
      `option 'default_redirection_url' with value '${redirection}' is effectively equal to option 'authelia_url' ` +
        `with value '${written}' which is not permitted`,
    );
  return {
    domain,
    autheliaUrl: /^https:\/\/[^/]+\/.+[^/]$/.test(written) ? `${written}/` : written,
    defaultRedirectionUrl: redirection === "" ? undefined : redirection,
    name: section.string("name", common.name),
    sameSite: section.oneOf(
      "same_site",
      sameSites,
      common.sameSite,
      `${name} option 'same_site' must be one of ${joinOr(sameSites)}`,
    ),
    expiration: section.duration("expiration", common.expiration),
    inactivity: section.duration("inactivity", common.inactivity),
    rememberMe: readRememberMe(section, common.rememberMe),
  };
}

function checkDomain(domain: string, say: (message: string) => void): void {
  if (domain === "") say("option 'domain' is required");
  else if (domain.startsWith("*."))
    say(
      `option 'domain' must be the domain you wish to protect not a wildcard domain but it's configured as '${domain}'`,
    );
  else if (isIP(domain) !== 0) return;
  else if (!domain.includes("."))
    say("option 'domain' is not a valid cookie domain: must have at least a single period or be an ip address");
  else if (!domainCharacters.test(domain))
    say("option 'domain' does not appear to be a valid cookie domain or an ip address");
  else if (getPublicSuffix(domain, { allowPrivateDomains: true }) === domain)
    say("option 'domain' is not a valid cookie domain: the domain is part of the special public suffix list");
}

function checkUrl(option: string, value: string, domain: string, say: (message: string) => void): void {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(value) || !URL.canParse(value)) {
    say(`option '${option}' is not absolute with a value of '${value}'`);
    return;
  }
  const url = new URL(value);
  if (url.protocol !== "https:") say(`option '${option}' does not have a secure scheme with a value of '${value}'`);
  if (domain !== "" && !hasDomainSuffix(url.hostname, domain))
    say(`option '${option}' does not share a cookie scope with domain '${domain}' with a value of '${value}'`);
}

function sameUrl(first: string, second: string): boolean {
  if (!URL.canParse(first) || !URL.canParse(second)) return false;
  // The real one compares paths as written, so "https://x" and "https://x/" differ; both mean the portal, so neither passes here.
  return new URL(first).href === new URL(second).href;
}

function checkScopes(cookies: readonly CookieConfig[], section: Section): void {
  cookies.forEach((cookie, index) => {
    const name = `session: domain config #${index + 1} (domain '${cookie.domain}'):`;
    const others = cookies.filter((_, other) => other !== index).map((other) => other.domain);
    if (others.includes(cookie.domain)) {
      if (cookies.findIndex((other) => other.domain === cookie.domain) < index)
        section.error(`${name} option 'domain' is a duplicate value for another configured session domain`);
    } else if (others.some((other) => hasDomainSuffix(cookie.domain, other)))
      section.error(`${name} option 'domain' shares the same cookie domain scope as another configured session domain`);
  });
}

function readRedis(section: Section): RedisConfig {
  const host = section.string("host");
  const port = section.integer("port", 6379);
  if (host === "") section.error("session: redis: option 'host' is required");
  if (host.startsWith("/")) section.error("session: redis: a unix socket is not supported by this stand-in");
  if (port < 1 || port > 65535)
    section.error(`session: redis: option 'port' must be between 1 and 65535 but it's configured as '${port}'`);
  section.integer("max_retries", 0);
  section.integer("maximum_active_connections", 8);
  section.integer("minimum_idle_connections", 0);
  return {
    host,
    port,
    username: section.string("username"),
    password: section.string("password"),
    databaseIndex: section.integer("database_index", 0),
    timeout: section.duration("timeout", 5000),
  };
}
