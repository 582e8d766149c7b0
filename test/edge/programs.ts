import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enabledApps } from "../../components/apps/registry";
import { cacheDir } from "../../cli/cache";
import { bundleProgram } from "@cloudcode/offline-kit/stand-ins/bundle";
import { withLock } from "@cloudcode/offline-kit/toolchain/lock";
import { freePort, untilOpen } from "../support/rendered-caddy";
import { settingsOf } from "../support/settings";

export interface Program {
  readonly port: number;
  stop(): void;
}

/** The real OpenCode of the version that is deployed, from npm, with an empty home folder. */
export async function startOpencode(): Promise<Program> {
  const version = enabledApps(settingsOf())[0]?.release("example.com").values["version"];
  if (typeof version !== "string") throw new Error("OpenCode's release names no version");
  const folder = join(cacheDir, `opencode-${version}`);
  const command = join(folder, "node_modules/.bin/opencode");
  await withLock(
    `${folder}.lock`,
    () => undefined,
    () => {
      if (existsSync(command)) return Promise.resolve();
      mkdirSync(cacheDir, { recursive: true });
      const made = mkdtempSync(join(cacheDir, "opencode-"));
      const options = ["--ignore-scripts", "--no-audit", "--no-fund"];
      execFileSync("npm", ["install", "--prefix", made, ...options, `opencode-ai@${version}`], { stdio: "ignore" });
      // Run by name, since some npms ask before they run a package's script.
      execFileSync(process.execPath, ["postinstall.mjs"], {
        cwd: join(made, "node_modules/opencode-ai"),
        stdio: "ignore",
      });
      renameSync(made, folder);
      return Promise.resolve();
    },
  );
  const home = mkdtempSync(join(tmpdir(), "opencode-home-"));
  const port = await freePort();
  const env = { PATH: process.env["PATH"], HOME: home, OPENCODE_DISABLE_MODELS_FETCH: "1" };
  return started(
    port,
    spawn(command, ["serve", "--port", String(port)], { cwd: home, env, stdio: "ignore", detached: true }),
    home,
  );
}

/** The web terminal as the image starts it. */
export async function startTerminal(): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), "ttyd-"));
  const file = join(folder, "ttyd.cjs");
  await bundleProgram("ttyd", file);
  const port = await freePort();
  const args = ["--writable", "--port", String(port), "--base-path", "/terminal", "--check-origin", "/bin/sh"];
  return started(
    port,
    spawn(process.execPath, [file, ...args], { cwd: folder, stdio: "ignore", detached: true }),
    folder,
  );
}

async function started(port: number, child: ChildProcess, folder: string): Promise<Program> {
  await untilOpen(port);
  return {
    port,
    stop: () => {
      // With all that it started.
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}
