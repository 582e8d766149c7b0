import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

/** What this repository's own Pulumi.yaml and stack files say; `pulumi new` makes a project by another name of them. */
const original = "cloudcode";

const projectSchema = z.object({ name: z.string().min(1) });

/**
 * Name of the project in a folder: what stands before the colon of each of its settings.
 *
 * @throws Error where there is no Pulumi.yaml with a name
 */
export function projectName(folder: string): string {
  return projectSchema.parse(parse(readFileSync(join(folder, "Pulumi.yaml"), "utf8"))).name;
}

/** The settings of a project, without their namespace: not those of providers, such as `alicloud:region`. */
export function settingsOfProject<T>(config: Readonly<Record<string, T>>, project: string): Record<string, T> {
  const prefix = `${project}:`;
  const own = Object.entries(config).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

/** The `config` of a stack file of this repository, for a project that may have another name. */
export function asConfigOf(project: string, config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const prefix = `${original}:`;
  const entries = Object.entries(config);
  return Object.fromEntries(
    entries.map(([key, value]) => [key.startsWith(prefix) ? `${project}:${key.slice(prefix.length)}` : key, value]),
  );
}
