import { join } from "node:path";
import { parse } from "yaml";
import { authGatewayRelease } from "../../../components/auth-gateway/auth-gateway-stack";
import { defaultImages } from "../../../components/images";
import { type PathRule, type Policy, edgeNetwork } from "../../../components/routes";
import type { Person } from "../../../components/settings/people";
import type { MailSettings } from "../../../components/settings/settings";
import { renderRelease } from "../../../components/stack/release";

/** What Authelia is started with: `authelia` of a container with its paths and ports changed to those of a folder. */
export interface GatewayFiles {
  readonly configuration: GatewayConfiguration;
  readonly users: string;
  /** Text of `session`, `reset` and `encryption-key`. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Of the configuration only what tests change. */
export interface GatewayConfiguration {
  readonly server: { address: string; timeouts: { read: string; idle: string } };
  readonly session: { redis?: { host: string; port: number } };
}

export interface GatewayPlan {
  readonly folder: string;
  readonly port: number;
  readonly domain: string;
  readonly username: string;
  /** Argon2id hash of the operator's password. */
  readonly hash: string;
  /** Policy, and the paths that differ, by label below the domain. */
  readonly hosts: Readonly<Record<string, { readonly policy: Policy; readonly paths?: readonly PathRule[] }>>;
  /** Who has an account next to the operator, with the operator's password; the App of a host has its label. @default nobody */
  readonly people?: readonly Person[];
  /** @default none, as without settings */
  readonly mail?: MailSettings;
}

/** The auth gateway's files as the program renders them, for a folder and a port of this machine. */
export function gatewayFiles({
  folder,
  port,
  domain,
  username,
  hash,
  hosts,
  people = [],
  mail,
}: GatewayPlan): GatewayFiles {
  const source = authGatewayRelease({
    domain,
    routes: Object.entries(hosts).map(([subdomain, { policy, paths = [] }]) => ({
      subdomain,
      network: edgeNetwork(subdomain),
      upstream: `${subdomain}:1`,
      policy,
      paths,
      title: subdomain,
      summary: { en: "", zh: "" },
    })),
    operator: {
      username,
      email: undefined,
      password: undefined,
      session: { inactivity: "1d", lifetime: "7d", remembered: "1M" },
    },
    people,
    mail,
    images: defaultImages,
    timeZone: "UTC",
  });
  const secrets = {
    passwordHash: hash,
    earlierHash: hash,
    sessionSecret: "sessions".repeat(8),
    resetSecret: "reset-it".repeat(8),
    encryptionKey: "the-key-".repeat(8),
    smtpPassword: "",
    ...Object.fromEntries(people.map(({ name }) => [`hash-of-${name}`, hash])),
  };
  const release = renderRelease(join(__dirname, "../../../stack-templates"), source, secrets, "key");
  const text = (path: string) => release.files.find((file) => file.path.endsWith(path))?.content ?? "";
  const configuration = parse(text("configuration.yml").replaceAll("/config/", `${folder}/`)) as GatewayConfiguration;
  configuration.server.address = `tcp://127.0.0.1:${port}/`;
  const names = ["session", "reset", "encryption-key"];
  return {
    configuration,
    users: text("operator.yml"),
    secrets: Object.fromEntries(names.map((name) => [name, text(`secrets/${name}`)])),
  };
}
