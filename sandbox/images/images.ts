import { mkdirSync } from "node:fs";
import { type ImageName, type SourceName, imageNames } from "../../components/images";
import { baseImage } from "../host/base";
import { buildImage } from "../host/build";
import type { Say } from "../../cli/run";
import type { Program } from "../stand-ins/bundle";
import {
  cliProxyApiRecipe,
  cloudflaredRecipe,
  liteboxdRecipe,
  liteboxdWebRecipe,
  opaRecipe,
  postgresRecipe,
  pythonRecipe,
} from "./app-recipes";
import { pushImages } from "./push";
import { autheliaRecipe, caddyRecipe, resticRecipe, ttydRecipe, valkeyRecipe } from "./recipes";
import { sourcesImage } from "./sources";

/** Which images the stacks ask for, and what is needed to replace them. */
export interface ImagesArgs {
  readonly registryUrl: string;
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
}

/** Makes equivalents of these images from packages, and puts them into the local registry under the same names. */
export async function provideImages(args: ImagesArgs): Promise<StandIns> {
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
  args.say("Putting the images into the local registry");
  const pushed = imageNames.flatMap((name) => {
    const image = made[name];
    return image === undefined ? [] : [{ image, ...hubReference(images[name]) }];
  });
  await pushImages(args.registryUrl, pushed, args.cacheDir);
  return { images, sources };
}

async function coreImages(base: string, args: ImagesArgs) {
  return {
    debian: base,
    restic: await buildImage(resticRecipe(base), args.say),
    valkey: await buildImage(valkeyRecipe(base), args.say),
    authelia: await buildImage(autheliaRecipe(base, await args.bundle("authelia")), args.say),
    ttyd: await buildImage(ttydRecipe(base, await args.bundle("ttyd")), args.say),
    caddy: await buildImage(await caddyRecipe(base, hubReference(args.images.caddy).tag, args), args.say),
  };
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
  const liteboxd = await buildImage(liteboxdRecipe(base, await args.bundle("liteboxd")), args.say);
  const python = await buildImage(pythonRecipe(base), args.say);
  return {
    liteboxdServer: liteboxd,
    liteboxdGateway: liteboxd,
    liteboxdWeb: await buildImage(liteboxdWebRecipe(base), args.say),
    python311: python,
    python312: python,
    postgres: await buildImage(postgresRecipe(base), args.say),
    opa: await buildImage(await opaRecipe(hubReference(args.images.opa).tag, args), args.say),
    cloudflared: await buildImage(cloudflaredRecipe(base, await args.bundle("cloudflared")), args.say),
    cliProxyApi: await buildImage(cliProxyApiRecipe(base, await args.bundle("cli-proxy-api")), args.say),
  };
}

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
