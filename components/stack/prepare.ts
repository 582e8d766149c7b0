import { readFileSync } from "node:fs";
import { join } from "node:path";
import { arriving, compress, entryOf, isLarge, partKey } from "./payload";
import { listFiles, plainFile } from "./release";
import { precompile, templateKey } from "./template";

/** What the runs of all stacks have in common: the contents of prepared.ts in a bundle. */
export interface Prepared {
  /** Keys and compiled templates, each the text of a JavaScript expression. */
  readonly templates: readonly (readonly [string, string])[];
  /** Keys and compressed large parts of payloads, base64. */
  readonly parts: readonly (readonly [string, string])[];
}

export async function prepare(templatesRoot: string): Promise<Prepared> {
  const paths = listFiles(templatesRoot);
  const isTemplate = (path: string) => path.endsWith(".hbs");
  const templates = paths.filter(isTemplate).flatMap((path) => {
    const source = readFileSync(join(templatesRoot, path), "utf8");
    try {
      return [[templateKey(source), precompile(source)] as const];
    } catch {
      // The run that renders it says what is wrong with it, and in which file.
      return [];
    }
  });
  const files = paths
    .filter((path) => !isTemplate(path))
    .map((path) => entryOf(arriving(plainFile(join(templatesRoot, path), path.replace(/^[^/]*\//, "")))));
  const parts = (await Promise.all(files))
    .flat()
    .filter(isLarge)
    .map((part) => [partKey(part), compress(part).toString("base64")] as const);
  return { templates, parts };
}
