import { readFileSync } from "node:fs";
import { type IncomingHttpHeaders, type Server, createServer, request } from "node:http";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import type { Route } from "../../components/routes";
import { RenderedCaddy } from "./rendered-caddy";

/** Who answered a request at the edge, and with which headers it arrived there. */
export interface Arrival {
  /** `alias:port` of the upstream; `gate` where the request was turned away there; `edge` where Caddy itself answered. */
  readonly at: string;
  readonly headers: IncomingHttpHeaders;
  /** Path and query as they arrived there. */
  readonly url?: string;
  /** Of the body that arrived, in bytes. */
  readonly length?: number;
  readonly answer: { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };
}

export type HeaderList = readonly (readonly [string, string])[];

interface EdgeOptions {
  /** @default 401 */
  readonly gateSays?: 200 | 401;
  /** As `secrets.NAME` of the Caddyfile. @default none */
  readonly secrets?: Readonly<Record<string, string>>;
}

const domain = "home.example.com";

/** What every upstream says of itself. */
const appHeaders = {
  "access-control-allow-origin": "https://evil.example",
  "access-control-allow-credentials": "true",
  "content-security-policy": "script-src 'self'; frame-ancestors 'none'",
  "x-frame-options": "DENY",
};

/** The real Caddy with the sites of these Routes, over plain HTTP, before upstreams that echo and a gate that gives one answer. */
export class Edge {
  private constructor(
    private readonly caddy: RenderedCaddy,
    private readonly servers: readonly Server[],
  ) {}

  static async open(routes: readonly Route[], { gateSays = 401, secrets = {} }: EdgeOptions = {}): Promise<Edge> {
    const servers: Server[] = [];
    const portOf = (upstream: string) => {
      const gate = upstream.startsWith("auth-portal");
      const server = createServer((incoming, answer) => {
        const { headers, url = "" } = incoming;
        const status = gate && url.startsWith("/api/authz/") ? gateSays : 200;
        let length = 0;
        incoming.on("data", (part: Buffer) => (length += part.length));
        incoming.on("end", () => {
          answer.setHeaders(new Map(Object.entries({ ...appHeaders, "x-arrived": upstream })));
          answer.writeHead(status).end(JSON.stringify({ headers, url, length }));
        });
      });
      servers.push(server);
      return listen(server);
    };
    return new Edge(await RenderedCaddy.start({ domain, routes, portOf, secrets }), servers);
  }

  /** Sends these header lines as they stand, also two of one name. */
  async get(subdomain: string, path: string, headers: HeaderList = [], method = "GET", body = ""): Promise<Arrival> {
    const host = subdomain === "" ? domain : `${subdomain}.${domain}`;
    const answer = await this.send(method, path, [["host", host] as const, ...headers].flat(), body);
    const upstream = answer.headers["x-arrived"];
    if (typeof upstream !== "string") return { at: "edge", headers: {}, answer };
    const seen =
      method === "HEAD" ? { headers: {} } : (JSON.parse(answer.body) as Pick<Arrival, "headers" | "url" | "length">);
    return { at: answer.status === 401 ? "gate" : upstream, ...seen, answer };
  }

  /** The lines of the access log so far. */
  accessLog(): string[] {
    return readFileSync(this.caddy.accessLog, "utf8").trimEnd().split("\n");
  }

  close(): void {
    this.caddy.stop();
    for (const server of this.servers) server.close();
  }

  private send(method: string, path: string, headers: readonly string[], body: string): Promise<Arrival["answer"]> {
    return new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: this.caddy.port, method, path, headers, agent: false };
      const sent = request(options, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      });
      sent.on("error", reject).end(body);
    });
  }
}
