import { once } from "node:events";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import { WebSocket, WebSocketServer } from "ws";
import { parse } from "yaml";
import { freePort, listen } from "@cloudcode/offline-kit/toolchain/ports";
import type { Accounts } from "../../components/auth-gateway/access-rules";
import { defaultImages } from "../../components/images";
import { reverseProxyRelease } from "../../components/reverse-proxy/reverse-proxy-stack";
import { deviceSecret, loginSecret } from "../../components/reverse-proxy/sites";
import type { Route } from "../../components/routes";
import { renderRelease } from "../../components/stack/release";
import { publicCertificates } from "../support/certificates";
import { untilOpen } from "../support/rendered-caddy";
import { startLocalhost } from "../support/localhost";
import { caddy, caddyHome } from "../support/tools";
import { siteOf } from "../support/routes";

const run = promisify(execFile);
const templates = join(__dirname, "../../stack-templates");
const domain = "home.example.com";
const upstream = "app-web:80";
const ok = "HTTP/1.1 200 OK";

const route = (subdomain: string) => siteOf({ subdomain, upstream });
const basic = (password: string) => `Basic ${Buffer.from(`opencode:${password}`).toString("base64")}`;
const secrets = {
  [loginSecret("opencode")]: basic("server"),
  [deviceSecret("opencode", "laptop")]: basic("laptop-key"),
  [deviceSecret("opencode", "phone")]: basic("phone-key"),
};
/** An App whose server asks for a password, as OpenCode's, with keys for these devices. */
const withDevices = (...devices: string[]): Route => ({
  ...route("code"),
  upstreamLogin: {
    name: "opencode",
    username: "opencode",
    secret: "serverPassword",
    parameter: "auth_token",
    devices,
    tickets: "(/api)?/pty/\\w+/connect",
  },
});

/** The real Caddy, started and reloaded with releases as on a host: only its ports and upstreams are others. */
class ReloadedCaddy {
  readonly #folder = mkdtempSync(join(tmpdir(), "reloaded-caddy-"));
  readonly #path = `${join(this.#folder, "bin")}:${process.env["PATH"] ?? ""}`;
  readonly #upstream: Server = createServer((_request, answer) => answer.end("here"));
  /** Lets everybody in, and says who it is by a cookie of the tests. */
  readonly #gate: Server = createServer(({ headers }, answer) => {
    const [, user] = /\buser=(\w+)/.exec(headers.cookie ?? "") ?? [];
    answer.writeHead(200, user === undefined ? {} : { "remote-user": user }).end();
  });
  readonly #sockets = new WebSocketServer({ server: this.#upstream });
  readonly #child: ChildProcess;

  private constructor(
    caddyFile: string,
    private readonly ports: { readonly https: number; readonly replacements: ReadonlyMap<string, string> },
    routes: readonly Route[],
    private accounts: Accounts | undefined,
  ) {
    mkdirSync(join(this.#folder, "bin"));
    symlinkSync(caddyFile, join(this.#folder, "bin/caddy"));
    const { folder, environment } = this.#release("first", routes);
    const args = ["run", "--adapter", "caddyfile", "--config", join(folder, "live/Caddyfile")];
    this.#child = spawn("caddy", args, { env: environment, stdio: "ignore" });
  }

  /** @param socks port of a server that leads to this machine's localhost */
  static async start(routes: readonly Route[], socks = 0, accounts?: Accounts): Promise<ReloadedCaddy> {
    const [https, http, queue, admin, backend, gate] = await Promise.all(Array.from({ length: 6 }, freePort));
    const replacements = new Map([
      ["\tadmin localhost:2019\n", `\tadmin localhost:${admin}\n\thttps_port ${https}\n\thttp_port ${http}\n`],
      [":9092", `:${queue}`],
      ["auth-portal:9091", `127.0.0.1:${gate}`],
      [upstream, `127.0.0.1:${backend}`],
      ["app-socks:1080", `127.0.0.1:${socks}`],
    ]);
    const running = new ReloadedCaddy(await caddy(), { https: https ?? 0, replacements }, routes, accounts);
    await new Promise<void>((resolve) => running.#upstream.listen(backend, "127.0.0.1", resolve));
    await new Promise<void>((resolve) => running.#gate.listen(gate, "127.0.0.1", resolve));
    await untilOpen(https ?? 0);
    // Its own authority makes the certificates after that.
    for (const { subdomain } of routes) while ((await running.visit(subdomain, 0)) !== ok) await sleep(50);
    return running;
  }

  /** What cloudcode-host does for a release's `reload`. @param as its name, by `cloudcode-host disconnect` another than its folder's */
  async reload(id: string, routes: readonly Route[], as = id): Promise<void> {
    const { folder, environment, reload } = this.#release(id, routes);
    await run("perl", [join(templates, "host/newest-listener.pl"), String(this.#child.pid)]);
    const [program = "", ...args] = reload.replaceAll("{release}", folder).split(" ");
    const named = args.map((word) => word.replace(`RELEASE=${folder}`, `RELEASE=${join(this.#folder, as)}`));
    await run(program, named, { env: environment });
  }

  /** The same after a change of who has an account. */
  async change(id: string, routes: readonly Route[], accounts: Accounts): Promise<void> {
    this.accounts = accounts;
    await this.reload(id, routes);
  }

  /** Lets somebody with this key see what listens on a port of localhost. */
  permit(port: number, key: string): void {
    mkdirSync(join(this.#folder, "guests", String(port)), { recursive: true });
    writeFileSync(join(this.#folder, "guests", String(port), key), "");
  }

  /** A WebSocket that is open. */
  async socket(subdomain: string, cookie: string, path = "/"): Promise<WebSocket> {
    const host = `${subdomain}.${domain}`;
    const options = { servername: host, headers: { host, cookie }, rejectUnauthorized: false };
    const opened = new WebSocket(`wss://127.0.0.1:${this.ports.https}${path}`, options);
    await once(opened, "open");
    return opened;
  }

  /**
   * One visit of someone whose first bytes come this many milliseconds after the connection.
   *
   * @param login value of its header Authorization
   * @returns the first line of the answer, or what became of the connection
   */
  visit(subdomain: string, away: number, login?: string): Promise<string> {
    const name = `${subdomain}.${domain}`;
    return new Promise((resolve) => {
      const lost = (error: Error) => {
        resolve(error.message);
      };
      const socket = connect(this.ports.https, "127.0.0.1").on("error", lost);
      setTimeout(() => {
        let text = "";
        connectTls({ socket, servername: name, rejectUnauthorized: false })
          .on("error", lost)
          .on("data", (bytes: Buffer) => (text += bytes.toString()))
          .on("close", () => {
            resolve(text.split("\r\n")[0] ?? "");
          })
          .write(
            `GET / HTTP/1.1\r\nHost: ${name}\r\n${login === undefined ? "" : `Authorization: ${login}\r\n`}Connection: close\r\n\r\n`,
          );
      }, away);
    });
  }

  stop(): void {
    this.#child.kill("SIGKILL");
    this.#sockets.close();
    this.#upstream.close();
    this.#gate.close();
    rmSync(this.#folder, { recursive: true });
  }

  #release(id: string, routes: readonly Route[]) {
    const { accounts } = this;
    const source = reverseProxyRelease({
      domain,
      routes,
      certificates: publicCertificates,
      images: defaultImages,
      timeZone: "UTC",
      ...(accounts && { accounts }),
    });
    const { files, plan } = renderRelease(templates, source, secrets, "key");
    const textOf = (path: string) => files.find((file) => file.path === path)?.content ?? "";
    let caddyfile = textOf("live/Caddyfile");
    for (const [from, to] of this.ports.replacements) caddyfile = caddyfile.replaceAll(from, to);
    const folder = join(this.#folder, id);
    mkdirSync(join(folder, "live"), { recursive: true });
    writeFileSync(join(folder, "live/Caddyfile"), caddyfile);
    const compose = parse(textOf("compose.yaml")) as { services: { caddy: { environment: Record<string, string> } } };
    const environment = {
      ...compose.services.caddy.environment,
      // Abstract sockets are the whole machine's, and other tests run Caddy, too.
      ...caddyHome(this.#folder),
      RELEASE: this.#folder,
      PATH: this.#path,
    };
    return { folder, environment, reload: plan.reload?.command ?? "" };
  }
}

it("a changed Route loses no visitor of another, however slow their connection", async () => {
  const server = await ReloadedCaddy.start([route("app"), route("other")]);
  try {
    const visits: Promise<string>[] = [];
    const timer = setInterval(() => visits.push(server.visit("app", 200)), 10);
    await sleep(500);
    for (const id of ["second", "third"]) {
      await server.reload(id, [route("app"), route(id)]);
      expect(await server.visit(id, 0)).not.toBe("");
      await sleep(300);
    }
    clearInterval(timer);
    const answers = await Promise.all(visits);
    expect(answers.length).toBeGreaterThan(100);
    expect(answers.filter((answer) => answer !== ok)).toEqual([]);
  } finally {
    server.stop();
  }
}, 60_000);

it("a device that is added or removed reloads Caddy, which loses none of 1,000 requests meanwhile", async () => {
  const server = await ReloadedCaddy.start([withDevices("laptop"), route("other")]);
  try {
    const phone = () => server.visit("code", 0, basic("phone-key"));
    const refused = "HTTP/1.1 401 Unauthorized";
    expect(await phone()).toBe(refused);
    const visits: Promise<string>[] = [];
    // By a key, by a session at the same name, and at another App; some connections are slow.
    const ways = [
      () => server.visit("code", 0, basic("laptop-key")),
      () => server.visit("code", 150),
      () => server.visit("other", 20),
    ];
    const timer = setInterval(() => visits.push(ways[visits.length % ways.length]?.() ?? Promise.resolve("none")), 8);
    let changes = 0;
    while (visits.length < 1000) {
      const added = changes++ % 2 === 0;
      await server.reload(`change-${changes}`, [withDevices("laptop", ...(added ? ["phone"] : [])), route("other")]);
      expect([added, await phone()]).toEqual([added, added ? ok : refused]);
      await sleep(1000);
    }
    clearInterval(timer);
    const answers = await Promise.all(visits);
    expect(answers.filter((answer) => answer !== ok)).toEqual([]);
    expect(changes).toBeGreaterThan(1);
  } finally {
    server.stop();
  }
}, 120_000);

it("the streams of guests end by a reload of the same release under another name, and those of others live on", async () => {
  const localhost = await startLocalhost();
  const dev = createServer((_request, answer) => answer.end("dev"));
  const localPort = await listen(dev);
  const sockets = new WebSocketServer({ server: dev });
  const routes = [{ ...route("app"), upstream: "app-socks:1080", localPort }];
  const server = await ReloadedCaddy.start(routes, localhost.port);
  try {
    const key = `${"a".repeat(64)}-${Math.floor(Date.now() / 1000) + 3600}`;
    server.permit(localPort, key);
    await server.reload("second", routes);
    const guest = await server.socket("app", `__Host-guest=${key}`);
    const other = await server.socket("app", "authelia_session=good");
    const open = () => [guest.readyState, other.readyState].map((state) => state === WebSocket.OPEN);
    await server.reload("second", routes);
    await sleep(3000);
    expect(open()).toEqual([true, true]);
    await server.reload("second", routes, "second-1795897059");
    await Promise.race([once(guest, "close"), sleep(20_000)]);
    expect(open()).toEqual([false, true]);
    other.terminate();
  } finally {
    server.stop();
    localhost.stop();
    sockets.close();
    dev.close();
  }
}, 60_000);

it("the streams of a person who is removed end at once, those of others who stay may, and the operator's live on", async () => {
  const person = (name: string) => ({ name, mail: `${name}@example.com`, apps: ["app"] });
  const withTerminal = { ...route("app"), paths: [{ path: "/terminal/*", upstream: "app-socks:1080" }] };
  const accounts = (...names: string[]) => ({ operator: "admin", people: names.map(person) });
  const terminal = createServer();
  const sockets = new WebSocketServer({ server: terminal });
  const server = await ReloadedCaddy.start([withTerminal], await listen(terminal), accounts("jo", "mia"));
  try {
    const open = await Promise.all([
      server.socket("app", "user=jo"),
      server.socket("app", "user=jo", "/terminal/ws"),
      server.socket("app", "user=admin"),
      server.socket("app", "user=admin", "/terminal/ws"),
    ]);
    const states = () => open.map(({ readyState }) => readyState === WebSocket.OPEN);
    expect(states()).toEqual([true, true, true, true]);
    const ended = Promise.all(open.slice(0, 2).map((socket) => once(socket, "close")));
    await server.change("second", [withTerminal], accounts("mia"));
    await Promise.race([ended, sleep(20_000)]);
    expect(states()).toEqual([false, false, true, true]);
    // The last one: no rule of Caddy's names people any more.
    const mia = await server.socket("app", "user=mia");
    await server.change("third", [withTerminal], accounts());
    await Promise.race([once(mia, "close"), sleep(20_000)]);
    expect([mia.readyState === WebSocket.OPEN, ...states().slice(2)]).toEqual([false, true, true]);
    for (const socket of open) socket.terminate();
  } finally {
    server.stop();
    sockets.close();
    terminal.close();
  }
}, 90_000);
