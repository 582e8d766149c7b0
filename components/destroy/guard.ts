import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { hookCommand } from "../hook";
import type { Settings } from "../settings/settings";

/** Name of the resource. */
export const guardName = "destroy-guard";

/** What Pulumi protects in a stack with these settings, in words for the operator. */
export function protectedParts({
  target,
  deleteData,
  backup,
}: Pick<Settings, "target" | "deleteData" | "backup">): string[] {
  const cloud = target.kind === "alicloud" ? target : undefined;
  return [
    ...(cloud?.machine.protect === true ? ["the machine and its address"] : []),
    ...(cloud && !deleteData ? ["the data disk"] : []),
    ...(cloud?.backupBucket === true && !deleteData ? ["the bucket of backups"] : []),
    ...(backup !== undefined && backup.password === undefined && !deleteData ? ["the password of backups"] : []),
    ...(deleteData ? [] : ["the key of Authelia's database (auth-encryption-key)"]),
  ];
}

/**
 * A resource that is deleted before everything else, and refuses where a destroy would stop half way: Pulumi looks at the protection of a
 * resource only when its turn comes (pulumi/pulumi, pkg/resource/deploy/step.go, DeleteStep).
 *
 * @param everything what must still be there when it is deleted
 */
export function guardDestroy(
  kept: readonly string[],
  everything: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): void {
  if (kept.length === 0) return;
  new command.local.Command(
    guardName,
    {
      delete: hookCommand("refuse-destroy"),
      stdin: JSON.stringify({ kept }),
      addPreviousOutputInEnv: false,
      logging: command.local.Logging.None,
    },
    { parent, dependsOn: [...everything] },
  );
}
