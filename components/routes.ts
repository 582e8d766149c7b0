import type { Output } from "@pulumi/pulumi";

/** Who may pass: `bypass` is everybody, `deny` nobody; the other two are Authelia's. */
export type Policy = "bypass" | "one_factor" | "two_factor" | "deny";

/**
 * A path of a Route that is treated unlike the rest: other policy, other upstream, or both.
 * First match wins, so the narrower path stands first.
 */
export type PathRule = PathPlace & (SameOriginRule | CrossOriginRule);

interface PathPlace {
  /** Exact (`/healthz`) or, with a trailing `/*`, the path itself and all below it (`/terminal/*`). */
  readonly path: string;
  /** `alias:port` on the App's edge network. @default the Route's upstream */
  readonly upstream?: string;
  /**
   * Upstreams whose health is asked instead, each with a path that it answers with 200 while it works: the answer is `up` (200) or `down`
   * (503) alone, and nothing of the request reaches them. @default the upstream answers the request
   */
  readonly healthOf?: readonly { readonly upstream: string; readonly path: string }[];
}

interface SameOriginRule {
  /** @default the Route's policy */
  readonly policy?: Policy;
  readonly crossOrigin?: false;
}

interface CrossOriginRule {
  readonly policy: "bypass";
  /**
   * Pages of other sites may call it too, such as the API of a model proxy, which answers CORS itself: the edge looks at neither
   * Origin nor Fetch Metadata there, and takes all cookies away, so that only what else a request carries counts. With a list, this
   * is so for requests with one of these origins; all others are treated as elsewhere.
   * No effect together with {@link Route.basicAuth}. @default false
   */
  readonly crossOrigin: true | readonly [string, ...string[]];
}

/**
 * Requests of machines, which carry a key in place of a login: they pass without the gateway, and the App behind checks the key.
 * Tried before everything else of the Route, in their order.
 */
export interface KeyRule {
  /** As in a {@link PathRule}. */
  readonly path: string;
  /** Paths below it where no key is good enough, likewise. @default none */
  readonly except?: readonly string[];
  /** Header that carries the key; one that is sent twice carries none. */
  readonly header: string;
  /** RE2 that the whole header must match, such as `lbxk_\w+`. */
  readonly value: string;
  /**
   * Origins of pages elsewhere whose scripts may send the key: the edge answers the browser's question whether they may (CORS), always
   * without credentials. What the App itself says to that does not count. @default none
   */
  readonly origins?: readonly string[];
  /** RE2 of what is cut out of the Cookie header: a session of the App's own must not ride along where no gateway was passed. */
  readonly withoutCookies: string;
  /** `alias:port` on the App's edge network. @default the Route's upstream */
  readonly upstream?: string;
}

/**
 * Requests (POST, PUT and PATCH) that the edge answers with `{"error": "REASON"}`: with 422 those of a certain body, with 401 those without a
 * session of Authelia's, which would be turned away anyway. Only bodies below 100 kB of a known length are looked into, so it is a help
 * for people and no protection.
 */
export interface Refusal {
  /** As in a {@link PathRule}. */
  readonly path: string;
  /** RE2 without braces that a part of the body matches. @default none: what has no session */
  readonly body?: string;
  /** What cannot be done, and why: a text that JSON holds as it is. */
  readonly reason: string;
}

/** A login that Caddy asks for itself, in place of Authelia's. */
export interface BasicAuth {
  readonly username: string;
  /** Undefined: generated. */
  readonly password: Output<string> | undefined;
}

/**
 * The App's own server asks for a login (HTTP Basic), which no visitor has: the edge adds it to what it lets pass to the Route's own
 * upstream, and takes away what a visitor sent in its place.
 */
export interface UpstreamLogin {
  /** Names what is made for it and kept in state. */
  readonly name: string;
  readonly username: string;
  /** The secret of the App that gets the password. */
  readonly secret: string;
  /** Query parameter that the server would take for a login, too. */
  readonly parameter: string;
  /**
   * Programs that cannot show a sign-in portal. Each has a key of its own, which it sends as the password of that user: the key passes
   * to the Route's own upstream and nowhere else, and without any cookie. Another password is refused with 401.
   */
  readonly devices: readonly string[];
  /** RE2 of the paths of WebSockets whose `ticket` the server checks itself, since such a program can send no header there. */
  readonly tickets: string;
}

/**
 * Servers of models that an App calls by way of the edge, as `http://ALIAS:PORT/NAME/…`: the edge replaces the App's own keys by theirs,
 * and refuses every call while the notifier says that the limit of the month is reached.
 */
export interface ModelAccess {
  /** Name of the edge on the App's network; it starts with the App's name. */
  readonly alias: string;
  /** The secret of the App that gets the key which the edge asks for. */
  readonly secret: string;
  readonly servers: readonly ModelServer[];
}

export interface ModelServer {
  readonly name: string;
  /** `http://` or `https://`, host and path. */
  readonly base: string;
  /** How it takes its key: `Authorization: Bearer KEY`, or `X-Api-Key: KEY`. */
  readonly login: "bearer" | "x-api-key";
  /** Name of the secret with its key, among those that the App has for the edge. */
  readonly secret: string;
}

/** Where the edge listens for calls of models; no port of the host. */
export const modelPort = 9093;

/** Where an App finds a server of models. */
export const modelBase = (alias: string, server: string) => `http://${alias}:${modelPort}/${server}`;

/**
 * Servers of other Apps that an App calls by way of the edge, as `http://ALIAS:PORT/NAME/…`, so that the two share no network. Each asks for
 * a key itself: every App reaches the edge there.
 */
export interface ServiceAccess {
  /** Name of the edge on the App's network; it starts with the App's name. */
  readonly alias: string;
  readonly services: readonly Service[];
}

export interface Service {
  /** Lower-case letters; no other App's has it. */
  readonly name: string;
  /** `alias:port` on the other App's edge network. */
  readonly upstream: string;
}

/** Where the edge listens for calls of such servers; no port of the host. */
export const servicePort = 9094;

/** Where an App finds one. */
export const serviceBase = (alias: string, { name }: Service) => `http://${alias}:${servicePort}/${name}`;

/** A request that shows whether an upstream works. */
export interface RouteHealth {
  /** Path that it answers with 200 then. */
  readonly path: string;
  /** RE2 without braces that the answer's body must match: a server may answer its page with 200 at every path. */
  readonly body: string;
}

/** What an App asks of the edge. */
export interface Route {
  /** Label below the domain: `code` is served at `code.DOMAIN`. */
  readonly subdomain: string;
  /** Name of the App's edge network that Caddy joins. */
  readonly network: string;
  /**
   * Subdomains of other Routes that the App itself calls, with a key of theirs. On its network these names lead to Caddy, so that such
   * a call stays on the host; it opens nothing, as Caddy is on that network anyway. @default none
   */
  readonly calls?: readonly string[];
  /** `alias:port` on that network; the alias starts with the App's name, so that two Apps can never answer for one another. */
  readonly upstream: string;
  /**
   * A port of the upstream container's own localhost, such as that of a dev server: the upstream is then a SOCKS5 server there, which the
   * edge asks for this port alone. To what listens there the edge is a visitor of `http://localhost:PORT`, whatever its own name; its
   * cookies are for its own host alone, and a guest may be let in for a time (`ops share`). @default the upstream itself answers
   */
  readonly localPort?: number;
  /**
   * How the upstream shows that it works: until then requests are held. For one that takes connections before that, which it then
   * never answers. @default who takes a connection is served
   */
  readonly health?: RouteHealth;
  /** @default the upstream asks for none */
  readonly upstreamLogin?: UpstreamLogin;
  /** @default it calls none by way of the edge */
  readonly models?: ModelAccess;
  /** @default it calls none by way of the edge */
  readonly services?: ServiceAccess;
  readonly policy: Policy;
  readonly paths: readonly PathRule[];
  /**
   * RE2 of path and query of the pages that a link of another site, or the login portal, may open. Elsewhere the edge first asks
   * the visitor: a GET that acts must not be one click away. @default every path
   */
  readonly pages?: string;
  /** @default none */
  readonly keys?: readonly KeyRule[];
  /** What the App would take, and cannot do here. @default none */
  readonly refusals?: readonly Refusal[];
  /**
   * Asked on every path of the host, whatever the policies say. Those still stand in Authelia's rules, so that no moment of
   * a change between the two is open. @default Authelia
   */
  readonly basicAuth?: BasicAuth;
  /** What the index page calls it. */
  readonly title: string;
  /** Version of what answers, for the index page. @default the page names the stack's release */
  readonly version?: string | undefined;
  /** One short sentence for the index page, by language. */
  readonly summary: { readonly en: string; readonly zh: string };
}

const edgePrefix = "cloudcode-edge-";

/** Subdomain of the login portal: Authelia's cookies and WebAuthn need a host of its own below the domain. */
export const portalSubdomain = "auth";

/** Name of Authelia on the network that it shares with Caddy. */
export const portalAlias = "auth-portal";

/** The network that only Caddy and Authelia share. */
export const portalNetwork = edgeNetwork("auth");

export function edgeNetwork(appName: string): string {
  return `${edgePrefix}${appName}`;
}

/** Name of the App whose Route this is. */
export function appOf({ network }: Pick<Route, "network">): string {
  return network.slice(edgePrefix.length);
}

/**
 * Pictures of the index page that everybody may load. Browsers fetch icons of a page without its session (Chromium's favicon fetcher
 * sends no cookies: content/public/browser/web_contents.h, DownloadImage); they are the same in every home and say nothing of it.
 */
export const indexIcons = [
  "/apple-touch-icon.png",
  "/icon.svg",
  "/icon-192.png",
  "/icon-512.png",
  "/icon-maskable-512.png",
] as const;

export function hostOf(route: Pick<Route, "subdomain">, domain: string): string {
  return `${route.subdomain}.${domain}`;
}

/** True for `/x/*`: the rule covers `/x` and everything below. */
export function isPrefix(path: string): boolean {
  return path.endsWith("/*");
}
