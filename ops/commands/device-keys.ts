import { onHost } from "../host";
import type { StackChoice } from "../stack";

/** A client with a key. */
export interface DeviceKey {
  readonly name: string;
  /** Seconds since 1970; undefined: not since Caddy's log begins. */
  readonly lastUsed?: number;
}

/**
 * The devices that have a key, with the time of their last request.
 *
 * @param uses what {@link lastUses} prints: `NAME SECONDS` a line
 */
export function deviceKeysIn(names: readonly string[], uses: string): DeviceKey[] {
  const last = new Map(uses.split("\n").map((line) => [line.split(" ")[0], Number(line.split(" ")[1])]));
  return names.map((name) => {
    const lastUsed = last.get(name);
    return { name, ...(lastUsed !== undefined && { lastUsed }) };
  });
}

/** One device a line. */
export function deviceTable(keys: readonly DeviceKey[]): string {
  if (keys.length === 0)
    return "No client has a key: pulumi config set opencodeDevices '[\"laptop\"]' && pulumi up creates one.";
  const width = Math.max(...keys.map(({ name }) => name.length));
  return keys
    .map(
      ({ name, lastUsed }) =>
        `${name.padEnd(width)}  ${lastUsed === undefined ? "not used since the log begins" : `last used ${utc(lastUsed)}`}`,
    )
    .join("\n");
}

const utc = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** The last line of each device in Caddy's log. */
const lastUses = `docker logs cloudcode-edge-caddy-1 2>/dev/null |
  sed -n 's/^{"level":"info","ts":\\([0-9.]*\\),"logger":"http.log.access.devices",.*"device":"\\([a-z0-9-]*\\)"}$/\\2 \\1/p' |
  awk '{ last[$1] = $2 } END { for (name in last) print name, last[name] }'`;

/** The keys of OpenCode's own clients, by name. */
export function listDeviceKeys(choice: StackChoice): Promise<DeviceKey[]> {
  return onHost(choice, async (ssh, { deviceKeys }) => {
    const names = Object.keys(deviceKeys ?? {});
    return names.length === 0 ? [] : deviceKeysIn(names, (await ssh.script(lastUses)).stdout);
  });
}
