import { pack } from "tar-stream";

/** One file of a tar archive. */
export interface TarFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
  /**
   * User and group id of the file and its folder.
   * @default 0
   */
  readonly owner?: number;
}

/** A tar archive of these files; the folder that holds a file is private to its owner if its name starts with a dot. */
export async function tarOf(files: readonly TarFile[]): Promise<Buffer> {
  const archive = pack();
  for (const { path, mode, text, owner = 0 } of files) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    const ids = { uid: owner, gid: owner };
    if (folder.includes("/.")) archive.entry({ name: folder, type: "directory", mode: 0o700, ...ids });
    archive.entry({ name: path, mode, ...ids }, text);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
