import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../../host/host";
import { reachCommand, reachInput } from "../../host/reach-command";

/** How long a machine that no longer answers holds up the removal of its disk, in seconds. */
const waitSeconds = 30;

/**
 * Containers first: Docker leaves them running when it stops itself. After a machine that was taken back the next one has its address
 * and host key, and must not be stopped in its place; cloud-init knows which machine it is on.
 */
const release = (instanceId: string) =>
  `id=$(cat /var/lib/cloud/data/instance-id 2>/dev/null); [ "\${id:-${instanceId}}" = ${instanceId} ] || exit 0; docker ps -q | xargs -r docker stop -t 30; systemctl stop cloudcode-data-disk`;
const limit = { seconds: 5 * 60, graceSeconds: 30 };

/**
 * Lets databases end and unmounts the data disk before it is taken from its machine, since the provider stops
 * machines by force. A machine that does not answer has nothing to release.
 *
 * @param instanceId the machine
 * @param ties what binds disk and address to the machine: with another one, this runs on the earlier machine
 */
export function releaseDisk(
  name: string,
  connection: Connection,
  instanceId: pulumi.Output<string>,
  ties: readonly pulumi.Output<string>[],
  opts: pulumi.CustomResourceOptions,
): void {
  new command.local.Command(
    name,
    {
      delete: instanceId.apply((id) => `(${reachCommand(release(id))}) || true`),
      stdin: reachInput(connection, { seconds: waitSeconds, limit }),
      triggers: [...ties],
      addPreviousOutputInEnv: false,
      logging: command.local.Logging.None,
    },
    { ...opts, deleteBeforeReplace: true },
  );
}
