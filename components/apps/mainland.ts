import { type SourceName, resolveSources } from "../images";
import { type Problem, when } from "../settings/problem";
import type { StackValues } from "./app";

/** Where downloads come from mirrors, as a fault says it. */
export const inMainland = "in mainland China (network is mainland)";

/** The source that an App's image is built from, where mainland China does not reach it. */
export function sourceProblems(name: SourceName, { network, sources = {} }: StackValues): Problem[] {
  const { repository } = resolveSources(sources)[name];
  return when(
    network === "mainland" && new URL(repository).hostname === "github.com",
    "sources",
    `has ${name} at github.com, which is not reliable ${inMainland}: put a Git bundle of the commit on a web server such as OSS, and name that (docs/mainland.md)`,
  );
}
