// What the rendered Caddy and the container's health check make of OpenCode's second major, which is a stand-in here: what it does is
// read in its source, and was not run.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OpenCodeServer } from "@cloudcode/offline-kit/stand-ins/opencode/server";
import { WebSocket } from "ws";
import { parse } from "yaml";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { opencode } from "../../components/apps/opencode";
import { deviceSecret, loginSecret } from "../../components/reverse-proxy/sites";
import { type RenderedApp, renderApp } from "../support/rendered-app";
import { RenderedCaddy } from "../support/rendered-caddy";

const host = "code.home.example.com";
const basic = (password: string) => `Basic ${Buffer.from(`opencode:${password}`).toString("base64")}`;
const device = { authorization: basic("laptop-key") };
const visitor = { cookie: "authelia_session=good", origin: `https://${host}`, "sec-fetch-site": "same-origin" };
const foreign = "https://elsewhere.example.net";

let app: RenderedApp;
let password: string;
let server: OpenCodeServer;
let port: number;
let caddy: RenderedCaddy;
const gate = createServer(({ headers }, response) => {
  response.writeHead(headers.cookie?.includes("authelia_session=good") ? 200 : 401).end();
});

beforeAll(async () => {
  app = await renderApp(opencode, { opencodeVersion: "2.1.3", opencodeDevices: '["laptop"]' });
  password = app.secrets["serverPassword"] ?? "";
  server = new OpenCodeServer({ password, heartbeat: 200 });
  port = await listen(server.server);
  const gatePort = await listen(gate);
  caddy = await RenderedCaddy.start({
    domain: "home.example.com",
    routes: app.app.routes,
    portOf: (upstream) => Promise.resolve(upstream === "opencode-server:4096" ? port : gatePort),
    secrets: {
      [loginSecret("opencode")]: basic(password),
      [deviceSecret("opencode", "laptop")]: device.authorization,
    },
  });
});
afterAll(() => {
  caddy.stop();
  server.stop();
  gate.close();
});
beforeEach(() => {
  server.state = "ready";
  server.arrivals.length = 0;
});

/** One request; the answer as it begins. */
function send(
  to: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  method = "GET",
  body = Buffer.alloc(0),
) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const options = { host: "127.0.0.1", port: to, path, method, agent: false };
    const sent = request({ ...options, headers: { host, "content-length": body.length, ...headers } }, resolve);
    sent.on("error", reject).end(body);
  });
}
async function textOf(answer: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  return text;
}
const ask = async (...args: Parameters<typeof send>) => {
  const answer = await send(...args);
  return { status: answer.statusCode, headers: answer.headers, body: await textOf(answer) };
};

describe("the check of the container's health", () => {
  /** The command of the compose file with the file of the release, at the stand-in's port. Not synchronous: it runs in this process. */
  async function check(login = password): Promise<number | null> {
    const file = (path: string) => app.release.files.find((one) => one.path.endsWith(path))?.content ?? "";
    const { services } = parse(file("compose.yaml"), { merge: true }) as {
      services: Record<string, { healthcheck: { test: string[] } }>;
    };
    const [, ...words] = services["server"]?.healthcheck.test ?? [];
    const folder = mkdtempSync(join(tmpdir(), "health-"));
    const config = join(folder, "health");
    writeFileSync(config, file("health").replace(":4096", `:${port}`).replace(password, login));
    const [program = "", ...args] = words.map((word) =>
      word.replaceAll("$$", () => "$").replace("/run/secrets/health", config),
    );
    const child = spawn(program, args);
    return new Promise((resolve) =>
      child.on("close", (code) => {
        rmSync(folder, { recursive: true });
        resolve(code);
      }),
    );
  }

  it("is green once the server is ready", async () => {
    expect(await check()).toBe(0);
    const ours = server.arrivals.filter(({ headers }) => headers["user-agent"]?.startsWith("curl/"));
    expect(ours.map(({ url, headers }) => [url, headers.authorization])).toEqual([["/api/info", basic(password)]]);
  });

  it.each(["booting", "failed", "page"] as const)("is red while the server is: %s", async (state) => {
    server.state = state;
    expect(await check()).not.toBe(0);
  });

  it("is red with another password, and would be green for ever at the path of the first major", async () => {
    expect(await check("another")).not.toBe(0);
    for (const state of ["booting", "failed", "page"] as const) {
      server.state = state;
      expect((await ask(port, "/global/health", {})).status).toBe(200);
    }
  });
});

describe("Caddy's check of the health", () => {
  it.each(["booting", "failed", "page"] as const)(
    "holds requests while the server is: %s, and serves them once it is ready",
    async (state) => {
      server.state = state;
      await sleep(2500);
      const asked = ask(caddy.port, "/api/info", device);
      const first = await Promise.race([asked, sleep(1500, "held")]);
      expect(first).toBe("held");
      server.state = "ready";
      expect(await asked).toMatchObject({ status: 200, body: expect.stringContaining('"version"') as string });
    },
  );

  it("has the server's password, and asks once a second", async () => {
    await sleep(2500);
    const checks = server.arrivals.filter(({ url }) => url === "/api/info");
    expect(checks.length).toBeGreaterThanOrEqual(2);
    expect(new Set(checks.map(({ headers }) => headers.authorization))).toEqual(new Set([basic(password)]));
  });
});

describe("who may enter", () => {
  const reached = () =>
    server.arrivals.filter(({ headers }) => headers["user-agent"] !== "Go-http-client/1.1" && headers.host === host);

  it("is asked for the page too, which the server itself gives to everybody", async () => {
    expect((await ask(port, "/", {})).status).toBe(200);
    server.arrivals.length = 0;
    expect((await ask(caddy.port, "/", {})).status).toBe(401);
    expect(reached()).toEqual([]);
    expect(await ask(caddy.port, "/", visitor)).toMatchObject({
      status: 200,
      body: expect.stringContaining("OpenCode") as string,
    });
  });

  it.each([
    ["a visitor whom the gateway lets pass", visitor],
    ["a device with its key", device],
  ])("is %s: the server gets its own password", async (_who, headers) => {
    expect((await ask(caddy.port, "/api/info", headers)).status).toBe(200);
    expect(reached().map((one) => one.headers.authorization)).toEqual([basic(password)]);
  });

  it.each([
    ["a wrong key", { authorization: basic("guess") }],
    ["the server's own password", { authorization: "own" }],
    ["a session token of the server", { authorization: "token" }],
  ])("is not %s: it gets 401 and a challenge, and nothing arrives", async (_who, { authorization }) => {
    const word =
      authorization === "own"
        ? basic(password)
        : authorization === "token"
          ? basic(server.sessionToken())
          : authorization;
    expect(await ask(caddy.port, "/api/info", { authorization: word })).toMatchObject({
      status: 401,
      headers: { "www-authenticate": 'Basic realm="restricted"' },
    });
    expect(reached()).toEqual([]);
  });

  it("is decided by no login in a query, which the server would believe before the header", async () => {
    const query = `/api/info?auth_token=${encodeURIComponent(Buffer.from("opencode:wrong").toString("base64"))}&a=1`;
    expect((await ask(port, query, { authorization: basic(password) })).status).toBe(401);
    for (const headers of [visitor, device]) {
      server.arrivals.length = 0;
      expect((await ask(caddy.port, query, headers)).status).toBe(200);
      expect(reached().map(({ url }) => url)).toEqual(["/api/info?a=1"]);
    }
    const right = `/api/info?auth_token=${encodeURIComponent(Buffer.from(`opencode:${password}`).toString("base64"))}`;
    expect((await ask(port, right, {})).status).toBe(200);
    expect((await ask(caddy.port, right, {})).status).toBe(401);
  });
});

describe("what passes", () => {
  it.each([
    ["a visitor", visitor],
    ["a device", device],
  ])("is a body of 32 MiB from %s", async (_who, headers) => {
    const body = Buffer.alloc(32 * 2 ** 20, "x");
    const { status, body: answer } = await ask(caddy.port, "/api/experimental/fs/write", headers, "POST", body);
    expect([status, answer]).toEqual([200, JSON.stringify({ size: body.length })]);
  });

  it.each([
    ["a visitor", visitor],
    ["a device", device],
  ])("is the stream of events to %s, as each is sent, and uncompressed", async (_who, headers) => {
    const answer = await send(caddy.port, "/api/event", { ...headers, "accept-encoding": "gzip, zstd" });
    expect(answer.headers["content-encoding"]).toBeUndefined();
    const times: number[] = [];
    let text = "";
    for await (const chunk of answer) {
      times.push(Date.now());
      text += String(chunk);
      if (times.length === 5) break;
    }
    expect(text).toMatch(/^data: \{"id":"evt_1",.*\n\n(: heartbeat\n\n){4}$/);
    // Buffered, they would come at once.
    for (const [index, time] of times.slice(1).entries()) expect(time - (times[index] ?? 0)).toBeGreaterThan(50);
  });

  /** What a terminal answers to a word, or why it does not open. */
  function terminal(to: number, path: string, headers: Readonly<Record<string, string>>): Promise<string> {
    return new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${to}${path}`, { headers: { host, ...headers } });
      socket.on("open", () => {
        socket.send("ls");
      });
      socket.on("message", (data: Buffer) => {
        resolve(data.toString());
        socket.terminate();
      });
      socket.on("error", ({ message }) => {
        resolve(message);
      });
    });
  }
  async function ticket(headers: Readonly<Record<string, string>>): Promise<string> {
    const { body } = await ask(
      caddy.port,
      "/api/pty/pty_1/connect-token",
      { ...headers, "x-opencode-ticket": "1" },
      "POST",
    );
    return (JSON.parse(body) as { data: { ticket: string } }).data.ticket;
  }

  it("is a terminal of a visitor, by a ticket and without one, since the server sees the host that was asked for", async () => {
    const { cookie, origin } = visitor;
    const path = `/api/pty/pty_1/connect?ticket=${await ticket(visitor)}`;
    expect(await terminal(caddy.port, path, { cookie, origin })).toBe("ls");
    expect(await terminal(caddy.port, path, { cookie, origin })).toBe("Unexpected server response: 403");
    expect(await terminal(caddy.port, "/api/pty/pty_1/connect", { cookie, origin })).toBe("ls");
  });

  it("is a terminal of a device that can send a ticket alone, once, and no terminal of somebody without", async () => {
    const path = `/api/pty/pty_1/connect?ticket=${await ticket(device)}`;
    expect(await terminal(caddy.port, path, { origin: "tauri://localhost" })).toBe("ls");
    expect(await terminal(caddy.port, path, { origin: "tauri://localhost" })).toBe("Unexpected server response: 403");
    expect(await terminal(caddy.port, "/api/pty/pty_1/connect", device)).toBe("ls");
    expect(await terminal(caddy.port, "/api/pty/pty_1/connect", {})).toBe("Unexpected server response: 401");
  });

  it("is no terminal that a page of another site opens, which the server itself would let pass", async () => {
    expect(await terminal(port, "/api/pty/pty_1/connect", { authorization: basic(password), origin: foreign })).toBe(
      "ls",
    );
    expect(await terminal(caddy.port, "/api/pty/pty_1/connect", { cookie: visitor.cookie, origin: foreign })).toBe(
      "Unexpected server response: 403",
    );
  });
});
