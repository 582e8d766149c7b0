import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withLock } from "@cloudcode/offline-kit/toolchain/lock";
import { cacheDir } from "../../cli/cache";
import { say } from "../../cli/say";
import { goBinary } from "../../sandbox/host/tools";
import { projectRoot } from "./project-root";

// renovate: datasource=go depName=github.com/caddyserver/xcaddy
const xcaddyVersion = "v0.4.5";

const standIn = join(projectRoot, "packages/offline-kit/stand-ins/caddy-dns");

/**
 * The real Caddy, built by the real xcaddy with the words of a rendered Dockerfile, where the module is the stand-in for all of them:
 * the registry of this machine may not have the real ones.
 */
export async function caddyWithDns(dockerfile: string): Promise<string> {
  const words = /^RUN (xcaddy build \S+ --with \S+) --output (\S+)/m.exec(dockerfile);
  if (words === null) throw new Error(`the Dockerfile runs no xcaddy: ${dockerfile}`);
  const [, build = ""] = words;
  const sources = readdirSync(standIn).map((name) => readFileSync(join(standIn, name), "utf8"));
  const digest = createHash("sha256")
    .update(JSON.stringify([build, xcaddyVersion, sources]))
    .digest("hex");
  const file = join(cacheDir, "bin", `caddy-dns-${digest.slice(0, 12)}`);
  const waiting = () => {
    say("waiting for another test file that builds Caddy with a module");
  };
  await withLock(`${file}.lock`, waiting, async () => {
    if (existsSync(file)) return;
    const xcaddy = await goBinary({ cacheDir, say }, "github.com/caddyserver/xcaddy/cmd/xcaddy", xcaddyVersion);
    say("building Caddy with a module, once");
    const folder = mkdtempSync(join(tmpdir(), "xcaddy-"));
    const script = `${build.replace("xcaddy", '"$0"')}="$1" --output "$2"`;
    try {
      const output = join(folder, "caddy");
      execFileSync("sh", ["-c", script, xcaddy, standIn, output], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
      renameSync(output, file);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  return file;
}
