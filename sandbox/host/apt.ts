import { existsSync } from "node:fs";
import { run } from "../../cli/run";
import type { Say } from "../../cli/run";
import { installedPackages, notePackages } from "./machine-changes";

let indexIsFresh = false;

/** Whether this process may install packages on the machine it runs on: root on Debian, Ubuntu or a relative. */
export function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
}

/** Installs packages on the outer machine; waits for another apt instead of failing on its lock. */
export async function aptInstall(packages: readonly string[], say: Say): Promise<void> {
  say(`Installing ${packages.join(", ")} on this machine`);
  const apt = (args: readonly string[]) =>
    run("apt-get", ["-o", "DPkg::Lock::Timeout=300", "-qq", ...args], { env: { DEBIAN_FRONTEND: "noninteractive" } });
  if (!indexIsFresh) await apt(["update"]);
  indexIsFresh = true;
  const before = await installedPackages();
  await apt(["install", "-y", "--no-install-recommends", ...packages]);
  await notePackages(before);
}
