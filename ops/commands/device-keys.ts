import { onHost } from "../host";
import type { StackChoice } from "../stack";

/**
 * The devices that have a key, one a line, with the time of their last request.
 *
 * @param names of the devices
 * @param uses what {@link lastUses} prints: `NAME SECONDS` a line
 */
export function deviceTable(names: readonly string[], uses: string): string {
  const last = new Map(uses.split("\n").map((line) => [line.split(" ")[0], Number(line.split(" ")[1])]));
  const width = Math.max(...names.map(({ length }) => length));
  return names
    .map((name) => {
      const seconds = last.get(name);
      return `${name.padEnd(width)}  ${seconds === undefined ? "not used since the log begins" : `last used ${utc(seconds)}`}`;
    })
    .join("\n");
}

const utc = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** The last line of each device in Caddy's log. */
const lastUses = `docker logs cloudcode-edge-caddy-1 2>/dev/null |
  sed -n 's/^{"level":"info","ts":\\([0-9.]*\\),"logger":"http.log.access.devices",.*"device":"\\([a-z0-9-]*\\)"}$/\\2 \\1/p' |
  awk '{ last[$1] = $2 } END { for (name in last) print name, last[name] }'`;

/** The keys of OpenCode's own clients, by name. */
export function listDeviceKeys(choice: StackChoice): Promise<string> {
  return onHost(choice, async (ssh, { deviceKeys }) => {
    const names = Object.keys(deviceKeys ?? {});
    if (names.length === 0)
      return "No client has a key: pulumi config set opencodeDevices '[\"laptop\"]' && pulumi up creates one.";
    return deviceTable(names, (await ssh.script(lastUses)).stdout);
  });
}
