import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { z } from "zod";
import { cidr } from "./addresses";

export * from "./addresses";
export { calendar, calendarOrNever } from "./calendar";
export { privateKey } from "./private-key";
export { timeZone } from "./time-zone";

/** Value checks of the settings: each message completes the sentence "KEY …". None quotes the value, which may be a secret. */

const nonEmpty = z.string("is not a string").min(1, "is empty");

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

export const unixUser = matching(/^[a-z_][a-z0-9_-]{0,31}$/, "is not a user name of Linux");
export const loginName = matching(
  /^[a-z][a-z0-9_-]{0,31}$/,
  "is not 1 to 32 lower-case letters, digits, _ and -, starting with a letter",
);
export const password = z
  .string()
  .min(12, "is shorter than 12 characters")
  .max(128, "is longer than 128 characters")
  .regex(/^\P{Cc}*$/u, "has control characters");
/** A text that files, headers and forms can hold on one line. */
export const oneLine = nonEmpty.max(4096, "is longer than 4096 characters").superRefine((value, context) => {
  if (/[\r\n\0]/.test(value)) context.addIssue({ code: "custom", message: "has more than one line" });
  else if (/\p{Cc}/u.test(value)) context.addIssue({ code: "custom", message: "has control characters" });
});

/** Minutes of Authelia's units (https://www.authelia.com/configuration/prologue/common/#duration). */
const sessionUnits = new Map([
  ["m", 1],
  ["h", 60],
  ["d", 1440],
  ["w", 7 * 1440],
  ["M", 30 * 1440],
]);

/** Minutes of a length of time such as `30m`, `12h`, `7d`, `2w` or `1M`; undefined: it is none. */
export function minutesOf(time: string): number | undefined {
  const [, count, unit = ""] = /^([1-9]\d{0,4})([mhdwM])$/.exec(time) ?? [];
  return count === undefined ? undefined : Number(count) * (sessionUnits.get(unit) ?? 0);
}

/** Between five minutes, as shorter sessions end while a page loads, and a year. */
function isSessionTime(value: string): boolean {
  const minutes = minutesOf(value);
  return minutes !== undefined && minutes >= 5 && minutes <= 365 * 1440;
}

const noSessionTime = "is not a time from 5m to 365d, such as 30m, 12h, 7d, 2w or 1M";
export const sessionTime = z.string().refine(isSessionTime, noSessionTime);
export const sessionTimeOrOff = z
  .string()
  .refine((value) => value === "off" || isSessionTime(value), `${noSessionTime}, or off`);

/** What an HTTP header can carry. */
export const accessToken = matching(/^[\x21-\x7e]+$/, "is not an access token");

export const certificate = nonEmpty.refine(
  (value) =>
    /^-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/.test(value) &&
    isCertificate(value),
  "is not one PEM certificate",
);

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

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
    context.addIssue({ code: "custom", message: "does not contain a key of its type; is it complete?" });
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

export const clockTime = matching(/^([01]\d|2[0-3]):[0-5]\d$/, "is not a time of day, such as 04:30");
