import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { type IncomingMessage, type Server, ServerResponse, createServer, request } from "node:http";
import type { Duplex } from "node:stream";
import { Socket, connect } from "node:net";

/** One request as it came out of Caddy. */
export interface Arrival {
  /** `alias:port` of the upstream; `gate` for the question whether a request may pass. */
  readonly at: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Upstreams that write down what comes, and answer themselves or hand it on to a real one. */
export class Recorder {
  readonly arrivals: Arrival[] = [];
  readonly #servers: Server[] = [];

  /** @param behind how it answers, or the port of this machine that does */
  async serve(at: string, behind: Answer | number): Promise<number> {
    const server = createServer((incoming, outgoing) => {
      this.#note(at, incoming);
      if (typeof behind === "function") behind(incoming, outgoing);
      else handOn(behind, incoming, outgoing);
    });
    server.on("upgrade", (incoming, socket, head) => {
      this.#note(at, incoming);
      if (typeof behind === "function") answerSocket(behind, incoming, socket);
      else handOnSocket(behind, incoming, socket, head);
    });
    this.#servers.push(server);
    return listen(server);
  }

  /** Marks of the attacks on a host that arrived anywhere behind Caddy. */
  marks(host: string): string[] {
    return this.of(host).flatMap(({ url }) => /[?&]mark=([\w-]+)/.exec(url)?.[1] ?? []);
  }

  /** What arrived of the requests to a host. */
  of(host: string): Arrival[] {
    return this.arrivals.filter(({ headers }) => headers["x-forwarded-host"] === host);
  }

  stop(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  #note(at: string, { method = "", url = "", headers }: IncomingMessage): void {
    // Caddy's own look at an upstream's health.
    if (headers["x-forwarded-host"] === undefined) return;
    const asked = url.startsWith("/api/authz/forward-auth");
    const forwarded = headers["x-forwarded-uri"];
    this.arrivals.push({
      at: asked ? "gate" : at,
      method,
      headers,
      url: asked && typeof forwarded === "string" ? forwarded : url,
    });
  }
}

/** The question whether a WebSocket may pass has the headers of one, and gets an answer; nobody here takes a WebSocket itself. */
function answerSocket(answer: Answer, incoming: IncomingMessage, socket: Duplex): void {
  if (!incoming.url?.startsWith("/api/authz/forward-auth") || !(socket instanceof Socket)) {
    socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    return;
  }
  const response = new ServerResponse(incoming);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on("finish", () => socket.end());
  answer(incoming, response);
}

function handOn(port: number, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url: path, headers } = incoming;
  const onward = request({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on("error", () => outgoing.destroy());
  outgoing.on("close", () => onward.destroy());
  incoming.pipe(onward);
}

function handOnSocket(port: number, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
  const onward = connect(port, "127.0.0.1", () => {
    const lines = incoming.rawHeaders.flatMap((name, index, all) =>
      index % 2 ? [] : [`${name}: ${all[index + 1] ?? ""}`],
    );
    onward.write([`${incoming.method ?? ""} ${incoming.url ?? ""} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
    onward.write(head);
    onward.pipe(socket).pipe(onward);
  });
  for (const end of [socket, onward]) end.on("error", () => [socket, onward].map((one) => one.destroy()));
}
