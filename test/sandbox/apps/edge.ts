// A stand-in for Cloudflare's edge: the sandbox's cloudflared dials it, and visitors come through these connections alone.
import { type IncomingMessage, request } from "node:http";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import type { Answer, RequestOptions } from "../world";

const secret = Buffer.from("the tunnel's own secret").toString("base64");
const tunnel = "6ff42ae2-765d-4adf-8112-31c55c1551ef";

export class Edge {
  readonly #idle: Socket[] = [];
  #wanted: ((socket: Socket) => void)[] = [];

  private constructor(
    private readonly server: Server,
    private readonly address: string,
  ) {}

  static async start(hostname: string): Promise<Edge> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, hostname, resolve));
    const edge = new Edge(server, `${hostname}:${(server.address() as AddressInfo).port}`);
    server.on("connection", (socket) => {
      edge.#register(socket);
    });
    return edge;
  }

  /** The token of the tunnel, as the dashboard shows it. */
  get token(): string {
    return Buffer.from(JSON.stringify({ a: "account", t: tunnel, s: secret, e: this.address })).toString("base64");
  }

  /** A visitor's request, which arrives at the edge and leaves through the tunnel. */
  async visit(
    host: string,
    path: string,
    { method = "GET", headers = {}, body }: RequestOptions = {},
  ): Promise<Answer> {
    const socket = this.#idle.shift() ?? (await this.#next());
    return new Promise((resolve, reject) => {
      const options = {
        method,
        path,
        headers: { host, connection: "close", ...headers },
        createConnection: () => socket,
      };
      const sent = request(options, (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          });
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  stop(): void {
    this.server.close();
    for (const socket of this.#idle) socket.destroy();
  }

  #register(socket: Socket): void {
    socket.on("error", () => undefined);
    socket.once("data", (hello: Buffer) => {
      const said = JSON.parse(hello.toString()) as Record<string, unknown>;
      if (said["tunnel"] !== tunnel || said["secret"] !== secret) {
        socket.end("refused\n");
        return;
      }
      socket.write("registered\n");
      const next = this.#wanted.shift();
      if (next) next(socket);
      else this.#idle.push(socket);
    });
    socket.on("close", () => {
      const index = this.#idle.indexOf(socket);
      if (index >= 0) this.#idle.splice(index, 1);
    });
  }

  #next(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error("no connection of the tunnel within 30 s"));
      }, 30_000);
      this.#wanted.push((socket) => {
        clearTimeout(timer);
        resolve(socket);
      });
    });
  }
}
