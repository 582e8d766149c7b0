import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, type Server, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { reverseProxyRelease } from "../../components/reverse-proxy/reverse-proxy-stack";
import type { Route } from "../../components/routes";
import { renderRelease } from "../../components/stack/release";
import { adapt } from "./caddy";
import { projectRoot } from "./program";
import { settingsOf } from "./settings";
import { caddy } from "./tools";

/** Who answered a request at the edge, and with which headers it arrived there. */
export interface Arrival {
  /** `alias:port` of the upstream; `gate` where the request was turned away. */
  readonly at: string;
  readonly headers: IncomingHttpHeaders;
}

type HeaderList = readonly (readonly [string, string])[];

/** The real Caddy with the sites of these Routes, over plain HTTP, before upstreams that echo and a gate that says no. */
export class Edge {
  private constructor(
    private readonly domain: string,
    private readonly port: number,
    private readonly caddy: ChildProcess,
    private readonly servers: readonly Server[],
    private readonly folder: string,
  ) {}

  static async open(routes: readonly Route[]): Promise<Edge> {
    const settings = settingsOf({ domain: "home.example.com" });
    const { images, timeZone, certificates } = settings;
    const domain = "home.example.com";
    const source = reverseProxyRelease({ domain, routes, certificates, images, timeZone });
    const release = renderRelease(join(projectRoot, "stack-templates"), source, {}, "key");
    const caddyfile = release.files.find(({ path }) => path === "live/Caddyfile")?.content ?? "";
    const config = await adapt<{ apps: { http: { servers: Record<string, object> } } }>(caddyfile);
    const { srv0 = {} } = config.apps.http.servers;

    const servers: Server[] = [];
    const dials = new Map<string, string>();
    for (const upstream of new Set(JSON.stringify(srv0).match(/(?<="dial":")[^"]+/g) ?? [])) {
      const server = createServer((incoming, answer) => {
        const gate = upstream.startsWith("auth-portal");
        answer.writeHead(gate ? 401 : 200).end(JSON.stringify({ at: upstream, headers: incoming.headers }));
      });
      servers.push(server);
      dials.set(upstream, `127.0.0.1:${await listen(server)}`);
    }
    const port = await freePort();
    const http = {
      ...srv0,
      listen: [`127.0.0.1:${port}`],
      protocols: ["h1"],
      automatic_https: { disable: true },
      tls_connection_policies: undefined,
    };
    const text = JSON.stringify({ admin: { disabled: true }, apps: { http: { servers: { http } } } });
    const moved = text.replace(/(?<="dial":")[^"]+/g, (dial) => dials.get(dial) ?? dial);
    const folder = mkdtempSync(join(tmpdir(), "edge-"));
    writeFileSync(join(folder, "caddy.json"), moved);
    const env = { PATH: process.env["PATH"], XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, HOME: folder };
    const child = spawn(await caddy(), ["run", "--config", join(folder, "caddy.json")], { env, stdio: "ignore" });
    const edge = new Edge(domain, port, child, servers, folder);
    await edge.answers();
    return edge;
  }

  /** Sends these header lines as they stand, also two of one name. */
  async get(subdomain: string, path: string, headers: HeaderList = []): Promise<Arrival> {
    const lines = [["host", `${subdomain}.${this.domain}`] as const, ...headers].flat();
    const { status, body } = await this.send(path, lines);
    const arrival = JSON.parse(body) as Arrival;
    return status === 401 ? { ...arrival, at: "gate" } : arrival;
  }

  close(): void {
    this.caddy.kill();
    for (const server of this.servers) server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private send(path: string, headers: readonly string[]): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port: this.port, path, headers, agent: false }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, body });
        });
      });
      sent.on("error", reject).end();
    });
  }

  private async answers(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      const up = await this.send("/", ["host", "nobody"]).then(
        () => true,
        () => false,
      );
      if (up) return;
      await sleep(100);
    }
    throw new Error("Caddy did not answer within 10 s");
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
