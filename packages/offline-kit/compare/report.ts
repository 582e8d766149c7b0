import { isDeepStrictEqual } from "node:util";

/**
 * Prints every step at which the stand-in answered otherwise than the real part, and a line that sums them up.
 *
 * @param what the real part's name, with its version where that is known
 * @param known steps whose difference docs/testing.md lists
 * @returns how many differences are not known
 */
export function reportDifferences(
  what: string,
  real: ReadonlyMap<string, unknown>,
  standIn: ReadonlyMap<string, unknown>,
  known: ReadonlySet<string>,
): number {
  const different = [...real.keys()].filter((step) => !isDeepStrictEqual(real.get(step), standIn.get(step)));
  for (const step of different) {
    process.stdout.write(`${known.has(step) ? "known" : "NEW"}: ${step}\n`);
    process.stdout.write(
      `  real      ${JSON.stringify(real.get(step))}\n  stand-in  ${JSON.stringify(standIn.get(step))}\n`,
    );
  }
  const news = different.filter((step) => !known.has(step)).length;
  process.stdout.write(`${what}: ${real.size} steps, ${different.length} differ, ${news} of them not known\n`);
  return news;
}
