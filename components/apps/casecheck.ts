import { z } from "zod";
import { type PathRule, edgeNetwork, hostOf } from "../routes";
import * as check from "../settings/checks";
import { missing, when } from "../settings/problem";
import { choice, flag, secret, text, whole } from "../settings/setting";
import { appKind } from "./app";

const name = "casecheck";
const apiUid = 1000;
const databaseUid = 70;
const tunnelUid = 65532;

/** What a tunnel's token says when base64 is taken off: account, tunnel and key (cloudflare/cloudflared, connection.go). */
const tunnelTokenParts = z.object({ a: z.string(), t: z.string(), s: z.string() });
const tunnelToken = z.string().refine((value) => {
  try {
    return tunnelTokenParts.safeParse(JSON.parse(Buffer.from(value, "base64").toString())).success;
  } catch {
    return false;
  }
}, "is not the token of a Cloudflare Tunnel");

// bcrypt looks at no more of it.
const adminPassword = check.password.refine((value) => Buffer.byteLength(value) <= 72, {
  error: "is longer than 72 bytes",
});

const settings = {
  casecheckEnabled: flag({ description: "CaseCheck: activities and check-ins.", example: "true", default: false }),
  casecheckPublished: choice(["caddy", "tunnel"], "is neither caddy nor tunnel", {
    description:
      "How CaseCheck is reached: caddy (a subdomain behind the gate) or tunnel (a Cloudflare Tunnel; then nothing of it is behind the gate, and no port of it is open on the host).",
    example: "tunnel",
    default: "caddy",
  }),
  casecheckSubdomain: text(check.label, {
    description: "Subdomain of CaseCheck, where Caddy publishes it.",
    example: "casecheck",
    default: "casecheck",
  }),
  casecheckOpen: flag({
    description:
      "Opens CaseCheck's pages and API to people without a login of the gate, such as participants who check in; they still sign in to CaseCheck.",
    example: "true",
    default: false,
  }),
  casecheckOpenRegistration: flag({
    description: "Lets anybody make an account in an open CaseCheck, which sets no limit on that.",
    example: "true",
    default: false,
  }),
  casecheckTunnelToken: secret(tunnelToken, {
    description:
      "Token of the Cloudflare Tunnel. Its public host name must lead to http://web:8080 (Cloudflare: Zero Trust, Networks, Tunnels).",
    example: "eyJhIjoiYWNjb3VudCIsInQiOiJ0dW5uZWwiLCJzIjoiYzJWamNtVjAifQ==",
  }),
  casecheckTunnelHost: text(check.hostName, {
    description: "Public host name of the Cloudflare Tunnel.",
    example: "casecheck.example.com",
  }),
  casecheckAdminPassword: secret(adminPassword, {
    description:
      "Password of CaseCheck's user admin. Default: generated; see pulumi stack output appLogins --show-secrets.",
    example: "'a long passphrase of yours'",
  }),
  casecheckMemoryMiB: whole(256, 262144, {
    description: "Memory limit of CaseCheck's API, in MiB; its other parts have fixed ones.",
    example: "384",
    default: 384,
  }),
  casecheckBackupsKept: whole(1, 365, {
    description: "How many daily dumps of CaseCheck's database are kept in its volume backups.",
    example: "14",
    default: 7,
  }),
};

/** What participants need: the pages, what they are made of, and the API with its own login. */
const openPaths: readonly PathRule[] = ["/", "/check-in", "/assets/*", "/health", "/v1/*"].map((path) => ({
  path,
  policy: "bypass",
}));
const registration: PathRule = { path: "/v1/auth/register/*", policy: "two_factor" };

/**
 * CaseCheck (https://github.com/Newbear1010/CaseCheck). Pages and API share one origin, so that both pass the gate with one
 * cookie; a path that is not listed asks for two factors even where CaseCheck is open (lessons G7).
 */
export const casecheck = appKind({
  name,
  settings,
  enabled: "casecheckEnabled",
  subdomains: ["casecheckSubdomain"],
  problems(values) {
    const tunnel = values.casecheckPublished === "tunnel";
    const tunnelKeys = ["casecheckTunnelToken", "casecheckTunnelHost"] as const;
    return [
      ...(tunnel
        ? missing(values, tunnelKeys, "casecheckPublished is tunnel")
        : tunnelKeys.flatMap((key) =>
            when(values[key] !== undefined, key, "has no effect while casecheckPublished is not tunnel"),
          )),
      ...when(
        tunnel && values.casecheckOpen === true,
        "casecheckOpen",
        "has no effect with a tunnel, which the gate does not guard",
      ),
      ...when(
        values.casecheckOpenRegistration === true && !values.casecheckOpen,
        "casecheckOpenRegistration",
        "has no effect while casecheckOpen is not true",
      ),
    ];
  },
  app(values, { images, sources, timeZone }) {
    const tunnel = values.casecheckPublished === "tunnel";
    const network = edgeNetwork(name);
    const networks = tunnel ? [] : [network];
    const { casecheckTunnelToken: token, casecheckAdminPassword: ownPassword } = values;
    const closed = values.casecheckOpenRegistration ? [] : [registration];
    return {
      routes: networks.map((edge) => ({
        subdomain: values.casecheckSubdomain,
        network: edge,
        upstream: "casecheck-web:8080",
        policy: "two_factor",
        paths: values.casecheckOpen ? [...closed, ...openPaths] : [],
        title: "CaseCheck",
        summary: { en: "Activities and check-ins", zh: "活动与签到" },
      })),
      release: (domain) => {
        const host = tunnel ? values.casecheckTunnelHost : hostOf({ subdomain: values.casecheckSubdomain }, domain);
        const origin = `https://${host ?? ""}`;
        return {
          template: name,
          values: {
            images,
            source: { ...sources.casecheck },
            timeZone,
            network,
            tunnel,
            origin,
            // Its settings read a list as JSON (lessons G3).
            corsOrigins: JSON.stringify([origin]),
            memoryMiB: values.casecheckMemoryMiB,
            backupsKept: String(values.casecheckBackupsKept),
          },
          plan: { networks, build: ["api", "opa", "web"], healthTimeout: 300 },
          owners: {
            "api/": apiUid,
            "database/": databaseUid,
            "tunnel-token": tunnelUid,
          },
        };
      },
      secrets: { tunnelToken: token ?? "", ...(ownPassword && { adminPassword: ownPassword }) },
      // Letters and digits, which mean nothing to a URL or to alembic's configuration (lessons G1).
      generated: {
        databasePassword: 32,
        secretKey: 64,
        ...(ownPassword === undefined && { adminPassword: 24 }),
      },
      login: { username: "admin", secret: "adminPassword" },
    };
  },
});
