import { isIP } from "node:net";
import { parse as parseDomain } from "tldts";
import { z } from "zod";

export { privateKey } from "./private-key";
import { sharedDomain } from "../host/names";

/** Value checks of the settings: each message completes the sentence "KEY …". None quotes the value, which may be a secret. */

const nonEmpty = z.string("is not a text").min(1, "is empty");

function matching(pattern: RegExp, message: string): z.ZodType<string> {
  return nonEmpty.regex(pattern, message);
}

/** A list or object as Pulumi stores it: JSON text. */
export function json<T>(inner: z.ZodType<T>): z.ZodType<T> {
  return z
    .unknown()
    .transform((value, context) => {
      if (typeof value !== "string") return value;
      try {
        return JSON.parse(value) as unknown;
      } catch {
        context.addIssue({ code: "custom", message: "is not JSON" });
        return z.NEVER;
      }
    })
    .pipe(inner);
}

const hostPattern = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export const label = matching(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  "is not a DNS label of lower-case letters, digits and hyphens",
);
export const hostName = matching(hostPattern, "is not a host name");
export const address = nonEmpty.refine(
  (value) => isIP(value) !== 0 || hostPattern.test(value),
  "is neither an IP address nor a host name",
);
export const ipAddress = nonEmpty.refine((value) => isIP(value) !== 0, "is not an IP address");
export const oneLine = nonEmpty.regex(/^[^\r\n\0]*$/, "has more than one line");

/**
 * A domain Authelia can set its cookie on
 * (https://www.authelia.com/configuration/session/introduction/#domain, lessons E2).
 */
export const cookieDomain = nonEmpty.superRefine((value, context) => {
  const fault = cookieDomainFault(value);
  if (fault) context.addIssue({ code: "custom", message: fault });
});

function cookieDomainFault(value: string): string | undefined {
  if (isIP(value) !== 0)
    return "is an IP address, which can carry neither login cookies nor passkeys; use <address>.sslip.io";
  if (!hostPattern.test(value)) return "is not a host name in lower-case letters";
  if (!value.includes(".")) return "has no dot, so that browsers refuse its login cookie";
  const parsed = parseDomain(value, { allowPrivateDomains: true });
  if (parsed.publicSuffix === value)
    return "is a public suffix, so that browsers refuse its login cookie; use a name below it";
  if (sharedDomain(value) === value) return "is shared by everybody; use <address>.sslip.io";
  return undefined;
}

export const unixUser = matching(/^[a-z_][a-z0-9_-]{0,31}$/, "is not a user name of Linux");
export const loginName = matching(
  /^[a-z][a-z0-9_-]{0,31}$/,
  "is not 1 to 32 lower-case letters, digits, _ and -, a letter first",
);
export const password = z
  .string()
  .min(12, "is shorter than 12 characters")
  .max(128, "is longer than 128 characters")
  .regex(/^\P{Cc}*$/u, "has control characters");
export const email = matching(/^[^\s@"<>{}`\\]+@[^\s@"<>{}`\\]+$/, "is not a mail address");
export const timeZone = nonEmpty.refine((value) => {
  try {
    new Intl.DateTimeFormat("en", { timeZone: value });
    return true;
  } catch {
    return false;
  }
}, "is not a time zone");

/** An IPv4 or IPv6 network in CIDR notation whose address part is the network's first address. */
export const cidr = nonEmpty.superRefine((value, context) => {
  const [ip = "", bits = "", ...rest] = value.split("/");
  const family = isIP(ip);
  const width = family === 4 ? 32 : 128;
  if (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > width) {
    context.addIssue({ code: "custom", message: "is not a network in CIDR notation" });
  } else if (family === 4 && hasHostBits(ip, Number(bits))) {
    context.addIssue({ code: "custom", message: `has bits set beyond its /${bits}` });
  }
});

function hasHostBits(ip: string, bits: number): boolean {
  const number = ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return number % 2 ** (32 - bits) !== 0;
}

function urlWith(protocols: readonly string[], message: string): z.ZodType<string> {
  return nonEmpty.refine((value) => {
    if (/[\s"'`{}\\<>]/.test(value) || !URL.canParse(value)) return false;
    const url = new URL(value);
    return protocols.includes(url.protocol) && url.hostname !== "";
  }, message);
}

export const httpsUrl = urlWith(["https:"], "is not an https:// address");
export const webUrl = urlWith(["https:", "http:"], "is not an http:// or https:// address");
export const proxyUrl = urlWith(["socks5:", "socks4:", "http:"], "is not a socks5://, socks4:// or http:// address");
export const smtpAddress = urlWith(
  ["submission:", "submissions:", "smtp:"],
  "is not a submission://, submissions:// or smtp:// address",
);

/** What an HTTP header can carry. */
export const accessToken = matching(/^[\x21-\x7e]+$/, "is not an access token");

export const imageReference = matching(
  /^[a-z0-9][a-z0-9._:/-]*(:[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64}|:[\w][\w.-]{0,127}@sha256:[0-9a-f]{64})$/,
  "is not an image reference with a tag or digest",
);
export const sourceReference = matching(
  /^https:\/\/[a-z0-9.-]+(:\d+)?(\/[\w.~-]+)+#[0-9a-f]{40}$/i,
  "is not https://…#COMMIT, the address of a Git repository and 40 digits of a commit",
);
export const registryPrefix = matching(
  /^[a-z0-9][a-z0-9.-]*(:\d+)?(\/[a-z0-9._-]+)*$/,
  "is not a registry such as registry.example.com/mirror",
);
export const certificate = matching(
  /^-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/,
  "is not one PEM certificate",
);

const idFault = (kind: string) => `is not the id of ${kind}`;
export const region = matching(/^[a-z]{2}-[a-z]+(-[a-z0-9]+)*$/, "is not a region such as ap-southeast-1");
export const zone = matching(/^[a-z]{2}-[a-z0-9-]+[a-z]$/, "is not a zone such as ap-southeast-1a");
export const instanceType = matching(
  /^ecs\.[a-z0-9-]+(\.[a-z0-9-]+)+$/,
  "is not an instance type such as ecs.g7.large",
);
/** https://www.alibabacloud.com/help/en/ecs/user-guide/block-storage-overview */
export const diskCategory = z.enum(
  ["cloud_essd", "cloud_essd_entry", "cloud_auto", "cloud_efficiency", "cloud_ssd"],
  "is not a disk category such as cloud_essd",
);
export const instanceId = matching(/^i-[a-z0-9]+$/, idFault("a machine"));
export const imageId = matching(/^[\w.-]+$/, idFault("an image"));
export const snapshotId = matching(/^s-[a-z0-9]+$/, idFault("a snapshot"));
export const vpcId = matching(/^vpc-[a-z0-9]+$/, idFault("a VPC"));
export const vswitchId = matching(/^vsw-[a-z0-9]+$/, idFault("a vSwitch"));
export const ipv6GatewayId = matching(/^ipv6gw-[a-z0-9]+$/, idFault("an IPv6 gateway"));
export const resourceGroupId = matching(/^rg-[a-z0-9]+$/, idFault("a resource group"));
/** https://www.alibabacloud.com/help/en/vpc/user-guide/create-and-manage-a-vpc : private ranges, /8 to /29 */
export const vpcCidr = cidr.refine(
  (value) => /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(value) && /\/([89]|1\d|2\d)$/.test(value),
  "is not a private IPv4 network of /8 to /29",
);

// No ssh-rsa: the command provider asks for a signature of that very name, which sshd refuses since OpenSSH 8.8.
const hostKeyTypes = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];

/** `type base64`, without host names or comment. */
export const hostKey = nonEmpty.superRefine((value, context) => {
  const [type = "", encoded = "", ...rest] = value.split(" ");
  if (!hostKeyTypes.includes(type) || rest.length > 0) {
    context.addIssue({ code: "custom", message: `is not "type base64" with a type of ${hostKeyTypes.join(", ")}` });
  } else if (!isKeyBlob(encoded, type)) {
    context.addIssue({ code: "custom", message: "does not hold a key of its type; was it cut off?" });
  }
});

/** Whether nothing but whole length-prefixed fields stand in the base64, the type's own name first (RFC 4253, 6.6). */
function isKeyBlob(encoded: string, type: string): boolean {
  const blob = Buffer.from(encoded, "base64");
  const fields: string[] = [];
  let end = 0;
  while (end + 4 <= blob.length) {
    const start = end + 4;
    end = start + blob.readUInt32BE(end);
    fields.push(blob.subarray(start, end).toString("latin1"));
  }
  return end === blob.length && fields.length > 1 && fields[0] === type && blob.toString("base64") === encoded;
}

/** A public key without what may stand behind it, as host keys are pinned: `type base64`. */
export function typeAndBase64(publicKey: string): string {
  return publicKey.trim().split(/\s+/).slice(0, 2).join(" ");
}

/** A machine as a line of known_hosts names it (https://man.openbsd.org/sshd.8#SSH_KNOWN_HOSTS_FILE_FORMAT). */
export function knownHost(line: string): { readonly address: string; readonly port: number; readonly hostKey: string } {
  const [name = "", ...key] = line.trim().split(/\s+/);
  const [, bracketed, port] = /^\[([^\]]+)\]:(\d+)$/.exec(name) ?? [];
  return { address: bracketed ?? name, port: Number(port ?? 22), hostKey: typeAndBase64(key.join(" ")) };
}

export const knownHostLine = nonEmpty.superRefine((line, context) => {
  const { address, port, hostKey: key } = knownHost(line);
  const add = (message: string) => {
    context.addIssue({ code: "custom", message });
  };
  if (isIP(address) !== 4) add("does not begin with an IPv4 address");
  if (port < 1 || port > 65535) add("names no port of 1 to 65535");
  for (const { message } of hostKey.safeParse(key).error?.issues ?? []) add(message);
});

/**
 * Where restic keeps a repository, in its own words (https://restic.readthedocs.io/en/stable/030_preparing_a_new_repo.html):
 * an S3 store, an SFTP server by its address with `//` before the absolute path, or a folder. `oss` is the program's own bucket.
 */
export const backupRepository = nonEmpty.refine(
  (value) =>
    value === "oss" ||
    /^s3:https?:\/\/[\w.:-]+\/[\w./-]+$/.test(value) ||
    /^sftp:\/\/[\w.-]+@[\w.-]+(:\d+)?\/\/[\w./-]+$/.test(value) ||
    /^(\/[\w.-]+){2,}$/.test(value),
  "is not oss, s3:https://HOST/BUCKET/PATH, sftp://USER@HOST:PORT//PATH, or a folder of two levels or more",
);
/** A calendar event of systemd; the host's systemd has the last word on it. */
export const calendar = matching(/^[A-Za-z0-9 *:,./~-]{1,80}$/, "is not a calendar event of systemd");

export const clockTime = matching(/^([01]\d|2[0-3]):[0-5]\d$/, "is not a time of day, as 04:30");
