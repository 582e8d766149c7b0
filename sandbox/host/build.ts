import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Shared } from "./shared";
import { run, succeeds } from "../../cli/run";
import type { Say } from "../../cli/run";

/** What an image is made of. The same recipe always gives the same tag, so a second build costs nothing. */
export interface Recipe {
  /** Last part of the image's name. */
  readonly name: string;
  readonly dockerfile: string;
  /** Files of the build context by path, as text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files of the build context by path, as paths of existing (large) files. */
  readonly copies?: Readonly<Record<string, string>>;
}

/** Shell words for a Dockerfile's RUN that install packages and leave no package index behind. */
export function aptInstallStep(packages: readonly string[]): string {
  return (
    "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends " +
    `${packages.join(" ")} >/dev/null && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/*`
  );
}

/** The tag of an image that consists of these parts. */
export function imageTag(name: string, parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(createHash("sha256").update(part).digest());
  return `cloudcode-sandbox/${name}:${hash.digest("hex").slice(0, 16)}`;
}

/** Images that are being built, or were: several parts of the sandbox ask for the same one side by side. */
const builds = new Shared<string, void>();

/** Builds an image on the outer machine's Docker unless it is there, and returns its tag. */
export async function buildImage(recipe: Recipe, say: Say): Promise<string> {
  const files = Object.entries(recipe.files ?? {});
  const copies = Object.entries(recipe.copies ?? {});
  const tag = imageTag(recipe.name, [
    recipe.dockerfile,
    ...files.flat(),
    ...copies.flatMap(([path, source]) => [path, readFileSync(source)]),
  ]);
  await builds.get(tag, () => build(tag, recipe, say));
  return tag;
}

async function build(tag: string, recipe: Recipe, say: Say): Promise<void> {
  if (await imageExists(tag)) return;
  say(`Building the ${recipe.name} image`);
  const context = mkdtempSync(join(tmpdir(), "cloudcode-build-"));
  try {
    const place = (path: string) => {
      mkdirSync(dirname(join(context, path)), { recursive: true });
      return join(context, path);
    };
    writeFileSync(place("Dockerfile"), recipe.dockerfile);
    for (const [path, text] of Object.entries(recipe.files ?? {})) writeFileSync(place(path), text);
    for (const [path, source] of Object.entries(recipe.copies ?? {})) copyFileSync(source, place(path));
    // The outer machine's own network, because its resolver may listen on loopback only.
    await run("docker", ["build", "--network", "host", "--tag", tag, context]);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** Whether the outer machine's Docker holds this image. */
export function imageExists(tag: string): Promise<boolean> {
  return succeeds("docker", ["image", "inspect", tag]);
}
