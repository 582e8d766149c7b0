import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { dockerCompose } from "./tools";

/** A service as `docker compose config --format json` gives it. */
export interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly target?: string };
  readonly restart?: string;
  readonly read_only?: boolean;
  readonly mem_limit?: string;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[]; readonly disable?: boolean };
  readonly ports?: readonly {
    readonly target: number;
    readonly published: string;
    readonly protocol: string;
    readonly host_ip?: string;
  }[];
  readonly networks?: Readonly<Record<string, { readonly aliases?: readonly string[] } | null>>;
  readonly network_mode?: string;
  readonly pid?: string;
  readonly ipc?: string;
  readonly privileged?: boolean;
  readonly devices?: readonly unknown[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly {
    readonly type: string;
    readonly source: string;
    readonly target: string;
    readonly read_only?: boolean;
  }[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

export interface Project {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks?: Readonly<
    Record<string, { readonly name: string; readonly external?: boolean; readonly internal?: boolean }>
  >;
  readonly volumes?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
}

/** The files that a service finds in /run/secrets: path on this machine by name. */
export function secretFiles({ volumes = [] }: Service): Record<string, string> {
  const folder = "/run/secrets/";
  const mounted = volumes.filter(({ target, read_only }) => target.startsWith(folder) && read_only === true);
  return Object.fromEntries(mounted.map(({ source, target }) => [target.slice(folder.length), source]));
}

/** A compose file as the real Docker Compose understands it. @throws Error with its words where it refuses the file */
export async function composeConfig(composeFile: string, projectFolder = dirname(composeFile)): Promise<Project> {
  const [command, ...first] = await dockerCompose();
  const args = [
    "--project-name",
    "test",
    "--project-directory",
    projectFolder,
    "--file",
    composeFile,
    "config",
    "--format",
    "json",
  ];
  // An empty environment: whatever a stray `$NAME` would be replaced by on this machine must not hide the mistake.
  const output = execFileSync(command, [...first, ...args], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"] },
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "pipe"],
  });
  // It prints every `$` twice, so that its output is a compose file again.
  return JSON.parse(output.replaceAll("$$", "$")) as Project;
}
