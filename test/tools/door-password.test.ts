import { readFileSync } from "node:fs";
import { type Server, createServer, request } from "node:http";
import fc from "fast-check";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { hashBasicPassword, loginHeader, maxPasswordBytes } from "../../components/reverse-proxy/password-hash";
import type { Route } from "../../components/routes";
import { RenderedCaddy } from "../support/rendered-caddy";

// The real Caddy with the rendered site of an App for which it asks for a password itself.
const domain = "home.example.com";
const password = "p".repeat(maxPasswordBytes);
const route: Route = {
  ...{ subdomain: "app", network: "cloudcode-edge-app", upstream: "app-web:8000", policy: "two_factor", paths: [] },
  ...{ title: "App", summary: { en: "App", zh: "App" }, basicAuth: { username: "jo", password: undefined } },
};

let caddy: RenderedCaddy;
let app: Server;
beforeAll(async () => {
  app = createServer((_incoming, answer) => answer.end("inside"));
  const port = await listen(app);
  const secrets = { "hash-app": await hashBasicPassword(password, Buffer.alloc(16, 7).toString("base64")) };
  caddy = await RenderedCaddy.start({ domain, routes: [route], portOf: () => Promise.resolve(port), secrets });
}, 60_000);
afterAll(() => {
  caddy.stop();
  app.close();
});

function ask(authorization: string | undefined): Promise<{ status: number; asks: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = { host: `app.${domain}`, ...(authorization !== undefined && { authorization }) };
    const sent = request({ host: "127.0.0.1", port: caddy.port, headers, agent: false }, (answer) => {
      answer.resume().on("end", () => {
        resolve({ status: answer.statusCode ?? 0, asks: answer.headers["www-authenticate"] });
      });
    });
    sent.on("error", reject).end();
  });
}

const login = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

/** Processor time that Caddy has taken, in seconds: unlike the clock, it is the same next to other work. */
function cpuSeconds(): number {
  const fields = readFileSync(`/proc/${caddy.pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function costOf(logins: readonly string[]): Promise<number> {
  const before = cpuSeconds();
  const answers = await Promise.all(logins.map(ask));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  return cpuSeconds() - before;
}

const each = (make: (i: number) => string) => Array.from({ length: 200 }, (_, i) => login(make(i)));

it("lets in with the password, also the longest, and asks everybody else for it", async () => {
  expect(await ask(login(`jo:${password}`))).toEqual({ status: 200, asks: undefined });
  expect((await ask(login(`jo:${password}`).replace("Basic", "bASIC"))).status).toBe(200);
  for (const other of [
    undefined,
    "",
    "Bearer x",
    "Basic",
    login("jo:"),
    login("jo"),
    login(`j:${password}`),
    login(`jo:${password}p`),
  ])
    expect(await ask(other)).toEqual({ status: 401, asks: 'Basic realm="restricted"' });
});

it("is not kept busy by two hundred guesses", async () => {
  expect(await costOf(each((i) => `jo:wrong-${i}`))).toBeLessThan(5);
}, 120_000);

it("checks nothing for users who are not there, nor passwords without end", async () => {
  const users = await costOf(each((i) => `eve${i}:wrong`));
  const long = await costOf(each((i) => `jo:${i}${"x".repeat(10_000)}`));
  expect(users).toBeLessThan(3);
  expect(long).toBeLessThan(3);
}, 120_000);

it("is a pattern that fits this user's logins and no other's, whatever they are called", () => {
  const name = fc.string({ minLength: 1, maxLength: 40, unit: "binary" }).filter((text) => !text.includes(":"));
  const expression = (user: string) =>
    new RegExp(loginHeader(user).pattern.replace("(?i:basic)", "[Bb][Aa][Ss][Ii][Cc]"));
  fc.assert(
    fc.property(name, name, fc.string({ maxLength: 18, unit: "binary" }), (user, other, word) => {
      expect(login(`${user}:${word}`)).toMatch(expression(user));
      if (Buffer.from(user).equals(Buffer.from(other))) return;
      expect(login(`${other}:${word}`)).not.toMatch(expression(user));
    }),
  );
  expect(login(`jo:${password}`)).toMatch(expression("jo"));
  for (const neighbour of ["jo;", "jo9", "jn:", "j", "jo"]) expect(login(neighbour)).not.toMatch(expression("jo"));
  expect(login("a;x")).not.toMatch(expression("a"));
  expect(login("abc;x")).not.toMatch(expression("abc"));
});
