import * as pulumi from "@pulumi/pulumi";
import type { AlertSettings } from "../host/alerts";
import { type Images, type Sources, resolveImages, resolveSources } from "../images";
import type { Setting } from "./setting";
import { type PlainSettings, type SettingValues, settingKeys, settingsTable } from "./table";
import { type Target, toTarget } from "./targets";

/** The whole configuration of a stack, checked. Secrets are Pulumi secrets from here on. */
export interface Settings {
  /** Every setting by its key; the Apps take theirs from here. */
  readonly values: SettingValues;
  readonly target: Target;
  /** Domain the Apps are served below; undefined: the sslip.io name of the host's address. */
  readonly domain: string | undefined;
  /** The domain, where the host keeps its records at a provider of free names. */
  readonly freeName: FreeNameSettings | undefined;
  readonly operator: OperatorSettings;
  /** Mail server; without one, one-time codes go to a file on the host. */
  readonly mail: MailSettings | undefined;
  readonly certificates: CertificateSettings;
  readonly docker: DockerSettings;
  readonly alerts: AlertSettings;
  /** Undefined: no backups. */
  readonly backup: BackupSettings | undefined;
  readonly images: Images;
  readonly sources: Sources;
  readonly timeZone: string;
  /** Whether removing an App also deletes its volumes. */
  readonly deleteData: boolean;
}

export interface FreeNameSettings {
  readonly domain: string;
  readonly token: pulumi.Output<string>;
}

export interface OperatorSettings {
  readonly username: string;
  /** Undefined: generated. */
  readonly password: pulumi.Output<string> | undefined;
  /** Undefined: the user name at the domain. */
  readonly email: string | undefined;
}

export interface MailSettings {
  readonly address: string;
  readonly username: string | undefined;
  readonly password: pulumi.Output<string> | undefined;
  /** Undefined: the operator. */
  readonly sender: string | undefined;
}

export interface CertificateSettings {
  /** Undefined: hostmaster at the domain (RFC 2142). */
  readonly email: string | undefined;
  readonly directories: readonly string[];
  readonly trustedRoot: string | undefined;
  readonly fallbackMinutes: number;
}

export interface DockerSettings {
  readonly packages: string;
  readonly aptRepository: string;
  readonly registryMirrors: readonly string[];
  readonly dns: readonly string[];
  readonly addressPool: string;
  readonly swapMiB: number;
  readonly ntpServer: string | undefined;
  /** Whether security updates are installed by the host itself. */
  readonly automaticUpdates: boolean;
  /** `HH:MM`; undefined: no reboot without the operator. */
  readonly rebootTime: string | undefined;
}

export interface BackupSettings {
  /** In restic's words, or `oss`: the store of the Target. */
  readonly repository: string;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: pulumi.Output<string> | undefined;
  readonly privateKey: pulumi.Output<string> | undefined;
  /** `type base64` of the SFTP server. */
  readonly hostKey: string | undefined;
  /** Undefined: generated. */
  readonly password: pulumi.Output<string> | undefined;
  readonly schedule: string;
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
  const { smtpAddress, adminEmail, domain, domainToken } = values;
  const mail = smtpAddress === undefined ? undefined : toMail(smtpAddress, values);
  return deepFreeze({
    values,
    target: toTarget(values),
    domain,
    freeName: domain === undefined || domainToken === undefined ? undefined : { domain, token: domainToken },
    operator: { username: values.adminUsername, password: values.adminPassword, email: adminEmail },
    mail,
    certificates: {
      email: values.acmeEmail ?? acceptedContact(adminEmail),
      directories: values.acmeDirectories,
      trustedRoot: values.acmeTrustedRoot,
      fallbackMinutes: values.fallbackCertificateMinutes,
    },
    docker: {
      packages: values.dockerPackages,
      aptRepository: values.dockerAptRepository.replace(/\/+$/, ""),
      registryMirrors: values.registryMirrors,
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
    backup: toBackup(values),
    images: resolveImages(values.images, values.imageRegistry),
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
