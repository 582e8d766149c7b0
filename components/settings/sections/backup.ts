import * as check from "../checks";
import { secret, text, integer } from "../setting";

/** Where the data is backed up to, when, and for how long. */
export const backupSettings = {
  backupRepository: text(check.backupRepository, {
    description:
      "Where restic keeps backups: oss, a bucket on Alibaba Cloud that is made with a key for it alone (target alicloud; needs docs/ram-policy-oss.json, too), s3:https://HOST/BUCKET/PATH, sftp://USER@HOST:PORT//PATH, or /PATH on the host. Default: no backups.",
    example: "oss",
  }),
  backupAccessKeyId: text(check.accessToken, {
    description: "Access key id of an S3 store of backups.",
    example: "LTAI5t0a1b2c3d4e5f6g7h8",
  }),
  backupSecretAccessKey: secret(check.accessToken, {
    description: "Secret of backupAccessKeyId.",
    example: "0123456789abcdefghijklmnopqrst",
  }),
  backupPrivateKey: secret(check.privateKey, {
    description: "SSH private key for an SFTP store of backups.",
    example: "< ~/.ssh/id_ed25519",
  }),
  backupHostKey: text(check.hostKey, {
    description: "SSH host key of an SFTP store of backups, pinned.",
    example: '"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP6EyXTbGNhwwWaLlb18EZWpMGcMx2ioZ3wmeVQ3q9aB"',
  }),
  backupPassword: secret(check.password, {
    description:
      "What the backups are encrypted with; without it they are worthless. Default: generated; see pulumi stack output backupPassword --show-secrets.",
    example: "'a long passphrase of yours'",
  }),
  backupSchedule: text(check.calendar, {
    description:
      "When backups are made, as a calendar event of systemd in the host's time zone (https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html).",
    example: "'*-*-* 03:30:00'",
    default: "*-*-* 03:30:00",
  }),
  backupKeepDaily: integer(0, 3650, {
    description: "Days of which the last backup is kept.",
    example: "7",
    default: 7,
  }),
  backupKeepWeekly: integer(0, 520, {
    description: "Weeks of which the last backup is kept.",
    example: "5",
    default: 5,
  }),
  backupKeepMonthly: integer(0, 120, {
    description: "Months of which the last backup is kept.",
    example: "6",
    default: 6,
  }),
};
