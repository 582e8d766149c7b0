import type { Route } from "../../components/routes";
import { deviceSecret, loginSecret } from "../../components/reverse-proxy/sites";
import { Edge, type HeaderList } from "../support/edge";
import { siteOf } from "../support/routes";

const basic = (password: string, user = "opencode") => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
const own = basic("server");
const laptop = basic("laptop-key");

const route = (devices: readonly string[]): Route => ({
  subdomain: "code",
  network: "cloudcode-edge-opencode",
  upstream: "opencode-server:4096",
  upstreamLogin: {
    name: "opencode",
    username: "opencode",
    secret: "serverPassword",
    parameter: "auth_token",
    devices,
    tickets: "(/api)?/pty/\\w+/connect",
  },
  policy: "two_factor",
  pages: "/",
  paths: [{ path: "/terminal/*", upstream: "opencode-terminal:7681" }],
  title: "OpenCode",
  summary: { en: "OpenCode", zh: "OpenCode" },
});
const other = siteOf();
const secrets = {
  [loginSecret("opencode")]: own,
  [deviceSecret("opencode", "laptop")]: laptop,
  [deviceSecret("opencode", "phone")]: basic("phone-key"),
};
const server = "opencode-server:4096";
const cookie = ["Cookie", "authelia_session=stolen; opencode_session=stolen"] as const;
const socket = [
  ["Connection", "Upgrade"],
  ["Upgrade", "websocket"],
  ["Origin", "tauri://localhost"],
] as const;
const asks = [
  ["Origin", "tauri://localhost"],
  ["Access-Control-Request-Method", "GET"],
  ["Access-Control-Request-Headers", "content-type, authorization"],
] as const;

describe("a device's key", () => {
  let edge: Edge;
  beforeAll(async () => {
    edge = await Edge.open([route(["laptop", "phone"]), other], { secrets });
  });
  afterAll(() => {
    edge.close();
  });

  it.each<[string, string, string, HeaderList]>([
    ["on a path of the API", "GET", "/session?directory=%2Fhome", []],
    ["on the page", "GET", "/", []],
    ["that writes", "POST", "/session", []],
    ["from a web view", "GET", "/session", [["Origin", "tauri://localhost"]]],
    ["with a gate's cookie", "GET", "/session", [cookie]],
    ["with another login in the query", "GET", `/session?auth_token=${encodeURIComponent("b3BlbmNvZGU6eA==")}&a=1`, []],
    ["with one behind a broken escape", "GET", "/session?x=%zz&%61uth_token=b3Bl", []],
  ])("passes to the server %s, as the edge's own login and without cookies", async (_name, method, path, more) => {
    const { at, headers, url } = await edge.get("code", path, [["Authorization", laptop], ...more], method);
    expect({ at, authorization: headers.authorization, cookie: headers.cookie }).toEqual({
      at: server,
      authorization: own,
      cookie: undefined,
    });
    expect(url).not.toMatch(/auth_token|%61uth/);
  });

  it("keeps the host as it was asked for, and the rest of a query", async () => {
    const { headers, url } = await edge.get("code", "/session?directory=%2Fa%20b&auth_token=x", [
      ["Authorization", laptop],
    ]);
    expect(headers.host).toBe("code.home.example.com");
    expect([...new URLSearchParams(url?.split("?")[1])]).toEqual([["directory", "/a b"]]);
  });

  it.each<[string, string, HeaderList]>([
    ["an unknown key", "/session", [["Authorization", basic("guess")]]],
    ["an empty key", "/session", [["Authorization", basic("")]]],
    ["a revoked key", "/session", [["Authorization", basic("tablet-key")]]],
    ["another user", "/session", [["Authorization", basic("laptop-key", "admin")]]],
    ["the server's own password", "/session", [["Authorization", own]]],
    [
      "two keys",
      "/session",
      [
        ["Authorization", laptop],
        ["Authorization", laptop],
      ],
    ],
    ["more behind the key", "/session", [["Authorization", `${laptop}, x`]]],
    ["the start of a key", "/session", [["Authorization", laptop.slice(0, -4)]]],
    ["a key at the terminal", "/terminal", [["Authorization", laptop]]],
    ["a key below the terminal", "/terminal/ws", [["Authorization", laptop], ...socket]],
    ["a key at the terminal in other letters", "/Terminal/ws", [["Authorization", laptop]]],
    ["a key at the terminal by a way round", "/x/..//terminal/ws", [["Authorization", laptop]]],
    ["nothing readable", "/session", [["Authorization", "Basic %%%"]]],
    ["the scheme in small letters", "/session", [["Authorization", "basic eA=="]]],
  ])("%s gets 401 and a challenge from the edge, also with a gate's cookie", async (_name, path, headers) => {
    const { at, answer } = await edge.get("code", path, [...headers, cookie]);
    expect({ at, status: answer.status, asks: answer.headers["www-authenticate"] }).toEqual({
      at: "edge",
      status: 401,
      asks: 'Basic realm="restricted"',
    });
  });

  it("opens no other App, nor the portal, nor the index page", async () => {
    const key: HeaderList = [["Authorization", laptop]];
    expect((await edge.get("app", "/", key)).at).toBe("gate");
    expect((await edge.get("", "/", key)).at).toBe("gate");
    expect((await edge.get("auth", "/", key)).headers.authorization).not.toBe(own);
  });

  it.each<[string, string, string, HeaderList, string]>([
    ["whether the key may be sent", "OPTIONS", "/session", asks, server],
    ["the same of the terminal", "OPTIONS", "/terminal/ws", asks, "edge"],
    ["whether something else may be sent", "OPTIONS", "/session", asks.slice(0, 2), "edge"],
    ["a WebSocket with a ticket", "GET", "/pty/pty_1/connect?ticket=t", socket, server],
    ["a WebSocket with a ticket of the second major", "GET", "/api/pty/pty_1/connect?ticket=t", socket, server],
    ["no ticket", "GET", "/pty/pty_1/connect", socket, "edge"],
    ["a ticket elsewhere", "GET", "/session?ticket=t", socket, "edge"],
    ["a ticket by a way round", "GET", "/pty/x/connect/../../../session?ticket=t", socket, "edge"],
    ["a ticket and no WebSocket", "GET", "/pty/pty_1/connect?ticket=t", [["Origin", "tauri://localhost"]], "edge"],
    ["a ticket beside a cookie", "GET", "/pty/pty_1/connect?ticket=t", [...socket, cookie], "edge"],
  ])("%s: without a key %s %s reaches who judges it", async (_name, method, path, headers, expected) => {
    const { at, headers: seen } = await edge.get("code", path, headers, method);
    expect([at, seen.authorization]).toEqual([expected, undefined]);
  });
});

describe("a visitor whom the gate lets pass", () => {
  it.each<[string, string, string]>([
    ["the server", "/session?auth_token=x&a=1", server],
    ["the terminal", "/terminal/", "opencode-terminal:7681"],
  ])("reaches %s, which gets a login only if it asks for one", async (_name, path, upstream) => {
    const edge = await Edge.open([route([])], { gateSays: 200, secrets });
    try {
      const { at, headers, url } = await edge.get("code", path, [["Cookie", "authelia_session=s; mine=1"]]);
      expect([at, headers.authorization]).toEqual([upstream, upstream === server ? own : undefined]);
      expect(headers.cookie).toBe("mine=1");
      expect(url).not.toContain("auth_token");
    } finally {
      edge.close();
    }
  });

  it("is the only one where there are no devices", async () => {
    const edge = await Edge.open([route([])], { secrets });
    try {
      expect((await edge.get("code", "/session", [["Authorization", laptop]])).at).toBe("edge");
      expect((await edge.get("code", "/pty/pty_1/connect?ticket=t", socket)).at).toBe("edge");
      expect((await edge.get("code", "/session")).at).toBe("gate");
    } finally {
      edge.close();
    }
  });
});
