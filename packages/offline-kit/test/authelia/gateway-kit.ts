// Starts the bundled gateway the way its container does: a folder with configuration, users and secrets, and a Redis next to it.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess, SpawnSyncReturns } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { bundleGateway } from "../../stand-ins/authelia/bundle";
import { createHasher, runArgon2 } from "../../stand-ins/authelia/users/hash";
import type { Folder } from "./gateway-cases";
import { domain, goodConfig } from "./gateway-cases";

export const password = 'S3cret "pass" $ö';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
export interface Running {
  readonly output: () => string;
  stop(): Promise<void>;
}

let bundle: Promise<string> | undefined;

export function bundled(): Promise<string> {
  bundle ??= (async () => {
    const file = join(mkdtempSync(join(tmpdir(), "gateway-bundle-")), "authelia.cjs");
    await bundleGateway(file);
    return file;
  })();
  return bundle;
}

export async function passwordHash(text: string): Promise<string> {
  const params = {
    variant: "argon2id",
    iterations: 1,
    memory: 8192,
    parallelism: 1,
    key_length: 32,
    salt_length: 16,
  } as const;
  return createHasher(runArgon2).hash(text, params);
}

/** admin (admins, people), bob, and gone, who is disabled: all with the same password. */
export async function usersFile(): Promise<string> {
  const hash = await passwordHash(password);
  const user = (name: string, display: string, groups: string, extra = ""): string =>
    `  ${name}:\n    displayname: ${display}\n    password: "${hash}"\n    email: ${name}@example.com\n    groups: [${groups}]\n${extra}`;
  return `users:\n${user("admin", "Ädmin", "admins, people")}${user("bob", "Bob", "")}${user("gone", "Gone", "", "    disabled: true\n")}`;
}

export async function gatewayFolder(redisPort?: number): Promise<Folder & { remove(): void }> {
  const path = mkdtempSync(join(tmpdir(), "gateway-"));
  const folder = { path, port: await freePort(), ...(redisPort === undefined ? {} : { redisPort }) };
  writeFileSync(join(path, "configuration.yml"), goodConfig(folder));
  writeFileSync(join(path, "users.yml"), await usersFile());
  writeFileSync(join(path, "session"), "session-secret-session-secret\n");
  writeFileSync(join(path, "storage"), "encryption-key-encryption-key\n");
  return {
    ...folder,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

function environment({ path }: Folder): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    X_AUTHELIA_CONFIG: join(path, "configuration.yml"),
    AUTHELIA_SESSION_SECRET_FILE: join(path, "session"),
    AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE: join(path, "storage"),
  };
}

export async function authelia(folder: Folder, ...words: readonly string[]): Promise<SpawnSyncReturns<string>> {
  return spawnSync(process.execPath, [await bundled(), ...words], { env: environment(folder), encoding: "utf8" });
}

export async function startGateway(folder: Folder): Promise<Running> {
  const child = spawn(process.execPath, [await bundled()], {
    env: environment(folder),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const running = watched(child);
  await untilOpen(folder.port, child, running.output);
  return running;
}

export async function startRedis(port: number): Promise<Running> {
  const binary = ["/usr/bin/redis-server", "/usr/bin/valkey-server", "/usr/local/bin/redis-server"].find(existsSync);
  if (binary === undefined) throw new Error("these tests need a Redis server: apt-get install redis-server");
  const child = spawn(binary, ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], {
    cwd: tmpdir(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const running = watched(child);
  await untilOpen(port, child, running.output);
  return running;
}

function watched(child: ChildProcess): Running {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return {
    output: () => text,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

async function untilOpen(port: number, child: ChildProcess, output: () => string): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
    if (child.exitCode !== null) throw new Error(`it ended instead of listening:\n${output()}`);
    const socket = connect(port, "127.0.0.1");
    const open = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing listens on ${port}:\n${output()}`);
}

/** A person's requests: remembers the cookie as a browser would. */
export class Visitor {
  cookie = "";

  constructor(
    readonly port: number,
    readonly ip = "192.0.2.7",
  ) {}

  async api(method: string, path: string, body?: unknown): Promise<Reply> {
    return this.send(method, path, { "x-forwarded-host": `auth.${domain}`, "content-type": "application/json" }, body);
  }

  async forwardAuth(
    host: string,
    uri = "/",
    headers: Readonly<Record<string, string>> = { accept: "text/html" },
    method = "GET",
  ): Promise<Reply> {
    const target = { "x-forwarded-method": method, "x-forwarded-host": host, "x-forwarded-uri": uri };
    return this.send("GET", "/api/authz/forward-auth", { ...target, ...headers });
  }

  async signIn(username: string, secret = password): Promise<Reply> {
    return this.api("POST", "/api/firstfactor", { username, password: secret });
  }

  private async send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: unknown,
  ): Promise<Reply> {
    const text = body === undefined ? "" : JSON.stringify(body);
    const cookie = this.cookie === "" ? {} : { cookie: this.cookie };
    const all = {
      "x-forwarded-proto": "https",
      "x-forwarded-for": this.ip,
      "content-length": Buffer.byteLength(text),
      ...cookie,
      ...headers,
    };
    const reply = await new Promise<Reply>((resolve, reject) => {
      const call = request({ host: "127.0.0.1", port: this.port, method, path, headers: all }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() });
        });
      });
      call.on("error", reject);
      call.end(text);
    });
    const written = reply.headers["set-cookie"]?.[0]?.split(";")[0];
    if (written !== undefined) this.cookie = written;
    return reply;
  }
}

export function data(reply: Reply): Readonly<Record<string, unknown>> {
  return (JSON.parse(reply.body) as { data: Record<string, unknown> }).data;
}

/** The code between the two rules of dashes, as `cloudcode` users find it. */
export function oneTimeCode({ path }: Folder): string {
  const text = readFileSync(join(path, "notification.txt"), "utf8");
  const code = /^-{40}\n\n([A-Z0-9]{8})\n\n-{40}$/m.exec(text)?.[1];
  if (code === undefined) throw new Error(`no one-time code in:\n${text}`);
  return code;
}

/** Proves the visitor's identity with the one-time code, as the settings page asks. */
export async function elevate(visitor: Visitor, folder: Folder): Promise<void> {
  const asked = await visitor.api("POST", "/api/user/session/elevation", {});
  const proved = await visitor.api("PUT", "/api/user/session/elevation", { otc: oneTimeCode(folder).toLowerCase() });
  if (asked.status !== 200 || proved.status !== 200) throw new Error(`not elevated: ${asked.body} ${proved.body}`);
}
