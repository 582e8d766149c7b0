import { onHost } from "../host";
import type { StackChoice } from "../stack";
import { oldDocker } from "./handover";

/**
 * Copies the old CLI's OpenCode volumes, once, into those of the App, while that is stopped. Files of the same name in the
 * workspace, and what the new one has of configuration and sessions, are kept next to it. The argument is the old Docker's folder.
 */
export const carryScript = `set -eu
old=$1/volumes/cloudcode_devbox
new=/var/lib/docker/volumes/cloudcode-opencode
[ -d "\${old}_workspace" ] || { echo "there is no $old""_workspace: the old CLI's data is not on this machine" >&2; exit 1; }
[ -d "\${new}_workspace" ] || { echo "OpenCode is not on this host: run pulumi up with opencodeEnabled" >&2; exit 1; }
[ ! -e "$1/carried" ] || { echo "copied already, $(cat "$1/carried")" >&2; exit 1; }
ids=$(docker ps -q --filter label=com.docker.compose.project=cloudcode-opencode)
[ -z "$ids" ] || docker stop $ids >/dev/null
trap '[ -z "$ids" ] || docker start $ids >/dev/null' EXIT
cp -a --backup=numbered "\${old}_workspace/_data/." "\${new}_workspace/_data/"
for pair in config:config/_data/opencode data:data/_data/share/opencode; do
  to=\${new}_\${pair#*:}
  [ ! -e "$to" ] || mv "$to" "$to.before-$(date +%s)"
  mkdir -p "$to"
  cp -a "\${old}_\${pair%%:*}/_data/." "$to/"
done
for volume in workspace config data; do chown -R 1000:1000 "\${new}_$volume/_data"; done
date -u +%FT%TZ >"$1/carried"`;

/** @throws OpsError where there is nothing to carry over, or it was done before */
export async function carryData(choice: StackChoice): Promise<string> {
  await onHost(choice, (ssh) => ssh.script(carryScript, [oldDocker]));
  return "OpenCode has the old workspace, configuration and sessions.";
}
