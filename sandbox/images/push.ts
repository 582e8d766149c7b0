import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, openSync, readFileSync, readSync, closeSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { run } from "../../cli/run";

/** One image of the outer machine's Docker, and the name under which the registry shall know it. */
export interface Pushed {
  /** Its tag in Docker. The part behind the colon is a hash of its contents. */
  readonly image: string;
  readonly repository: string;
  readonly tag: string;
}

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

interface Descriptor {
  readonly mediaType: string;
  readonly size: number;
  readonly digest: string;
}

/**
 * Puts images into a registry, unless it has them. `docker push` is not used: it insists on HTTPS for this address, and
 * it compresses the layers, which costs more time than the network between two containers of one machine can win back.
 */
export async function pushImages(registryUrl: string, images: readonly Pushed[], cacheDir: string): Promise<void> {
  const missing: Pushed[] = [];
  for (const image of images) if (!(await isPushed(registryUrl, image))) missing.push(image);
  if (missing.length === 0) return;
  const work = mkdtempSync(join(cacheDir, "push-"));
  try {
    await run("docker", ["save", "--output", join(work, "images.tar"), ...missing.map(({ image }) => image)]);
    await run("tar", ["-x", "-f", join(work, "images.tar"), "-C", work]);
    const saved = JSON.parse(readFileSync(join(work, "manifest.json"), "utf8")) as {
      RepoTags: string[] | null;
      Config: string;
      Layers: string[];
    }[];
    for (const image of missing) {
      const entry = saved.find(({ RepoTags }) => RepoTags?.includes(image.image));
      if (entry === undefined) throw new Error(`docker save left ${image.image} out.`);
      await pushOne(
        registryUrl,
        image,
        join(work, entry.Config),
        entry.Layers.map((layer) => join(work, layer)),
      );
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Each image is also tagged by the hash of its contents, so that the registry itself tells what it has. */
const contentTag = ({ image }: Pushed) => `sandbox-${image.slice(image.lastIndexOf(":") + 1)}`;

async function isPushed(registryUrl: string, image: Pushed): Promise<boolean> {
  const [wanted, actual] = await Promise.all(
    [contentTag(image), image.tag].map((tag) => digestOf(registryUrl, image.repository, tag)),
  );
  return wanted !== undefined && wanted === actual;
}

async function digestOf(registryUrl: string, repository: string, tag: string): Promise<string | undefined> {
  const response = await fetch(`${registryUrl}/v2/${repository}/manifests/${tag}`, {
    method: "HEAD",
    headers: { accept: MANIFEST },
  });
  return response.ok ? (response.headers.get("docker-content-digest") ?? undefined) : undefined;
}

async function pushOne(registryUrl: string, image: Pushed, config: string, layers: readonly string[]): Promise<void> {
  const repository = `${registryUrl}/v2/${image.repository}`;
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: await pushBlob(repository, config, "application/vnd.oci.image.config.v1+json"),
    layers: [] as Descriptor[],
  };
  for (const layer of layers) {
    manifest.layers.push(
      await pushBlob(repository, layer, `application/vnd.oci.image.layer.v1.tar${isGzip(layer) ? "+gzip" : ""}`),
    );
  }
  for (const tag of [contentTag(image), image.tag]) {
    await accepted(
      fetch(`${repository}/manifests/${tag}`, {
        method: "PUT",
        headers: { "content-type": MANIFEST },
        body: JSON.stringify(manifest),
      }),
    );
  }
}

async function pushBlob(repository: string, file: string, mediaType: string): Promise<Descriptor> {
  const size = statSync(file).size;
  const digest = await digestOfFile(file);
  const there = await fetch(`${repository}/blobs/${digest}`, { method: "HEAD" });
  if (!there.ok) {
    const begun = await accepted(fetch(`${repository}/blobs/uploads/`, { method: "POST" }));
    const target = new URL(begun.headers.get("location") ?? "", repository);
    target.searchParams.set("digest", digest);
    const body = Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>;
    const headers = { "content-type": "application/octet-stream", "content-length": String(size) };
    await accepted(fetch(target, { method: "PUT", headers, body, duplex: "half" } as RequestInit));
  }
  return { mediaType, size, digest };
}

async function accepted(answer: Promise<Response>): Promise<Response> {
  const response = await answer;
  if (response.ok) return response;
  throw new Error(
    `The image registry refused ${response.url} with ${response.status}: ${(await response.text()).slice(0, 300)}`,
  );
}

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}`;
}

function isGzip(file: string): boolean {
  const start = Buffer.alloc(2);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, start, 0, 2, 0);
  } finally {
    closeSync(descriptor);
  }
  return start.equals(Buffer.from([0x1f, 0x8b]));
}
