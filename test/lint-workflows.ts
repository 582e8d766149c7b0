/** Run by `npm run lint:workflows`: actionlint and zizmor over the workflows; both work offline once they are in the cache. */
import { spawnSync } from "node:child_process";
import { cacheDir } from "../cli/cache";
import { exitWith } from "../cli/exit";
import { say } from "../cli/say";
import { projectRoot } from "../sandbox/folder";
import { goBinary, wheelBinary } from "../sandbox/host/tools";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

// renovate: datasource=go depName=github.com/rhysd/actionlint
const actionlintVersion = "v1.7.12";
// renovate: datasource=pypi depName=zizmor
const zizmorVersion = "1.32.0";

async function main(): Promise<void> {
  mkdirSync(join(cacheDir, "bin"), { recursive: true });
  const args = { cacheDir, say };
  const actionlint = await goBinary(args, "github.com/rhysd/actionlint/cmd/actionlint", actionlintVersion);
  const zizmor = await wheelBinary(args, "zizmor", zizmorVersion, "zizmor");
  if (zizmor === undefined) throw new Error(`There is no wheel of zizmor ${zizmorVersion} for this machine.`);
  // Without it, actionlint leaves the scripts unread and says nothing.
  if (spawnSync("shellcheck", ["--version"]).status !== 0)
    throw new Error("This needs shellcheck: apt-get install shellcheck");
  const commands = [
    [actionlint, "-color"],
    [zizmor, "--offline", "--strict-collection", "--no-progress", ".github"],
  ] as const;
  for (const [command, ...rest] of commands) {
    const { status } = spawnSync(command, rest, { cwd: projectRoot, stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
  }
}

exitWith(main());
