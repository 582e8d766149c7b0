import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { type Plain, textOf } from "./plain";
import type { ProgramRun } from "./program";

/** One file as it arrives on the host. */
export interface ArrivedFile {
  /** Path on the host, below the stack's folder. */
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  readonly uid: number;
}

/** The stacks that carry a release, by the name of the command that brings it. */
export type ReleaseName = `${string}-release` | `${string}-upkeep` | "docker-install";

/** What a remote command gets on its standard input; the standard input of the hook has it next to the connection. */
export function inputOf(run: Pick<ProgramRun, "resource">, name: ReleaseName): string {
  const { payload } = JSON.parse(textOf(run.resource(name).inputs["stdin"])) as { payload: Plain };
  return textOf(payload);
}

/** The tar in the payload of a release. */
export function tarOf(payload: string): Buffer {
  return gunzipSync(Buffer.from(payload, "base64"));
}

/** The tar that a remote command sends. */
export function archiveOf(run: Pick<ProgramRun, "resource">, name: ReleaseName): Buffer {
  return tarOf(inputOf(run, name));
}

/** The files a remote command sends, by their path in the template: without the folder named by a digest. */
export async function arrivedFiles(run: ProgramRun, name: ReleaseName): Promise<ReadonlyMap<string, ArrivedFile>> {
  return new Map((await archived(archiveOf(run, name))).map((file) => [templatePath(file.path), file]));
}

/** The entries of a tar, in their order. */
export async function archived(tar: Buffer): Promise<ArrivedFile[]> {
  const files: ArrivedFile[] = [];
  const entries = extract();
  entries.end(tar);
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(Buffer.from(chunk as Uint8Array));
    const { name: path, mode, uid } = entry.header;
    files.push({ path, content: Buffer.concat(chunks).toString(), mode, uid });
  }
  return files;
}

const templatePath = (path: string) => path.replace(/^files\/[0-9a-f]{16}\//, "").replace(/^release\//, "");

/** A release unpacked by the real tar, laid out as cloudcode-host does it, without what needs root. */
export interface UnpackedStack {
  readonly folder: string;
  readonly composeFile: string;
  /** Text of a file by its path below the release folder. */
  readonly text: (path: string) => string;
  readonly remove: () => void;
}

export function unpack(run: ProgramRun, name: ReleaseName): UnpackedStack {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  execFileSync("tar", ["-x", "--no-same-owner", "-C", folder], { input: archiveOf(run, name) });
  mkdirSync(join(folder, "releases"));
  const release = join(folder, "releases", "this");
  renameSync(join(folder, "release"), release);
  return {
    folder,
    composeFile: join(release, "compose.yaml"),
    text: (path) => readFileSync(join(release, path), "utf8"),
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
