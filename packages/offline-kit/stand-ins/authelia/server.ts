// Stand-in for Authelia 4.39.20: the HTTP server around the handlers.
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { isIP } from "node:net";
import type { Socket } from "node:net";
import { plain } from "./access/forward-auth";
import type { Gateway } from "./gateway";
import { createApp } from "./http/app";
import type { Exchange } from "./http/exchange";

const bodyLimit = 1024 * 1024;

export function createGatewayServer(gateway: Gateway): Server {
  const app = createApp(gateway);
  const { readBuffer, readTimeout, idleTimeout } = gateway.config.server;
  const server = createServer({ maxHeaderSize: readBuffer, keepAliveTimeout: idleTimeout }, (request, response) => {
    toExchange(request)
      .then(app)
      .catch((error: unknown) => {
        gateway.log("error", error instanceof Error ? (error.stack ?? error.message) : String(error));
        return plain(500);
      })
      .then((answer) => {
        for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
        response.statusCode = answer.status;
        // A Buffer, so that Node leaves the header bytes alone.
        response.end(request.method === "HEAD" ? undefined : Buffer.from(answer.body));
        gateway.log("trace", "Request handled", {
          method: request.method ?? "",
          path: request.url ?? "",
          status_code: answer.status,
        });
      })
      .catch(() => response.destroy());
  });
  // As the real one: a connection that never asks anything is an error in the log; one that was idle after an answer is not.
  const silent = new Map<Socket, NodeJS.Timeout>();
  const heard = (socket: Socket) => {
    clearTimeout(silent.get(socket));
    silent.delete(socket);
  };
  server.on("connection", (socket) => {
    const giveUp = () => {
      gateway.log("error", "Request timeout occurred while handling request from client.", {
        method: "GET",
        path: "/",
        remote_ip: (socket.remoteAddress ?? "").replace(/^::ffff:/, ""),
        status_code: 408,
      });
      socket.end("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
    };
    silent.set(socket, setTimeout(giveUp, readTimeout).unref());
    socket.once("close", () => {
      heard(socket);
    });
  });
  server.on("request", ({ socket }) => {
    heard(socket);
  });
  return server;
}

async function toExchange(request: IncomingMessage): Promise<Exchange> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) throw new Error("the request body is too large");
    chunks.push(chunk);
  }
  const [path = "/", ...query] = (request.url ?? "/").split("?");
  return {
    method: request.method ?? "GET",
    path,
    query: new URLSearchParams(query.join("?")),
    headers: request.headers,
    body: Buffer.concat(chunks).toString("utf8"),
    ip: remoteIp(request),
  };
}

/** The first address of X-Forwarded-For is believed, as in the real one: the proxy is trusted. */
function remoteIp(request: IncomingMessage): string {
  const forwarded = request.headers["x-forwarded-for"];
  const first = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(",")[0]?.trim() ?? "";
  const peer = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  return isIP(first) === 0 ? peer : first;
}
