import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Images } from "../images";
import { type BasicAuth, type Route, hostOf, portalNetwork } from "../routes";
import type { CertificateSettings } from "../settings/settings";
import { ComposeStack, type StackContext } from "../stack/compose-stack";
import type { ReleaseSource } from "../stack/release";
import { hashBasicPassword, loginHeader } from "./password-hash";
import { hashSecret, hstsSeconds, indexIsolation, portalIsolation, sites } from "./sites";

export interface EdgeSettings {
  /** Domain of the index page, and the end of all other names. */
  readonly domain: string;
  /** Routes of all Apps: a site for each. */
  readonly routes: readonly Route[];
  /** Where certificates come from. */
  readonly certificates: CertificateSettings;
  /** Image references by name. */
  readonly images: Images;
  /** Time zone of the container, as in tz's database. */
  readonly timeZone: string;
}

export interface ReverseProxyStackArgs extends Omit<EdgeSettings, "domain">, StackContext {
  /** The same, where it may be known only once the host has its address. */
  readonly domain: pulumi.Output<string>;
}

/** Caddy: HTTPS for every Route, the portal and the index page. */
export class ReverseProxyStack extends pulumi.ComponentResource {
  /** The logins Caddy asks for itself, by the title of their Route. */
  readonly logins: Readonly<Record<string, { username: string; password: pulumi.Output<string> }>>;

  constructor(name: string, args: ReverseProxyStackArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:ReverseProxyStack", name, {}, opts);
    const release = args.domain.apply((domain) => reverseProxyRelease({ ...args, domain }));
    const guarded = args.routes.flatMap((route) =>
      route.basicAuth === undefined
        ? []
        : [{ route, ...basicLogin(`${name}-${route.subdomain}`, route.basicAuth, this) }],
    );
    const hashes = guarded.map(({ route, hash }) => [hashSecret(route), hash] as const);
    new ComposeStack(name, { ...args, release, secrets: Object.fromEntries(hashes) }, { parent: this });
    this.logins = Object.fromEntries(guarded.map(({ route, login }) => [route.title, login]));
    this.registerOutputs({ logins: this.logins });
  }
}

/** A login of Caddy's own, and the hash of its password. The salt stays in state: another one would be a change at each run. */
function basicLogin(name: string, { username, password }: BasicAuth, parent: pulumi.Resource) {
  const known =
    password ?? new random.RandomPassword(`${name}-password`, { length: 24, special: false }, { parent }).result;
  const salt = new random.RandomBytes(`${name}-salt`, { length: 16 }, { parent }).base64;
  return {
    login: { username, password: pulumi.secret(known) },
    hash: pulumi.all([known, salt]).apply(([text, bytes]) => hashBasicPassword(text, bytes)),
  };
}

/** What Caddy runs with. Certificates live in its `data` volume. */
export function reverseProxyRelease(args: EdgeSettings): ReleaseSource {
  const { domain, routes, certificates } = args;
  const portal = portalIsolation(routes, domain);
  const index = indexIsolation(domain);
  const caddyfile = "{release}/live/Caddyfile";
  return {
    template: "reverse-proxy",
    values: {
      images: args.images,
      timeZone: args.timeZone,
      domain,
      index: { ...index },
      // As a browser names it to the portal and the Apps.
      indexUrl: `${index.origin}/`,
      portal: { ...portal },
      email: certificates.email ?? `hostmaster@${domain}`,
      directories: certificates.directories,
      trustedRoot: certificates.trustedRoot ?? "",
      fallbackMinutes: certificates.fallbackMinutes,
      hstsSeconds: hstsSeconds(domain),
      sites: sites(routes, domain).map((site) => ({
        ...site,
        basicAuth: site.basicAuth && { ...site.basicAuth, header: { ...loginHeader(site.basicAuth.username) } },
        open: site.open.map((handler) => ({ ...handler })),
        keys: site.keys.map((handler) => ({ ...handler })),
        elsewhere: site.elsewhere.map((handler) => ({ ...handler })),
      })),
      apps: routes.map((route) => ({ url: `https://${hostOf(route, domain)}/`, title: route.title, ...route.summary })),
      settingsUrl: `${portal.origin}/settings/two-factor-authentication`,
      logoutUrl: `${portal.origin}/logout`,
    },
    plan: {
      networks: [portalNetwork, ...new Set(routes.map(({ network }) => network))],
      joins: "caddy",
      check: { service: "caddy", command: `caddy validate --adapter caddyfile --config ${caddyfile}` },
      reload: {
        service: "caddy",
        command: `env RELEASE={release} caddy reload --adapter caddyfile --config ${caddyfile}`,
      },
      healthTimeout: 60,
    },
  };
}
