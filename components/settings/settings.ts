import * as pulumi from "@pulumi/pulumi";
import type { AlertSettings } from "../host/alerts";
import type { NewsSettings } from "../notify/news";
import type { DomainRecords } from "../cloudflare/provision";
import type { AcmeDns } from "../reverse-proxy/acme-dns";
import { type OwnAppSettings, secretNamesOf } from "../own-apps/secrets";
import { type Images, type Sources, resolveImages, resolveSources } from "../images";
import { type Mirrors, aptSources, dockerAptRepository, resolveMirrors } from "../mirrors";
import { domainKeeper, toAcmeDns } from "./domain";
import type { Person } from "./people";
import type { Setting } from "./setting";
import { type PlainSettings, type SettingValues, settingKeys, settingsTable } from "./table";
import { type Target, toTarget } from "./targets";

/** Calls with the text of a secret. */
export type WithText = <T>(use: (text: string) => Promise<T>) => Promise<T>;

/** The whole configuration of a stack, checked. Secrets are Pulumi secrets from here on. */
export interface Settings {
  /** Every setting by its key; the Apps take theirs from here. */
  readonly values: SettingValues;
  /** For what must be asked before any resource exists; undefined where the text of that secret is known only when they do. */
  readonly withText: (key: string) => WithText | undefined;
  /** Where the host comes from. */
  readonly target: Target;
  /** Domain the Apps are served below; undefined: the sslip.io name of the host's address. */
  readonly domain: string | undefined;
  /** The domain, where the host keeps its records at a provider of free names. */
  readonly freeName: FreeNameSettings | undefined;
  /** The domain, where the program makes its records in a zone at Cloudflare. */
  readonly records: DomainRecords | undefined;
  /** What the records of the domain point to; undefined, as by default: the public address of the host. Setting `domainAddress`. */
  readonly domainAddress: string | undefined;
  /** Whether the machine waits for a home: Apps are installed and not started, and no DNS records are made. Default false; setting `standby`. */
  readonly standby: boolean;
  /** Who signs in. */
  readonly operator: OperatorSettings;
  /** Who else does; undefined, as by default: nobody. Setting `people`. */
  readonly people: readonly Person[] | undefined;
  /** Mail server; without one, one-time codes go to a file on the host. */
  readonly mail: MailSettings | undefined;
  /** Where certificates come from. */
  readonly certificates: CertificateSettings;
  /** Docker, and the system of the host. */
  readonly docker: DockerSettings;
  /** Who hears of what the daily self-check finds. */
  readonly alerts: AlertSettings;
  /** News on the phone; undefined, as by default: none. */
  readonly news:
    | (NewsSettings & { readonly urls: pulumi.Output<string>; readonly billingKey: pulumi.Output<string> | undefined })
    | undefined;
  /** Apps that cloudcode does not bring. */
  readonly ownApps: OwnAppSettings;
  /** Undefined: no backups. */
  readonly backup: BackupSettings | undefined;
  /** From where the host and its image builds download; undefined, as by default: from where each thing is published. Settings `network`, `mirrors`. */
  readonly mirrors: Mirrors | undefined;
  /** Image references by name. */
  readonly images: Images;
  /** Repository and commit of what is built on the host, by name. */
  readonly sources: Sources;
  /** Time zone of the containers, as in tz's database. Default UTC; setting `timeZone`. */
  readonly timeZone: string;
  /** Whether removing an App also deletes its volumes. */
  readonly deleteData: boolean;
}

export interface FreeNameSettings {
  /** `NAME.duckdns.org` or `NAME.dedyn.io`. Setting `domain`. */
  readonly domain: string;
  /** Token of the name's provider; a secret. Setting `domainToken`. */
  readonly token: pulumi.Output<string>;
}

export interface OperatorSettings {
  /** Name that the operator signs in with. Default admin; setting `adminUsername`. */
  readonly username: string;
  /** First password; a secret. Undefined, as by default: generated. Setting `adminPassword`. */
  readonly password: pulumi.Output<string> | undefined;
  /** Mail address; undefined, as by default: the user name at the domain. Setting `adminEmail`. */
  readonly email: string | undefined;
  /** How long a sign-in lasts. */
  readonly session: SessionSettings;
}

/** Lengths of time in Authelia's notation, such as `30m` or `1M`. */
export interface SessionSettings {
  /** Without a request. Default 1d; setting `sessionInactivity`. */
  readonly inactivity: string;
  /** However busy. Default 7d; setting `sessionLifetime`. */
  readonly lifetime: string;
  /** Of a device that is remembered; `off`: none is. Default 1M; setting `sessionRemembered`. */
  readonly remembered: string;
}

export interface MailSettings {
  /** `submission://`, `submissions://` or `smtp://`, with host and port. Setting `smtpAddress`. */
  readonly address: string;
  /** Login at the server; undefined, as by default: none. Setting `smtpUsername`. */
  readonly username: string | undefined;
  /** Password of that login; a secret. Setting `smtpPassword`. */
  readonly password: pulumi.Output<string> | undefined;
  /** Sender of the mails; undefined, as by default: the operator. Setting `smtpSender`. */
  readonly sender: string | undefined;
}

export interface CertificateSettings {
  /** Contact for the certificate authorities; undefined: hostmaster at the domain (RFC 2142). Setting `acmeEmail`, else `adminEmail`. */
  readonly email: string | undefined;
  /** Addresses of ACME directories, tried in this order. Setting `acmeDirectories`. */
  readonly directories: readonly string[];
  /** PEM certificate of an authority of your own; undefined, as by default: the public ones. Setting `acmeTrustedRoot`. */
  readonly trustedRoot: string | undefined;
  /** DNS provider by which they are issued; undefined, as by default: authorities connect to ports 80 and 443. Settings `acmeDns…`. */
  readonly dns: AcmeDns | undefined;
  /** Life of a certificate of Caddy's own authority, in minutes. Default 60; setting `fallbackCertificateMinutes`. */
  readonly fallbackMinutes: number;
}

export interface DockerSettings {
  /** `docker-ce`: Docker's own packages, the default; `distribution`: the system's. Setting `dockerPackages`. */
  readonly packages: string;
  /** Address of the repository of Docker's packages, or of a mirror. Setting `dockerAptRepository`. */
  readonly aptRepository: string;
  /** Mirror of the distribution's packages; undefined, as by default: the machine's own sources stay. Setting `mirrors`. */
  readonly aptMirror: AptMirror | undefined;
  /** Addresses of mirrors of Docker Hub. Default none; settings `registryMirrors`, `mirrors`. */
  readonly registryMirrors: readonly string[];
  /** Name servers of the containers, as IP addresses; empty, as by default: the host's. Setting `dockerDns`. */
  readonly dns: readonly string[];
  /** Private network in CIDR notation that the networks of containers are taken from. Setting `dockerAddressPool`. */
  readonly addressPool: string;
  /** Size of the swap file, in MiB; 0: none. Setting `swapMiB`. */
  readonly swapMiB: number;
  /** Time server; undefined, as by default: the system's. Setting `ntpServer`. */
  readonly ntpServer: string | undefined;
  /** Whether security updates are installed by the host itself. Default true; setting `automaticUpdates`. */
  readonly automaticUpdates: boolean;
  /** `HH:MM` in the host's time zone; undefined, as by default: no reboot without the operator. Setting `updateRebootTime`. */
  readonly rebootTime: string | undefined;
}

/** A mirror of the packages of Debian and Ubuntu. */
export interface AptMirror {
  /** Its address, without a slash at the end. */
  readonly address: string;
  /** Program for `sed -E` that takes a file of apt's sources there. */
  readonly program: string;
}

export interface BackupSettings {
  /** In restic's words, or `oss`: the store of the target. Setting `backupRepository`. */
  readonly repository: string;
  /** Access key of an S3 store. Setting `backupAccessKeyId`. */
  readonly accessKeyId: string | undefined;
  /** Its secret half; a secret. Setting `backupSecretAccessKey`. */
  readonly secretAccessKey: pulumi.Output<string> | undefined;
  /** SSH private key for an SFTP store; a secret. Setting `backupPrivateKey`. */
  readonly privateKey: pulumi.Output<string> | undefined;
  /** Host key of the SFTP server, `type base64`. Setting `backupHostKey`. */
  readonly hostKey: string | undefined;
  /** What backups are encrypted with; a secret. Undefined, as by default: generated. Setting `backupPassword`. */
  readonly password: pulumi.Output<string> | undefined;
  /** Calendar event of systemd. Setting `backupSchedule`. */
  readonly schedule: string;
  /** The same of drills; undefined: none by itself. Setting `drillSchedule`. */
  readonly drillSchedule: string | undefined;
  /** How many snapshots are kept of each kind. Settings `backupKeepDaily`, `backupKeepWeekly`, `backupKeepMonthly`. */
  readonly keep: { readonly daily: number; readonly weekly: number; readonly monthly: number };
}

/**
 * Gives checked values their shape.
 *
 * @param later secrets whose text is known only when resources exist, in place of those in `plain`
 */
export function toSettings(
  plain: PlainSettings,
  later: Readonly<Record<string, pulumi.Output<string>>> = {},
): Settings {
  const values = seal(plain, later);
  const { smtpAddress, adminEmail, domain } = values;
  const mirrors = resolveMirrors(values.network, values.mirrors);
  const mail = smtpAddress === undefined ? undefined : toMail(smtpAddress, values);
  const texts: Readonly<Record<string, unknown>> = plain;
  const withText = (key: string): WithText | undefined => {
    const text = key in later ? undefined : texts[key];
    return typeof text === "string" ? (use) => use(text) : undefined;
  };
  return deepFreeze({
    values,
    withText,
    target: toTarget(values),
    domain,
    ...domainKeeper(values, withText("domainToken")),
    domainAddress: values.domainAddress,
    standby: values.standby,
    operator: {
      username: values.adminUsername,
      password: values.adminPassword,
      email: adminEmail,
      session: {
        inactivity: values.sessionInactivity,
        lifetime: values.sessionLifetime,
        remembered: values.sessionRemembered,
      },
    },
    people: values.people.length > 0 ? values.people : undefined,
    mail,
    certificates: {
      email: values.acmeEmail ?? acceptedContact(adminEmail),
      directories: values.acmeDirectories,
      trustedRoot: values.acmeTrustedRoot,
      dns: toAcmeDns(values, plain, later, mirrors),
      fallbackMinutes: values.fallbackCertificateMinutes,
    },
    docker: {
      packages: values.dockerPackages,
      aptRepository: (values.dockerAptRepository ?? mirrors?.dockerApt ?? dockerAptRepository).replace(/\/+$/, ""),
      aptMirror: mirrors && { address: mirrors.apt, program: aptSources(mirrors.apt) },
      registryMirrors:
        mirrors && values.registryMirrors.length === 0 ? [`https://${mirrors.dockerHub}`] : values.registryMirrors,
      dns: values.dockerDns,
      addressPool: values.dockerAddressPool,
      swapMiB: values.swapMiB,
      ntpServer: values.ntpServer,
      automaticUpdates: values.automaticUpdates,
      rebootTime: values.updateRebootTime,
    },
    alerts: {
      webhook: values.alertWebhook,
      mail: values.alertMail && mail && adminEmail ? { server: mail, to: adminEmail } : undefined,
    },
    news:
      values.notify === undefined
        ? undefined
        : {
            urls: values.notify,
            kinds: values.notifyEvents,
            quietHours: values.notifyQuietHours,
            details: values.notifyDetails,
            billingKey: values.billingKey,
            billing:
              values.billingKey === undefined ? undefined : { site: values.billingSite, limit: values.monthlyLimit },
          },
    ownApps: {
      sources: values.ownApps,
      secrets: values.ownAppSecrets,
      secretNames:
        plain.ownAppSecrets === undefined || "ownAppSecrets" in later ? undefined : secretNamesOf(plain.ownAppSecrets),
      timeZone: values.timeZone,
      mirrors,
    },
    backup: toBackup(values),
    mirrors,
    images: resolveImages(values.images, { registry: values.imageRegistry, mirrors }),
    sources: resolveSources(values.sources),
    timeZone: values.timeZone,
    deleteData: values.deleteData,
  });
}

/** A mail address that was not meant as a contact, unless Let's Encrypt refuses it (letsencrypt/boulder#3748). */
function acceptedContact(email: string | undefined): string | undefined {
  return email !== undefined && /@example\.(com|net|org)$/i.test(email) ? undefined : email;
}

function toMail(address: string, { smtpUsername, smtpPassword, smtpSender }: SettingValues): MailSettings {
  return { address, username: smtpUsername, password: smtpPassword, sender: smtpSender };
}

function toBackup(values: SettingValues): BackupSettings | undefined {
  if (values.backupRepository === undefined) return undefined;
  return {
    repository: values.backupRepository,
    accessKeyId: values.backupAccessKeyId,
    secretAccessKey: values.backupSecretAccessKey,
    privateKey: values.backupPrivateKey,
    hostKey: values.backupHostKey,
    password: values.backupPassword,
    schedule: values.backupSchedule,
    drillSchedule: values.drillSchedule === "never" ? undefined : values.drillSchedule,
    keep: { daily: values.backupKeepDaily, weekly: values.backupKeepWeekly, monthly: values.backupKeepMonthly },
  };
}

/** Secrets become Pulumi secrets; what has no default may be undefined. */
function seal(plain: PlainSettings, later: Readonly<Record<string, pulumi.Output<string>>>): SettingValues {
  const sealed = settingKeys.map((key) => {
    const setting: Setting = settingsTable[key];
    const value = plain[key];
    return [key, setting.secret && value !== undefined ? pulumi.secret(later[key] ?? value) : value];
  });
  // The table gives both types, and the loop above is the difference between them.
  return Object.fromEntries(sealed) as SettingValues;
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value) as unknown[]) {
    if (typeof child === "object" && child !== null && !pulumi.Output.isInstance(child)) deepFreeze(child);
  }
  return Object.freeze(value);
}
