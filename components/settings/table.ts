import { z } from "zod";
import { type ImageName, imageNames } from "../images";
import * as check from "./checks";

/** One configuration key: what Pulumi.yaml documents, what an error quotes, what the parser holds a value to. */
export interface Setting<T = unknown> {
  readonly type: "string" | "integer" | "boolean" | "array" | "object";
  readonly description: string;
  /** A valid value, as typed behind `pulumi config set KEY`. */
  readonly example: string;
  readonly default?: T;
  readonly secret?: true;
  readonly schema: z.ZodType<T>;
}

function text(schema: z.ZodType<string>, rest: Omit<Setting<string>, "type" | "schema">): Setting<string> {
  return { type: "string", schema, ...rest };
}

function flag(rest: Omit<Setting<boolean>, "type" | "schema">): Setting<boolean> {
  return {
    type: "boolean",
    schema: z.stringbool({ truthy: ["true"], falsy: ["false"], error: "is neither true nor false" }),
    ...rest,
  };
}

function whole(min: number, max: number, rest: Omit<Setting<number>, "type" | "schema">): Setting<number> {
  const schema = z.coerce
    .number("is not a whole number")
    .int("is not a whole number")
    .min(min, `is below ${min}`)
    .max(max, `is above ${max}`);
  return { type: "integer", schema, ...rest };
}

function list(
  item: z.ZodType<string>,
  rest: Omit<Setting<readonly string[]>, "type" | "schema">,
): Setting<readonly string[]> {
  return { type: "array", schema: check.json(z.array(item, "is not a list")), ...rest };
}

const imageOverrides: z.ZodType<Partial<Record<ImageName, string>>> = z.partialRecord(
  z.enum(imageNames),
  check.imageReference,
  {
    error: ({ code }) =>
      code === "invalid_type" ? "is not an object" : `holds a name that is not one of ${imageNames.join(", ")}`,
  },
);

/**
 * Every configuration key of the program. Pulumi.yaml's `config` block is written from this table (`npm run settings`), so
 * that documentation, defaults and validation have one source.
 */
export const settingsTable = {
  target: text(z.literal("existing", "is not a target; the one there is: existing"), {
    description: "Where the host comes from: existing (a machine reachable over SSH).",
    example: "existing",
    default: "existing",
  }),
  domain: text(check.cookieDomain, {
    description:
      "Domain the Apps are served below; it and *.domain must point to the host. Default: <address>.sslip.io, a shared name that can hit certificate limits.",
    example: "home.example.com",
  }),
  hostAddress: text(check.address, { description: "IP address or name of the host.", example: "203.0.113.7" }),
  hostPort: whole(1, 65535, { description: "SSH port of the host.", example: "22", default: 22 }),
  hostUser: text(check.unixUser, {
    description: "SSH user: root, or one that may sudo without a password.",
    example: "root",
    default: "root",
  }),
  hostPrivateKey: text(check.privateKey, {
    description: "SSH private key of that user, without a passphrase (PEM or OpenSSH format).",
    example: "< ~/.ssh/id_ed25519",
    secret: true,
  }),
  hostKey: text(check.hostKey, {
    description:
      "SSH host key of the host, pinned: its key type and base64, as ssh-keyscan or the machine's console prints it.",
    example: '"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP6EyXTbGNhwwWaLlb18EZWpMGcMx2ioZ3wmeVQ3q9aB"',
  }),
  hostWaitSeconds: whole(5, 3600, {
    description: "Longest time to wait for the host to answer SSH, in seconds.",
    example: "600",
    default: 600,
  }),
  sshCidrs: list(check.cidr, {
    description: "Networks that may reach SSH on the host. Default: the host's own firewall decides.",
    example: "'[\"203.0.113.0/24\"]'",
    default: [],
  }),
  adminUsername: text(check.loginName, {
    description: "Name the operator logs in with.",
    example: "admin",
    default: "admin",
  }),
  adminPassword: text(check.password, {
    description:
      "The operator's first password. Default: generated; see pulumi stack output adminPassword --show-secrets.",
    example: "'a long passphrase of yours'",
    secret: true,
  }),
  adminEmail: text(check.email, {
    description: "Where login mails go. Default: adminUsername@domain.",
    example: "you@example.com",
  }),
  smtpAddress: text(check.smtpAddress, {
    description:
      "Mail server for one-time codes: submission://, submissions:// or smtp://. Default: codes go to a file on the host.",
    example: "submission://smtp.example.com:587",
  }),
  smtpUsername: text(z.string().min(1, "is empty"), {
    description: "User of the mail server.",
    example: "mailer@example.com",
  }),
  smtpPassword: text(z.string().min(1, "is empty"), {
    description: "Password of the mail server.",
    example: "'…'",
    secret: true,
  }),
  smtpSender: text(check.email, { description: "Sender of mails. Default: adminEmail.", example: "login@example.com" }),
  acmeEmail: text(check.email, {
    description: "Contact given to the certificate authorities; the second one needs it for some of its features.",
    example: "you@example.com",
  }),
  acmeDirectories: list(check.httpsUrl, {
    description: "ACME authorities in the order they are asked; Caddy's internal authority is always the last resort.",
    example: "'[\"https://acme-v02.api.letsencrypt.org/directory\"]'",
    default: ["https://acme-v02.api.letsencrypt.org/directory", "https://acme.zerossl.com/v2/DV90"],
  }),
  acmeTrustedRoot: text(check.certificate, {
    description: "PEM certificate that signs the ACME servers themselves, for a private authority.",
    example: '-- "$(cat ca.pem)"',
  }),
  fallbackCertificateMinutes: whole(2, 10080, {
    description:
      "Life of a certificate of the internal authority; at two thirds of it the public ones are asked again.",
    example: "60",
    default: 60,
  }),
  dockerPackages: text(z.enum(["docker-ce", "distribution"], "is neither docker-ce nor distribution"), {
    description: "Where Docker comes from: docker-ce (Docker's repository) or distribution (the host's own packages).",
    example: "docker-ce",
    default: "docker-ce",
  }),
  dockerAptRepository: text(check.httpsUrl, {
    description:
      "Docker's package repository or a mirror of it (mainland China: https://mirrors.aliyun.com/docker-ce/linux).",
    example: "https://mirrors.aliyun.com/docker-ce/linux",
    default: "https://download.docker.com/linux",
  }),
  registryMirrors: list(check.webUrl, {
    description: "Mirrors of Docker Hub that the host pulls through.",
    example: "'[\"https://mirror.example.com\"]'",
    default: [],
  }),
  imageRegistry: text(check.registryPrefix, {
    description: "Private registry that holds all images, in place of docker.io.",
    example: "registry.example.com/mirror",
  }),
  images: {
    type: "object",
    description: `Image references that replace the pinned ones, by name: ${imageNames.join(", ")}.`,
    example: "--path 'images.caddy' docker.io/library/caddy:2.11.7-alpine",
    default: {},
    schema: check.json(imageOverrides),
  } satisfies Setting<Partial<Record<ImageName, string>>>,
  dockerDns: list(check.ipAddress, {
    description: "DNS servers of the containers. Default: the host's.",
    example: '\'["1.1.1.1","8.8.8.8"]\'',
    default: [],
  }),
  dockerAddressPool: text(check.cidr, {
    description: "Network that Docker cuts its networks from (24 bits each).",
    example: "10.201.0.0/16",
    default: "10.201.0.0/16",
  }),
  swapMiB: whole(0, 65536, {
    description: "Size of the swap file, in MiB, where the host has no swap; 0 for none.",
    example: "2048",
    default: 2048,
  }),
  ntpServer: text(check.hostName, {
    description: "Time server of the host. Default: the distribution's.",
    example: "ntp.aliyun.com",
  }),
  timeZone: text(check.timeZone, {
    description: "Time zone of the containers.",
    example: "Asia/Singapore",
    default: "UTC",
  }),
  deleteData: flag({
    description: "Whether removing an App, or everything, also deletes its data.",
    example: "true",
    default: false,
  }),
  opencodeEnabled: flag({ description: "OpenCode: AI coding in the browser.", example: "true", default: true }),
  opencodeSubdomain: text(check.label, { description: "Subdomain of OpenCode.", example: "code", default: "code" }),
  opencodeTerminal: flag({
    description: "Web terminal of OpenCode's workspace at /terminal.",
    example: "true",
    default: true,
  }),
  opencodeMemoryMiB: whole(512, 262144, {
    description: "Memory limit of OpenCode, in MiB.",
    example: "2048",
    default: 2048,
  }),
  opencodeAnthropicApiKey: text(check.oneLine, {
    description: "Key of Anthropic's API, for OpenCode.",
    example: "sk-ant-…",
    secret: true,
  }),
  opencodeOpenaiApiKey: text(check.oneLine, {
    description: "Key of OpenAI's API, for OpenCode.",
    example: "sk-…",
    secret: true,
  }),
  opencodeOpenaiBaseUrl: text(check.webUrl, {
    description: "Address of an API that speaks OpenAI's protocol, for OpenCode.",
    example: "https://api.example.com/v1",
  }),
};

export type SettingKey = keyof typeof settingsTable;

/** The plain values by key: as given, as defaulted, or undefined. */
export type Values = {
  readonly [K in SettingKey]: (typeof settingsTable)[K] extends { schema: z.ZodType<infer T> } ? T | undefined : never;
};

export const settingKeys = Object.keys(settingsTable) as SettingKey[];
