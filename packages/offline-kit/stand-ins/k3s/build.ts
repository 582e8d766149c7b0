import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../../../../cli/cache";
import type { Say } from "../../../../cli/run";
import { buildGo, requireGo } from "../../toolchain/go";
import { withLock } from "../../toolchain/lock";

const version = "1.34.2";

/** Builds the stand-in for k3s from its Go modules, once per state of its sources, and returns its path. */
export async function buildK3s(say: Say): Promise<string> {
  const sources = readdirSync(__dirname).filter((name) => /\.(go|mod|sum)$/.test(name));
  const hash = createHash("sha256");
  for (const name of sources) hash.update(name).update(readFileSync(join(__dirname, name)));
  const target = join(cacheDir, "bin", `k3s-stand-in-${hash.digest("hex").slice(0, 12)}`);
  const about = "k8s.io/component-base/version";
  const program = {
    name: "stand-in for k3s",
    module: __dirname,
    package: ".",
    // SQLite is written in C; the machine's C library need not be this one's.
    env: { CGO_ENABLED: "1", CGO_LDFLAGS: "-static", GOFLAGS: "-tags=netgo,osusergo,sqlite_omit_load_extension" },
    stamps: [`${about}.gitVersion=v${version}+k3s1`, `${about}.gitMajor=1`, `${about}.gitMinor=34`],
    instead: "leave out its tests",
  };
  const wait = () => {
    say("Waiting for another build of the stand-in for k3s");
  };
  await withLock(`${target}.lock`, wait, async () => {
    if (existsSync(target)) return;
    await requireGo(program);
    say("Building the stand-in for k3s, which is Kubernetes. Once only: some minutes.");
    await buildGo(program, target);
  });
  return target;
}
