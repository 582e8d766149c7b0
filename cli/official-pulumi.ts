import { spawn } from "node:child_process";
import { mkdir, mkdtemp, open, realpath, rename, rm } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { isExecutable, placesOnPath } from "./path";

/** The CLI that is downloaded, or built by the sandbox, where none is installed. */
// renovate: datasource=github-releases depName=pulumi/pulumi
export const pulumiVersion = "v3.274.1";

const ANSWER_WITHIN_MS = 4_000;
const ARRIVE_WITHIN_MS = 300_000;

async function isCompiled(file: string): Promise<boolean> {
  if (!(await isExecutable(file))) return false;
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.toString("latin1") !== "#!";
  } finally {
    await handle.close();
  }
}

/** Where the downloaded CLI is kept. */
export const officialFolder = (cacheDir: string) => join(cacheDir, `pulumi-${pulumiVersion}-official`);

/**
 * The Pulumi CLI of this machine: the one on PATH, otherwise the official one, which is downloaded once. It has the PATH with which
 * it finds its language host.
 *
 * @throws Error that says what to install
 */
export async function ensurePulumi(
  cacheDir: string,
  say: (line: string) => void,
): Promise<{ readonly pulumi: string; readonly env: { readonly PATH: string } }> {
  const path = process.env["PATH"] ?? "";
  for (const pulumi of placesOnPath(path, "pulumi"))
    if (await isExecutable(pulumi)) return { pulumi, env: { PATH: path } };
  const folder = officialFolder(cacheDir);
  const pulumi = join(folder, "pulumi");
  if (!(await isExecutable(pulumi))) await downloadOfficial(pulumiVersion, folder, say);
  if (!(await isExecutable(pulumi)))
    throw new Error(
      "There is no Pulumi CLI on PATH, and it could not be downloaded from get.pulumi.com. Install it: https://www.pulumi.com/docs/install/",
    );
  return { pulumi, env: { PATH: [folder, path].join(delimiter) } };
}

/** The first CLI on PATH with its official language host in the same folder; stand-ins are scripts, official ones are not. */
export async function findOfficial(path: string): Promise<string | undefined> {
  for (const pulumi of placesOnPath(path, "pulumi")) {
    if (!(await isExecutable(pulumi))) continue;
    for (const place of [dirname(pulumi), dirname(await realpath(pulumi))]) {
      if (await isCompiled(join(place, "pulumi-language-nodejs"))) return pulumi;
    }
  }
  return undefined;
}

function archiveUrl(version: string): string | undefined {
  const systems: Partial<Record<NodeJS.Platform, string>> = { linux: "linux", darwin: "darwin" };
  const system = systems[process.platform];
  const known = process.arch === "x64" || process.arch === "arm64";
  if (system === undefined || !known) return undefined;
  return `https://get.pulumi.com/releases/sdk/pulumi-${version}-${system}-${process.arch}.tar.gz`;
}

async function* chunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

async function extract(archive: ReadableStream<Uint8Array>, folder: string): Promise<void> {
  const tar = spawn("tar", ["-xz", "-C", folder], { stdio: ["pipe", "ignore", "inherit"] });
  const exit = new Promise<number | null>((resolve, reject) => {
    tar.on("error", reject);
    tar.on("exit", resolve);
  });
  await Promise.all([pipeline(chunks(archive), tar.stdin), exit]);
  const code = await exit;
  if (code !== 0) throw new Error(`tar ended with exit status ${code ?? "unknown"}`);
}

/** Tries once to download the official CLI; resolves to nothing where its server cannot be reached. */
export async function downloadOfficial(
  version: string,
  target: string,
  say: (line: string) => void,
): Promise<string | undefined> {
  const url = archiveUrl(version);
  if (url === undefined) return undefined;
  const abort = new AbortController();
  const limit = (milliseconds: number): NodeJS.Timeout =>
    setTimeout(() => {
      abort.abort(new Error(`no answer within ${milliseconds / 1000} s`));
    }, milliseconds);
  let timer = limit(ANSWER_WITHIN_MS);
  await mkdir(dirname(target), { recursive: true });
  const temporary = await mkdtemp(`${target}.partial-`);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok || !response.body) return undefined;
    say(`Downloading the Pulumi CLI ${version}.`);
    clearTimeout(timer);
    timer = limit(ARRIVE_WITHIN_MS);
    await extract(response.body, temporary);
    await rename(join(temporary, "pulumi"), target);
    return join(target, "pulumi");
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    await rm(temporary, { recursive: true, force: true });
  }
}
