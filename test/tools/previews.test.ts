// Dev servers of OpenCode's workspace behind the rendered Caddy, by way of the program that its image leads Caddy to localhost with.
import { mkdirSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, type Server, createServer, request } from "node:http";
import { join } from "node:path";
import { type AddressInfo, connect } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { enabledApps } from "../../components/apps/registry";
import { loginSecret } from "../../components/reverse-proxy/sites";
import { startLocalhost } from "../support/localhost";
import { RenderedCaddy } from "../support/rendered-caddy";
import { settingsOf } from "../support/settings";

const domain = "home.example.com";
const host = `3000-code.${domain}`;
const origin = `https://${host}`;
const session = "authelia_session=good";

interface Seen {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A dev server that looks at Host and Origin as Vite, webpack-dev-server and Next do, and at what frameworks build addresses from. */
class DevServer {
  readonly seen: Seen[] = [];
  /** Where /away leads. */
  away = "/";
  readonly sockets = new Set<WebSocket>();
  readonly #server: Server;

  constructor(private readonly answerHeaders: Readonly<Record<string, string | string[]>> = {}) {
    this.#server = createServer((incoming, answer) => {
      this.seen.push({ url: incoming.url ?? "", headers: incoming.headers });
      if (!this.#ofLocalhost(incoming.headers)) answer.writeHead(403).end("Blocked request. This host is not allowed.");
      else if (incoming.url === "/away") answer.writeHead(302, { location: this.away }).end();
      else answer.writeHead(200, { "content-type": "text/html", ...this.answerHeaders }).end("<h1>dev</h1>");
    });
    const sockets = new WebSocketServer({ noServer: true });
    this.#server.on("upgrade", (incoming, socket, head) => {
      this.seen.push({ url: incoming.url ?? "", headers: incoming.headers });
      if (!this.#ofLocalhost(incoming.headers)) {
        socket.destroy();
        return;
      }
      sockets.handleUpgrade(incoming, socket, head, (opened) => {
        this.sockets.add(opened);
        opened.send("connected");
        opened.on("message", (text) => {
          opened.send(`hot: ${(text as Buffer).toString()}`);
        });
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** @param address of localhost, of which such servers take one or both */
  async start(address: string): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, address, resolve));
    return this;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.sockets) socket.terminate();
  }

  /** Its own name is that of the port it was told to listen on, which here stands for 3000. */
  #ofLocalhost({ host: name, origin: from }: IncomingHttpHeaders): boolean {
    return name === "localhost:3000" && (from === undefined || from === "http://localhost:3000");
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let caddy: RenderedCaddy;
let gate: Server;
let other: Server;
let localhost: Awaited<ReturnType<typeof startLocalhost>>;
let dev: DevServer;
let asked: string[] = [];

async function open(server: DevServer | undefined): Promise<void> {
  dev = server ?? (await new DevServer().start("127.0.0.1"));
  const port = dev.port;
  // Nothing listens where it was.
  if (server === undefined) dev.stop();
  const routes = enabledApps(settingsOf({ domain, opencodePreviews: "[3000]" })).flatMap((app) => app.routes);
  gate = createServer(({ headers }, answer) => {
    asked.push(String(headers["x-forwarded-uri"]));
    if (headers.cookie?.includes(session)) answer.setHeader("remote-user", "operator").end();
    else answer.writeHead(302, { location: `https://auth.${domain}/` }).end();
  });
  const gatePort = await listen(gate);
  other = createServer((_request, answer) => answer.end("other"));
  const otherPort = await listen(other);
  localhost = await startLocalhost();
  const ports: Readonly<Record<string, number>> = {
    "auth-portal:9091": gatePort,
    "opencode-server:1080": localhost.port,
    "localhost:3000": port,
  };
  caddy = await RenderedCaddy.start({
    domain,
    routes,
    secrets: { [loginSecret("opencode")]: "Basic of-nobody" },
    portOf: (upstream) => Promise.resolve(ports[upstream] ?? otherPort),
  });
}

function close(): void {
  caddy.stop();
  localhost.stop();
  gate.close();
  other.close();
  dev.stop();
  asked = [];
}

function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: caddy.port, path, method, headers: { host, ...headers }, agent: false };
    const sent = request(options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    sent.on("error", reject).end();
  });
}

/** What a WebSocket hears to `edit`, or the status that refuses it. */
function socket(headers: Readonly<Record<string, string>>): Promise<readonly (string | number)[]> {
  return new Promise((resolve) => {
    const opened = new WebSocket(`ws://127.0.0.1:${caddy.port}/?token=x`, "vite-hmr", {
      headers: { host, ...headers },
    });
    const heard: string[] = [];
    opened.on("open", () => {
      opened.send("edit");
    });
    opened.on("message", (text) => {
      heard.push((text as Buffer).toString());
      if (heard.length < 2) return;
      opened.terminate();
      resolve(heard);
    });
    opened.on("unexpected-response", (_request, { statusCode }) => {
      resolve([statusCode ?? 0]);
    });
    opened.on("error", () => {
      resolve(["error"]);
    });
  });
}

describe.each(["127.0.0.1", "::1", "localhost"])("a dev server that listens at %s", (address) => {
  beforeAll(async () => {
    await open(await new DevServer().start(address));
  });
  afterAll(close);

  it("is asked as its own localhost, with nothing of the gateway, once the visitor has signed in", async () => {
    const cookie = `a=1; ${session}; __Host-guest=x; b=2`;
    const { status, body } = await ask("/src/main.ts?v=1", { cookie, origin, referer: `${origin}/page` });
    expect([status, body]).toEqual([200, "<h1>dev</h1>"]);
    const { url, headers } = dev.seen.at(-1) ?? { url: "", headers: {} };
    expect(url).toBe("/src/main.ts?v=1");
    expect(headers).toMatchObject({
      host: "localhost:3000",
      origin: "http://localhost:3000",
      referer: "http://localhost:3000/page",
      cookie: "a=1; b=2",
    });
    expect(Object.keys(headers).filter((name) => /^(x-forwarded|remote)-|^forwarded$/.test(name))).toEqual([]);
  });

  it("is asked without an Origin where the browser sends none", async () => {
    await ask("/", { cookie: session });
    expect(dev.seen.at(-1)?.headers.origin).toBeUndefined();
  });

  it("reloads a page by its WebSocket", async () => {
    expect(await socket({ cookie: session, origin })).toEqual(["connected", "hot: edit"]);
  });

  it.each<[string, Record<string, string>, number]>([
    ["who has not signed in", {}, 302],
    ["a page of OpenCode itself", { cookie: session, origin: `https://code.${domain}` }, 403],
    ["a page of another preview", { cookie: session, origin: `https://5173-code.${domain}` }, 403],
    ["a frame of another site", { cookie: session, "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate" }, 403],
  ])("is not asked by %s, neither by a request nor by a WebSocket", async (_name, headers, status) => {
    const before = dev.seen.length;
    expect((await ask("/", headers)).status).toBe(status);
    expect(await socket(headers)).toEqual([status]);
    expect(dev.seen.length).toBe(before);
  });
});

describe("what a dev server answers", () => {
  const cookies = [
    "a=1; Path=/; Domain=home.example.com",
    "b=2;domain=.home.example.com;HttpOnly",
    "c=domain=x; Path=/",
  ];
  const policies = {
    "clear-site-data": '"cookies"',
    "access-control-allow-origin": "*",
    "content-security-policy": "x",
  };
  beforeAll(async () => {
    await open(await new DevServer({ "set-cookie": cookies, ...policies }).start("127.0.0.1"));
  });
  afterAll(close);

  it("sets and clears cookies of its own host alone, and is framed by nobody else", async () => {
    const { headers } = await ask("/", { cookie: session });
    expect(headers["set-cookie"]).toEqual(["a=1; Path=/", "b=2;HttpOnly", "c=domain=x; Path=/"]);
    expect(headers).toMatchObject({
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "content-security-policy": expect.stringContaining("frame-ancestors 'self'") as string,
    });
    expect(headers).not.toHaveProperty("clear-site-data");
    expect(headers).not.toHaveProperty("access-control-allow-origin");
  });

  it.each([
    ["http://localhost:3000/login?a=1", `${origin}/login?a=1`],
    ["https://127.0.0.1:3000/", `${origin}/`],
    ["http://localhost:30001/", "http://localhost:30001/"],
    ["/login", "/login"],
    ["https://login.example.com/?back=http://localhost:3000", "https://login.example.com/?back=http://localhost:3000"],
  ])("sends who is sent to %s to %s: nobody to the localhost of their own machine", async (away, expected) => {
    dev.away = away;
    expect((await ask("/away", { cookie: session })).headers.location).toBe(expected);
  });
});

test("where nothing listens, the page says so", async () => {
  await open(undefined);
  try {
    const { status, body, headers } = await ask("/", { cookie: session });
    expect([status, body]).toEqual([502, "Nothing answers on port 3000 of the workspace's localhost."]);
    expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
  } finally {
    close();
  }
});

describe("what leads Caddy to localhost", () => {
  let listening: Server;
  beforeAll(async () => {
    localhost = await startLocalhost();
    listening = createServer((_request, answer) => answer.end("here"));
    await listen(listening);
  });
  afterAll(() => {
    localhost.stop();
    listening.close();
  });

  /** The answer to bytes of a SOCKS5 client, in hexadecimal digits, up to its first four bytes. */
  const say = (...words: readonly Buffer[]) =>
    new Promise<string>((resolve) => {
      const socket = connect(localhost.port, "127.0.0.1");
      let heard = Buffer.alloc(0);
      socket.on("data", (bytes: Buffer) => {
        heard = Buffer.concat([heard, bytes]);
        if (heard.length === 2 && words[1]) socket.write(words[1]);
        if (heard.length > 2) socket.destroy();
      });
      for (const event of ["close", "error"])
        socket.on(event, () => {
          resolve(heard.toString("hex").slice(0, 8));
        });
      socket.write(words[0] ?? "");
    });
  const hello = Buffer.from([5, 1, 0]);
  const name = (host: string, port: number) =>
    Buffer.concat([Buffer.from([5, 1, 0, 3, host.length]), Buffer.from(host), Buffer.from([port >> 8, port & 255])]);
  const four = (host: string, port: number) =>
    Buffer.from([5, 1, 0, 1, ...host.split(".").map(Number), port >> 8, port & 255]);

  it("connects to a port of localhost, by each of its names", async () => {
    const { port } = listening.address() as AddressInfo;
    for (const request of [name("localhost", port), name("127.0.0.1", port), four("127.0.0.1", port)])
      expect(await say(hello, request)).toBe("05000500");
  });

  it.each<[string, () => Buffer, string]>([
    ["the server's port", () => name("localhost", 4096), "05000502"],
    ["its own port", () => name("localhost", localhost.port), "05000502"],
    ["another host", () => name("auth-portal", 9091), "05000502"],
    ["another address", () => four("169.254.169.254", 80), "05000502"],
    ["every address", () => four("0.0.0.0", 80), "05000502"],
    ["a name that ends like it", () => name("evil.localhost", 80), "05000502"],
    ["a port where nothing listens", () => name("localhost", 1), "05000505"],
    ["a port of its own to listen on", () => Buffer.from([5, 2, 0, 1, 127, 0, 0, 1, 0, 80]), "0500"],
    ["an address of no kind", () => Buffer.from([5, 1, 0, 9, 127, 0, 0, 1, 0, 80]), "0500"],
  ])("refuses who asks for %s", async (_name, request, answer) => {
    expect(await say(hello, request())).toBe(answer);
  });

  it.each([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["SOCKS4", Buffer.from([4, 1, 0, 80, 127, 0, 0, 1, 0])],
    ["a client that wants to log in", Buffer.from([5, 1, 2])],
  ])("says nothing to %s, and goes on", async (_name, bytes) => {
    expect(await say(bytes)).toBe("");
    expect(await say(hello, name("localhost", 4096))).toBe("05000502");
  });
});

describe("a guest", () => {
  const key = (end: number, letter = "a") => `${letter.repeat(64)}-${end}`;
  const now = () => Math.floor(Date.now() / 1000);
  const permit = (port: number, name: string) => {
    mkdirSync(join(caddy.guests, String(port)), { recursive: true });
    writeFileSync(join(caddy.guests, String(port), name), "");
  };
  beforeAll(async () => {
    await open(await new DevServer().start("127.0.0.1"));
  });
  afterAll(close);
  beforeEach(() => (asked = []));

  it("gets a cookie by the link, which opens this site without the gate and does not reach the dev server", async () => {
    const valid = key(now() + 3600);
    permit(3000, valid);
    const clicked = await ask(`/.guest/${valid}`, { "sec-fetch-site": "cross-site", ...link });
    const set = `__Host-guest=${valid}; Path=/; Secure; HttpOnly; SameSite=Lax`;
    expect([clicked.status, clicked.headers.location, clicked.headers["set-cookie"]]).toEqual([303, "/", [set]]);
    const cookie = `mine=1; __Host-guest=${valid}`;
    expect((await ask("/page", { cookie })).body).toBe("<h1>dev</h1>");
    expect(await socket({ cookie, origin })).toEqual(["connected", "hot: edit"]);
    expect(dev.seen.map(({ url }) => url)).toEqual(["/page", "/?token=x"]);
    expect(dev.seen.map(({ headers }) => headers.cookie?.includes("__Host-guest"))).toEqual([false, false]);
    expect(asked).toEqual([]);
  });

  it("is held to the rules of other visitors", async () => {
    const valid = key(now() + 3600);
    permit(3000, valid);
    const cookie = `__Host-guest=${valid}`;
    expect((await ask("/", { cookie, origin: `https://code.${domain}` })).status).toBe(403);
    expect(await socket({ cookie, origin: "https://evil.example" })).toEqual([403]);
    expect((await ask("/", { cookie, host: `code.${domain}` })).status).toBe(302);
    expect((await ask("/", { cookie, host: domain })).status).toBe(302);
  });

  it.each<[string, (valid: string) => string]>([
    ["an end that has passed", () => key(now() - 1)],
    ["the key of another port", () => key(now() + 3600, "b")],
    ["a key that nobody gave", () => key(now() + 3600, "c")],
    ["a later end than was given", (valid) => valid.replace(/\d+$/, (end) => String(Number(end) + 1))],
    ["a way to the file from elsewhere", (valid) => `../3000/${valid}`],
    ["a pattern of its name", () => "*"],
    ["nothing", () => ""],
  ])("with %s is turned away by the link and by the cookie", async (_name, make) => {
    const valid = key(now() + 3600);
    permit(3000, valid);
    permit(3000, key(now() - 1));
    permit(5173, key(now() + 3600, "b"));
    const before = dev.seen.length;
    const made = make(valid);
    const clicked = await ask(`/.guest/${made}`);
    expect([302, 410]).toContain(clicked.status);
    expect(clicked.headers["set-cookie"]).toBeUndefined();
    expect([302, 410]).toContain((await ask("/", { cookie: `__Host-guest=${made}` })).status);
    expect(dev.seen.length).toBe(before);
  });

  it("reads that it has ended; somebody who signs in there does not", async () => {
    const cookie = `__Host-guest=${key(now() - 1)}`;
    expect(await ask("/", { cookie })).toMatchObject({ status: 410, body: "This link has ended." });
    expect((await ask("/", { cookie: `${cookie}; ${session}` })).body).toBe("<h1>dev</h1>");
  });

  it("is turned away from the moment on that its time has passed, though the key is still there", async () => {
    const valid = key(now() + 2);
    permit(3000, valid);
    const cookie = `__Host-guest=${valid}`;
    expect((await ask("/", { cookie })).status).toBe(200);
    while (now() < Number(valid.slice(65))) await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await ask("/", { cookie })).status).toBe(410);
  });
});

const link = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
