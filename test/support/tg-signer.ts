import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { keptPackages } from "./cached";
import { projectRoot } from "./project-root";

const image = join(projectRoot, "stack-templates/tg-signer/image");
/** The original and pyaes, if they are there, or the stand-in: folders for Python, with colons between. */
const source =
  process.env["TG_SIGNER_SOURCES"] ?? join(projectRoot, "packages/offline-kit/stand-ins/sources/tg-signer");

/** Libraries of the image, by its hashes; those that PyPI has as sources alone are for Telegram, which no test reaches. */
function libraries(): Promise<string> {
  const all = readFileSync(join(image, "requirements.txt"), "utf8");
  return keptPackages("tg-signer", all.replace(/^pyaes==(.*\\\n)+.*\n/m, ""));
}

/** A WebDAV server with one account, which can be away, forget its ETags, or lose its answer to an upload. */
export class WebDav {
  readonly files = new Map<string, Buffer>();
  etags = true;
  losesAnswer = false;
  port = 0;
  private server: Server | undefined;

  async open(): Promise<void> {
    const server = createServer((request, response) => void this.answer(request, response));
    await once(server.listen(this.port, "127.0.0.1"), "listening");
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await once(server.close(), "close");
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = "", headers } = request;
    const body = await buffer(request);
    const known = this.files.get(url);
    const say = (status: number, content?: Buffer) => {
      if (known && this.etags) response.setHeader("ETag", `"${createHash("md5").update(known).digest("hex")}"`);
      response.writeHead(status).end(content);
    };
    if (headers.authorization !== `Basic ${Buffer.from("jo:dav secret").toString("base64")}`) say(401);
    else if (method === "MKCOL") say(201);
    else if (method === "PUT") {
      this.files.set(url, body);
      if (this.losesAnswer) request.socket.destroy();
      else response.writeHead(known ? 204 : 201).end();
    } else if (!known) say(404);
    else if (method === "DELETE") {
      this.files.delete(url);
      say(204);
    } else say(200, method === "GET" ? known : undefined);
  }
}

/** What runs in the image, in a folder of this machine; TG Signer's own code is the stand-in. */
export class TgSigner {
  readonly data = mkdtempSync(join(tmpdir(), "tg-data-"));
  output = "";
  private child: ChildProcess | undefined;
  private port = 0;
  private cookie = "";

  constructor(private readonly environment: Readonly<Record<string, string>>) {
    for (const name of ["sessions", "workdir"]) mkdirSync(join(this.data, name));
  }

  async start(): Promise<void> {
    this.port = await freePort();
    const script = [
      "import os, pathlib, uvicorn",
      // It is made for a container.
      "os.getuid, os.path.ismount, run = lambda: 1000, lambda _: True, uvicorn.run",
      `uvicorn.run = lambda app, **words: run(app, **{**words, 'host': '127.0.0.1', 'port': ${this.port}})`,
      `import backup; backup.NOTICE = pathlib.Path('${this.notice}')`,
      "import launch; launch.serve()",
    ].join("\n");
    const child = spawn("python3", ["-c", script], { env: await this.variables(), stdio: "pipe" });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    this.child = child;
    const end = Date.now() + 60_000;
    while ((await this.get("/healthz").catch(() => undefined))?.status !== 200) {
      if (child.exitCode !== null || Date.now() > end) throw new Error(`TG Signer does not answer: ${this.output}`);
      await sleep(100);
    }
  }

  /** @returns seconds until it had ended */
  async stop(): Promise<number> {
    const { child } = this;
    const begun = Date.now();
    this.child = undefined;
    if (child?.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    return (Date.now() - begun) / 1000;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.data, { recursive: true });
    rmSync(this.notice, { force: true });
  }

  get(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, { headers: { cookie: this.cookie }, redirect: "manual" });
  }

  /** Signs in, and sends a form. */
  async post(path: string, fields: Readonly<Record<string, string>> = {}): Promise<Response> {
    const login = await this.get("/login");
    const keep = (answer: Response) => (this.cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? this.cookie);
    const csrf = /name="csrf_token" value="([^"]+)"/.exec(await login.text())?.[1] ?? "";
    keep(login);
    const send = (to: string, fields: Readonly<Record<string, string>>) =>
      fetch(`http://127.0.0.1:${this.port}${to}`, {
        method: "POST",
        redirect: "manual",
        headers: { cookie: this.cookie },
        body: new URLSearchParams({ csrf_token: csrf, ...fields }),
      });
    keep(await send("/login", { username: "admin", password: this.environment["TG_SIGNER_WEB_ADMIN_PASSWORD"] ?? "" }));
    return send(path, fields);
  }

  /** User, password, host and port that TG Signer reads of a proxy's address, which it splits itself and decodes nothing of. */
  async proxy(address: string): Promise<unknown> {
    const script =
      "import json, sys, launch; from urllib.parse import urlparse; r = urlparse(launch.with_decoded_login(sys.argv[1]));" +
      "print(json.dumps([r.username, r.password, r.hostname, r.port]))";
    return JSON.parse(
      execFileSync("python3", ["-c", script, address], { encoding: "utf8", env: await this.variables() }),
    );
  }

  /** What the image's health check prints. @param waits seconds that a failure may last unsaid */
  async health(waits = 900): Promise<string> {
    const script = [
      "import pathlib, runpy, urllib.request, backup",
      `backup.NOTICE, backup.PATIENCE = pathlib.Path('${this.notice}'), ${waits}`,
      "ask = urllib.request.urlopen",
      `urllib.request.urlopen = lambda url, **words: ask(url.replace('8000', '${this.port}'), **words)`,
      `runpy.run_path('${join(image, "health.py")}')`,
    ].join("\n");
    return execFileSync("python3", ["-c", script], { encoding: "utf8", env: await this.variables() }).trim();
  }

  private get notice(): string {
    return `${this.data}.notice`;
  }

  private async variables(): Promise<Record<string, string>> {
    return {
      PATH: process.env["PATH"] ?? "",
      PYTHONPATH: [image, await libraries(), source].join(":"),
      PYTHONDONTWRITEBYTECODE: "1",
      HOME: tmpdir(),
      TG_SIGNER_DATA_DIR: this.data,
      ...this.environment,
    };
  }
}
