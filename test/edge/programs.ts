import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { enabledApps } from "../../components/apps/registry";
import { loginSecret } from "../../components/reverse-proxy/sites";
import { cacheDir } from "../../cli/cache";
import { bundleProgram } from "@cloudcode/offline-kit/stand-ins/bundle";
import { withLock } from "@cloudcode/offline-kit/toolchain/lock";
import { untilOpen } from "../support/rendered-caddy";
import { settingsOf } from "../support/settings";

export interface Program {
  readonly port: number;
  stop(): void;
}

/** OpenCode's server, and what its own clients need. */
export interface OpenCode extends Program {
  readonly command: string;
  /** The server's home folder. */
  readonly folder: string;
  /** As for `secrets.NAME` of the Caddyfile. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What the server itself answers to a GET. */
  read(path: string): Promise<string>;
  /** Of a machine without anything of it. */
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * The real OpenCode of the version that is deployed, from npm, with an empty home folder, the rendered configuration and a password.
 *
 * @param settings of the stack
 * @param keys contents of files below /run/secrets, by name
 * @param variables more of its environment
 * @param elsewhere what its configuration names otherwise here: text by the text that is deployed
 */
export async function startOpencode(
  settings: Readonly<Record<string, string>> = {},
  keys: Readonly<Record<string, string>> = {},
  variables: NodeJS.ProcessEnv = {},
  elsewhere: Readonly<Record<string, string>> = {},
): Promise<OpenCode> {
  const source = enabledApps(settingsOf(settings))[0]?.release("home.example.com");
  const { package: name, config, passwordFile } = source?.values ?? {};
  if (typeof name !== "string" || typeof passwordFile !== "string") throw new Error("this is not OpenCode's release");
  const command = await installed(name);
  const home = mkdtempSync(join(tmpdir(), "opencode-home-"));
  const secretsFolder = join(home, "secrets");
  mkdirSync(secretsFolder);
  for (const [file, text] of Object.entries(keys)) writeFileSync(join(secretsFolder, file), text);
  const configFile = join(home, "opencode.json");
  const places = Object.entries({ ...elsewhere, "/run/secrets": secretsFolder });
  writeFileSync(
    configFile,
    places.reduce((text, [from, to]) => text.replaceAll(from, to), JSON.stringify(config)),
  );
  const port = await freePort();
  const password = randomBytes(24).toString("hex");
  const environment = { PATH: process.env["PATH"], HOME: home, OPENCODE_DISABLE_MODELS_FETCH: "1" };
  const env = { ...environment, ...variables, OPENCODE_CONFIG: configFile, [basename(passwordFile)]: password };
  const args = ["serve", "--port", String(port)];
  const child = spawn(command, args, { cwd: home, env, stdio: "ignore", detached: true });
  const header = `Basic ${Buffer.from(`opencode:${password}`).toString("base64")}`;
  return {
    ...(await started(port, child, home)),
    command,
    environment,
    folder: home,
    secrets: { [loginSecret("opencode")]: header },
    read: async (path) =>
      (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: header } })).text(),
  };
}

/** @param name package and version */
async function installed(name: string): Promise<string> {
  const folder = join(cacheDir, name.replaceAll(/[@/]/g, "-").replace(/^opencode-ai-/, "opencode-"));
  const command = join(folder, "node_modules/.bin/opencode");
  await withLock(
    `${folder}.lock`,
    () => undefined,
    () => {
      if (existsSync(command)) return Promise.resolve();
      mkdirSync(cacheDir, { recursive: true });
      const made = mkdtempSync(join(cacheDir, "opencode-"));
      const options = ["--ignore-scripts", "--no-audit", "--no-fund"];
      execFileSync("npm", ["install", "--prefix", made, ...options, name], { stdio: "ignore" });
      // Run by name, since some npms ask before they run a package's script.
      execFileSync(process.execPath, ["postinstall.mjs"], {
        cwd: join(made, "node_modules/opencode-ai"),
        stdio: "ignore",
      });
      renameSync(made, folder);
      return Promise.resolve();
    },
  );
  return command;
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
