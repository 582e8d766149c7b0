import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { once } from "node:events";
import type { Socket } from "node:net";
import { portOf } from "./notifier";

/** What a session is in the server. */
interface FakeSession {
  readonly title: string;
  readonly directory: string;
  readonly parentID?: string;
  /** Milliseconds since 1970. @default long ago */
  readonly created?: number;
  /** USD; undefined: this release does not add it up. */
  cost?: number | undefined;
  updated: number;
  busy: boolean;
  idleAt?: number;
  outcome?: string;
  reply?: { readonly id: string; created: number; completed?: number; error?: object; text: string };
}

type Ask = {
  readonly id: string;
  readonly sessionID: string;
  readonly kind: "permission" | "question";
  readonly words: string;
};

/**
 * Stands in for OpenCode's server of either major: sessions, what waits in them, and the stream of events, as the generated types of
 * @opencode-ai/sdk 1.18.33 and opencode-python-sdk 0.2.3 have them. Its streams can be cut, and events be lost.
 */
export class FakeOpenCode {
  private readonly sessions = new Map<string, FakeSession>();
  private readonly asks = new Map<string, Ask>();
  private readonly streams = new Set<ServerResponse>();
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private port = 0;
  private count = 0;
  /** Whether a new stream is refused. */
  closed = false;
  /** Paths that were asked for. */
  readonly seen: string[] = [];

  constructor(private readonly major: 1 | 2) {}

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.answer(request, response);
    });
    server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
    await once(server.listen(this.port, "127.0.0.1"), "listening");
    this.server = server;
    this.port = portOf(server);
  }

  /** As a process that ends: its streams are cut, and what it had in memory alone is gone. */
  async crash(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    for (const session of this.sessions.values()) session.busy = false;
    this.asks.clear();
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    this.cut();
    await closed;
  }

  /** Cuts every connection. */
  cut(): void {
    this.streams.clear();
    for (const socket of this.sockets) socket.destroy();
  }

  get listeners(): number {
    return this.streams.size;
  }

  settings(page = "https://code.home.example.com"): object {
    return { server: `http://127.0.0.1:${this.port}`, user: "opencode", major: this.major, page };
  }

  create(id: string, session: Pick<FakeSession, "title" | "directory" | "parentID" | "created" | "cost">): void {
    this.sessions.set(id, { ...session, updated: Date.now(), busy: false });
  }

  private of(id: string): FakeSession {
    const session = this.sessions.get(id);
    if (session === undefined) throw new Error(`there is no session ${id}`);
    return session;
  }

  /** What the session has cost so far. */
  costs(id: string, cost: number): void {
    const session = this.of(id);
    session.cost = cost;
    session.updated = Date.now();
  }

  remove(id: string): void {
    this.sessions.delete(id);
  }

  prompt(id: string): void {
    const session = this.of(id);
    session.busy = true;
    session.updated = Date.now();
    session.reply = { id: `msg_${++this.count}`, created: Date.now(), text: "" };
    if (this.major === 1) this.emit(session, "session.status", { sessionID: id, status: { type: "busy" } });
    else this.emit(session, "session.execution.started", { sessionID: id });
  }

  /** The turn ends. @param error of the kind that the major has */
  finish(id: string, outcome: "succeeded" | "failed" | "interrupted" = "succeeded", text = "The answer."): void {
    const session = this.of(id);
    const { reply } = session;
    if (reply === undefined) throw new Error(`${id} was not prompted`);
    reply.completed = Date.now();
    reply.text = text;
    Object.assign(session, { busy: false, updated: Date.now(), idleAt: Date.now(), outcome });
    const message = "401 for the key sk-very-secret";
    if (this.major === 1) {
      const name = outcome === "interrupted" ? "MessageAbortedError" : "ProviderAuthError";
      if (outcome !== "succeeded") reply.error = { name, data: { message } };
      if (reply.error) this.emit(session, "session.error", { sessionID: id, error: reply.error });
      this.emit(session, "session.status", { sessionID: id, status: { type: "idle" } });
      this.emit(session, "session.idle", { sessionID: id });
    } else {
      if (outcome === "failed") reply.error = { type: "provider.auth", message };
      this.emit(session, "session.idle", { sessionID: id });
      const reason = outcome === "interrupted" ? { reason: "user" } : {};
      this.emit(session, `session.execution.${outcome}`, {
        sessionID: id,
        ...reason,
        ...(reply.error && { error: reply.error }),
      });
    }
  }

  ask(sessionID: string, id: string, kind: Ask["kind"], words: string): void {
    const ask = { id, sessionID, kind, words };
    this.asks.set(id, ask);
    const session = this.of(sessionID);
    session.updated = Date.now();
    const type = {
      1: { permission: "permission.asked", question: "question.asked" },
      2: { permission: "permission.asked", question: "form.created" },
    };
    const data = this.shape(ask);
    this.emit(session, type[this.major][kind], this.major === 2 && kind === "question" ? { form: data } : data);
  }

  reply(id: string): void {
    const ask = this.asks.get(id);
    if (ask === undefined) throw new Error(`nobody asks ${id}`);
    this.asks.delete(id);
    const { sessionID, kind } = ask;
    const type = this.major === 2 && kind === "question" ? "form.replied" : `${kind}.replied`;
    const named = type === "form.replied" ? { id } : { requestID: id };
    this.emit(this.of(sessionID), type, { sessionID, ...named });
  }

  private shape({ id, sessionID, kind, words }: Ask): object {
    if (this.major === 1)
      return kind === "permission"
        ? { id, sessionID, permission: "bash", patterns: [words], metadata: { command: words }, always: [] }
        : { id, sessionID, questions: [{ question: words, header: "h", options: [] }] };
    return kind === "permission"
      ? { id, sessionID, action: "bash", resources: [words], metadata: {} }
      : { id, sessionID, title: "A form", fields: [{ key: "q0", type: "text", title: words }] };
  }

  private emit({ directory }: FakeSession, type: string, data: object): void {
    const id = `evt_${++this.count}`;
    const frame =
      this.major === 1
        ? { directory, payload: { id, type, properties: data } }
        : { id, created: Date.now(), type, data, location: { directory } };
    // With much of no interest around it.
    const noise = {
      ...frame,
      ...(this.major === 1
        ? { payload: { id, type: "message.part.updated", properties: { text: "x".repeat(2e6) } } }
        : { type: "session.part.updated", data: { text: "x".repeat(2e6) } }),
    };
    for (const stream of this.streams)
      stream.write(`data: ${JSON.stringify(noise)}\n\n: heartbeat\n\ndata: ${JSON.stringify(frame)}\n\n`);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname: path, searchParams: query } = new URL(request.url ?? "/", "http://server");
    this.seen.push(path);
    const expected = `Basic ${Buffer.from("opencode:password of the server").toString("base64")}`;
    if (request.headers.authorization !== expected) response.writeHead(401).end();
    else if (path === (this.major === 1 ? "/global/event" : "/api/event")) this.stream(response);
    else {
      const found = this.major === 1 ? this.first(path, query) : this.second(path, query);
      if (found === undefined) response.writeHead(404).end("{}");
      else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(found));
    }
  }

  private stream(response: ServerResponse): void {
    if (this.closed) {
      response.writeHead(503).end();
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const type = "server.connected";
    response.write(
      `data: ${JSON.stringify(this.major === 1 ? { payload: { type, properties: {} } } : { id: "evt_0", type, data: {} })}\n\n`,
    );
    this.streams.add(response);
    response.once("close", () => this.streams.delete(response));
  }

  private info(id: string): object | undefined {
    const session = this.sessions.get(id);
    if (session === undefined) return undefined;
    const { title, directory, parentID, created = 1, cost, updated, idleAt, outcome } = session;
    const common = { id, title, ...(parentID && { parentID }), ...(cost !== undefined && { cost }) };
    return this.major === 1
      ? { ...common, directory, time: { created, updated } }
      : {
          ...common,
          location: { directory },
          ...(outcome && { outcome }),
          time: { created, updated, ...(idleAt && { idle: idleAt }) },
        };
  }

  /** The newest first. */
  private listed(roots: boolean): object[] {
    const all = [...this.sessions].sort(([, a], [, b]) => b.updated - a.updated);
    const ids = all.filter(([, { parentID }]) => !roots || parentID === undefined).map(([id]) => id);
    return ids.flatMap((id) => this.info(id) ?? []);
  }

  private first(path: string, query: URLSearchParams): object | undefined {
    const directory = query.get("directory");
    const there = [...this.sessions].filter(([, session]) => session.directory === directory);
    const waits = (kind: Ask["kind"]) =>
      [...this.asks.values()]
        .filter((ask) => ask.kind === kind && this.of(ask.sessionID).directory === directory)
        .map((ask) => this.shape(ask));
    const [, id = "", part] = /^\/session\/([^/]+)(\/message)?$/.exec(path) ?? [];
    if (path === "/experimental/session") {
      const start = Number(query.get("start"));
      return this.listed(query.get("roots") === "true").filter(
        (one) => (one as { time: { updated: number } }).time.updated >= start,
      );
    }
    if (path === "/session/status")
      return Object.fromEntries(there.filter(([, { busy }]) => busy).map(([one]) => [one, { type: "busy" }]));
    if (path === "/permission") return waits("permission");
    if (path === "/question") return waits("question");
    if (part === undefined) return this.info(id);
    const reply = this.sessions.get(id)?.reply;
    if (reply === undefined) return [];
    const { created, completed, error, text } = reply;
    const info = {
      id: reply.id,
      role: "assistant",
      time: { created, ...(completed && { completed }) },
      ...(error && { error }),
    };
    return [{ info, parts: [{ type: "text", text }] }];
  }

  private second(path: string, query: URLSearchParams): object | undefined {
    const [, id = "", part = ""] = /^\/api\/session\/([^/]+)(\/\w+)?$/.exec(path) ?? [];
    if (path === "/api/session/active") {
      const active = [...this.sessions]
        .filter(([, { busy }]) => busy)
        .map(([one]) => [one, { type: "running" }] as const);
      return { data: Object.fromEntries(active) };
    }
    if (path === "/api/session") {
      const from = Number(query.get("cursor"));
      const end = from + Number(query.get("limit"));
      const all = this.listed(false);
      return { data: all.slice(from, end), cursor: end < all.length ? { next: String(end) } : {} };
    }
    const waits = (kind: Ask["kind"]) => ({
      data: [...this.asks.values()]
        .filter((ask) => ask.kind === kind && ask.sessionID === id)
        .map((ask) => this.shape(ask)),
    });
    if (part === "/permission") return waits("permission");
    if (part === "/form") return waits("question");
    if (part === "/message") {
      const session = this.sessions.get(id);
      const reply = session?.reply;
      if (session === undefined || reply === undefined) return { data: [], cursor: {} };
      const { created, completed, error, text } = reply;
      const said = {
        id: reply.id,
        type: "assistant",
        time: { created, ...(completed && { completed }) },
        content: [{ type: "text", text }],
        ...(error && { error }),
      };
      const idle = completed
        ? [
            {
              id: `${reply.id}_idle`,
              type: "idle",
              outcome: session.outcome,
              time: { created: completed },
              ...(error && { error }),
            },
          ]
        : [];
      return { data: [...idle, said], cursor: {} };
    }
    const info = this.info(id);
    return info && { data: info };
  }
}
