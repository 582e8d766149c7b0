import { mkdirSync } from "node:fs";
import { type ImageName, type SourceName, imageNames } from "../../components/images";
import { baseImage } from "../host/base";
import { type Recipe, buildImage } from "../host/build";
import type { Say } from "../../cli/run";
import type { Program } from "@cloudcode/offline-kit/stand-ins/bundle";
import {
  cliProxyApiRecipe,
  cloudflaredRecipe,
  liteboxdRecipe,
  liteboxdWebRecipe,
  opaRecipe,
  postgresRecipe,
  pythonRecipe,
} from "./app-recipes";
import type { Pushed } from "./push";
import { autheliaRecipe, caddyRecipe, resticRecipe, ttydRecipe, valkeyRecipe } from "./recipes";
import { sourcesImage } from "./sources";

/** Which images the stacks ask for, and what is needed to replace them. */
export interface ImagesArgs {
  readonly cacheDir: string;
  /** Full references as the compose files have them, e.g. `docker.io/library/caddy:2.11.7-alpine`. */
  readonly images: Readonly<Record<ImageName, string>>;
  /** Whether Apps that are off by default are wanted, too: their images take some minutes more, the first time. */
  readonly allApps: boolean;
  /** Bundles a stand-in into one file, and returns its path. */
  readonly bundle: (program: Program | "authelia") => Promise<string>;
  readonly say: Say;
}

/** What the host will pull in place of the publishers' images. */
export interface StandIns {
  readonly images: Readonly<Record<ImageName, string>>;
  /** Where a host finds the programs that it builds from their repositories. */
  readonly sources: Partial<Record<SourceName, string>>;
  /** What {@link pushImages} puts into the local registry, under the same names. */
  readonly pushed: readonly Pushed[];
}

/** Makes equivalents of these images from packages, side by side. */
export async function makeImages(args: ImagesArgs): Promise<StandIns> {
  mkdirSync(args.cacheDir, { recursive: true });
  const base = await baseImage(args);
  const made: Partial<Record<ImageName, string>> = await coreImages(base, args);
  const images = { ...args.images, ...(args.allApps && onDockerHub(args.images)) };
  let sources: Partial<Record<SourceName, string>> = {};
  if (args.allApps) {
    Object.assign(made, await appImages(base, args));
    const debian = await sourcesImage(base, args.say);
    ({ sources } = debian);
    made.debian = debian.image;
    // A name of its own, since sandboxes share the registry's storage and not all have this one.
    images.debian = `${images.debian}-with-sources`;
  }
  const pushed = imageNames.flatMap((name) => {
    const image = made[name];
    return image === undefined ? [] : [{ image, ...hubReference(images[name]) }];
  });
  return { images, sources, pushed };
}

async function built({ say }: ImagesArgs, recipe: Promise<Recipe>): Promise<string> {
  return buildImage(await recipe, say);
}

async function coreImages(base: string, args: ImagesArgs) {
  const [restic, valkey, python, authelia, ttyd, caddy] = await Promise.all([
    buildImage(resticRecipe(base), args.say),
    buildImage(valkeyRecipe(base), args.say),
    // The notifier's.
    buildImage(pythonRecipe(base), args.say),
    built(
      args,
      args.bundle("authelia").then((file) => autheliaRecipe(base, file)),
    ),
    built(
      args,
      args.bundle("ttyd").then((file) => ttydRecipe(base, file)),
    ),
    built(args, caddyRecipe(base, hubReference(args.images.caddy).tag, args)),
  ]);
  return { debian: base, restic, valkey, python311: python, python312: python, authelia, ttyd, caddy };
}

/** Names that a host asks the sandbox's registry for, which stands in for Docker Hub alone. */
function onDockerHub({ liteboxdServer, liteboxdGateway, liteboxdWeb }: ImagesArgs["images"]) {
  const renamed = (reference: string) => reference.replace(/^ghcr\.io\//, "docker.io/");
  return {
    liteboxdServer: renamed(liteboxdServer),
    liteboxdGateway: renamed(liteboxdGateway),
    liteboxdWeb: renamed(liteboxdWeb),
  };
}

async function appImages(base: string, args: ImagesArgs) {
  const [liteboxd, liteboxdWeb, postgres, opa, cloudflared, cliProxyApi] = await Promise.all([
    built(
      args,
      args.bundle("liteboxd").then((file) => liteboxdRecipe(base, file)),
    ),
    buildImage(liteboxdWebRecipe(base), args.say),
    buildImage(postgresRecipe(base), args.say),
    built(args, opaRecipe(hubReference(args.images.opa).tag, args)),
    built(
      args,
      args.bundle("cloudflared").then((file) => cloudflaredRecipe(base, file)),
    ),
    built(
      args,
      args.bundle("cli-proxy-api").then((file) => cliProxyApiRecipe(base, file)),
    ),
  ]);
  const liteboxds = { liteboxdServer: liteboxd, liteboxdGateway: liteboxd, liteboxdWeb };
  return { ...liteboxds, postgres, opa, cloudflared, cliProxyApi };
}

/** The repository and tag by which Docker asks a mirror of Docker Hub for an image. */
export function hubReference(reference: string): { repository: string; tag: string } {
  if (reference.includes("@"))
    throw new Error(`${reference} is pinned by digest: the sandbox cannot build an image with that digest.`);
  const [, host, path, tag = "latest"] =
    /^(?:([^/]*[.:][^/]*|localhost)\/)?([^:]+)(?::([^:/]+))?$/.exec(reference) ?? [];
  if (path === undefined || (host !== undefined && host !== "docker.io")) {
    throw new Error(`${reference} is not on Docker Hub: the host would not pull it from the sandbox's registry.`);
  }
  return { repository: path.includes("/") ? path : `library/${path}`, tag };
}
