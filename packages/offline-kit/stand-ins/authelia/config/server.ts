// Stand-in for Authelia 4.39.20: reads and checks `server`, `log`, `telemetry` and `ntp`.
import type { Section } from "./section";
import { joinOr } from "./section";
import type { AuthnStrategy, LogConfig, ServerConfig } from "./types";

const knownStrategies = [
  "CookieSession",
  "HeaderAuthorization",
  "HeaderProxyAuthorization",
  "HeaderAuthRequestProxyAuthorization",
  "HeaderLegacy",
];
const defaults: readonly AuthnStrategy[] = [
  { name: "HeaderAuthorization", schemes: ["basic"] },
  { name: "CookieSession", schemes: [] },
];

export function readServer(section: Section): ServerConfig {
  const address = readAddress(section);
  const buffers = section.section("buffers");
  const timeouts = section.section("timeouts");
  const readTimeout = timeouts.duration("read", 6000);
  timeouts.duration("write", 6000);
  const idleTimeout = timeouts.duration("idle", 30_000);
  section.boolean("disable_healthcheck");
  const readBuffer = buffers.integer("read", 4096);
  buffers.integer("write", 4096);
  return {
    ...address,
    readBuffer: readBuffer <= 0 ? 4096 : readBuffer,
    readTimeout: readTimeout <= 0 ? 6000 : readTimeout,
    idleTimeout: idleTimeout <= 0 ? 30_000 : idleTimeout,
    authz: readAuthz(section.section("endpoints")),
  };
}

function readAddress(section: Section): Pick<ServerConfig, "host" | "port" | "basePath"> {
  const written = section.string("address", "tcp://:9091/");
  const match = /^(?:(tcp[46]?):\/\/)?(\[[0-9a-f:]+\]|[^:/?#@[\]]*)(?::(\d{1,5}))?(\/[^?#]*)?$/i.exec(written);
  const port = match?.[3] === undefined ? 0 : Number(match[3]);
  if (!match || port > 65535) {
    section.error(
      `server: option 'address' with value '${written}' is invalid: scheme must be one of 'tcp', 'tcp4', 'tcp6', 'unix', or 'fd' ` +
        "(this stand-in: 'tcp' only) followed by a host and a port",
    );
    return { host: "", port: 9091, basePath: "" };
  }
  const basePath = match[4] === undefined || match[4] === "/" ? "" : match[4];
  if (basePath.slice(1).includes("/"))
    section.error(
      `server: option 'address' must not have a path with a forward slash but it's configured as '${basePath}'`,
    );
  else if (basePath !== "" && !/^\/[A-Za-z0-9]+$/.test(basePath))
    section.error(
      `server: option 'address' must have a path with only alphanumeric characters but it's configured as '${basePath}'`,
    );
  return { host: (match[2] ?? "").replace(/^\[|\]$/g, ""), port, basePath };
}

function readAuthz(section: Section): ReadonlyMap<string, readonly AuthnStrategy[]> {
  section.boolean("enable_pprof");
  section.boolean("enable_expvars");
  const authz = section.section("authz");
  const names = authz.keys();
  if (names.length === 0) return new Map([["forward-auth", defaults]]);
  return new Map(names.map((name) => [name, readEndpoint(authz.section(name), name)]));
}

function readEndpoint(section: Section, name: string): readonly AuthnStrategy[] {
  const words = `server: endpoints: authz: ${name}:`;
  if (!/^[a-zA-Z](?:[a-zA-Z0-9/._-]*[a-zA-Z])?$/.test(name)) section.error(`${words} contains invalid characters`);
  const implementation = section.string("implementation");
  const known = ["AuthRequest", "ForwardAuth", "ExtAuthz", "Legacy"];
  if (!known.includes(implementation))
    section.error(
      `${words} option 'implementation' must be one of ${joinOr(known)} but it's configured as '${implementation}'`,
    );
  else if (implementation !== "ForwardAuth")
    section.error(`${words} option 'implementation' is '${implementation}' but this stand-in knows only 'ForwardAuth'`);
  const written = section.sections("authn_strategies");
  const strategies = written.flatMap((strategy, index) => readStrategy(strategy, words, index + 1));
  strategies.forEach((strategy, index) => {
    if (strategies.findIndex((other) => other.name === strategy.name) < index)
      section.error(`${words} authn_strategies: duplicate strategy name detected with name '${strategy.name}'`);
  });
  return written.length === 0 ? defaults : strategies;
}

function readStrategy(section: Section, words: string, position: number): AuthnStrategy[] {
  const place = `${words} authn_strategies: strategy #${position}:`;
  const name = section.string("name");
  const schemes = section.strings("schemes").map((scheme) => scheme.toLowerCase());
  if (section.duration("scheme_basic_cache_lifespan", 0) > 0 && !schemes.includes("basic"))
    section.error(
      `${place} option 'scheme_basic_cache_lifespan' can't be configured unless the 'basic' scheme is configured`,
    );
  if (name === "") {
    section.error(`${place} option 'name' must be configured`);
    return [];
  }
  if (!knownStrategies.includes(name)) {
    section.error(
      `${words} authn_strategies: option 'name' must be one of ${joinOr(knownStrategies)} but it's configured as '${name}'`,
    );
    return [];
  }
  if (name === "CookieSession") {
    if (schemes.length > 0) section.error(`${place} option 'schemes' is not valid for the strategy '${name}'`);
    return [{ name, schemes: [] }];
  }
  if (name !== "HeaderAuthorization" && name !== "HeaderProxyAuthorization") {
    section.error(`${place} '${name}' is not supported by this stand-in`);
    return [];
  }
  const unknown = schemes.filter((scheme) => scheme !== "basic" && scheme !== "bearer");
  for (const scheme of unknown)
    section.error(`${place} option 'schemes' must only include the values 'basic', or 'bearer' but has '${scheme}'`);
  return [{ name, schemes: schemes.length === 0 ? ["basic"] : schemes }];
}

export function readLog(section: Section): LogConfig {
  return {
    level: section.oneOf("level", ["trace", "debug", "info", "warn", "error"], "info"),
    format: section.oneOf("format", ["text", "json"], "text"),
    filePath: section.string("file_path"),
    keepStdout: section.boolean("keep_stdout"),
  };
}

/** Metrics can be configured, but the stand-in never serves them. */
export function readTelemetry(section: Section): void {
  const metrics = section.section("metrics");
  metrics.boolean("enabled");
  const address = metrics.string("address", "tcp://:9959/metrics");
  if (!/^(?:tcp[46]?:\/\/)?[^/]*(?:\/.*)?$/.test(address))
    metrics.error(`telemetry: metrics: option 'address' with value '${address}' is invalid`);
  const buffers = metrics.section("buffers");
  for (const name of ["read", "write"]) buffers.integer(name, 4096);
  const timeouts = metrics.section("timeouts");
  for (const name of ["read", "write", "idle"]) timeouts.duration(name, 6000);
}

/** The clock is never asked; only the words are checked. */
export function readNtp(section: Section): void {
  const address = section.string("address", "udp://time.cloudflare.com:123");
  if (!/^(?:udp[46]?:\/\/)?[^/:]+(?::\d{1,5})?$/.test(address))
    section.error(
      `ntp: option 'address' with value '${address}' is invalid: scheme must be one of 'udp', 'udp4', or 'udp6'`,
    );
  const version = section.integer("version", 4) || 4;
  if (version !== 3 && version !== 4)
    section.error(`ntp: option 'version' must be either 3 or 4 but it's configured as '${version}'`);
  section.duration("max_desync", 3000);
  section.boolean("disable_startup_check");
  section.boolean("disable_failure");
}
