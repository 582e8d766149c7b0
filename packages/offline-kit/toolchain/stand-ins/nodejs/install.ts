import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PackageManager } from "./options";

const LOCK_FILES = [
  ["yarn.lock", "yarn"],
  ["pnpm-lock.yaml", "pnpm"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
] as const;

/** The package manager to use: the configured one, or the one whose lock file lies nearest. */
export function packageManager(option: PackageManager, folder: string): Exclude<PackageManager, "auto"> {
  if (option !== "auto") return option;
  for (let here = folder; ; here = dirname(here)) {
    const found = LOCK_FILES.find(([file]) => existsSync(join(here, file)));
    if (found) return found[1];
    if (existsSync(join(here, "package-lock.json")) || dirname(here) === here) return "npm";
  }
}

/** Installs a program's dependencies. */
export async function install(
  manager: Exclude<PackageManager, "auto">,
  folder: string,
  write: (data: Buffer, channel: "stdout" | "stderr") => void,
): Promise<void> {
  const args = manager === "npm" ? ["install", "--loglevel=error"] : ["install"];
  const child = spawn(manager, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.on("data", (data: Buffer) => {
    write(data, "stdout");
  });
  child.stderr.on("data", (data: Buffer) => {
    write(data, "stderr");
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new Error(`'${manager} ${args.join(" ")}' failed with exit status ${code ?? "unknown"}`);
}
