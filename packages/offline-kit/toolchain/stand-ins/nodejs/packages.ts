import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";

export interface Parameterization {
  readonly name: string;
  readonly version: string;
  readonly value: string;
}

/** A provider plugin that an installed package asks for. */
export interface RequiredPlugin {
  readonly name: string;
  readonly version: string;
  readonly server: string;
  readonly parameterization: Parameterization | undefined;
}

/** The fields of a package.json that matter here. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly pulumi?: {
    readonly resource?: boolean;
    readonly name?: string;
    readonly version?: string;
    readonly server?: string;
    readonly parameterization?: Parameterization;
  };
}

/** Reads a package.json, or nothing when there is none that can be read. */
export function readManifest(folder: string): Manifest | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return typeof manifest === "object" && manifest !== null ? manifest : undefined;
  } catch {
    return undefined;
  }
}

function folders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith("."))
      .map((entry) => join(folder, entry.name));
  } catch {
    return [];
  }
}

/** All packages installed in a folder's tree, each once. */
export function installedPackages(programFolder: string): string[] {
  const seen = new Set<string>();
  const found: string[] = [];

  const visitModules = (modules: string): void => {
    for (const folder of folders(modules)) {
      if (basename(folder).startsWith("@")) visitModules(folder);
      else visitPackage(folder);
    }
  };
  const visitPackage = (folder: string): void => {
    let real: string;
    try {
      real = realpathSync(folder);
    } catch {
      return;
    }
    if (seen.has(real)) return;
    seen.add(real);
    found.push(real);
    const nested = join(real, "node_modules");
    if (existsSync(nested)) visitModules(nested);
  };
  const visitSources = (folder: string): void => {
    for (const inner of folders(folder)) {
      if (basename(inner) === "node_modules") visitModules(inner);
      // A policy pack brings plugins of its own, which the program does not need.
      else if (!existsSync(join(inner, "PulumiPolicy.yaml"))) visitSources(inner);
    }
  };
  visitSources(programFolder);
  return found;
}

function requiredPlugin({ name: packageName = "", version: packageVersion = "", pulumi }: Manifest): RequiredPlugin[] {
  if (pulumi?.resource !== true) return [];
  const name = pulumi.name ?? (packageName.startsWith("@pulumi/") ? packageName.slice("@pulumi/".length) : "");
  const version = pulumi.version ?? packageVersion;
  if (name === "" || version === "") return [];
  return [
    {
      name,
      version: version.startsWith("v") ? version : `v${version}`,
      server: pulumi.server ?? "",
      parameterization: pulumi.parameterization,
    },
  ];
}

/** The plugins that the installed packages say they need. */
export function requiredPlugins(programFolder: string): RequiredPlugin[] {
  return installedPackages(programFolder).flatMap((folder) => requiredPlugin(readManifest(folder) ?? {}));
}
