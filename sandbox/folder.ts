import { join, resolve } from "node:path";

export const projectRoot = resolve(__dirname, "..");

/** Where a sandbox keeps its state, keys, the stack's configuration and a cloud's disks. */
export const folderOf = (name: string) => join(projectRoot, ".sandbox", name);
