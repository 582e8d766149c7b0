import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { z } from "zod";
import type { Kubernetes } from "./kubernetes";
import type { Logins } from "./logins";

const messageSchema = z.object({
  type: z.enum(["input", "resize"]),
  data: z.string().default(""),
  cols: z.number().default(80),
  rows: z.number().default(24),
});

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** A command with a terminal, over a WebSocket of JSON. Every origin may open one, as at the real one. */
export function terminals(logins: Logins, kubernetes: Kubernetes, namespace: string): Upgrade {
  const sockets = new WebSocketServer({ noServer: true });
  return (request, socket, head) => {
    const url = new URL(request.url ?? "/", "http://server");
    const id = /^\/api\/v1\/sandboxes\/(\w+)\/exec\/interactive$/.exec(url.pathname)?.[1];
    const asker = logins.asker(request.headers);
    if (id === undefined) return void socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
    if ("refused" in asker) {
      const body = JSON.stringify({ error: asker.refused });
      const head = `HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
      return void socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`);
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const pod = `/api/v1/namespaces/${namespace}/pods/sandbox-${id}`;
      void connect(opened, kubernetes, pod, url.searchParams);
    });
  };
}

async function connect(socket: WebSocket, kubernetes: Kubernetes, pod: string, query: URLSearchParams): Promise<void> {
  const say = (message: object) => {
    socket.send(JSON.stringify(message));
  };
  const command = query.getAll("command");
  const tty = (query.get("tty") ?? "true") === "true";
  // What arrives before the command runs.
  const early: string[] = [];
  const keep = (data: Buffer) => early.push(data.toString());
  socket.on("message", keep);
  try {
    const running = await kubernetes.start(pod, command.length > 0 ? command : ["sh"], tty, {
      output(data) {
        say({ type: "output", data: data.toString() });
      },
      ended(exitCode) {
        say({ type: "exit", exitCode });
        socket.close();
      },
    });
    const take = (text: string) => {
      const { type, data, cols, rows } = messageSchema.parse(JSON.parse(text));
      if (type === "input") running.write(data);
      else running.resize(cols, rows);
    };
    socket.off("message", keep);
    if (tty) running.resize(Number(query.get("cols") ?? 80), Number(query.get("rows") ?? 24));
    early.forEach(take);
    socket.on("message", (data: Buffer) => {
      take(data.toString());
    });
    socket.on("close", () => {
      running.stop();
    });
  } catch {
    say({ type: "exit", exitCode: 1 });
    socket.close();
  }
}
