import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
import type { Reply } from "./gateway";
import type { SignedRequest } from "./signature";

/** An answer of the control API. */
export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** An answer of object storage. */
export interface XmlReply {
  readonly status: number;
  readonly body: string;
}

export interface Handlers {
  readonly api: (request: SignedRequest) => Promise<Reply>;
  readonly storage: (request: SignedRequest) => Promise<XmlReply>;
  /** `path`: what follows /__control/. */
  readonly control: (method: string, path: string, body: string) => Promise<ControlAnswer>;
}

const prefix = "/__control/";

const fieldsOf = (search: string): Map<string, string> => new Map(new URLSearchParams(search));

async function handle(request: IncomingMessage, response: ServerResponse, handlers: Handlers): Promise<void> {
  const method = request.method ?? "GET";
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const body = await text(request);
  const send = (status: number, value: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
  if (url.pathname.startsWith(prefix)) {
    const { status, body: value } = await handlers.control(method, url.pathname.slice(prefix.length), body);
    send(status, value);
    return;
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join()]),
  );
  const isForm = (headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
  const signed = {
    method,
    path: url.pathname,
    headers,
    query: fieldsOf(url.search),
    form: isForm ? fieldsOf(body) : new Map(),
    body: Buffer.from(body),
  };
  if (headers["authorization"]?.startsWith("OSS") === true) {
    const { status, body: xml } = await handlers.storage(signed);
    response.writeHead(status, { "content-type": "application/xml", "x-oss-request-id": randomUUID() }).end(xml);
    return;
  }
  const reply = await handlers.api(signed);
  if (reply.lost) request.socket.destroy();
  else send(reply.status, reply.body);
}

/** A server of HTTP and HTTPS on one port of 127.0.0.1; the provider needs both. Port 0: a free one. */
export async function listen(
  port: number,
  files: { key: string; certificate: string },
  handlers: Handlers,
): Promise<{ port: number; close: () => Promise<void> }> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response, handlers).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  };
  const plain = createHttpServer(answer);
  const secure = createHttpsServer({ key: readFileSync(files.key), cert: readFileSync(files.certificate) }, answer);
  const open = new Set<Socket>();
  const front = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => socket.destroy());
    socket.once("data", (chunk: Buffer) => {
      socket.pause();
      socket.unshift(chunk);
      // 0x16: a TLS handshake.
      (chunk[0] === 0x16 ? secure : plain).emit("connection", socket);
      process.nextTick(() => socket.resume());
    });
  });
  await new Promise<void>((resolve, reject) => {
    front.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  const bound = front.address();
  if (bound === null || typeof bound === "string") throw new Error("The emulator has no port.");
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) =>
      front.close(() => {
        resolve();
      }),
    );
    for (const socket of open) socket.destroy();
    await closed;
  };
  return { port: bound.port, close };
}
