import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, listen } from "@cloudcode/offline-kit/toolchain/ports";
import { runProgram } from "./program";
import { arrivedFiles } from "./releases";
import { caddy, caddyHome } from "./tools";

/** What the API saw of a request; `registers` where CaseCheck's own API would make an account. */
export interface Arrived {
  readonly registers: boolean;
  readonly cookie: string | undefined;
  /** What it is told of the visitor: address and scheme. */
  readonly visitor: string;
}

export interface WebAnswer {
  readonly status: number;
  /** Undefined: the API was not asked. */
  readonly arrived: Arrived | undefined;
}

/**
 * Whether uvicorn and FastAPI lead this request target to the registration, or tell the browser to go there. As compared with
 * the pinned uvicorn 0.27.0 and fastapi 0.109.0: escapes are read once, and the `$` of Python's regular expressions lets a line
 * end follow.
 */
function registers(target: string): boolean {
  const [path = ""] = target.replace(/^http:\/\/[^/]*/, "").split(/[?#]/);
  return /^\/v1\/auth\/register\n?\/?$/.test(decodeURIComponent(path));
}

interface Logins {
  now: number;
  most: number;
}

/** A check with bcrypt at CaseCheck's cost. */
const loginMilliseconds = 100;

/** The real Caddy with the file of CaseCheck's web server, before an API that tells what reaches it. */
export class CasecheckWeb {
  private constructor(
    readonly port: number,
    /** Where the edge finds the description of the API, if a tunnel publishes CaseCheck. */
    readonly docsPort: number,
    private readonly caddy: ChildProcess,
    private readonly api: Server,
    private readonly folder: string,
    /** Logins that the API is asked for at once. */
    readonly logins: Readonly<Logins>,
  ) {}

  /**
   * @param ownApi `ADDRESS:PORT` of an API to ask in place of the one that tells what reaches it
   * @param pages folder of CaseCheck's pages in place of an empty one
   */
  static async open(
    settings: Readonly<Record<string, string>>,
    ownApi?: string,
    pages?: string,
  ): Promise<CasecheckWeb> {
    const files = await arrivedFiles(await runProgram(settings), "casecheck-release");
    const caddyfile = files.get("image/web/Caddyfile")?.content ?? "";
    const logins: Logins = { now: 0, most: 0 };
    const api = createServer(({ url = "", headers }, answer) => {
      const visitor = `${String(headers["x-forwarded-for"])} ${String(headers["x-forwarded-proto"])}`;
      const arrived: Arrived = { registers: registers(url), cookie: headers.cookie, visitor };
      const end = () => answer.end(JSON.stringify(arrived));
      if (!url.includes("/auth/login")) return end();
      logins.most = Math.max(logins.most, ++logins.now);
      setTimeout(() => {
        logins.now--;
        end();
      }, loginMilliseconds);
    });
    const [port, docsPort, loginPort, apiAddress] = [
      await freePort(),
      await freePort(),
      await freePort(),
      ownApi ?? `127.0.0.1:${await listen(api)}`,
    ];
    const folder = mkdtempSync(join(tmpdir(), "casecheck-web-"));
    mkdirSync(join(folder, "www"));
    writeFileSync(join(folder, "www", "index.html"), "<title>CaseCheck</title>");
    const file = join(folder, "Caddyfile");
    const moved = [
      ["\n:8080 {", `\n:${port} {\n\tbind 127.0.0.1`],
      ["\n:8082 {", `\n:${docsPort} {\n\tbind 127.0.0.1`],
      ["servers :8080", `servers 127.0.0.1:${port}`],
      ["servers :8082", `servers 127.0.0.1:${docsPort}`],
      [":8081", `:${loginPort}`],
      ["api:8000", apiAddress],
      ["/srv/www", pages ?? join(folder, "www")],
    ].reduce((text, [from = "", to = ""]) => text.replaceAll(from, to), caddyfile);
    writeFileSync(file, moved);
    const env = caddyHome(folder);
    const args = ["run", "--adapter", "caddyfile", "--config", file];
    const web = new CasecheckWeb(
      port,
      docsPort,
      spawn(await caddy(), args, { env, stdio: "ignore" }),
      api,
      folder,
      logins,
    );
    await web.#answers();
    return web;
  }

  send(
    target: string,
    headers: Readonly<Record<string, string>> = {},
    method = "POST",
    port = this.port,
  ): Promise<WebAnswer> {
    return new Promise((resolve, reject) => {
      // As visitors name it, never by its address.
      const all = { host: "cases.example.org", ...headers };
      const place = { host: "127.0.0.1", port, path: target, method, headers: all, agent: false };
      const sent = request(place, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        response.on("end", () => {
          const arrived = body.startsWith('{"registers"') ? (JSON.parse(body) as Arrived) : undefined;
          resolve({ status: response.statusCode ?? 0, arrived });
        });
      });
      sent.on("error", reject).end();
    });
  }

  close(): void {
    this.caddy.kill();
    this.api.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #answers(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if (await this.send("/health", {}, "GET").catch(() => undefined)) return;
      await sleep(100);
    }
    throw new Error("CaseCheck's web server did not answer within 10 s");
  }
}
