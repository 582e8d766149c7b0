import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { gateway } from "@cloudcode/offline-kit/stand-ins/liteboxd/gateway";
import { Kubernetes } from "@cloudcode/offline-kit/stand-ins/liteboxd/kubernetes";
import { server } from "@cloudcode/offline-kit/stand-ins/liteboxd/server";
import { Store } from "@cloudcode/offline-kit/stand-ins/liteboxd/store";
import { freePort, listen } from "@cloudcode/offline-kit/toolchain/ports";
import { getRequestListener } from "@hono/node-server";
import { enabledApps } from "../../components/apps/registry";
import { Cluster } from "./cluster";
import { RenderedCaddy, untilOpen } from "./rendered-caddy";
import { settingsOf } from "./settings";

const domain = "home.example.com";
const host = `sandbox.${domain}`;
const session = "authelia_session=good";
export const login = { username: "admin", password: "a password of liteboxd's own" };

export interface Said {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface Sending {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/**
 * liteboxd behind the real Caddy with the App's own Route, over TLS, and a cluster that is a double. It is the stand-in, or the real server and
 * gateway in the folder `LITEBOXD_PROGRAMS` of the environment; the double does not speak the SPDY with which those run commands.
 */
export class LiteboxdHome {
  readonly url: string;
  /** PEM of who signed the certificate. */
  readonly authority: string;
  /** Whether commands can be run. */
  readonly runsCommands = process.env["LITEBOXD_PROGRAMS"] === undefined;

  /** An API key that the pages made. */
  key = "";

  private constructor(
    /** The server itself, as containers of its App reach it. */
    readonly server: string,
    readonly cluster: Cluster,
    private readonly caddy: RenderedCaddy,
    certificate: string,
    private readonly servers: readonly Server[],
    private readonly children: readonly ChildProcess[],
  ) {
    this.url = `https://${host}:${caddy.port}`;
    this.authority = certificate;
  }

  static async open(): Promise<LiteboxdHome> {
    const cluster = await Cluster.open();
    const tls = selfSigned([domain, `*.${domain}`]);
    const gate = createServer(answerOfGate);
    const servers = [gate];
    const children: ChildProcess[] = [];
    const ports = new Map<string, number>();
    const portOf = async (upstream: string) => {
      const port = ports.get(upstream) ?? (await freePort());
      ports.set(upstream, port);
      return port;
    };
    const [serverPort, gatewayPort] = [await portOf("lwsandbox-server:8080"), await portOf("lwsandbox-gateway:8081")];
    ports.set("auth-portal:9091", await listen(gate));
    const caddy = await RenderedCaddy.start({ domain, routes: routes(), portOf, tls });
    const environment = environmentOf(cluster, `https://${host}:${caddy.port}`);
    const programs = process.env["LITEBOXD_PROGRAMS"];
    if (programs === undefined) servers.push(...(await standIn(cluster, environment, serverPort, gatewayPort)));
    else {
      const start = (program: string, port: number) =>
        spawn(join(programs, program), [], {
          env: { ...environment, SESSION_MAX_AGE: "3600", PORT: String(port) },
          stdio: "ignore",
        });
      children.push(start("server", serverPort));
      await untilOpen(serverPort);
      children.push(start("gateway", gatewayPort));
      await untilOpen(gatewayPort);
    }
    const home = new LiteboxdHome(`http://127.0.0.1:${serverPort}`, cluster, caddy, tls.certificate, servers, children);
    home.key = await home.makeKey();
    return home;
  }

  /** One request from outside, as a program sends it. */
  send(method: string, path: string, { headers = {}, body }: Sending = {}): Promise<Said> {
    const { port } = new URL(this.url);
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    return new Promise((resolve, reject) => {
      const options = {
        host: "127.0.0.1",
        port,
        method,
        path,
        agent: false,
        servername: host,
        ca: this.authority,
        headers: { host: `${host}:${port}`, ...headers, ...length },
      };
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const all = Buffer.concat(chunks);
          const plain = response.headers["content-encoding"] === "gzip" ? gunzipSync(all) : all;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: plain });
        });
      });
      sent.on("error", reject).end(body);
    });
  }

  /** What the pages send, past the gate, after a sign-in at liteboxd itself. */
  async asPages(method: string, path: string, value?: object): Promise<Said> {
    const json = { "content-type": "application/json" };
    const body = JSON.stringify(login);
    const signedIn = await this.send("POST", "/api/v1/auth/login", { headers: { ...json, cookie: session }, body });
    const own = signedIn.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    const cookie = `${session}; ${own}`;
    return this.send(method, path, {
      headers: { ...json, cookie },
      ...(value && { body: JSON.stringify(value) }),
    });
  }

  private async makeKey(): Promise<string> {
    const made = await this.asPages("POST", "/api/v1/auth/api-keys", { name: "script" });
    const { key } = JSON.parse(made.body.toString()) as { key?: unknown };
    if (typeof key !== "string") throw new Error(`no key: ${made.status} ${made.body.toString()}`);
    return key;
  }

  close(): void {
    this.caddy.stop();
    for (const child of this.children) child.kill();
    for (const one of this.servers) {
      one.close();
      one.closeAllConnections();
    }
    this.cluster.close();
  }
}

function routes() {
  const apps = enabledApps(settingsOf({ domain, lwsandboxEnabled: "true" }));
  return apps.find(({ name }) => name === "lwsandbox")?.routes ?? [];
}

/** As Authelia answers: pages are sent to the portal, programs get 401. */
function answerOfGate({ headers, url = "" }: IncomingMessage, response: ServerResponse): void {
  if (!url.startsWith("/api/authz/")) response.writeHead(404).end();
  else if (headers.cookie?.includes(session)) response.setHeader("remote-user", "operator").end();
  else if (/text\/html|^\*\/\*/.test(headers.accept ?? ""))
    response.writeHead(302, { location: `https://auth.${domain}/` }).end();
  else response.writeHead(401).end("401 Unauthorized");
}

function environmentOf(cluster: Cluster, url: string) {
  const data = join(cluster.folder, "data");
  mkdirSync(data);
  return {
    DATA_DIR: data,
    KUBECONFIG: cluster.kubeconfig,
    GATEWAY_URL: url,
    WRITE_TIMEOUT: "1h",
    SANDBOX_NAMESPACE: "liteboxd-sandbox" as const,
    CONTROL_NAMESPACE: "liteboxd-system" as const,
    ADMIN_USERNAME: login.username,
    ADMIN_INITIAL_PASSWORD: login.password,
    SANDBOX_TOKEN_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
  };
}

interface App {
  readonly fetch: Parameters<typeof getRequestListener>[0];
}

async function standIn(
  cluster: Cluster,
  environment: ReturnType<typeof environmentOf>,
  serverPort: number,
  gatewayPort: number,
): Promise<Server[]> {
  const store = new Store(join(environment.DATA_DIR, "liteboxd.db"));
  const kubernetes = new Kubernetes(cluster.kubeconfig);
  const { app, upgrade } = await server({ ...environment, SESSION_MAX_AGE: 3600 }, store, kubernetes);
  const at = async ({ fetch }: App, port: number) => {
    const answer = getRequestListener(fetch);
    const made = createServer((incoming, response) => void answer(incoming, response));
    made.listen(port, "127.0.0.1");
    await untilOpen(port);
    return made;
  };
  const api = await at(app, serverPort);
  api.on("upgrade", upgrade);
  return [api, await at(gateway(environment, store, kubernetes), gatewayPort)];
}

/** Writes a file, for a program that is given its name. */
export function fileIn({ cluster }: LiteboxdHome, name: string, content: string): string {
  const file = join(cluster.folder, name);
  writeFileSync(file, content);
  return file;
}
