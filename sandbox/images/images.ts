import { mkdirSync } from "node:fs";
import { baseImage } from "../host/base";
import { buildImage } from "../host/build";
import { officialRegistryAnswers } from "../host/official";
import { pushImages } from "./push";
import { autheliaRecipe, caddyRecipe, ttydRecipe, valkeyRecipe } from "./recipes";
import type { Say } from "../host/run";
import type { Pushed } from "./push";
import type { ImageName } from "./recipes";

export type { ImageName } from "./recipes";

/** What the host will pull: the publisher's image, or one made here in its place. */
export type Origin = "official" | "stand-in";

/** Which images the stacks ask for, and what is needed to replace them. */
export interface ImagesArgs {
  readonly registryUrl: string;
  readonly cacheDir: string;
  /** Full references as the compose files have them, e.g. `docker.io/library/caddy:2.11.7-alpine`. */
  readonly images: Readonly<Record<ImageName, string>>;
  /** Path of the stand-in for Authelia, bundled into one file. */
  readonly gatewayBundle: string;
  /** Path of the stand-in for ttyd, likewise. */
  readonly terminalBundle: string;
  readonly say: Say;
}

/**
 * Makes sure that the host can pull these images: from Docker Hub where it answers; otherwise equivalents are made from
 * packages and put into the local registry under the same names.
 */
export async function provideImages(args: ImagesArgs): Promise<{ origin: Origin }> {
  if (await officialRegistryAnswers()) return { origin: "official" };
  mkdirSync(args.cacheDir, { recursive: true });
  const base = await baseImage(args);
  const of = (name: ImageName) => hubReference(args.images[name]);
  const built = {
    debian: base,
    valkey: await buildImage(valkeyRecipe(base), args.say),
    authelia: await buildImage(autheliaRecipe(base, args.gatewayBundle), args.say),
    ttyd: await buildImage(ttydRecipe(base, args.terminalBundle), args.say),
    caddy: await buildImage(await caddyRecipe(base, of("caddy").tag, args), args.say),
  } satisfies Record<ImageName, string>;
  args.say("Putting the images into the local registry");
  const pushed: Pushed[] = NAMES.map((name) => ({ image: built[name], ...of(name) }));
  await pushImages(args.registryUrl, pushed, args.cacheDir);
  return { origin: "stand-in" };
}

const NAMES: readonly ImageName[] = ["debian", "valkey", "authelia", "ttyd", "caddy"];

/** The repository and tag by which Docker asks a mirror of Docker Hub for an image. */
export function hubReference(reference: string): { repository: string; tag: string } {
  if (reference.includes("@"))
    throw new Error(`${reference} is pinned by digest: the sandbox cannot make an image of that digest.`);
  const [, host, path, tag = "latest"] =
    /^(?:([^/]*[.:][^/]*|localhost)\/)?([^:]+)(?::([^:/]+))?$/.exec(reference) ?? [];
  if (path === undefined || (host !== undefined && host !== "docker.io")) {
    throw new Error(`${reference} is not on Docker Hub: the host would not ask the sandbox's registry for it.`);
  }
  return { repository: path.includes("/") ? path : `library/${path}`, tag };
}
