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
    daily: backup?.keep.daily ?? 0,
    weekly: backup?.keep.weekly ?? 0,
    monthly: backup?.keep.monthly ?? 0,
    accessKeyId: store?.accessKeyId ?? "",
    region: store?.region ?? "",
    hostKey: backup?.hostKey ?? "",
  };
}

/** What backups are encrypted with: the operator's, or one made once and kept in state. */
export function backupPassword(
  backup: BackupSettings | undefined,
  opts: { readonly parent: pulumi.Resource; readonly protect: boolean },
): pulumi.Output<string> | undefined {
  if (backup === undefined || backup.password !== undefined) return backup?.password;
  return new random.RandomPassword("backup-password", { length: 48, special: false }, opts).result;
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
