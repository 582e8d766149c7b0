// Stand-in for the server of OpenCode 2.1 (`opencode serve` of npm's @opencode/cli), which could not be had: it knows who may enter, its
// health, its events and the way to a terminal, and no model. Each fact names where it was read on 2026-11-28, below packages/ of
// https://github.com/anomalyco/opencode, or in opencode-python-sdk 0.2.3 (PyPI), which is made from the contract of 2.1.2.
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";

/** The one user; OPENCODE_SERVER_USERNAME of the first major is gone (cli/src/env.ts). */
const user = "opencode";
/** How long a ticket of a terminal is good, in seconds, and once only (handlers/pty.ts). */
const ticketSeconds = 60;

/** `page`: everything answers the page, as a server whose API is not there. The others are those of /api/info. */
export type State = "booting" | "ready" | "failed" | "page";

export interface OpenCodeOptions {
  /** OPENCODE_PASSWORD. There is no way to switch it off: a server without one does not start (server-process.ts). */
  readonly password: string;
  /** Time between two comments of the stream of events, in milliseconds. @default 15000 (handlers/event.ts) */
  readonly heartbeat?: number;
}

/** What arrived, but for the body. */
export type Arrival = Pick<IncomingMessage, "method" | "url" | "headers">;

export class OpenCodeServer {
  state: State = "ready";
  readonly arrivals: Arrival[] = [];
  readonly server: Server;
  readonly #tickets = new Map<string, number>();
  readonly #sockets = new WebSocketServer({ noServer: true });

  constructor(private readonly options: OpenCodeOptions) {
    if (options.password === "") throw new Error("Missing server password");
    this.server = createServer((request, response) => {
      this.#note(request);
      this.#answer(request, response);
    });
    this.server.on("upgrade", (request, socket, head) => {
      this.#note(request);
      this.#upgrade(request, socket, head);
    });
  }

  /** A token that passes as the password does for 30 days: its end and an HMAC of that, by a key from the password (handlers/server.ts). */
  sessionToken(expiry = Math.floor(Date.now() / 1000) + 30 * 86_400): string {
    return `${expiry}.${createHmac("sha256", this.options.password).update(String(expiry)).digest("base64url")}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  #note({ method, url, headers }: IncomingMessage): void {
    this.arrivals.push({ method, url, headers });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = urlOf(request);
    // Only these are the API; every other path is the page, with 200 and without a password (app-assets.ts).
    const api = /^\/(api(\/|$)|auth\/|openapi\.json$)/.test(pathname);
    if (!api || this.state === "page")
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>\n<title>OpenCode</title>\n");
    else if (!this.#mayEnter(request)) this.#refuse(request, response);
    else this.#call(request, response, pathname);
  }

  #call(request: IncomingMessage, response: ServerResponse, path: string): void {
    const [, pty = ""] = /^\/api\/pty\/(\w+)\/connect-token$/.exec(path) ?? [];
    if (request.method === "GET" && path === "/api/info") this.#info(response);
    else if (request.method === "GET" && path === "/api/event") this.#events(response);
    else if (request.method === "POST" && path === "/api/experimental/fs/write") countBody(request, response);
    else if (request.method === "POST" && pty !== "") this.#giveTicket(request, response, pty);
    else json(response, 404, { error: "not found" });
  }

  /** 200 once it is ready, 503 with Retry-After while it starts or stops, 500 when it failed (sdk, `server.info`). */
  #info(response: ServerResponse): void {
    const { state } = this;
    if (state === "booting") response.setHeader("retry-after", "1");
    const body = { version: "2.1.3", pid: process.pid, urls: [], paths: {} };
    if (state === "ready") json(response, 200, body);
    else json(response, state === "booting" ? 503 : 500, { error: state });
  }

  /** Frames of events, and a comment every now and then, so that a proxy keeps the connection (handlers/event.ts). */
  #events(response: ServerResponse): void {
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    });
    const event = { id: "evt_1", created: Date.now(), type: "server.connected", data: {} };
    response.write(`data: ${JSON.stringify(event)}\n\n`);
    const beats = setInterval(() => response.write(": heartbeat\n\n"), this.options.heartbeat ?? 15_000);
    response.on("close", () => {
      clearInterval(beats);
    });
  }

  /** The header keeps pages of other sites away by CORS; the origin must be the server's own or an allowed one (handlers/pty.ts). */
  #giveTicket(request: IncomingMessage, response: ServerResponse, pty: string): void {
    if (request.headers["x-opencode-ticket"] !== "1" || !isAllowed(request)) {
      json(response, 403, { error: "forbidden" });
      return;
    }
    const ticket = randomUUID();
    this.#tickets.set(`${pty} ${ticket}`, Date.now() + ticketSeconds * 1000);
    json(response, 200, { data: { ticket, expires_in: ticketSeconds } });
  }

  /** A ticket needs no password, but an allowed origin; without one the password counts, and no origin (handlers/pty.ts). */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pathname, searchParams } = urlOf(request);
    const [, pty] = /^\/api\/pty\/(\w+)\/connect$/.exec(pathname) ?? [];
    const ticket = searchParams.get("ticket");
    const may = ticket === null ? this.#mayEnter(request) : this.#spend(`${pty ?? ""} ${ticket}`) && isAllowed(request);
    if (pty === undefined || !may) {
      socket.end(`HTTP/1.1 ${ticket === null ? "401 Unauthorized" : "403 Forbidden"}\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (opened) => {
      opened.on("message", (data) => {
        opened.send(data);
      });
    });
  }

  #spend(key: string): boolean {
    const until = this.#tickets.get(key);
    this.#tickets.delete(key);
    return until !== undefined && Date.now() < until;
  }

  /** A login in the query wins over the header; a cookie counts where no other origin sent it; there is no Bearer (middleware of server/). */
  #mayEnter(request: IncomingMessage): boolean {
    const inQuery = urlOf(request).searchParams.get("auth_token");
    if (inQuery !== null) return this.#isLogin(Buffer.from(inQuery, "base64").toString());
    const [, basic] = /^Basic (.+)$/i.exec(request.headers.authorization ?? "") ?? [];
    if (basic !== undefined) return this.#isLogin(Buffer.from(basic, "base64").toString());
    const [, token] = /(?:^|; )opencode_session(?:_\d+)?=([^;]+)/.exec(request.headers.cookie ?? "") ?? [];
    const { origin, host } = request.headers;
    return token !== undefined && (origin === undefined || new URL(origin).host === host) && this.#isToken(token);
  }

  #isLogin(login: string): boolean {
    const [name = "", ...rest] = login.split(":");
    const password = rest.join(":");
    return name === user && (isSame(password, this.options.password) || this.#isToken(password));
  }

  #isToken(token: string): boolean {
    const expiry = Number(token.split(".")[0]);
    return expiry > Date.now() / 1000 && isSame(token, this.sessionToken(expiry));
  }

  /** A browser's own calls get no challenge: the page shows a sign-in of its own. */
  #refuse(request: IncomingMessage, response: ServerResponse): void {
    const mode = request.headers["sec-fetch-mode"];
    if (mode === undefined || mode === "navigate") response.setHeader("www-authenticate", 'Basic realm="opencode"');
    json(response, 401, { error: "unauthorized" });
  }
}

const urlOf = ({ url }: IncomingMessage) => new URL(url ?? "/", "http://server");

/** Of cors.ts: the server's own host, and what its desktop apps and a developer's machine send. X-Forwarded-* is not read. */
function isAllowed({ headers: { origin, host } }: IncomingMessage): boolean {
  if (origin === undefined) return true;
  return (
    /^(oc:\/\/renderer|tauri:\/\/localhost|https?:\/\/tauri\.localhost|http:\/\/(localhost|127\.0\.0\.1):\d+|https:\/\/[\w.-]+\.opencode\.ai)$/.test(
      origin,
    ) ||
    (URL.canParse(origin) && new URL(origin).host === host)
  );
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHmac("sha256", "compared").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function countBody(request: IncomingMessage, response: ServerResponse): void {
  let size = 0;
  request.on("data", (chunk: Buffer) => (size += chunk.length));
  request.on("end", () => {
    json(response, 200, { size });
  });
}
