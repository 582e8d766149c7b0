import { z } from "zod";
import { isBundle } from "../images";
import { maxPasswordBytes } from "../reverse-proxy/password-hash";
import { edgeNetwork } from "../routes";
import * as check from "../settings/checks";
import { missing, when } from "../settings/problem";
import { choice, bool, secret, text, integer } from "../settings/setting";
import { appKind } from "./app";
import { inMainland, sourceProblems } from "./mainland";

const name = "tg-signer";
const uid = 1000;

const basicPassword = check.password.refine((value) => Buffer.byteLength(value) <= maxPasswordBytes, {
  error: `is longer than ${maxPasswordBytes} bytes`,
});

/** TG Signer drops spaces at both ends of its variables. */
const kept = (schema: z.ZodType<string>) =>
  schema.refine((value) => value === value.trim(), { error: "begins or ends with a space, which TG Signer removes" });

/** A colon ends the user of a basic login (RFC 7617, 2). */
const basicUser = kept(check.oneLine).refine((value) => !value.includes(":"), { error: "has a colon" });

/**
 * What of a proxy's address would not arrive: TG Signer gets user and password decoded (launch.py), and splits the address with Python's urlsplit
 * (https://docs.python.org/3/library/urllib.parse.html#urllib.parse.urlsplit), which takes letters in their compatible forms, too.
 */
function proxyLoginFault(url: string): string | undefined {
  const login = /^[^:]+:\/\/([^/?#@]*)@/.exec(url)?.[1] ?? "";
  const [user = "", ...password] = login.split(":");
  try {
    if (decodeURIComponent(user).normalize("NFKC").includes(":")) return "has a colon in its user, which ends it";
    const text = decodeURIComponent(user + password.join(":"));
    const compatible = text.normalize("NFKC");
    if (/[\p{Cc}/?#[\]]/u.test(compatible) || (compatible !== text && /[@:]/.test(compatible)))
      return "has /, ?, #, [, ] or a control character in its user or password, which TG Signer cannot take";
  } catch {
    return "has a % that is not an escape: write %25";
  }
  return undefined;
}

const proxy = check.proxyUrl.superRefine((value, context) => {
  const fault = proxyLoginFault(value);
  if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
});

const settings = {
  tgSignerEnabled: bool({ description: "TG Signer: Telegram check-ins.", example: "true", default: false }),
  tgSignerSubdomain: text(check.subdomain, { description: "Subdomain of TG Signer.", example: "tg", default: "tg" }),
  tgSignerApiId: integer(1, 2 ** 31 - 1, {
    description: "api_id of your Telegram app, from https://my.telegram.org. Needed by TG Signer.",
    example: "12345678",
  }),
  tgSignerApiHash: secret(z.string().regex(/^[0-9a-f]{32}$/, "is not an api_hash: 32 digits of 0-9 and a-f"), {
    description: "api_hash of the same Telegram app. Needed by TG Signer.",
    example: "0123456789abcdef0123456789abcdef",
  }),
  tgSignerProxy: secret(proxy, {
    description:
      "Proxy to Telegram, if the host cannot reach it: socks5://, socks4:// or http://. Special characters of user and password as %xx.",
    example: "socks5://user:password@proxy.example.com:1080",
  }),
  tgSignerAdminPassword: secret(kept(check.password), {
    description:
      "Password of TG Signer's own user admin; it replaces a password that was set in TG Signer's pages. Default: generated; see pulumi stack output appLogins --show-secrets.",
    example: "'a long passphrase of yours'",
  }),
  tgSignerOuterLogin: choice(["authelia", "basic"], "is neither authelia nor basic", {
    description:
      "Which login comes before TG Signer's own: authelia, or basic (a password that Caddy asks for; no second factor; after 5 wrong passwords an address waits 15 minutes).",
    example: "basic",
    default: "authelia",
  }),
  tgSignerBasicUsername: text(check.loginName, {
    description: "User of the login that Caddy asks for.",
    example: "admin",
    default: "admin",
  }),
  tgSignerBasicPassword: secret(basicPassword, {
    description: "Password of the login that Caddy asks for. Default: generated.",
    example: "'another passphrase of yours'",
  }),
  tgSignerMemoryMiB: integer(256, 262144, {
    description: "Memory limit of TG Signer, in MiB.",
    example: "512",
    default: 512,
  }),
  tgSignerWebdavUrl: text(check.secretHttpsBase, {
    description:
      "WebDAV server that TG Signer backs up to, by https:// since sessions travel there. Warning: where the backup there is not what this host wrote last, a start of TG Signer deletes its sessions and tasks and loads that backup.",
    example: "https://dav.example.com",
  }),
  tgSignerWebdavUsername: text(basicUser, { description: "User of the WebDAV server.", example: "jo" }),
  tgSignerWebdavPassword: secret(kept(check.oneLine), {
    description: "Password of the WebDAV server.",
    example: "'…'",
  }),
  tgSignerWebdavPath: text(kept(check.oneLine), {
    description: "Folder or file of the backup on the WebDAV server.",
    example: "/tg-signer/",
  }),
  tgSignerWebdavIntervalSeconds: integer(30, 86400, {
    description: "Longest time between a change and its backup, in seconds.",
    example: "300",
    default: 300,
  }),
  tgSignerWebdavEncryptionKey: secret(kept(check.password), {
    description: "Password that encrypts this backup, which gives full access to your Telegram accounts.",
    example: "'a passphrase you also keep elsewhere'",
  }),
  tgSignerWebdavReplacesVolume: bool({
    description:
      "Confirms that a backup on the WebDAV server that this host did not write replaces the data on the host's volume at a start of TG Signer.",
    example: "true",
    default: false,
  }),
};

/** One name per secret file, which is also the variable of the program. */
const secretFiles = {
  TG_API_HASH: "tgSignerApiHash",
  TG_PROXY: "tgSignerProxy",
  TG_SIGNER_BACKUP_WEBDAV_PASSWORD: "tgSignerWebdavPassword",
  TG_SIGNER_BACKUP_ENCRYPTION_KEY: "tgSignerWebdavEncryptionKey",
} as const;

/**
 * TG Signer's web version (https://github.com/wosa1402/wosa-tg-qiandao): nobody but the operator has business there, so all
 * of it is two_factor. Its data volume holds Telegram sessions, that is full access to the accounts.
 */
export const tgSigner = appKind({
  name,
  settings,
  enabled: "tgSignerEnabled",
  subdomains: ["tgSignerSubdomain"],
  problems(values, stack) {
    const webdav = [
      "tgSignerWebdavUrl",
      "tgSignerWebdavUsername",
      "tgSignerWebdavPassword",
      "tgSignerWebdavPath",
    ] as const;
    const backedUp = webdav.some((key) => values[key] !== undefined);
    return [
      ...missing(values, ["tgSignerApiId", "tgSignerApiHash"], "TG Signer needs your own Telegram app"),
      ...sourceProblems("tgSigner", stack),
      ...(stack.network === "mainland"
        ? missing(values, ["tgSignerProxy"], `Telegram does not answer ${inMainland}`)
        : []),
      ...when(
        values.tgSignerBasicPassword !== undefined && values.tgSignerOuterLogin !== "basic",
        "tgSignerBasicPassword",
        "has no effect while tgSignerOuterLogin is not basic",
      ),
      // One that is missing would reach TG Signer as the text "None".
      ...(backedUp ? missing(values, webdav, "a WebDAV backup needs all four of its settings") : []),
      ...when(
        backedUp && !values.tgSignerWebdavReplacesVolume,
        "tgSignerWebdavReplacesVolume",
        "is not true: where the backup on the server is not what this host wrote last, a start deletes the sessions and tasks on the volume and loads that backup, which may be older",
      ),
      ...(!backedUp && values.tgSignerWebdavEncryptionKey !== undefined
        ? missing(values, ["tgSignerWebdavUrl"], "tgSignerWebdavEncryptionKey is set")
        : []),
    ];
  },
  outsidePortal: ({ tgSignerOuterLogin }) =>
    tgSignerOuterLogin === "basic"
      ? "asks for one password of its own, which has no accounts: tgSignerOuterLogin is basic"
      : undefined,
  warnings: ({ tgSignerWebdavUrl, tgSignerWebdavEncryptionKey: key }) =>
    when(
      tgSignerWebdavUrl !== undefined && key === undefined,
      "tgSignerWebdavEncryptionKey",
      "is not set: anyone who can read the WebDAV server has your Telegram accounts",
    ),
  app(values, { images, sources, mirrors, timeZone }) {
    const network = edgeNetwork(name);
    const given = Object.entries(secretFiles).flatMap(([file, key]) => {
      const value = values[key];
      return value === undefined ? [] : [[file, value] as const];
    });
    const { tgSignerAdminPassword: adminPassword, tgSignerWebdavUrl: webdavUrl } = values;
    return {
      routes: [
        {
          subdomain: values.tgSignerSubdomain,
          network,
          upstream: "tg-signer-web:8000",
          policy: "two_factor",
          paths: [],
          ...(values.tgSignerOuterLogin === "basic" && {
            basicAuth: { username: values.tgSignerBasicUsername, password: values.tgSignerBasicPassword },
          }),
          title: "TG Signer",
          version: sources.tgSigner.commit.slice(0, 7),
          summary: { en: "Telegram check-ins", zh: "Telegram 签到" },
        },
      ],
      release: () => ({
        template: name,
        values: {
          images,
          mirrors,
          source: { ...sources.tgSigner, bundle: isBundle(sources.tgSigner) },
          timeZone,
          network,
          secretFiles: ["TG_SIGNER_WEB_ADMIN_PASSWORD", "TG_SIGNER_WEB_SESSION_SECRET", ...given.map(([file]) => file)],
          apiId: String(values.tgSignerApiId),
          memoryMiB: values.tgSignerMemoryMiB,
          webdav:
            webdavUrl === undefined
              ? undefined
              : {
                  url: webdavUrl,
                  username: values.tgSignerWebdavUsername,
                  path: values.tgSignerWebdavPath,
                  intervalSeconds: String(values.tgSignerWebdavIntervalSeconds),
                },
        },
        plan: {
          networks: [network],
          build: ["web"],
          // It begins with the data of the WebDAV server, and not without it.
          ...(webdavUrl !== undefined && { drill: { without: ["web"] } }),
        },
        owners: { TG_: uid },
      }),
      secrets: {
        TG_API_HASH: "",
        TG_PROXY: "",
        TG_SIGNER_BACKUP_WEBDAV_PASSWORD: "",
        TG_SIGNER_BACKUP_ENCRYPTION_KEY: "",
        ...Object.fromEntries(given),
        ...(adminPassword && { TG_SIGNER_WEB_ADMIN_PASSWORD: adminPassword }),
      },
      generated: {
        ...(adminPassword === undefined && { TG_SIGNER_WEB_ADMIN_PASSWORD: 24 }),
        TG_SIGNER_WEB_SESSION_SECRET: 64,
      },
      onlyOnce: true,
      login: { username: "admin", secret: "TG_SIGNER_WEB_ADMIN_PASSWORD" },
    };
  },
});
