import { type Accounts, membersOf, operatorAlone } from "../auth-gateway/access-rules";
import { sharedDomain } from "../host/names";
import {
  type PathRule,
  type Route,
  type RouteHealth,
  type UpstreamLogin,
  appOf,
  hostOf,
  isPrefix,
  portalSubdomain,
} from "../routes";

/** What a page of another site may do at a host: send people to its pages, and nothing else. */
export interface Isolation {
  readonly host: string;
  readonly origin: string;
  /** Anchored RE2 of path and query of these pages. */
  readonly pages: string;
}

/** One Caddy site. */
export interface Site extends Isolation {
  /** Who Caddy asks for with a password of its own; undefined: Authelia is asked. */
  readonly basicAuth: { readonly username: string; readonly secret: string } | undefined;
  /** Requests that the upstream cannot do, in the order they are tried. */
  readonly refusals: readonly RefusalHandler[];
  /** Requests that pass without being asked, in the order they are tried. */
  readonly keys: readonly KeyHandler[];
  /** Requests that pages of other sites may send, without anybody's session; likewise. */
  readonly open: readonly OpenHandler[];
  /** `alias:port` that answers every path but those below. */
  readonly upstream: string;
  /** Port of the upstream's localhost that answers instead, and as which guests are let in; undefined: the upstream itself answers. */
  readonly localPort: number | undefined;
  /** How Caddy sees whether that one can answer; undefined: it is not asked. */
  readonly health: RouteHealth | undefined;
  /** What the upstream asks for; undefined: nothing. */
  readonly login: SiteLogin | undefined;
  /** In the order they are tried. */
  readonly elsewhere: readonly PathHandler[];
  /** Names of the people who reach it, next to the operator; undefined: nobody. */
  readonly people: readonly string[] | undefined;
}

/** An {@link UpstreamLogin}, with the names of the secrets that hold a whole `Authorization` header each. */
export interface SiteLogin {
  readonly secret: string;
  readonly parameter: string;
  /** RE2 of every way to write the parameter's name in a query. Other queries stay as they are written. */
  readonly spellings: string;
  readonly devices: readonly { readonly name: string; readonly secret: string }[];
  /** Anchored RE2. */
  readonly tickets: string;
}

/** A {@link Refusal}. */
export interface RefusalHandler {
  /** Name of its matchers. */
  readonly name: string;
  /** As of a {@link Handler}. */
  readonly paths: readonly string[];
  /** Undefined: what has no session of Authelia's. */
  readonly body: string | undefined;
  readonly reason: string;
}

export interface Handler {
  /** Name of its matcher. */
  readonly name: string;
  /** Caddy path matchers (https://caddyserver.com/docs/caddyfile/matchers#path). */
  readonly paths: readonly string[];
  readonly upstream: string;
}

/** A path of the site that is not its upstream's. */
export interface PathHandler extends Handler {
  /** As in a {@link PathRule}; undefined: the upstream answers. */
  readonly healthOf: PathRule["healthOf"];
}

export interface OpenHandler extends Handler {
  /** Caddy path matchers that it does not answer. */
  readonly except: readonly string[];
  /** Values of the header Origin that it answers, or of pages that may read the answer if it takes keys; none: it does not look at them. */
  readonly origins: readonly string[];
}

export interface KeyHandler extends OpenHandler {
  /** Name of the header that carries the key. */
  readonly headerName: string;
  /** Caddy placeholder of the header; several of one name come out joined by commas. */
  readonly header: string;
  /** Anchored RE2. */
  readonly value: string;
  readonly withoutCookies: string;
}

/**
 * A site per Route. Policies are not here: every site asks Authelia, which alone knows who may pass, or its own password. What
 * comes with a key of the App's own is the exception, since Authelia's rules see no headers.
 */
export function sites(routes: readonly Route[], domain: string, accounts: Accounts = operatorAlone): Site[] {
  return routes.map((route) => ({
    ...isolation(hostOf(route, domain), route.pages),
    people: peopleOf(membersOf(appOf(route), accounts)),
    basicAuth: route.basicAuth && { username: route.basicAuth.username, secret: hashSecret(route) },
    refusals: (route.refusals ?? []).map(({ path, body, reason }, index) => ({
      name: `refusal${index}`,
      paths: matchers(path),
      body,
      reason,
    })),
    keys: (route.keys ?? []).map((rule, index) => ({
      name: `key${index}`,
      paths: matchers(rule.path),
      except: (rule.except ?? []).flatMap(matchers),
      origins: rule.origins ?? [],
      headerName: rule.header,
      header: `{http.request.header.${rule.header}}`,
      value: `^(?:${rule.value})$`,
      withoutCookies: rule.withoutCookies,
      upstream: rule.upstream ?? route.upstream,
    })),
    open: openHandlers(route),
    upstream: route.upstream,
    localPort: route.localPort,
    health: route.health,
    login: route.upstreamLogin && siteLogin(route.upstreamLogin),
    elsewhere: route.paths.flatMap(({ path, upstream = route.upstream, healthOf }, index) =>
      upstream === route.upstream && healthOf === undefined
        ? []
        : [{ name: `path${index}`, paths: matchers(path), upstream, healthOf }],
    ),
  }));
}

/** Of an App's members those who are not the operator. */
function peopleOf([, ...people]: readonly string[] = []): string[] | undefined {
  return people.length === 0 ? undefined : people;
}

function siteLogin({ name, parameter, devices, tickets }: UpstreamLogin): SiteLogin {
  return {
    secret: loginSecret(name),
    parameter,
    spellings: parameter.replaceAll(/./g, (letter) => `(${letter}|(?i:%${letter.charCodeAt(0).toString(16)}))`),
    devices: devices.map((device) => ({ name: device, secret: deviceSecret(name, device) })),
    tickets: `^(?:${tickets})$`,
  };
}

/** Names of the secrets of an {@link UpstreamLogin}. */
export const loginSecret = (name: string) => `login-${name}`;
export const deviceSecret = (name: string, device: string) => `device-${name}-${device}`;

/** The index page, which only links. */
export function indexIsolation(domain: string): Isolation {
  return isolation(domain);
}

/**
 * The portal. A link may lead to its pages, also with the address where the gateway sent a visitor away; but not to that of signing
 * out, nor by way of a login there.
 */
export function portalIsolation(routes: readonly Route[], domain: string): Isolation {
  const hosts = [domain, ...routes.map((route) => hostOf(route, domain))].map((host) => host.replaceAll(".", "\\."));
  const back = `\\?rd=https%3A%2F%2F(${hosts.join("|")})(%2F[^&]*)?(&rm=[A-Z]+)?`;
  const mailed = "/(reset-password|revoke)/[^?]+(\\?.*)?";
  return isolation(hostOf({ subdomain: portalSubdomain }, domain), `/(${back})?|/settings(/[a-z-]+)*|${mailed}`);
}

function isolation(host: string, pages = ".*"): Isolation {
  return { host, origin: `https://${host}`, pages: `^(?:${pages})$` };
}

function openHandlers({ paths, upstream, basicAuth }: Route): OpenHandler[] {
  if (basicAuth !== undefined) return [];
  return paths.flatMap((rule, index) =>
    rule.crossOrigin
      ? [
          {
            name: `open${index}`,
            paths: matchers(rule.path),
            except: paths
              .slice(0, index)
              .filter(({ crossOrigin }) => !crossOrigin)
              .flatMap(({ path }) => matchers(path)),
            origins: rule.crossOrigin === true ? [] : rule.crossOrigin,
            upstream: rule.upstream ?? upstream,
          },
        ]
      : [],
  );
}

/** Name of the secret that holds the hash of a Route's password. */
export function hashSecret(route: Pick<Route, "subdomain">): string {
  return `hash-${route.subdomain}`;
}

function matchers(path: string): string[] {
  return isPrefix(path) ? [path.slice(0, -2), path] : [path];
}

/**
 * Life of HSTS, in seconds: a year, but a day on a shared free domain, where a rate limit may bring a warning page at any
 * time and HSTS would forbid to pass it.
 */
export function hstsSeconds(domain: string): number {
  const day = 86_400;
  return sharedDomain(domain) === undefined ? 365 * day : day;
}
