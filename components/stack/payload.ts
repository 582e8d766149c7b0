import { createHash } from "node:crypto";
import { gzipSync } from "fflate";
import { pack } from "tar-stream";
import { planText } from "./plan";
import { parts } from "./prepared";
import type { Release, ReleaseFile } from "./release";

/** Bytes. */
const tarBlock = 512;
const endOfTar = Buffer.alloc(2 * tarBlock);

/**
 * The release as it travels on standard input: base64 of a compressed tar whose last entry proves that all of it arrived. The stack's
 * state holds it, and the engine reads it at each run: without compression, the scripts of a host are half a megabyte.
 *
 * It is compressed in many parts, which gzip allows (RFC 1952, 2.2): a bundle holds those that are the same in every stack. Node's zlib
 * would not do: it writes other bytes on another processor, and a payload of other bytes is a change of the host.
 */
export async function releasePayload(release: Release): Promise<string> {
  const files = [
    ...release.files,
    rootsOwn("plan", planText(release.plan)),
    rootsOwn("secrets", release.secrets.flatMap((secret) => secret.split("\n")).join("\n") + "\n"),
  ];
  const entries = await Promise.all([...files.map(arriving), rootsOwn("complete", release.id)].map(entryOf));
  return Buffer.concat([...entries.flat(), endOfTar].map(compressed)).toString("base64");
}

/** Command that unpacks a payload from standard input and runs a script of it; the words are those of a shell. */
export function unpackAndRun(script: string, words: string): string {
  return `d=$(mktemp -d) && trap 'rm -rf "$d"' EXIT && base64 -d | tar -xzC "$d" && sh "$d/release/${script}" ${words}`;
}

/** A file of a release with its path in the archive. */
export function arriving(file: ReleaseFile): ReleaseFile {
  return file.path.startsWith("files/") ? file : { ...file, path: `release/${file.path}` };
}

/** The parts of the tar that are made of a file: its header, and its content. */
export async function entryOf({ path: name, content, encoding, owner, mode }: ReleaseFile): Promise<Buffer[]> {
  const bytes = Buffer.from(content, encoding ?? "utf8");
  const archive = pack();
  // A fixed date keeps the payload equal on every machine and at every time.
  archive.entry({ name, uid: owner, gid: owner, mode, mtime: new Date(0) }, bytes);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  const tar = Buffer.concat(chunks).subarray(0, -endOfTar.length);
  const header = tar.length - Math.ceil(bytes.length / tarBlock) * tarBlock;
  return [tar.subarray(0, header), tar.subarray(header)].filter(({ length }) => length > 0);
}

/** Whether a part is worth compressing: a header is not, nor is a file that fits in one block. */
export function isLarge(part: Buffer): boolean {
  return part.length > tarBlock;
}

/** A part of the tar as a part of a gzip file; a small one is stored as it is (RFC 1951, 3.2.4). */
export function compress(part: Buffer): Buffer {
  return Buffer.from(gzipSync(part, { mtime: 0, level: isLarge(part) ? 6 : 0 }));
}

/** What a large part is found by. */
export function partKey(part: Buffer): string {
  return createHash("sha256").update(part).digest("base64");
}

/** By key: a run with many stacks, or many runs in one process, send some large parts more than once. */
const made = new Map<string, Buffer>();

function compressed(part: Buffer): Buffer {
  if (!isLarge(part)) return compress(part);
  const key = partKey(part);
  const known = made.get(key);
  if (known !== undefined) return known;
  const prepared = parts.get(key);
  const bytes = prepared === undefined ? compress(part) : Buffer.from(prepared, "base64");
  made.set(key, bytes);
  return bytes;
}

function rootsOwn(path: string, content: string): ReleaseFile {
  return { path, content, owner: 0, mode: 0o400 };
}
