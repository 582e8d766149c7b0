import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { BackupSettings } from "../settings/settings";
import type { TemplateValues } from "../stack/template";
import type { BackupStore } from "./host";

/** The store that the settings name in restic's words. */
export function namedStore({ repository, accessKeyId, secretAccessKey }: BackupSettings): BackupStore {
  return {
    repository: pulumi.output(repository),
    region: ossRegion(repository),
    accessKeyId: pulumi.output(accessKeyId ?? ""),
    secretAccessKey: secretAccessKey ?? pulumi.output(""),
  };
}

/** restic cannot ask OSS for its region: https://restic.readthedocs.io/en/stable/030_preparing_a_new_repo.html */
function ossRegion(repository: string): string {
  return /^s3:https?:\/\/(oss-[a-z\d-]+?)(-internal)?\.aliyuncs\.com\//.exec(repository)?.[1] ?? "";
}

/** What `stack-templates/host/` is rendered with for backups; an empty repository means that there are none. */
export function backupValues(
  backup: BackupSettings | undefined,
  store: pulumi.Unwrap<BackupStore> | undefined,
  { image, host }: { readonly image: string; readonly host: string },
): TemplateValues {
  return {
    repository: store?.repository ?? "",
    image,
    host,
    schedule: backup?.schedule ?? "",
    drillSchedule: backup?.drillSchedule ?? "",
    daily: backup?.keep.daily ?? 0,
    weekly: backup?.keep.weekly ?? 0,
    monthly: backup?.keep.monthly ?? 0,
    accessKeyId: store?.accessKeyId ?? "",
    region: store?.region ?? "",
    hostKey: backup?.hostKey ?? "",
  };
}

/**
 * What backups are encrypted with: the operator's, or one made once and kept in state, also while there are no backups: so they
 * can be switched off, and the earlier ones be read when they are on again.
 */
export function backupPassword(
  backup: BackupSettings | undefined,
  { parent, deleteData }: { readonly parent: pulumi.Resource; readonly deleteData: boolean },
): pulumi.Output<string> | undefined {
  const own = backup !== undefined && backup.password === undefined;
  const made = new random.RandomPassword(
    "backup-password",
    { length: 48, special: false },
    { parent, protect: own && !deleteData },
  );
  return own ? made.result : backup?.password;
}

/** `secrets.NAME` of the templates. */
export function backupSecrets(
  backup: BackupSettings | undefined,
  store: BackupStore | undefined,
  password: pulumi.Output<string> | undefined,
): Record<string, pulumi.Output<string>> {
  const none = pulumi.output("");
  return {
    backupPassword: password ?? none,
    backupSecretAccessKey: store?.secretAccessKey ?? none,
    backupPrivateKey: backup?.privateKey ?? none,
  };
}
