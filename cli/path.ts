import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Where a program of this name may be, in the order of `path`, which is as in PATH. */
export function placesOnPath(path: string, program: string): string[] {
  return path
    .split(delimiter)
    .filter((part) => part !== "")
    .map((folder) => join(folder, program));
}

/** True when a file can be run. */
export async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
