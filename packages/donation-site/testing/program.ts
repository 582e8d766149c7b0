// The site's program as its image has it, in a process of its own that dies after a step.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { stringify } from "yaml";
import type { Config } from "../src/config";

const root = join(__dirname, "..");

/** A folder with the program, built by the package's own script, and with what counts its steps. */
export function buildProgram(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "donation-program-"));
  execFileSync("npm", ["run", "build", "--silent", "--", `--outfile=${join(folder, "main.js")}`, "--log-level=error"], {
    cwd: root,
  });
  buildSync({
    entryPoints: [join(__dirname, "steps.ts")],
    outfile: join(folder, "steps.cjs"),
    bundle: true,
    platform: "node",
    packages: "external",
  });
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  symlinkSync(join(root, "../../node_modules"), join(folder, "node_modules"));
  return {
    folder,
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}

export interface Life {
  /** It dies after that many steps. @default it lives on */
  readonly last?: number | undefined;
  /** How many milliseconds its clock is ahead. */
  readonly ahead?: number;
}

/** One site with its data, which lives again and again. */
export class Site {
  readonly #folder: string;
  readonly #data = mkdtempSync(join(tmpdir(), "donation-site-"));
  readonly #environment: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  #ended: Promise<string> = Promise.resolve("not started");
  #lives = 0;
  /** Where it answers now. */
  url = "";
  /** Everything that all its lives have written. */
  log = "";

  constructor(folder: string, config: Config) {
    this.#folder = folder;
    this.#environment = environmentOf(config);
  }

  get #stepsFile(): string {
    return join(this.#data, `steps-${this.#lives}`);
  }

  /** The steps of the present life, or of the last one. */
  get steps(): string[] {
    if (!existsSync(this.#stepsFile)) return [];
    return readFileSync(this.#stepsFile, "utf8").split("\n").slice(0, -1);
  }

  /** Until it answers and has looked once at what is not final. @throws Died */
  async start({ last, ahead = 0 }: Life = {}): Promise<void> {
    this.#lives += 1;
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    const child = spawn(process.execPath, ["--require", "./steps.cjs", "main.js"], {
      cwd: this.#folder,
      env: {
        PATH: process.env["PATH"],
        ...this.#environment,
        DONATION_DATABASE: join(this.#data, "donation.db"),
        STEPS_FILE: this.#stepsFile,
        STEPS_PORT: String(port),
        STEPS_AHEAD: String(ahead),
        ...(last !== undefined && { STEPS_LAST: String(last) }),
      },
    });
    const write = (text: Buffer) => (this.log += text.toString());
    child.stdout.on("data", write);
    child.stderr.on("data", write);
    this.#ended = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.#process = undefined;
        resolve(signal ?? String(code));
      });
    });
    this.#process = child;
    for (;;) {
      const counted = this.steps.some((step) => step.includes("usage-queue"));
      if (counted && (await this.ask("/healthz")).status === 200) return;
      if (!(await this.#alive())) throw new Died(await this.#ended);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #alive(): Promise<boolean> {
    if (this.#process === undefined) return false;
    return Promise.race([this.#ended.then(() => false), new Promise<true>((resolve) => setImmediate(resolve, true))]);
  }

  /** @throws Died where it dies meanwhile, Error where nothing comes within a minute: after its death its port may be another's */
  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    try {
      const signal = AbortSignal.timeout(60_000);
      const answer = await fetch(this.url + path, { ...init, signal, redirect: "manual" });
      return new Response(await answer.text(), { status: answer.status, headers: answer.headers });
    } catch (error) {
      const how = await Promise.race([this.#ended, new Promise<undefined>((resolve) => setTimeout(resolve, 500))]);
      if (how !== undefined) throw new Died(how);
      if (path === "/healthz") return new Response("", { status: 503 });
      throw error;
    }
  }

  /** @returns how it ended */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<string> {
    this.#process?.kill(signal);
    return this.#ended;
  }

  remove(): void {
    this.#process?.kill("SIGKILL");
    rmSync(this.#data, { recursive: true });
  }
}

/** The site is dead. */
export class Died extends Error {
  override readonly name = "Died";
}

function environmentOf({ oauth, adminIds, quotaAmount, contact, modelProxy, newApi }: Config): Record<string, string> {
  const file = {
    "linux-do-connect": {
      "client-id": oauth.clientId,
      "client-secret": oauth.clientSecret,
      "redirect-uri": oauth.redirectUri,
      "auth-url": oauth.authUrl,
      "token-url": oauth.tokenUrl,
      "userinfo-url": oauth.userUrl,
    },
    "admin-linux-do-ids": adminIds,
    donation: { "quota-amount": quotaAmount, contact },
    "model-proxy": { url: modelProxy.url, "management-key": modelProxy.managementKey },
  };
  return {
    DONATION_CONFIG: stringify(file),
    NEW_API_BASE_URL: newApi.baseUrl,
    NEW_API_ADMIN_TOKEN: newApi.adminToken,
    ...(newApi.adminUser !== undefined && { NEW_API_ADMIN_USER: newApi.adminUser }),
  };
}
