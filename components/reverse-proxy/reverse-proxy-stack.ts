import * as pulumi from "@pulumi/pulumi";
import type { Images } from "../images";
import { type Route, hostOf, portalNetwork, portalSubdomain } from "../routes";
import type { CertificateSettings } from "../settings/settings";
import { ComposeStack, type StackContext } from "../stack/compose-stack";
import type { ReleaseSource } from "../stack/release";
import { hstsSeconds, renewSeconds, sites } from "./sites";

export interface EdgeSettings {
  readonly domain: string;
  readonly routes: readonly Route[];
  readonly certificates: CertificateSettings;
  readonly images: Images;
  readonly timeZone: string;
}

export interface ReverseProxyStackArgs extends Omit<EdgeSettings, "domain">, StackContext {
  readonly domain: pulumi.Output<string>;
}

/** Caddy: HTTPS for every Route, the portal and the index page. */
export class ReverseProxyStack extends pulumi.ComponentResource {
  constructor(name: string, args: ReverseProxyStackArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:ReverseProxyStack", name, {}, opts);
    const release = args.domain.apply((domain) => reverseProxyRelease({ ...args, domain }));
    new ComposeStack(name, { ...args, release, secrets: {} }, { parent: this });
    this.registerOutputs();
  }
}

/** What Caddy runs with. Certificates live in its `data` volume. */
export function reverseProxyRelease(args: EdgeSettings): ReleaseSource {
  const { domain, routes, certificates } = args;
  const portalUrl = `https://${hostOf({ subdomain: portalSubdomain }, domain)}`;
  const caddyfile = "{release}/live/Caddyfile";
  return {
    template: "reverse-proxy",
    values: {
      images: args.images,
      timeZone: args.timeZone,
      domain,
      portalHost: hostOf({ subdomain: portalSubdomain }, domain),
      email: certificates.email,
      directories: certificates.directories,
      trustedRoot: certificates.trustedRoot ?? "",
      fallbackMinutes: certificates.fallbackMinutes,
      renewSeconds: renewSeconds(certificates.fallbackMinutes),
      hstsSeconds: hstsSeconds(domain),
      sites: sites(routes, domain).map((site) => ({
        ...site,
        elsewhere: site.elsewhere.map((handler) => ({ ...handler })),
      })),
      apps: routes.map((route) => ({ url: `https://${hostOf(route, domain)}/`, title: route.title, ...route.summary })),
      settingsUrl: `${portalUrl}/settings/two-factor-authentication`,
      logoutUrl: `${portalUrl}/logout`,
    },
    plan: {
      networks: [portalNetwork, ...new Set(routes.map(({ network }) => network))],
      joins: "caddy",
      check: { service: "caddy", command: `caddy validate --adapter caddyfile --config ${caddyfile}` },
      reload: { service: "caddy", command: `caddy reload --adapter caddyfile --config ${caddyfile}` },
      healthTimeout: 60,
    },
  };
}
