import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";

const SOURCES = join(__dirname, "stand-ins");
const BUNDLED = ["@grpc/grpc-js", "@pulumi/pulumi", "google-protobuf", "hash-wasm"];

export interface StandIn {
  /** Its folder under `stand-ins`. */
  readonly folder: string;
  /** The name under which the engine looks for it. */
  readonly program: string;
  /** The version of the official one. */
  readonly version: string;
}

/** The version of an installed package; a provider's SDK and plugin have the same. */
export function packageVersion(name: string): string {
  const file = createRequire(__filename).resolve(`${name}/package.json`);
  const manifest: unknown = JSON.parse(readFileSync(file, "utf8"));
  const version = typeof manifest === "object" && manifest !== null && "version" in manifest && manifest.version;
  if (typeof version !== "string") throw new Error(`${file} has no version.`);
  return version;
}

function sourceHash(): string {
  const hash = createHash("sha256");
  for (const file of readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).sort()) {
    if (file.endsWith(".ts"))
      hash
        .update(file)
        .update("\0")
        .update(readFileSync(join(SOURCES, file)));
  }
  for (const name of BUNDLED) hash.update(`${name}@${packageVersion(name)}\0`);
  return hash.digest("hex").slice(0, 16);
}

async function compile(entry: string, target: string, options: { version: string; banner: string }): Promise<void> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [join(SOURCES, entry)],
    bundle: true,
    minify: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "cjs",
    define: { STAND_IN_VERSION: JSON.stringify(options.version) },
    banner: { js: options.banner },
    logLevel: "silent",
  });
  const temporary = `${target}.partial-${randomUUID()}`;
  try {
    await writeFile(temporary, outputFiles[0]?.contents ?? "");
    await chmod(temporary, 0o755);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Makes a launcher and, next to it, the program that it starts. */
async function bundle({ folder, program, version }: StandIn, launcher: string): Promise<void> {
  const says = `// Stand-in for ${program} ${version}, used only where the official one cannot be downloaded.`;
  await mkdir(dirname(launcher), { recursive: true });
  await compile(join(folder, "main.ts"), launcher.replace(/\.cjs$/, ".js"), { version, banner: says });
  await compile("launch.ts", launcher, { version, banner: `#!/usr/bin/env node\n${says}` });
}

/** Makes `link` a relative symbolic link to `target`, at once or not at all. */
export async function pointTo(target: string, link: string): Promise<void> {
  const wanted = relative(dirname(link), target);
  if ((await readlink(link).catch(() => "")) === wanted) return;
  const temporary = `${link}.partial-${randomUUID()}`;
  await mkdir(dirname(link), { recursive: true });
  await rm(temporary, { force: true });
  await symlink(wanted, temporary);
  await rename(temporary, link);
}

/** Bundles what is not bundled yet and puts each stand-in where the engine looks for it. */
export async function placeStandIns(
  cacheDir: string,
  places: readonly (StandIn & { readonly in: string })[],
): Promise<void> {
  const hash = sourceHash();
  for (const place of places) {
    const target = join(cacheDir, "stand-ins", `${place.program}-${place.version}-${hash}.cjs`);
    if (!existsSync(target)) await bundle(place, target);
    await pointTo(target, join(place.in, place.program));
  }
}
