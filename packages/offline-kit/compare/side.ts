import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { hashPassword } from "../../../components/auth-gateway/password-hash";
import { gatewayFiles } from "./gateway-files";

export const domain = "home.example.com";
export const username = "admin";
export const password = "correct horse battery";
/** Who reaches the host `notes` alone. */
export const person = "mia";
const salt = Buffer.alloc(16, 7).toString("base64");

export interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the visitor is. @default 192.0.2.7 */
  readonly from?: string;
}

/** What of an answer is the same on both sides if they behave alike. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly location?: string;
  readonly user?: string;
  readonly body: unknown;
}

/** A gateway with the configuration that the program renders, in a folder and at a port of its own. */
export class Side {
  private readonly folder = mkdtempSync(join(tmpdir(), "compare-"));
  private child: ChildProcess | undefined;
  private log = "";
  private cookie = "";
  private users = "";

  private constructor(
    private readonly command: readonly [string, ...string[]],
    readonly port: number,
  ) {}

  static async open(command: readonly [string, ...string[]]): Promise<Side> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const side = new Side(command, port);
    await side.write();
    return side;
  }

  /** The release's own files, but for paths and port; sessions in memory, and a short patience with idle connections. */
  private async write(): Promise<void> {
    const files = gatewayFiles({
      folder: this.folder,
      port: this.port,
      domain,
      username,
      hash: await hashPassword(password, salt),
      hosts: {
        code: { policy: "two_factor" },
        notes: {
          policy: "two_factor",
          paths: [{ path: "/public/closed/*" }, { path: "/public/*", policy: "bypass" }],
        },
      },
      people: [{ name: person, mail: `${person}@example.com`, apps: ["notes"] }],
    });
    files.configuration.server.timeouts = { read: "1s", idle: "1s" };
    delete files.configuration.session.redis;
    writeFileSync(join(this.folder, "configuration.yml"), stringify(files.configuration));
    this.users = files.users;
    writeFileSync(join(this.folder, "users.yml"), files.users);
    for (const [name, text] of Object.entries(files.secrets)) writeFileSync(join(this.folder, name), text);
  }

  private get env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env["PATH"],
      TZ: "UTC",
      GOMEMLIMIT: "180MiB",
      X_AUTHELIA_CONFIG: join(this.folder, "configuration.yml"),
      AUTHELIA_SESSION_SECRET_FILE: join(this.folder, "session"),
      AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE: join(this.folder, "encryption-key"),
      AUTHELIA_IDENTITY_VALIDATION_RESET_PASSWORD_JWT_SECRET_FILE: join(this.folder, "reset"),
    };
  }

  async start(): Promise<void> {
    const [program, ...args] = this.command;
    this.child = spawn(program, args, { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on("data", (chunk: Buffer) => (this.log += chunk.toString()));
    const deadline = Date.now() + 30_000;
    while ((await this.ask("/api/health").catch(() => undefined))?.status !== 200) {
      if (this.child.exitCode !== null || Date.now() > deadline) throw new Error(`it does not start:\n${this.log}`);
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    if (this.child?.exitCode !== null) return;
    this.child.kill("SIGTERM");
    await once(this.child, "exit");
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** One request as the proxy hands it on, with the cookies of those before. */
  async ask(path: string, { method = "GET", body, headers = {}, from = "192.0.2.7" }: Ask = {}): Promise<Answer> {
    const text = body === undefined ? "" : JSON.stringify(body);
    const all = {
      "x-forwarded-proto": "https",
      "x-forwarded-host": `auth.${domain}`,
      "x-forwarded-for": from,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      ...(this.cookie !== "" && { cookie: this.cookie }),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        { host: "127.0.0.1", port: this.port, path, method, headers: all, agent: false },
        (answer) => {
          let content = "";
          answer.setEncoding("utf8").on("data", (chunk: string) => (content += chunk));
          answer.on("end", () => {
            const [cookie] = answer.headers["set-cookie"] ?? [];
            if (cookie !== undefined) this.cookie = cookie.split(";")[0] ?? "";
            const { location, "remote-user": user } = answer.headers;
            const type = (answer.headers["content-type"] ?? "").split(";")[0] ?? "";
            resolve({
              status: answer.statusCode ?? 0,
              type,
              ...(location !== undefined && { location }),
              ...(user !== undefined && { user: String(user) }),
              body: type === "application/json" ? (JSON.parse(content) as unknown) : content.slice(0, 80),
            });
          });
        },
      );
      sent.on("error", reject).end(text);
    });
  }

  /** Takes the person out of the users file, or puts them back, and waits until that is read. */
  async people(are: "there" | "gone"): Promise<void> {
    const text =
      are === "there" ? this.users : this.users.replace(new RegExp(`^  "${person}":\\n(    .*\\n)*`, "m"), "");
    // Within half a second of a reload the real one takes no other.
    await sleep(1000);
    writeFileSync(join(this.folder, "users.yml"), text);
    await sleep(1500);
  }

  forgetCookies(): void {
    this.cookie = "";
  }

  /** One command of its command line: what it prints, and whether a page of usage follows its error. */
  run(...words: readonly string[]) {
    const [program, ...args] = this.command;
    const { status, stdout, stderr } = spawnSync(program, [...args, ...words], { env: this.env, encoding: "utf8" });
    const [fault = ""] = stderr.split("\n");
    return { status, stdout: steady(stdout), fault: steady(fault), usage: /^Usage:$/m.test(stderr) };
  }

  /** Most memory that the server had so far, in MiB. */
  peakMemory(): number {
    const status = readFileSync(`/proc/${this.child?.pid ?? 0}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
  }

  /** How many errors its log has. */
  errors(): number {
    return this.log.split("\n").filter((line) => line.includes("level=error")).length;
  }
}

/** Without what no two runs have in common. */
function steady(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "TIME")
    .replace(/secret=[A-Z2-7]+/g, "secret=SECRET")
    .trimEnd();
}
