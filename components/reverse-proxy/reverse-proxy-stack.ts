import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { type Accounts, operatorAlone } from "../auth-gateway/access-rules";
import { type Images, exactVersion } from "../images";
import {
  type BasicAuth,
  type Route,
  type UpstreamLogin,
  appOf,
  hostOf,
  modelPort,
  portalNetwork,
  servicePort,
} from "../routes";
import type { CertificateSettings } from "../settings/settings";
import { ComposeStack, type StackContext } from "../stack/compose-stack";
import type { ReleaseSource } from "../stack/release";
import type { TemplateValues } from "../stack/template";
import { type AcmeDns, caddyProvider } from "./acme-dns";
import { modelHandlers, modelSecrets } from "./models";
import { hashBasicPassword, loginHeader } from "./password-hash";
import { deviceSecret, hashSecret, hstsSeconds, indexIsolation, loginSecret, portalIsolation, sites } from "./sites";

export interface EdgeSettings {
  /** Domain of the index page, and the end of all other names. */
  readonly domain: string;
  /** Routes of all Apps: a site for each. */
  readonly routes: readonly Route[];
  /** Who signs in, and reaches which of them. @default the operator alone */
  readonly accounts?: Accounts;
  /** Where certificates come from. */
  readonly certificates: CertificateSettings;
  /** More networks that Caddy joins. @default none */
  readonly networks?: readonly string[];
  /** Whether there is a notifier, whose report of costs the index page shows. @default false */
  readonly money?: boolean;
  /** Image references by name. */
  readonly images: Images;
  /** Time zone of the container, as in tz's database. */
  readonly timeZone: string;
}

export interface ReverseProxyStackArgs extends Omit<EdgeSettings, "domain">, StackContext {
  /** The same, where it may be known only once the host has its address. */
  readonly domain: pulumi.Output<string>;
  /** Keys of the servers of models that Apps call by way of Caddy, by the names that their Routes have. */
  readonly modelKeys: Readonly<Record<string, pulumi.Input<string>>>;
  /** What is applied first. @default nothing */
  readonly after?: readonly pulumi.Resource[];
}

/** Caddy: HTTPS for every Route, the portal and the index page. */
export class ReverseProxyStack extends pulumi.ComponentResource {
  /** The logins Caddy asks for itself, by the title of their Route. */
  readonly logins: Readonly<Record<string, { username: string; password: pulumi.Output<string> }>>;
  /** By the name of the {@link UpstreamLogin}. */
  private readonly upstreamPasswords: Readonly<Record<string, pulumi.Output<string>>>;
  /** By the name of the App: its key for the servers of models. */
  private readonly modelKeys: Readonly<Record<string, pulumi.Output<string>>>;
  /** Keys of devices, by the device's name. */
  readonly deviceKeys: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: ReverseProxyStackArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:ReverseProxyStack", name, {}, opts);
    const release = args.domain.apply((domain) => reverseProxyRelease({ ...args, domain }));
    const guarded = args.routes.flatMap((route) =>
      route.basicAuth === undefined
        ? []
        : [{ route, ...basicLogin(`${name}-${route.subdomain}`, route.basicAuth, this) }],
    );
    const hashes = guarded.map(({ route, hash }) => [hashSecret(route), hash] as const);
    const upstreams = args.routes.flatMap(({ upstreamLogin }) => upstreamLogin ?? []);
    const madeOnce = (role: string, length: number) =>
      new random.RandomPassword(`${name}-${role}`, { length, special: false }, { parent: this }).result;
    const servers = upstreams.map((login) => ({ login, password: madeOnce(loginSecret(login.name), 48) }));
    const devices = upstreams.flatMap((login) =>
      login.devices.map((device) => ({ login, device, key: madeOnce(deviceSecret(login.name, device), 40) })),
    );
    const headers = [
      ...servers.map(({ login, password }) => [loginSecret(login.name), basicHeader(login, password)] as const),
      ...devices.map(({ login, device, key }) => [deviceSecret(login.name, device), basicHeader(login, key)] as const),
    ];
    const models = args.routes.flatMap((route) =>
      route.models ? [{ route, key: madeOnce(`models-${appOf(route)}`, 48) }] : [],
    );
    const ofModels = models.flatMap(({ route, key }) => Object.entries(modelSecrets(route, key, args.modelKeys)));
    const { dns } = args.certificates;
    const ofDns = (dns?.fields ?? []).map(
      (field) => [dnsSecret(field), dns?.credentials.apply((values) => values[field] ?? "") ?? ""] as const,
    );
    const secrets = Object.fromEntries([...hashes, ...headers, ...ofModels, ...ofDns]);
    new ComposeStack(name, { ...args, release, secrets }, { parent: this, dependsOn: [...(args.after ?? [])] });
    this.upstreamPasswords = Object.fromEntries(servers.map(({ login, password }) => [login.name, password]));
    this.modelKeys = Object.fromEntries(models.map(({ route, key }) => [appOf(route), key]));
    this.deviceKeys = Object.fromEntries(devices.map(({ device, key }) => [device, key]));
    this.logins = Object.fromEntries(guarded.map(({ route, login }) => [route.title, login]));
    this.registerOutputs({ logins: this.logins });
  }

  /** The secrets that an App gets for its Routes: the passwords that the edge logs in with at its server, and the key to its models. */
  secretsOf(routes: readonly Route[]): Record<string, pulumi.Output<string>> {
    const entries = routes.flatMap((route) => {
      const { upstreamLogin: login, models } = route;
      const password = login && this.upstreamPasswords[login.name];
      const key = models && this.modelKeys[appOf(route)];
      return [
        ...(login === undefined || password === undefined ? [] : [[login.secret, password] as const]),
        ...(models === undefined || key === undefined ? [] : [[models.secret, key] as const]),
      ];
    });
    return Object.fromEntries(entries);
  }
}

/** The whole `Authorization` header of a login (RFC 7617). */
function basicHeader({ username }: UpstreamLogin, password: pulumi.Output<string>): pulumi.Output<string> {
  return password.apply((text) => `Basic ${Buffer.from(`${username}:${text}`).toString("base64")}`);
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

/** Name of the secret that holds a field of the DNS provider's credentials. */
const dnsSecret = (field: string) => `acme-dns-${field}`;

/** The file of the release with it. */
const dnsFile = (field: string) => `acme-dns/${field}`;

/** What the templates know of the DNS provider; a version of Caddy is needed to build it with the provider's module. */
function dnsValues({ module, fields, goProxy }: AcmeDns, images: Images): TemplateValues {
  return {
    ...caddyProvider(module, fields),
    name: module.name,
    module: module.module,
    goProxy,
    files: fields.map(dnsFile),
    version: `v${exactVersion(images.caddy) ?? ""}`,
  };
}

/** How long WebSockets live on when a Route changes, by Caddy's matcher of their visitors: those of people end, so that who was removed keeps none. */
const ofPeople = { matcher: "@person ", delay: "0" };
const ofOthers = { matcher: "", delay: "5m" };

/** What Caddy runs with. Certificates live in its `data` volume. */
export function reverseProxyRelease(args: EdgeSettings): ReleaseSource {
  const { domain, routes, accounts = operatorAlone, certificates } = args;
  const hasPeople = accounts.people.length > 0;
  const { dns } = certificates;
  const portal = portalIsolation(routes, domain);
  const index = indexIsolation(domain);
  const caddyfile = "{release}/live/Caddyfile";
  return {
    template: "reverse-proxy",
    ...(dns
      ? { secretFiles: Object.fromEntries(dns.fields.map((field) => [dnsFile(field), dnsSecret(field)])) }
      : { without: ["image/"] }),
    ...(hasPeople && { also: { "live/site/people.html": "people/people.html" } }),
    values: {
      images: args.images,
      timeZone: args.timeZone,
      domain,
      index: { ...index },
      people: hasPeople,
      operator: accounts.operator,
      // As a browser names it to the portal and the Apps.
      indexUrl: `${index.origin}/`,
      portal: { ...portal },
      email: certificates.email ?? `hostmaster@${domain}`,
      directories: certificates.directories,
      trustedRoot: certificates.trustedRoot ?? "",
      dns: dns && dnsValues(dns, args.images),
      wildcard: dns?.wildcard === true ? `*.${domain}` : "",
      money: args.money ?? false,
      fallbackMinutes: certificates.fallbackMinutes,
      hstsSeconds: hstsSeconds(domain),
      sites: sites(routes, domain, accounts).map((site) => ({
        ...site,
        streams: site.people ? [ofPeople, ofOthers] : [ofOthers],
        basicAuth: site.basicAuth && { ...site.basicAuth, header: { ...loginHeader(site.basicAuth.username) } },
        login: site.login && { ...site.login, devices: site.login.devices.map((device) => ({ ...device })) },
        health: site.health && { ...site.health },
        refusals: site.refusals.map((handler) => ({ ...handler })),
        open: site.open.map((handler) => ({ ...handler })),
        keys: site.keys.map((handler) => ({ ...handler })),
        elsewhere: site.elsewhere.map((handler) => ({ ...handler })),
      })),
      models: modelHandlers(routes).map((handler) => ({ ...handler })),
      modelPort,
      services: routes.flatMap(({ services }) => services?.services ?? []).map((service) => ({ ...service })),
      servicePort,
      home: {
        domain,
        // Launchers have room for about twelve letters.
        shortName: domain.split(".")[0],
        timeZone: args.timeZone,
        hosts: [domain, portal.host, ...new Set(routes.map((route) => hostOf(route, domain)))],
        apps: routes.map((route) => ({
          stack: appOf(route),
          url: `https://${hostOf(route, domain)}/`,
          title: route.title,
          version: route.version,
          ...route.summary,
        })),
        settingsUrl: `${portal.origin}/settings/two-factor-authentication`,
        logoutUrl: `${portal.origin}/logout`,
        ...(hasPeople && { people: Object.fromEntries(accounts.people.map(({ name, apps }) => [name, apps])) }),
      },
    },
    plan: {
      networks: [portalNetwork, ...new Set(routes.map(({ network }) => network)), ...(args.networks ?? [])],
      joins: "caddy",
      ...(dns && { build: ["caddy"] }),
      aliases: routes.flatMap(({ network, calls = [], models, services }) => [
        ...calls.map((subdomain) => ({ network, name: hostOf({ subdomain }, domain) })),
        ...(models ? [{ network, name: models.alias }] : []),
        ...(services ? [{ network, name: services.alias }] : []),
      ]),
      check: { service: "caddy", command: `caddy validate --adapter caddyfile --config ${caddyfile}` },
      reload: {
        service: "caddy",
        command: `env RELEASE={release} caddy reload --adapter caddyfile --config ${caddyfile}`,
      },
      healthTimeout: 60,
    },
  };
}
