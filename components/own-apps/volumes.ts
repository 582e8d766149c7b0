import { posix } from "node:path";
import type { Service } from "./compose-file";
import type { Fault, Manifest } from "./manifest";

/** What a container sees at a path. */
export type Mount =
  | { readonly type: "volume"; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly type: "tmpfs"; readonly target: string }
  /** A file or folder of the App's own folder, as it is in the release. */
  | { readonly type: "file" | "folder"; readonly path: string; readonly target: string };

/** What there is to mount. */
export interface Mountable {
  /** Volumes that the compose file lists. */
  readonly listed: readonly string[];
  /** Names of volumes by the paths that the compose file writes in their place. */
  readonly renamed: Readonly<Record<string, string>>;
  /** What there is at a path of the App's folder; nothing, also where a folder has no file. */
  readonly kindAt: (path: string) => "file" | "folder" | undefined;
}

/** Published compose files mount them to tell a container the time zone, which TZ does here. */
const timeZoneFiles = ["/etc/localtime", "/etc/timezone"];

interface Given {
  readonly type: "volume" | "bind" | "tmpfs";
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/**
 * Judges an entry of a service's `volumes`.
 *
 * @returns the mount, undefined where none is needed, or a fault that completes the sentence "KEY …"
 */
export function mountOf(
  entry: Service["volumes"][number],
  { listed, renamed, kindAt }: Mountable,
): Mount | string | undefined {
  const given = typeof entry === "string" ? shortForm(entry) : longForm(entry);
  if (typeof given === "string") return given;
  const { type, source, target, readOnly } = given;
  if (!/^\/[^:\p{Cc}]+$/u.test(target)) return "has no absolute path in the container";
  if (type === "tmpfs") return { type, target };
  if (timeZoneFiles.includes(source)) return undefined;
  const volume = Object.hasOwn(renamed, source) ? renamed[source] : undefined;
  if (volume !== undefined) return { type: "volume", source: volume, target, readOnly };
  if (type === "volume") {
    if (!listed.includes(source))
      return `names the volume ${source}, which volumes at the end of the file does not list`;
    return { type, source, target, readOnly };
  }
  if (/(docker|containerd|podman)\.sock/.test(source))
    return "gives the container the whole machine, by Docker's socket: remove it";
  const path = pathWithin(source);
  const instead = `keep the data in a volume, by volumes: { "${source}": data } in app.yaml`;
  if (path === undefined) return `mounts ${source} of the machine: ${instead}`;
  const kind = kindAt(path);
  if (kind === undefined) return `mounts ${source}, which the App's folder does not have or which is empty: ${instead}`;
  if (!readOnly)
    return `mounts ${source} of the App's folder, which nobody can write to on the host: write :ro, or ${instead}`;
  return { type: kind, path, target };
}

/**
 * A volume is in the place of one folder: two would write over each other's files.
 *
 * @param listed as in {@link Mountable}
 */
export function volumeFaults(renamed: Manifest["volumes"], listed: Mountable["listed"]): Fault[] {
  const entries = Object.entries(renamed).map(([path, volume]) => ({ path, volume, folder: posix.join(path, ".") }));
  return entries.flatMap(({ path, volume, folder }) => {
    const first = entries.find((one) => one.volume === volume)?.folder;
    const other = listed.includes(volume) ? "volumes of the compose file" : first;
    if (other === folder) return [];
    const fault = `names the volume ${volume}, which ${other} has: give it another name`;
    return [{ file: "app.yaml", key: `volumes.${path}`, fault }];
  });
}

/** Path below the App's folder; undefined where it leads out of it. */
export function pathWithin(path: string): string | undefined {
  if (/^[/~]|\\/.test(path)) return undefined;
  const normal = posix.normalize(path).replace(/\/$/, "");
  return normal === ".." || normal.startsWith("../") ? undefined : normal;
}

/** https://docs.docker.com/reference/compose-file/services/#short-syntax-5 */
function shortForm(text: string): Given | string {
  const [source = "", target, mode = "", ...rest] = text.split(":");
  if (target === undefined) return "has no name, so no backup would have it: write NAME:PATH";
  const flags = mode === "" ? [] : mode.split(",");
  const unknown = flags.filter((flag) => !["ro", "rw", "z", "Z", "cached", "delegated", "consistent"].includes(flag));
  if (rest.length > 0 || unknown.length > 0) return "is not SOURCE:TARGET or SOURCE:TARGET:ro";
  return { type: /^[./~\\]/.test(source) ? "bind" : "volume", source, target, readOnly: flags.includes("ro") };
}

function longForm({ type, source, target, read_only }: Exclude<Service["volumes"][number], string>): Given | string {
  if (type !== "tmpfs" && source === undefined) return "has no source, so no backup would have it";
  return { type, source: source ?? "", target, readOnly: read_only };
}
