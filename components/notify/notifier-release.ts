import type { App } from "../apps/app";
import type { CertificateSettings } from "../settings/settings";
import type { Images } from "../images";
import type { Mirrors } from "../mirrors";
import { edgeNetwork, hostOf, portalSubdomain } from "../routes";
import type { ReleaseSource } from "../stack/release";
import { billEndpoints } from "../alicloud/api/bill-endpoints";
import type { NewsSettings } from "./news";

/** Names the stack of the notifier. */
export const notifierName = "notify";

/** Where the notifier meets Caddy, to look at its certificates. */
export const notifierNetwork = edgeNetwork(notifierName);

const uid = 8002;

export interface NotifierSettings {
  /** What is sent, and when. */
  readonly news: NewsSettings;
  /** Domain of the index page, and the end of all other names. */
  readonly domain: string;
  /** Apps that are switched on. */
  readonly apps: readonly Pick<App, "routes" | "sessions">[];
  /** Where certificates come from. */
  readonly certificates: Pick<CertificateSettings, "trustedRoot">;
  /** Image references by name. */
  readonly images: Images;
  /** From where its image's build downloads; undefined: from where each thing is published. */
  readonly mirrors: Mirrors | undefined;
  /** Time zone of the quiet hours, as in tz's database. */
  readonly timeZone: string;
}

/**
 * One small container that sends all news by Apprise. It publishes no port and none reaches it: the host's scripts leave files, and it
 * asks the server of the App with sessions, and Caddy, itself. Its secrets are `urls`, the addresses, `serverPassword`, that server's, and
 * `billingKey`.
 */
export function notifierRelease(args: NotifierSettings): ReleaseSource {
  const { news, domain, apps, images, mirrors, timeZone } = args;
  const speaker = apps.find(({ sessions }) => sessions !== undefined);
  const listened = speaker?.routes[0];
  const routes = apps.flatMap(({ routes: own }) => own);
  const trustedRoot = args.certificates.trustedRoot ?? "";
  const wants = (...kinds: readonly string[]) => kinds.some((kind) => news.kinds.includes(kind));
  const limit = speaker?.sessions?.monthlyLimitUsd;
  const hears =
    listened?.upstreamLogin && (limit !== undefined || wants("done", "failed", "permission", "question", "cost"))
      ? listened
      : undefined;
  const { billing } = news;
  const secrets = {
    urls: "urls",
    ...(hears && { "server-password": "serverPassword" }),
    ...(billing && { "billing-key": "billingKey" }),
  };
  const owned = ["settings.json", "acme-root.pem", ...Object.keys(secrets)];
  return {
    template: notifierName,
    secretFiles: secrets,
    values: {
      images,
      mirrors,
      timeZone,
      network: notifierNetwork,
      sessionsNetwork: hears?.network ?? "",
      signIns: wants("login"),
      trustedRoot,
      bill: billing !== undefined,
      config: {
        events: [...news.kinds],
        quiet: news.quietHours ?? "",
        timeZone,
        details: news.details,
        ...(hears && {
          sessions: {
            server: `http://${hears.upstream}`,
            user: hears.upstreamLogin?.username,
            major: speaker?.sessions?.major,
            limit,
            page: `https://${hostOf(hears, domain)}`,
          },
        }),
        ...(billing && { bill: { endpoint: `https://${billEndpoints[billing.site]}/`, limit: billing.limit } }),
        ...(wants("certificate") && {
          edge: {
            address: "cloudcode-edge-caddy-1:443",
            names: [domain, ...[...routes, { subdomain: portalSubdomain }].map((route) => hostOf(route, domain))],
            root: trustedRoot && "/run/secrets/acme-root.pem",
          },
        }),
      },
    },
    plan: {
      networks: [notifierNetwork, ...(hears ? [hears.network] : [])],
      build: ["notifier"],
      check: { service: "notifier", command: "python -m notify check" },
      healthTimeout: 60,
      // Nothing in it is worth a message that is sent twice.
      drill: { without: ["notifier", ...(wants("login") ? ["sign-ins"] : [])] },
    },
    owners: Object.fromEntries(owned.map((file) => [file, uid])),
  };
}
