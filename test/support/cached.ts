import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "@cloudcode/offline-kit/toolchain/lock";
import { cacheDir } from "../../cli/cache";

/** A folder of the cache that is made once on a machine, whole or not at all. @param make fills an empty folder, which is then moved there */
export async function keptFolder(name: string, make: (folder: string) => void): Promise<string> {
  const folder = join(cacheDir, name);
  await withLock(
    `${folder}.lock`,
    () => undefined,
    () => {
      if (existsSync(folder)) return Promise.resolve();
      mkdirSync(cacheDir, { recursive: true });
      const made = mkdtempSync(`${folder}-`);
      make(made);
      renameSync(made, folder);
      return Promise.resolve();
    },
  );
  return folder;
}

/** Packages of PyPI in a folder, by the hashes of a requirements file, and no others. */
export function pipInstall(requirements: string, target: string): void {
  const words = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--quiet", "--target", target];
  execFileSync("python3", ["-m", "pip", "install", ...words, "-r", requirements], { stdio: "inherit" });
}

/** A folder of the cache with the packages of a requirements file, which is given as text. @param name begins the folder's name */
export function keptPackages(name: string, requirements: string): Promise<string> {
  const digest = createHash("sha256").update(requirements).digest("hex").slice(0, 12);
  return keptFolder(`${name}-${digest}`, (made) => {
    const file = join(made, "requirements.txt");
    writeFileSync(file, requirements);
    pipInstall(file, made);
  });
}
