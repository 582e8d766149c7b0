// What lwsandbox's /health tells a monitor, at the real Caddy before servers that work, fail, hang or are not there.
import { type IncomingMessage, type Server, createServer, request } from "node:http";
import { freePort, listen } from "@cloudcode/offline-kit/toolchain/ports";
import { enabledApps } from "../../components/apps/registry";
import { RenderedCaddy } from "../support/rendered-caddy";
import { settingsOf } from "../support/settings";

const domain = "home.example.com";
const [control, gateway, pages] = ["lwsandbox-server:8080", "lwsandbox-gateway:8081", "lwsandbox-web:80"];

/** How an upstream answers now: a status, or `silence`. */
type Mood = number | "silence";
const moods = new Map<string, Mood>();
const seen: { readonly at: string; readonly message: IncomingMessage }[] = [];
const servers: Server[] = [];

async function home(settings: Readonly<Record<string, string>>, gone: readonly string[] = []): Promise<RenderedCaddy> {
  const all = { domain, opencodeEnabled: "false", lwsandboxEnabled: "true", ...settings };
  const routes = enabledApps(settingsOf(all)).flatMap((app) => app.routes);
  const portOf = (upstream: string) => {
    if (gone.includes(upstream)) return freePort();
    const server = createServer((message, answer) => {
      const bypass = String(message.headers["x-forwarded-uri"]) === "/health";
      if (upstream.startsWith("auth-portal")) return answer.writeHead(bypass ? 200 : 401).end();
      seen.push({ at: upstream, message });
      const mood = moods.get(upstream) ?? 200;
      if (mood === "silence") return undefined;
      return answer.writeHead(mood, { "x-version": "0.6.10", server: "liteboxd" }).end('{"status":"details"}');
    });
    servers.push(server);
    return listen(server);
  };
  return RenderedCaddy.start({ domain, routes, portOf });
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

function ask(caddy: RenderedCaddy, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { host: `sandbox.${domain}`, ...headers };
    const options = { host: "127.0.0.1", port: caddy.port, path: "/health", method, headers: all, agent: false };
    request(options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode, body, headers: response.headers });
      });
    })
      .on("error", reject)
      .end();
  });
}

const told = async (caddy: RenderedCaddy) => {
  const { status, body, headers } = await ask(caddy);
  expect([headers["x-version"], headers.server]).toEqual([undefined, undefined]);
  return [status, body];
};

let monitored: RenderedCaddy;
beforeAll(async () => {
  monitored = await home({ lwsandboxHealth: "true" });
});
afterEach(() => {
  moods.clear();
  seen.length = 0;
});
afterAll(() => {
  monitored.stop();
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

test("up while server, gateway and pages answer", async () => {
  expect(await told(monitored)).toEqual([200, "up"]);
  expect(seen.map(({ at, message }) => [at, message.method, message.url])).toEqual([
    [control, "GET", "/readyz"],
    [gateway, "GET", "/readyz"],
    [pages, "GET", "/"],
  ]);
});

test.each([control, gateway, pages])("down while %s says so, or nothing at all", async (upstream) => {
  for (const mood of [503, 500, 404, 302, "silence"] as const) {
    moods.set(upstream, mood);
    expect([mood, ...(await told(monitored))]).toEqual([mood, 503, "down"]);
  }
  moods.clear();
  expect(await told(monitored)).toEqual([200, "up"]);
});

test("down while one of them is not there", async () => {
  for (const upstream of [control, gateway, pages]) {
    const caddy = await home({ lwsandboxHealth: "true" }, [upstream]);
    expect(await told(caddy)).toEqual([503, "down"]);
    caddy.stop();
  }
});

test("nothing of the request reaches them, and only a look is answered", async () => {
  const secrets = {
    cookie: "authelia_session=good; liteboxd_session=x",
    authorization: "Bearer lbxk_x",
    "x-forwarded-for": "1.2.3.4",
  };
  expect((await ask(monitored, secrets)).body).toBe("up");
  for (const { message } of seen)
    for (const name of ["cookie", "authorization", "x-forwarded-for", "remote-user"])
      expect([name, message.headers[name]]).toEqual([name, undefined]);
  const before = seen.length;
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
    expect((await ask(monitored, {}, method)).status).toBe(405);
  expect((await ask(monitored, { origin: "https://elsewhere.example.net" })).status).toBe(403);
  expect(seen.length).toBe(before);
  expect(await ask(monitored, {}, "HEAD")).toMatchObject({ status: 200, body: "" });
});

test("unless it is wished, /health is as closed as everything else", async () => {
  const caddy = await home({});
  const closed = enabledApps(settingsOf({ domain, lwsandboxEnabled: "true" })).flatMap((app) => app.routes);
  expect(closed.flatMap(({ paths }) => paths).filter(({ policy }) => policy === "bypass")).toEqual([]);
  expect((await ask(caddy)).body).not.toBe("up");
  caddy.stop();
});
