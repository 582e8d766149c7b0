import * as check from "../checks";
import { secret, text, integer } from "../setting";

/** Where the data is backed up to, when, and for how long. */
export const backupSettings = {
  backupRepository: text(check.backupRepository, {
    description:
      "Where restic stores backups: oss (a bucket on Alibaba Cloud and a key for this bucket only, both created for you; needs target alicloud and docs/ram-policy-oss.json), s3:https://HOST/BUCKET/PATH, sftp://USER@HOST:PORT//PATH, or /PATH on the host. Default: no backups.",
    example: "oss",
  }),
  backupAccessKeyId: text(check.accessToken, {
    description: "Access key id for backups in an S3 store.",
    example: "LTAI5t0a1b2c3d4e5f6g7h8",
  }),
  backupSecretAccessKey: secret(check.accessToken, {
    description: "Secret of backupAccessKeyId.",
    example: "0123456789abcdefghijklmnopqrst",
  }),
  backupPrivateKey: secret(check.privateKey, {
    description: "SSH private key for backups on an SFTP server.",
    example: "< ~/.ssh/id_ed25519",
  }),
  backupHostKey: text(check.hostKey, {
    description: "SSH host key of the SFTP server for backups, pinned.",
    example: '"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP6EyXTbGNhwwWaLlb18EZWpMGcMx2ioZ3wmeVQ3q9aB"',
  }),
  backupPassword: secret(check.password, {
    description:
      "Password that encrypts the backups; without it nobody can read them. Default: generated; see pulumi stack output backupPassword --show-secrets.",
    example: "'a long passphrase of yours'",
  }),
  backupSchedule: text(check.calendar, {
    description:
      "When backups are made, as a calendar event of systemd in the host's time zone (https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html).",
    example: "'*-*-* 03:30:00'",
    default: "*-*-* 03:30:00",
  }),
  drillSchedule: text(check.calendarOrNever, {
    description:
      "When the newest backups are restored next to the running Apps, to prove that they work, as a calendar event of systemd; never: only by npm run ops -- drill.",
    example: "'Sun *-*-01..07 05:00:00'",
    default: "*-*-01 05:00:00",
  }),
  backupKeepDaily: integer(0, 3650, {
    description: "For how many days the last backup of each day is kept.",
    example: "7",
    default: 7,
  }),
  backupKeepWeekly: integer(0, 520, {
    description: "For how many weeks the last backup of each week is kept.",
    example: "5",
    default: 5,
  }),
  backupKeepMonthly: integer(0, 120, {
    description: "For how many months the last backup of each month is kept.",
    example: "6",
    default: 6,
  }),
};
