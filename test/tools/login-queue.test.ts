import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, type Server, createServer } from "node:http";
import { type RequestOptions, request } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { reverseProxyRelease } from "../../components/reverse-proxy/reverse-proxy-stack";
import { renderRelease } from "../../components/stack/release";
import { projectRoot } from "../support/project-root";
import { settingsOf } from "../support/settings";
import { caddy, caddyHome } from "../support/tools";

// The real Caddy with the portal's rendered site, before an Authelia that takes a second for each password, as the real one does.
// What its memory makes of it is seen in test/sandbox/scenarios/flood.ts.
const domain = "home.example.com";
const portal = `auth.${domain}`;
const checkMs = 1000;
const password = { method: "POST", path: "/api/firstfactor" };

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly forwardedFor: string;
  readonly host: string;
  readonly body: string;
}

/** Counts what it is asked at once. */
class Gateway {
  readonly seen: Seen[] = [];
  /** Most requests other than GET at any moment, also those whose visitor has left. */
  most = 0;
  private now = 0;
  readonly server: Server = createServer((incoming, answer) => {
    void this.answer(incoming).then((body) => answer.end(body));
  });

  private async answer(incoming: IncomingMessage): Promise<string> {
    const { method = "", url: path = "", headers } = incoming;
    const reading = method === "GET";
    if (!reading) this.most = Math.max(this.most, ++this.now);
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => incoming.once("end", resolve).once("error", resolve));
    if (path === password.path) await sleep(checkMs);
    if (!reading) this.now--;
    const body = Buffer.concat(chunks).toString();
    const [forwardedFor, host] = [headers["x-forwarded-for"], headers["x-forwarded-host"]].map(String);
    this.seen.push({ method, path, forwardedFor: forwardedFor ?? "", host: host ?? "", body });
    return "ok";
  }
}

let folder: string;
let edge: ChildProcess;
let gateway: Gateway;
let port: number;
let queuePort: number;

beforeEach(async () => {
  gateway = new Gateway();
  gateway.server.listen(0, "127.0.0.1");
  await once(gateway.server, "listening");
  const upstream = (gateway.server.address() as AddressInfo).port;
  [port, queuePort] = [await freePort(), await freePort()];
  const httpPort = await freePort();
  const { images, timeZone } = settingsOf({ domain });
  const certificates = { ...settingsOf({ domain }).certificates, directories: [] };
  const source = reverseProxyRelease({ domain, routes: [], certificates, images, timeZone });
  const release = renderRelease(join(projectRoot, "stack-templates"), source, {}, "key");
  const rendered = release.files.find(({ path }) => path === "live/Caddyfile")?.content ?? "";
  folder = mkdtempSync(join(tmpdir(), "queue-"));
  const file = join(folder, "Caddyfile");
  writeFileSync(
    file,
    rendered
      .replace("admin localhost:2019", `admin off\n\thttps_port ${port}\n\thttp_port ${httpPort}`)
      .replaceAll("auth-portal:9091", `127.0.0.1:${upstream}`)
      .replace(/\b9092\b/g, String(queuePort)),
  );
  // Abstract sockets are the whole machine's, and other tests run Caddy, too.
  const env = { ...caddyHome(folder), RELEASE: folder };
  edge = spawn(await caddy(), ["run", "--adapter", "caddyfile", "--config", file], { env, stdio: "ignore" });
  const deadline = Date.now() + 20_000;
  while ((await send({ path: "/" })).status !== 200) {
    if (Date.now() > deadline) throw new Error("Caddy did not answer within 20 s");
    await sleep(100);
  }
  gateway.seen.length = 0;
});
afterEach(async () => {
  // It would wait for what is under way.
  if (edge.exitCode === null) {
    edge.kill("SIGKILL");
    await once(edge, "exit");
  }
  gateway.server.close();
  gateway.server.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

interface Sent extends RequestOptions {
  readonly from?: string;
  readonly extra?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Status 0: no answer. */
function send({ from = "127.0.0.2", extra, body, ...options }: Sent): Promise<{ status: number; seconds: number }> {
  const start = Date.now();
  return new Promise((resolve) => {
    const done = (status: number) => {
      resolve({ status, seconds: (Date.now() - start) / 1000 });
    };
    const place = { host: "127.0.0.1", port, servername: portal, localAddress: from, rejectUnauthorized: false };
    const headers = { host: portal, "content-type": "application/json", ...extra };
    const sent = request({ ...place, agent: false, ...options, headers }, (answer) => {
      answer.resume().on("error", () => {
        done(0);
      });
      answer.on("end", () => {
        done(answer.statusCode ?? 0);
      });
    });
    sent.on("error", () => {
      done(0);
    });
    sent.end(body);
  });
}

const flood = (count: number, options: Sent = {}) =>
  Array.from({ length: count }, () => send({ ...password, ...options }));

test("two hundred guesses at once from one address keep no other address waiting, and two are checked at once", async () => {
  const guesses = flood(200, { from: "127.0.0.2", body: "{}" });
  const guessed = () => gateway.seen.filter(({ forwardedFor }) => forwardedFor === "127.0.0.2").length;
  await sleep(300);
  for (let i = 0; i < 3; i++) {
    const before = guessed();
    const right = await send({ ...password, from: "127.0.0.3", body: "{}" });
    expect(right.status).toBe(200);
    // Not by the clock: two hundred handshakes keep a small machine busy. In seconds it is seen in the sandbox.
    expect(guessed() - before).toBeLessThanOrEqual(8);
  }
  const statuses = (await Promise.all(guesses)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 503]));
  expect(gateway.most).toBe(2);
}, 60_000);

test("a few at once from one address are all answered", async () => {
  const answers = await Promise.all(flood(4, { from: "127.0.0.4", body: "{}" }));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
}, 60_000);

test("pages, passkeys and the gate do not wait behind passwords", async () => {
  const guesses = flood(40, { body: "{}" });
  const guessed = () => gateway.seen.filter(({ path }) => path === password.path).length;
  await sleep(300);
  for (const options of [{ path: "/" }, { path: "/api/state" }, { path: "/api/firstfactor/passkey", method: "POST" }]) {
    const before = guessed();
    expect((await send(options)).status).toBe(200);
    expect(guessed() - before).toBeLessThanOrEqual(2);
  }
  await Promise.all(guesses);
}, 60_000);

test("no other spelling or method of a path passes the queue", async () => {
  const paths = [
    "/api/firstfactor",
    "/api//firstfactor",
    "/api/FirstFactor",
    "/api/%66irstfactor",
    "/api/firstfactor/passkey/../../firstfactor",
    "/api/firstfactor/passkey%2f..%2f..%2ffirstfactor",
    "/api/firstfactor/passkey/",
    "/api/secondfactor/password",
    "/api/change-password",
    "/api/reset-password",
  ];
  const methods = ["POST", "PUT", "DELETE"];
  await Promise.all(
    paths.flatMap((path) => methods.map((method, index) => send({ path, method, from: `127.0.1.${index}` }))),
  );
  expect(gateway.seen.length).toBeGreaterThan(0);
  expect(gateway.most).toBeLessThanOrEqual(2);
}, 60_000);

test("Authelia learns who the visitor is, whatever the visitor says", async () => {
  const extra = { "x-forwarded-for": "198.51.100.9", "x-forwarded-host": "evil.example.com" };
  await send({ ...password, from: "127.0.0.5", body: '{"a":1}', extra });
  await send({ path: "/api/state", from: "127.0.0.5", extra });
  const common = { forwardedFor: "127.0.0.5", host: portal };
  expect(gateway.seen).toEqual([
    { ...common, ...password, body: '{"a":1}' },
    { ...common, method: "GET", path: "/api/state", body: "" },
  ]);
});

test("no body of an announced size, or of none, takes room at Authelia that the portal never needs", async () => {
  const large = "a".repeat(4_000_000);
  for (const path of ["/api/state", "/api/firstfactor"]) {
    expect([0, 413]).toContain((await send({ path, method: "POST", body: large })).status);
    const extra = { "transfer-encoding": "chunked" };
    expect([0, 413]).toContain((await send({ path, method: "POST", body: large, extra })).status);
  }
  expect(Math.max(0, ...gateway.seen.map(({ body }) => body.length))).toBeLessThanOrEqual(100_000);
});

test("nobody but Caddy itself reaches the queues' end, where it would be believed who the visitor is", async () => {
  const [own] = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal);
  if (!own) throw new Error("this machine has no address but the loopback one");
  const socket = connect({ host: own.address, port: queuePort, localAddress: own.address });
  socket.write(
    `POST /api/firstfactor HTTP/1.1\r\nHost: ${portal}\r\nX-Forwarded-For: 198.51.100.9\r\nContent-Length: 0\r\n\r\n`,
  );
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
  await Promise.race([once(socket, "close"), once(socket, "error"), sleep(5000)]);
  expect(answer).toBe("");
  expect(gateway.seen).toEqual([]);
});
