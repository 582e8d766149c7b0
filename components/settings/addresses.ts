import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { parse as parseDomain } from "tldts";
import { z } from "zod";
import { sharedDomain } from "../host/names";

/** Checks of host names, networks, URLs and mail addresses; messages as in checks.ts. */

const text = z.string("is not a string").min(1, "is empty");

const dnsLabel = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
const hostPattern = new RegExp(`^(?=.{1,253}$)(${dnsLabel}\\.)*${dnsLabel}$`);
/** A name that ends so is an IPv4 address for every resolver (https://url.spec.whatwg.org/#ends-in-a-number-checker). */
const numericEnd = /(^|\.)(\d+|0x[\da-f]*)$/;

/** A host name in lower-case ASCII that no resolver takes for an address, and whose `xn--` parts are what they seem. */
function isHostName(value: string): boolean {
  return hostPattern.test(value) && !numericEnd.test(value) && domainToASCII(value) === value;
}

/** A zone, as in `fe80::1%eth0`, means something on one machine alone. */
function ipVersion(value: string): number {
  return value.includes("%") ? 0 : isIP(value);
}

export const label = text.refine(
  (value) => new RegExp(`^${dnsLabel}$`).test(value) && domainToASCII(`${value}.example`) !== "",
  "is not a DNS label of lower-case letters, digits and hyphens",
);
/** Certificate authorities refuse hyphens in the third and fourth place of a label that is not `xn--` (RFC 5890, 2.3.1). */
const reservedLabel = /(^|\.)(?!xn)..--/;
const isReserved = "has hyphens in its third and fourth place, for which no certificate authority issues a certificate";
export const subdomain = label.refine((value) => !reservedLabel.test(value), isReserved);
export const hostName = text.refine(isHostName, "is not a host name");
/** What browsers send as Origin of a page: no path, and no port 443. */
export const httpsOrigin = text.refine(
  (value) =>
    URL.canParse(value) &&
    new URL(value).origin === value &&
    /^https:/.test(value) &&
    isHostName(new URL(value).hostname),
  "is not an origin such as https://www.example.com",
);
export const address = text.refine(
  (value) => ipVersion(value) !== 0 || isHostName(value),
  "is neither an IP address nor a host name",
);
export const ipAddress = text.refine((value) => ipVersion(value) !== 0, "is not an IP address");
/** A server that containers reach. */
export const serverAddress = text.superRefine((value, context) => {
  if (ipVersion(value) === 0) context.addIssue({ code: "custom", message: "is not an IP address" });
  else if (/^(127\.|0\.0\.0\.0$)|^[0:]*:[0:]*[01]?$/.test(value))
    context.addIssue({ code: "custom", message: "is the loopback address of each container, where no server runs" });
});

/** Room that a domain leaves for a subdomain of 63 letters and a dot. */
const longestDomain = 253 - 64;

/**
 * A domain Authelia can set its cookie on (https://www.authelia.com/configuration/session/introduction/#domain).
 */
export const cookieDomain = text.superRefine((value, context) => {
  const fault = cookieDomainFault(value);
  if (fault) context.addIssue({ code: "custom", message: fault });
});

function cookieDomainFault(value: string): string | undefined {
  if (isIP(value) !== 0)
    return "is an IP address, which can carry neither login cookies nor passkeys; use <address>.sslip.io";
  if (!isHostName(value)) return "is not a host name in lower-case letters";
  if (value.length > longestDomain)
    return `is longer than ${longestDomain} characters, which leaves no room for subdomains`;
  if (reservedLabel.test(value)) return `has a label that ${isReserved}`;
  if (!value.includes(".")) return "has no dot, so browsers refuse its login cookie";
  const parsed = parseDomain(value, { allowPrivateDomains: true });
  if (parsed.publicSuffix === value)
    return "is a public suffix, so browsers refuse its login cookie; use a name below it";
  if (sharedDomain(value) === value) return "is shared by everybody; use <address>.sslip.io";
  return undefined;
}

const notAnEmail = "is not a mail address";
/** A dot-atom before the @ (RFC 5322, 3.2.3), without what YAML, Caddy or a shell might trip over. */
const mailbox = /^(?=.{1,64}@)[\w!#$%&'*+/=?^|~-]+(\.[\w!#$%&'*+/=?^|~-]+)*@([!-~]+)$/;

function mailDomain(value: string): string {
  return mailbox.exec(value)?.[2]?.toLowerCase() ?? "";
}

export const email = text.max(254, notAnEmail).refine((value) => isHostName(mailDomain(value)), notAnEmail);
/** What certificate authorities take: a mail address that the whole internet can reach. */
export const publicEmail = email.refine(
  (value) => !isHostName(mailDomain(value)) || mailDomain(value).includes("."),
  "is at a domain without a dot, which no certificate authority accepts",
);

/** An IPv4 or IPv6 network in CIDR notation whose address part is the network's first address; in the usual form of both. */
export const cidr = text.transform((value, context) => {
  const [ip = "", bits = "", ...rest] = value.split("/");
  const family = ipVersion(ip);
  const width = family === 4 ? 32 : 128;
  if (family === 0 || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > width) {
    context.addIssue({ code: "custom", message: "is not a network in CIDR notation" });
    return z.NEVER;
  }
  if (hasHostBits(ip, width, Number(bits))) {
    context.addIssue({ code: "custom", message: `has bits set beyond its /${bits}` });
    return z.NEVER;
  }
  return `${family === 4 ? ip : new URL(`http://[${ip}]`).hostname.slice(1, -1)}/${bits}`;
});

function hasHostBits(ip: string, width: number, bits: number): boolean {
  const number = width === 32 ? ipv4Number(ip) : ipv6Number(ip);
  return (number & ((1n << BigInt(width - bits)) - 1n)) !== 0n;
}

function ipv4Number(ip: string): bigint {
  return ip.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function ipv6Number(ip: string): bigint {
  const [head = "", tail = ""] = new URL(`http://[${ip}]`).hostname.slice(1, -1).split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const zeros = Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => "0");
  return [...groups(head), ...zeros, ...groups(tail)].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}

interface UrlRules {
  readonly protocols: readonly string[];
  /** Name and password before the host. */
  readonly login?: true;
  /** Nothing behind host and port. */
  readonly bare?: true;
  /** Something is appended to it: no query. */
  readonly base?: true;
  /** Secrets go there: only a private address may be without TLS. */
  readonly secrets?: true;
}

const urlParts = /^([a-z0-9]+):\/\/(?:([^/?#@]*)@)?(\[[\da-f:.]+\]|[^/?#@:[\]]+)(?::(\d+))?([/?].*)?$/i;

/** Every reader's idea of a URL at once: printable ASCII, a host in its plain form, whole escapes, no fragment. */
function urlFault(value: string, rules: UrlRules, message: string): string | undefined {
  const parts = urlParts.exec(value);
  if (parts === null || value.length > 2048 || !/^[\x21-\x7e]+$/.test(value) || /["'`{}\\<>#]/.test(value))
    return message;
  const [, scheme = "", login, host = "", port, rest = ""] = parts;
  const bareHost = host.replace(/^\[(.*)\]$/, "$1");
  if (!rules.protocols.includes(`${scheme}:`) || !URL.canParse(value)) return message;
  if (host.startsWith("[") ? ipVersion(bareHost) !== 6 : ipVersion(host) !== 4 && !isHostName(host.toLowerCase()))
    return message;
  if (port !== undefined && (!/^[1-9]\d*$/.test(port) || Number(port) > 65535)) return "names no port of 1 to 65535";
  if (/%(?![\da-f]{2})/i.test(rest)) return "has a % that is not an escape: write %25";
  if (login !== undefined && rules.login !== true) return "contains a user name or password, which is not used there";
  if (rules.bare === true && rest !== "" && rest !== "/") return "has something after its host and port";
  if (rules.base === true && rest.includes("?")) return "has a query, but something is appended to it";
  if (rules.secrets === true && scheme === "http" && !isPrivate(bareHost))
    return "is not https://, but secrets are sent there: only a private address may use http://";
  return undefined;
}

/** Addresses of the machine itself and of private networks, and names that no public DNS has. */
function isPrivate(host: string): boolean {
  if (isIP(host) === 4) return /^(10|127|192\.168|172\.(1[6-9]|2\d|3[01])|169\.254)\./.test(host);
  if (isIP(host) === 6) return /^(::1$|f[cd]|fe[89ab])/i.test(host);
  return !host.includes(".") || /\.(internal|local|lan|home\.arpa|localhost)$/i.test(host);
}

function url(rules: UrlRules, message: string): z.ZodType<string> {
  return text.superRefine((value, context) => {
    const fault = urlFault(value, rules, message);
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  });
}

const notHttps = "is not an https:// address";
const notWeb = "is not an http:// or https:// address";
const web = ["https:", "http:"];

export const httpsUrl = url({ protocols: ["https:"] }, notHttps);
/** A folder of files. */
export const httpsBase = url({ protocols: ["https:"], base: true }, notHttps);
export const webBase = url({ protocols: web, base: true }, notWeb);
/** A mirror, whose address also stands in Dockerfiles and shell scripts: no character that one of them could read as its own. */
const mirror = (rules: UrlRules, message: string) =>
  url(rules, message).refine((value) => /^[\w.:/~-]+$/.test(value) || !URL.canParse(value), {
    error: "has characters other than letters, digits and . _ ~ - / :",
  });
export const httpsMirror = mirror({ protocols: ["https:"], base: true }, notHttps);
/** A mirror of apt. What it serves is signed, and an image that has no certificates yet cannot speak https://. */
export const httpMirror = mirror(
  { protocols: ["http:"], base: true },
  "is not an http:// address: images have no certificates for https:// before their first package, and packages are signed in any case",
);

/** Where an App sends what nobody else may read. */
export const secretUrl = url({ protocols: web, secrets: true }, notWeb);
export const secretBase = url({ protocols: web, secrets: true, base: true }, notWeb);
/** Where an App sends what opens its accounts, with the login in each request. */
export const secretHttpsBase = url({ protocols: ["https:"], secrets: true, base: true }, notHttps);
/** An address that is a secret itself. */
export const webhook = url({ protocols: ["https:"], login: true }, notHttps);
export const proxyUrl = url(
  { protocols: ["socks5:", "socks4:", "http:"], login: true, bare: true },
  "is not a socks5://, socks4:// or http:// address",
);
export const smtpAddress = url(
  { protocols: ["submission:", "submissions:", "smtp:"], bare: true },
  "is not a submission://, submissions:// or smtp:// address",
);

const segment = "(?!\\.{1,2}(/|$))[\\w.-]+";
const path = `${segment}(/${segment})*`;
const repositories = {
  // Buckets as restic's library of S3 takes them (minio-go, pkg/s3utils).
  s3: new RegExp(
    `^s3:(https?://[^/]+)/(?!(\\d+\\.){3}\\d+(/|$))(?![^/]*(\\.\\.|\\.-|-\\.))[A-Za-z0-9][\\w.-]{1,61}[A-Za-z0-9](/${path})?$`,
  ),
  sftp: new RegExp(`^sftp://([\\w][\\w.-]*)@([^/]+)//${path}$`),
  folder: new RegExp(`^/${segment}(/${segment})+$`),
};

/**
 * Where restic keeps a repository, in its own words (https://restic.readthedocs.io/en/stable/030_preparing_a_new_repo.html):
 * an S3 store, an SFTP server by its address with `//` before the absolute path, or a folder. `oss` is the program's own bucket.
 */
export const backupRepository = text.refine((value) => {
  if (value === "oss" || repositories.folder.test(value)) return true;
  const s3 = repositories.s3.exec(value)?.[1];
  const sftp = repositories.sftp.exec(value)?.[2];
  const host = s3 ?? (sftp !== undefined ? `https://${sftp}` : "");
  return urlFault(host, { protocols: web, bare: true }, "wrong") === undefined;
}, "is not oss, s3:https://HOST/BUCKET/PATH, sftp://USER@HOST:PORT//PATH, or a folder of two levels or more");

/** A registry as image references name it (https://pkg.go.dev/github.com/distribution/reference), and a path on it. */
const registryHost = "[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9]\\d{0,4})?";
const imagePath = "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*";
const tag = "[A-Za-z0-9_][\\w.-]{0,127}";
const digest = "@sha256:[0-9a-f]{64}";
const imagePattern = new RegExp(
  `^(?=.{1,255}([:@]|$))(${registryHost}/)?${imagePath}(/${imagePath})*(:${tag}(${digest})?|${digest})$`,
);

function isRegistry(host: string): boolean {
  const [name = "", port = "1"] = host.split(":");
  return (isHostName(name) || isIP(name) === 4) && Number(port) <= 65535;
}

export const imageReference = text.refine((value) => {
  const [first = "", ...rest] = value.split("/");
  return imagePattern.test(value) && (rest.length === 0 || !/[.:]/.test(first) || isRegistry(first));
}, "is not an image reference with a tag or digest");

export const sourceReference = text.refine(
  (value) =>
    new RegExp(`^https://[^/]+(/${segment.replace("\\w.-", "\\w.~-")})+#[0-9a-f]{40}$`).test(value) &&
    urlFault(value.replace(/#.*/, ""), { protocols: ["https:"], base: true }, "wrong") === undefined,
  "is not https://…#COMMIT, the address of a Git repository and 40 digits of a commit",
);

/** Without a dot or a port Docker takes the first part for an account of Docker Hub. */
export const registryPrefix = text.refine((value) => {
  const [host = ""] = value.split("/");
  const named = /[.:]/.test(host) || host === "localhost";
  return new RegExp(`^${registryHost}(/${imagePath})*$`).test(value) && named && isRegistry(host);
}, "is not a registry such as registry.example.com/mirror");

/** A mirror that daemon.json and registries.yaml name without a path. */
export const mirrorRegistry = text.refine(
  (value) => !value.includes("/") && registryPrefix.safeParse(value).success,
  "is not the host of a registry, such as mirror.example.com",
);
