import { z } from "zod";
import type { FirewallRequest } from "../cloudflare/firewall-rules";
import { cookieFault, getsGateCookie } from "../host/names";
import { isBundle } from "../images";
import { type PathRule, edgeNetwork, hostOf } from "../routes";
import * as check from "../settings/checks";
import { missing, when } from "../settings/problem";
import { choice, bool, list, secret, text, integer } from "../settings/setting";
import { appKind } from "./app";
import { sourceProblems } from "./mainland";

const name = "casecheck";
const apiUid = 1000;
const databaseUid = 70;
const tunnelUid = 65532;

/** What a tunnel's token says when base64 is taken off: account, tunnel and key (cloudflare/cloudflared, connection.go). */
const tunnelTokenParts = z.object({ a: z.string().min(1), t: z.string().min(1), s: z.string().min(1) });
const tunnelToken = z.string().refine((value) => {
  // cloudflared reads no other form of base64, nor a space.
  if (Buffer.from(value, "base64").toString("base64") !== value) return false;
  try {
    return tunnelTokenParts.safeParse(JSON.parse(Buffer.from(value, "base64").toString())).success;
  } catch {
    return false;
  }
}, "is not the token of a Cloudflare Tunnel");

const cloudflareId = z.string().regex(/^[0-9a-f]{32}$/, "is not an ID of Cloudflare: 32 digits of 0-9 and a-f");

/** Of what Cloudflare Access has. */
const cloudflareUuid = z
  .string("is not a text")
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "is not an ID such as f174e90a-fafe-4643-bbbc-4a0ed4fc8415");

// bcrypt looks at no more of it.
const adminPassword = check.password.refine((value) => Buffer.byteLength(value) <= 72, {
  error: "is longer than 72 bytes",
});

const settings = {
  casecheckEnabled: bool({ description: "CaseCheck: activities and check-ins.", example: "true", default: false }),
  casecheckPublished: choice(["caddy", "tunnel"], "is neither caddy nor tunnel", {
    description:
      "How CaseCheck is reached: caddy (a subdomain behind the sign-in portal) or tunnel (a Cloudflare Tunnel, without the sign-in portal; it opens no port on the host).",
    example: "tunnel",
    default: "caddy",
  }),
  casecheckSubdomain: text(check.subdomain, {
    description: "Subdomain of CaseCheck, if Caddy publishes it.",
    example: "casecheck",
    default: "casecheck",
  }),
  casecheckOpen: bool({
    description:
      "Opens CaseCheck's pages and API to people who cannot pass the sign-in portal, such as participants who check in; they still sign in to CaseCheck.",
    example: "true",
    default: false,
  }),
  casecheckOpenRegistration: bool({
    description:
      "Lets anyone who can reach CaseCheck create an account, if it is open or published through a tunnel; the number of accounts has no limit. Without it, only people who have signed in at the portal can create one, and nobody through a tunnel.",
    example: "true",
    default: false,
  }),
  casecheckOrigins: list(check.httpsOrigin, {
    description:
      "Origins of front ends of CaseCheck that are elsewhere, such as Cloudflare Pages: their scripts may call its API, without any cookie. It must be open or published through a tunnel.",
    example: "'[\"https://cases.pages.dev\"]'",
    default: [],
  }),
  casecheckDocs: bool({
    description:
      "Shows the description of CaseCheck's API (/docs, /redoc) behind the sign-in portal, at casecheckSubdomain also if a tunnel publishes CaseCheck.",
    example: "true",
    default: false,
  }),
  casecheckTunnelToken: secret(tunnelToken, {
    description:
      "Token of a Cloudflare Tunnel that you created by hand. Its public hostname must route to http://web:8080 (Cloudflare: Zero Trust, Networks, Tunnels). Use it instead of casecheckCloudflareApiToken.",
    example: "eyJhIjoiYWNjb3VudCIsInQiOiJ0dW5uZWwiLCJzIjoiYzJWamNtVjAifQ==",
  }),
  casecheckTunnelHost: text(check.hostName, {
    description: "Public hostname of the Cloudflare Tunnel.",
    example: "casecheck.example.com",
  }),
  casecheckCloudflareApiToken: secret(check.accessToken, {
    description:
      "Cloudflare API token that creates the tunnel, its public hostname, Access and the firewall's rules (permissions: Cloudflare Tunnel: Edit, Access: Apps and Policies: Edit, and in the zone DNS: Edit, Zone: Read and Zone WAF: Edit; casecheckFirewall needs the last two).",
    example: "0123456789abcdefghijklmnopqrstuvwxyz_-AB",
  }),
  casecheckCloudflareAccountId: text(cloudflareId, {
    description: "Cloudflare account ID, from the overview of the zone.",
    example: "0123456789abcdef0123456789abcdef",
  }),
  casecheckCloudflareZoneId: text(cloudflareId, {
    description: "Zone ID of the domain that casecheckTunnelHost is in, from the same page.",
    example: "fedcba9876543210fedcba9876543210",
  }),
  casecheckFirewall: bool({
    description:
      "Adds rules to the firewall of the zone at Cloudflare, for casecheckTunnelHost: a limit on sign-in, registration and check-in, a rule against crawlers and scanners, and Cloudflare's managed rules, as far as the plan of the zone has them. All other rules of the zone stay. Only with casecheckCloudflareApiToken.",
    example: "false",
    default: true,
  }),
  casecheckAccessEmails: list(check.email, {
    description:
      "Mail addresses that Cloudflare Access admits, with a code that it sends to them. Default: everybody is admitted.",
    example: "'[\"jo@example.com\"]'",
    default: [],
  }),
  casecheckAccessIdentityProviders: list(cloudflareUuid, {
    description:
      "IDs of identity providers of your Cloudflare account: Access admits everybody who can sign in there, so name none where anybody can get an account, such as Google.",
    example: "'[\"f174e90a-fafe-4643-bbbc-4a0ed4fc8415\"]'",
    default: [],
  }),
  casecheckAccessGroups: list(cloudflareUuid, {
    description:
      "IDs of rule groups of Cloudflare Access, which can name groups of an identity provider, mail domains and more: Access admits their members.",
    example: "'[\"aa0a4aab-672b-4bdb-bc33-a59f1130a11f\"]'",
    default: [],
  }),
  casecheckAccessServiceTokens: list(cloudflareUuid, {
    description: "IDs of service tokens of Cloudflare Access: programs that send such a token are admitted.",
    example: "'[\"3537a672-e4d8-4d89-aab9-26cb622918a1\"]'",
    default: [],
  }),
  casecheckAdminPassword: secret(adminPassword, {
    description:
      "Password of CaseCheck's user admin. Default: generated; see pulumi stack output appLogins --show-secrets.",
    example: "'a long passphrase of yours'",
  }),
  casecheckMemoryMiB: integer(256, 262144, {
    description: "Memory limit of CaseCheck's API, in MiB; its other services have fixed limits.",
    example: "384",
    default: 384,
  }),
  casecheckBackupsKept: integer(1, 365, {
    description: "How many daily dumps of CaseCheck's database are kept in its volume backups.",
    example: "14",
    default: 7,
  }),
};

const accessKeys = [
  "casecheckAccessEmails",
  "casecheckAccessIdentityProviders",
  "casecheckAccessGroups",
  "casecheckAccessServiceTokens",
] as const;

const cloudflareKeys = [
  "casecheckCloudflareApiToken",
  "casecheckCloudflareAccountId",
  "casecheckCloudflareZoneId",
] as const;

/** What participants need: the pages, what they are made of, and the API with its own login, which pages elsewhere may call. */
const openPaths = ([origin, ...more]: readonly string[]): readonly PathRule[] => [
  ...["/", "/check-in", "/assets/*", "/health"].map((path) => ({ path, policy: "bypass" as const })),
  { path: "/v1/*", policy: "bypass", ...(origin !== undefined && { crossOrigin: [origin, ...more] }) },
];
const registration: PathRule = { path: "/v1/auth/register/*", policy: "two_factor" };

/**
 * What Cloudflare's firewall limits, together: a free plan has one limit. A class of 60 behind one address that checks in at once makes
 * 120 requests, 180 where each member registers first, and may need some of them twice. Guesses at a password are slowed down further by
 * CaseCheck's own web server, which passes on one at a time.
 */
const firewall: FirewallRequest = {
  title: "CaseCheck",
  guarded: ["/v1/auth/login", "/v1/auth/register", "/v1/attendance/check-in"],
  guards: "sign-in, registration and check-in",
  requests: 60 * 4,
  tokenKey: "casecheckCloudflareApiToken",
  switchKey: "casecheckFirewall",
};

/**
 * CaseCheck (https://github.com/Newbear1010/CaseCheck). Pages and API share one origin, so that both pass the gateway with one
 * cookie; a path that is not listed asks for two factors even where CaseCheck is open.
 */
export const casecheck = appKind({
  name,
  settings,
  enabled: "casecheckEnabled",
  subdomains: ["casecheckSubdomain"],
  problems(values, stack) {
    const tunnel = values.casecheckPublished === "tunnel";
    const made = cloudflareKeys.some((key) => values[key] !== undefined);
    const access = accessKeys.filter((key) => (values[key] ?? []).length > 0);
    const { casecheckOrigins: origins = [] } = values;
    const useless = (keys: readonly (keyof typeof values)[], fault: string) =>
      keys.flatMap((key) => when(values[key] !== undefined, key, `has no effect ${fault}`));
    const elsewhere = "while casecheckPublished is not tunnel";
    const byHand = ["casecheckTunnelToken"] as const;
    return [
      ...sourceProblems("casecheck", stack),
      ...(!tunnel ? useless([...byHand, "casecheckTunnelHost", ...cloudflareKeys], elsewhere) : []),
      ...(!tunnel ? useless(access, elsewhere) : []),
      ...(tunnel ? missing(values, ["casecheckTunnelHost"], "casecheckPublished is tunnel") : []),
      ...when(
        tunnel && getsGateCookie(values.casecheckTunnelHost ?? "", stack.domain),
        "casecheckTunnelHost",
        `is ${cookieFault}`,
      ),
      ...(tunnel && made ? missing(values, cloudflareKeys, "the tunnel is created only with all three") : []),
      ...(tunnel && made ? useless(byHand, "together with casecheckCloudflareApiToken") : []),
      ...(tunnel && !made
        ? missing(
            values,
            byHand,
            "casecheckPublished is tunnel, and there is no casecheckCloudflareApiToken to create one",
          )
        : []),
      ...(tunnel && !made ? useless(access, "without casecheckCloudflareApiToken") : []),
      ...when(
        values.casecheckFirewall === false && !(tunnel && made),
        "casecheckFirewall",
        "has no effect without a tunnel that casecheckCloudflareApiToken creates",
      ),
      ...when(
        tunnel && values.casecheckOpen === true,
        "casecheckOpen",
        "has no effect with a tunnel, which the sign-in portal does not protect",
      ),
      ...when(
        origins.length > 0 && !tunnel && values.casecheckOpen === false,
        "casecheckOrigins",
        "has no effect while casecheckOpen is not true",
      ),
      ...when(
        origins.length > 0 && tunnel && access.length > 0,
        "casecheckOrigins",
        `has no effect with ${access[0] ?? ""}: Cloudflare Access lets no page of another site call the API`,
      ),
      ...when(
        values.casecheckOpenRegistration === true && !values.casecheckOpen && !tunnel,
        "casecheckOpenRegistration",
        "has no effect while casecheckOpen is not true",
      ),
    ];
  },
  warnings: ({ casecheckPublished }, { mirrors }) =>
    when(
      mirrors !== undefined && casecheckPublished === "tunnel",
      "casecheckPublished",
      `is tunnel: Cloudflare serves mainland China from abroad, slowly and with interruptions; caddy with a filed domain does not`,
    ),
  outsidePortal: ({ casecheckPublished, casecheckDocs }) =>
    casecheckPublished === "tunnel" && casecheckDocs !== true
      ? "a tunnel publishes, without the sign-in portal: casecheckPublished"
      : undefined,
  app(values, { images, sources, mirrors, timeZone }) {
    const tunnel = values.casecheckPublished === "tunnel";
    const network = edgeNetwork(name);
    const { casecheckSubdomain: subdomain, casecheckOrigins: origins, casecheckDocs: docs } = values;
    const networks = tunnel && !docs ? [] : [network];
    const {
      casecheckTunnelToken: token,
      casecheckTunnelHost: tunnelHost,
      casecheckCloudflareApiToken: apiToken,
      casecheckCloudflareAccountId: accountId,
      casecheckCloudflareZoneId: zoneId,
      casecheckAdminPassword: ownPassword,
    } = values;
    const closed = values.casecheckOpenRegistration ? [] : [registration];
    return {
      routes: networks.map((edge) => ({
        subdomain,
        network: edge,
        policy: "two_factor",
        version: sources.casecheck.commit.slice(0, 7),
        ...(tunnel
          ? {
              upstream: "casecheck-web:8082",
              paths: [],
              title: "CaseCheck API",
              summary: { en: "Description of CaseCheck's API", zh: "CaseCheck 的 API 说明" },
            }
          : {
              upstream: "casecheck-web:8080",
              paths: values.casecheckOpen ? [...closed, ...openPaths(origins)] : [],
              title: "CaseCheck",
              summary: { en: "Activities and check-ins", zh: "活动与签到" },
            }),
      })),
      release: (domain) => {
        const host = tunnel ? tunnelHost : hostOf({ subdomain }, domain);
        const origin = `https://${host ?? ""}`;
        return {
          template: name,
          values: {
            images,
            mirrors,
            source: { ...sources.casecheck, bundle: isBundle(sources.casecheck) },
            timeZone,
            network,
            tunnel,
            atEdge: networks.length > 0,
            docs,
            openRegistration: values.casecheckOpenRegistration,
            origin,
            origins,
            // Its settings read a list as JSON (pydantic/pydantic-settings#919).
            corsOrigins: JSON.stringify([origin, ...origins]),
            memoryMiB: values.casecheckMemoryMiB,
            backupsKept: String(values.casecheckBackupsKept),
          },
          plan: {
            networks,
            build: ["api", "opa", "web"],
            startFirst: ["opa", "api", "web"],
            healthTimeout: 300,
            ...(tunnel && { drill: { without: ["cloudflared"] } }),
            dumps: [
              {
                service: "database",
                volume: "database",
                dump: "pg_dumpall --username postgres --clean --if-exists",
                load: "psql --no-psqlrc --quiet --username postgres postgres",
                flush: "psql --no-psqlrc --quiet --username postgres --command CHECKPOINT postgres",
              },
            ],
          },
          owners: {
            "api/": apiUid,
            "database/": databaseUid,
            "tunnel-token": tunnelUid,
          },
        };
      },
      ...(apiToken &&
        accountId &&
        zoneId &&
        tunnelHost && {
          tunnel: {
            host: tunnelHost,
            service: "http://web:8080",
            accountId,
            zoneId,
            apiToken,
            access: {
              emails: values.casecheckAccessEmails,
              identityProviders: values.casecheckAccessIdentityProviders,
              groups: values.casecheckAccessGroups,
              serviceTokens: values.casecheckAccessServiceTokens,
            },
            firewall: values.casecheckFirewall ? firewall : undefined,
          },
        }),
      secrets: { tunnelToken: token ?? "", ...(ownPassword && { adminPassword: ownPassword }) },
      // Letters and digits, which mean nothing to a URL or to alembic's configuration (sqlalchemy/alembic#1279).
      generated: {
        databasePassword: 32,
        secretKey: 64,
        ...(ownPassword === undefined && { adminPassword: 24 }),
      },
      login: { username: "admin", secret: "adminPassword" },
    };
  },
});
