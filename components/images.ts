import { type Mirrors, mirroredImage } from "./mirrors";

/**
 * Every container image the program runs or builds from, pinned by tag and by the digest of its multi-platform index. One
 * table, so that a private registry can be filled from it. liteboxd's three have no digest yet: no public source names
 * one, and Renovate adds them. From ttyd's image only the static program is taken, which is the same in its tag for Ubuntu.
 */
export const defaultImages = {
  authelia:
    "docker.io/authelia/authelia:4.39.20@sha256:1b363e9279e742397966333f364e0876ae02bf5c876de73e83af6d48c57ff51b",
  caddy:
    "docker.io/library/caddy:2.11.7-alpine@sha256:d8542f48d34a9cf4e4c11a478865229840e87e4c96ea3f439101f31a5d35f75f",
  // Its tag says which Caddy it builds by itself; ours is built in the version of the image above.
  caddyBuilder:
    "docker.io/library/caddy:2.11.4-builder-alpine@sha256:dbbc87f144baa3e5367fc0bbb20792b708102e07b1b53b2b0644240b8a7b7de7",
  cliProxyApi:
    "docker.io/eceasy/cli-proxy-api:v7.2.137@sha256:591a09c19de769be09a2e56277365cd568b83fc7d98c94d2e7e7bef7069f7422",
  cloudflared:
    "docker.io/cloudflare/cloudflared:2026.7.3@sha256:e39ee8da81ad5e05d77f38d2f51c60ca51bf2a8450ac3abab50c17fdb91d91bf",
  debian:
    "docker.io/library/debian:trixie-slim@sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f",
  liteboxdGateway: "ghcr.io/fslongjin/liteboxd-gateway:v0.6.10",
  liteboxdServer: "ghcr.io/fslongjin/liteboxd-server:v0.6.10",
  liteboxdWeb: "ghcr.io/fslongjin/web:v0.6.10",
  opa: "docker.io/openpolicyagent/opa:1.18.2-static@sha256:57f7d06808fff6de3ea1d698e6430990973ca1370be0e54975f0083d615521da",
  postgres:
    "docker.io/library/postgres:17.11-alpine@sha256:18cfe3ef5e6815560c98237d6216d1e5119702fb0f3894c8785dd58b8bbe5d73",
  python311:
    "docker.io/library/python:3.11-slim@sha256:db3ff2e1800a8581e2c48a27c3995339d47bdf046da21c7627accd3d51053a93",
  python312:
    "docker.io/library/python:3.12-slim@sha256:57cd7c3a7a273101a6485ba99423ee568157882804b1124b4dd04266317710de",
  restic: "docker.io/restic/restic:0.18.1@sha256:39d9072fb5651c80d75c7a811612eb60b4c06b32ffe87c2e9f3c7222e1797e76",
  ttyd: "docker.io/tsl0922/ttyd:1.7.7-alpine@sha256:e17d5420fa78ea6271e32a06eec334adda6f54077e56e3969340fb47e604c24c",
  valkey: "docker.io/valkey/valkey:8.1-alpine@sha256:e0eb7c480958d32bdc4357a74bdd70653ae15f2f9b4c93c4a5a9fad1dc471c84",
} as const;

/** Name of an image in {@link defaultImages}. */
export type ImageName = keyof typeof defaultImages;

/** One image reference per name, ready for a compose file. */
export type Images = Readonly<Record<ImageName, string>>;

export const imageNames = Object.keys(defaultImages) as ImageName[];

interface ImagePlaces {
  /** Private registry with all images. @default none */
  readonly registry?: string | undefined;
  /** @default images come from where they are published */
  readonly mirrors?: Mirrors | undefined;
}

/**
 * The images of this stack: a reference given by the operator wins, else the default, moved to the private registry
 * when one is set (`docker.io/library/caddy:2` becomes `registry.example.com/library/caddy:2`), else to the mirrors.
 */
export function resolveImages(
  overrides: Partial<Record<ImageName, string>>,
  { registry, mirrors }: ImagePlaces = {},
): Images {
  const moved = (reference: string) =>
    registry ? reference.replace(/^(docker|ghcr)\.io/, registry) : mirroredImage(reference, mirrors);
  return Object.fromEntries(imageNames.map((name) => [name, overrides[name] ?? moved(defaultImages[name])])) as Images;
}

/** Tag of an image reference, without its digest; undefined where it has none. */
export function tagOf(reference: string): string | undefined {
  return /:([\w.-]+)(?:@[^/]*)?$/.exec(reference)?.[1];
}

/** The version that the tag of an image reference begins with, such as `2.11.7`; undefined: it names none exactly. */
export function exactVersion(reference: string): string | undefined {
  return /^\d+\.\d+\.\d+/.exec(tagOf(reference) ?? "")?.[0];
}

/**
 * Where programs come from whose authors publish no image: `repository#commit`. The host builds them at exactly this
 * commit, whose name Git checks against every byte of it.
 */
export const defaultSources = {
  casecheck: "https://github.com/Newbear1010/CaseCheck#3b30a58887e422528160b7fd17ebc65ecbc5442f",
  tgSigner: "https://github.com/wosa1402/wosa-tg-qiandao#c300d734ad0ebe44be19dada126b9df8fc18e29b",
} as const;

/** Name of a source in {@link defaultSources}. */
export type SourceName = keyof typeof defaultSources;

/** A commit of a Git repository, as a Dockerfile fetches it. */
export interface Source {
  readonly repository: string;
  readonly commit: string;
}

/** One source per name. */
export type Sources = Readonly<Record<SourceName, Source>>;

export const sourceNames = Object.keys(defaultSources) as SourceName[];

/** The sources of this stack: one given by the operator wins, else the default. */
export function resolveSources(overrides: Partial<Record<SourceName, string>>): Sources {
  const parsed = sourceNames.map((name) => {
    const [repository = "", commit = ""] = (overrides[name] ?? defaultSources[name]).split("#");
    return [name, { repository, commit }];
  });
  return Object.fromEntries(parsed) as Sources;
}

/** Whether a source is one file that a web server holds, a Git bundle (https://git-scm.com/docs/git-bundle), and no repository. */
export function isBundle({ repository }: Source): boolean {
  return repository.endsWith(".bundle");
}
