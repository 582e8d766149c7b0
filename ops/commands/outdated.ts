import { z } from "zod";
import { opencodeVersion } from "../../components/apps/opencode";
import { laterPackages, releaseLine } from "../../components/apps/opencode-release-line";
import { defaultImages, defaultSources } from "../../components/images";
import { CommandError, run } from "../../cli/run";
import { OpsError, type StackChoice, pulumi } from "../stack";
import { type Check, none, ok, red } from "../status/check";

const timeoutMs = 10_000;

/** A reference of components/images.ts in its parts. */
export interface Reference {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

/** @throws Error where it is not `registry/repository:tag`, with or without a digest */
export function parseReference(reference: string): Reference {
  const [, registry, repository, tag] = /^([^/]+)\/([^:@]+):([^@]+)/.exec(reference) ?? [];
  if (registry === undefined || repository === undefined || tag === undefined)
    throw new Error(`${reference} is not an image reference with a tag`);
  return { registry, repository, tag };
}

/** Numbers of a tag, and what stands around them: `v6.9.41` is [6, 9, 41] in `v…`, `8.1-alpine` is [8, 1] in `…-alpine`. */
function shape(tag: string): { readonly numbers: readonly number[]; readonly around: string } | undefined {
  const [, before = "", version, after = ""] = /^(v?)(\d+(?:\.\d+)*)((?:-[a-z]+)*)$/.exec(tag) ?? [];
  return version === undefined ? undefined : { numbers: version.split(".").map(Number), around: `${before}…${after}` };
}

/** The newest tag that looks like the pinned one, where it is newer; a tag without a version has none. */
export function newerTag(tag: string, all: readonly string[]): string | undefined {
  const pinned = shape(tag);
  if (!pinned) return undefined;
  const alike = all.filter((one) => {
    const seen = shape(one);
    return seen?.around === pinned.around && seen.numbers.length === pinned.numbers.length;
  });
  const newest = alike.sort((a, b) => compare(shape(a)?.numbers ?? [], shape(b)?.numbers ?? [])).at(-1);
  return newest !== undefined && compare(shape(newest)?.numbers ?? [], pinned.numbers) > 0 ? newest : undefined;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((number, i) => number !== (b[i] ?? 0));
  return index < 0 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}

const tagsSchema = z.object({ tags: z.array(z.string()) });
const tokenSchema = z.object({ token: z.string() });

/**
 * All tags of a repository (https://distribution.github.io/distribution/spec/api/#listing-image-tags), with the anonymous
 * token that its registry asks for.
 */
export async function listTags(base: string, repository: string): Promise<string[]> {
  const url = `${base}/v2/${repository}/tags/list`;
  const get = (headers: Record<string, string>) => fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
  let answer = await get({});
  const challenge = answer.headers.get("www-authenticate");
  if (answer.status === 401 && challenge?.startsWith("Bearer ") === true) {
    const asked = new URL(/realm="([^"]+)"/.exec(challenge)?.[1] ?? "");
    for (const key of ["service", "scope"]) {
      const value = new RegExp(`${key}="([^"]+)"`).exec(challenge)?.[1];
      if (value !== undefined) asked.searchParams.set(key, value);
    }
    const given = await fetch(asked, { signal: AbortSignal.timeout(timeoutMs) });
    answer = await get({ authorization: `Bearer ${tokenSchema.parse(await given.json()).token}` });
  }
  if (!answer.ok) throw new Error(`answers ${answer.status}`);
  return tagsSchema.parse(await answer.json()).tags;
}

/** Docker Hub's API has another name than its references. */
function apiOf(registry: string): string {
  return registry === "docker.io" ? "https://registry-1.docker.io" : `https://${registry}`;
}

/** Every pinned image and source against the newest one, where that can be reached. */
export async function outdated(choice: StackChoice): Promise<Check[]> {
  const images = Object.entries(defaultImages).map(([name, reference]) => imageCheck(name, reference));
  const sources = Object.entries(defaultSources).map(([name, source]) => sourceCheck(name, source));
  return Promise.all([...images, ...sources, ...openCode(await configuredVersion(choice))]);
}

/** The stack's version of OpenCode. */
async function configuredVersion(choice: StackChoice): Promise<string> {
  try {
    return (await pulumi(choice, ["config", "get", "opencodeVersion"])).trim();
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    return opencodeVersion;
  }
}

const distTags = z.looseObject({ latest: z.string() });

/** OpenCode's version against the newest of its line, and a look at the next line, which is a package of its own. */
function openCode(version: string): Promise<Check>[] {
  const own = releaseLine(version).package;
  return [
    packageCheck(own, version, (newest) => judgePackage(own, version, newest)),
    ...laterPackages(version).map((later) =>
      packageCheck(later, "no newer major version is known", (newest) =>
        none(`package ${later}`, `a newer major version is out: ${newest}`),
      ),
    ),
  ];
}

/** Version that a package's channel `latest` is at. @throws OpsError where its registry cannot be reached, or does not have it */
export async function newestPackage(name: string): Promise<string> {
  try {
    const { stdout } = await run("npm", ["view", name, "dist-tags", "--json"], { timeoutMs: 2 * timeoutMs });
    return distTags.parse(JSON.parse(stdout)).latest;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new OpsError(
      `the newest version of ${name} is not known: its registry cannot be reached, or does not have it`,
      {
        cause: error,
      },
    );
  }
}

async function packageCheck(name: string, seen: string, judge: (newest: string) => Check): Promise<Check> {
  try {
    return judge(await newestPackage(name));
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    return none(`package ${name}`, `${seen}; its registry cannot be reached, or does not have it`);
  }
}

/** @param newest version that the package's channel `latest` is at */
export function judgePackage(name: string, version: string, newest: string): Check {
  const fix = `pulumi config set opencodeVersion ${newest} && pulumi up, or merge Renovate's pull request`;
  return judge(`package ${name}`, version, [newest], fix);
}

async function imageCheck(name: string, reference: string): Promise<Check> {
  const { registry, repository, tag } = parseReference(reference);
  const label = `image ${name}`;
  try {
    return judgeImage(name, tag, await listTags(apiOf(registry), repository));
  } catch (error) {
    return none(
      label,
      `${tag}; ${registry} cannot be reached (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

export function judgeImage(name: string, tag: string, tags: readonly string[]): Check {
  const fix = "merge Renovate's pull request, or set it in components/images.ts; read its release notes first";
  return judge(`image ${name}`, tag, tags, fix);
}

function judge(label: string, pinned: string, all: readonly string[], fix: string): Check {
  const newer = newerTag(pinned, all);
  return newer === undefined ? ok(label, pinned) : red(label, `${pinned}, newer is ${newer}`, fix);
}

async function sourceCheck(name: string, source: string): Promise<Check> {
  const [repository = "", commit = ""] = source.split("#");
  try {
    const { stdout } = await run("git", ["ls-remote", repository, "HEAD"], {
      env: { GIT_TERMINAL_PROMPT: "0" },
      timeoutMs: 2 * timeoutMs,
    });
    const head = stdout.slice(0, commit.length);
    if (head === commit) return ok(`source ${name}`, commit.slice(0, 12));
    return red(
      `source ${name}`,
      `${commit.slice(0, 12)}, newest is ${head.slice(0, 12)}`,
      `read what changed, then set it in components/images.ts: ${repository}/compare/${commit.slice(0, 12)}...${head.slice(0, 12)}`,
    );
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return none(`source ${name}`, `${commit.slice(0, 12)}; its repository cannot be reached`);
  }
}
