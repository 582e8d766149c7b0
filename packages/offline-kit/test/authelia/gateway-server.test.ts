// Signing in to the gateway as its container runs it: one bundled file, real hashes, real sessions in Redis.
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { matchingStep, totpCode } from "../../stand-ins/authelia/http/totp";
import { codeAt, currentStep } from "../../../../test/browser/one-time-password";
import { domain } from "./gateway-cases";
import type { Running } from "./gateway-kit";
import { data, elevate, gatewayFolder, oneTimeCode, password, startGateway, startRedis, Visitor } from "./gateway-kit";

jest.setTimeout(60_000);

let redis: Running;
let folder: Awaited<ReturnType<typeof gatewayFolder>>;
let gateway: Running;

beforeAll(async () => {
  const redisPort = await freePort();
  redis = await startRedis(redisPort);
  folder = await gatewayFolder(redisPort);
  gateway = await startGateway(folder);
});
afterAll(async () => {
  await gateway.stop();
  await redis.stop();
  folder.remove();
});

const app = `app.${domain}`;

/** Gives the secret and the step already used to register it. */
async function enrolTotp(visitor: Visitor): Promise<{ secret: string; step: number }> {
  await elevate(visitor, folder);
  const options = { algorithm: "SHA1", length: 6, period: 30 };
  const secret = String(data(await visitor.api("PUT", "/api/secondfactor/totp/register", options))["base32_secret"]);
  const step = currentStep();
  expect((await visitor.api("POST", "/api/secondfactor/totp/register", { token: codeAt(secret, step) })).status).toBe(
    200,
  );
  return { secret, step };
}

describe("forward-auth without a session", () => {
  test.each<[string, string, string, Record<string, string>, string, number]>([
    ["a page", app, "/", { accept: "text/html" }, "GET", 302],
    ["curl", app, "/", { accept: "*/*" }, "GET", 302],
    ["a form", app, "/", { accept: "text/html" }, "POST", 303],
    ["a script", app, "/", { accept: "text/html", "x-requested-with": "XMLHttpRequest" }, "GET", 401],
    ["a program", app, "/", { accept: "application/json" }, "GET", 401],
    ["a WebSocket", app, "/", { "x-forwarded-proto": "wss", upgrade: "websocket" }, "GET", 401],
    ["a CORS preflight", app, "/", {}, "OPTIONS", 401],
    ["an open host", `public.${domain}`, "/", {}, "GET", 200],
    ["an open path", `api.${domain}`, "/v1/models?x=1", {}, "GET", 200],
    ["a path beside it", `api.${domain}`, "/v2", { accept: "application/json" }, "GET", 401],
    ["plain http", app, "/", { "x-forwarded-proto": "http" }, "GET", 400],
    ["another domain", "app.example.com", "/", {}, "GET", 400],
    ["a method in small letters", app, "/", { accept: "text/html" }, "get", 400],
    ["a host without a rule", `other.${domain}`, "/", { accept: "text/html" }, "GET", 403],
    ["no host", "", "/", {}, "GET", 400],
    ["a broken path", app, "/%zz", {}, "GET", 400],
  ])("%s", async (_, host, uri, headers, method, status) => {
    expect((await new Visitor(folder.port).forwardAuth(host, uri, headers, method)).status).toBe(status);
  });

  test("an Authorization header is the app's own affair: only the cookie counts", async () => {
    const authorization = `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
    const reply = await new Visitor(folder.port).forwardAuth(`one.${domain}`, "/", {
      accept: "text/html",
      authorization,
    });
    expect(reply.status).toBe(302);
  });

  test("the health check needs no session", async () => {
    expect(await new Visitor(folder.port).api("GET", "/api/health")).toMatchObject({
      status: 200,
      body: '{"status":"OK"}',
    });
  });
});

describe("signing in", () => {
  test("one factor opens one_factor, sends to the portal for two_factor, and is refused where a rule denies", async () => {
    const bob = new Visitor(folder.port);
    expect((await bob.signIn("bob")).status).toBe(200);
    const open = await bob.forwardAuth(`one.${domain}`);
    expect(open.status).toBe(200);
    expect(open.headers).toMatchObject({
      "remote-user": "bob",
      "remote-name": "Bob",
      "remote-email": "bob@example.com",
    });
    expect((await bob.forwardAuth(app)).status).toBe(302);
    expect((await bob.forwardAuth(`api.${domain}`, "/admin")).status).toBe(403);
    expect(data(await bob.api("GET", "/api/state"))).toMatchObject({ username: "bob", authentication_level: 1 });
  });

  test.each([
    ["a wrong password", "admin", "wrong"],
    ["nobody's name", "nobody", password],
    ["a disabled user", "gone", password],
    ["no password", "admin", ""],
  ])("%s is refused with the same words", async (_, user, secret) => {
    const reply = await new Visitor(folder.port, "192.0.2.50").signIn(user, secret);
    expect(reply).toMatchObject({
      status: 401,
      body: '{"status":"KO","message":"Authentication failed. Check your credentials."}',
    });
  });

  test("the cookie covers the whole domain and stays away from scripts", async () => {
    const reply = await new Visitor(folder.port).signIn("admin");
    const [cookie] = reply.headers["set-cookie"] ?? [];
    expect(cookie).toMatch(
      new RegExp(
        `^authelia_session=[^;]{32}; expires=[^;]+; domain=${domain}; path=/; HttpOnly; secure; SameSite=Lax$`,
      ),
    );
  });

  test("an id that was given to the visitor beforehand is worth nothing", async () => {
    const visitor = new Visitor(folder.port);
    visitor.cookie = `authelia_session=${"a".repeat(32)}`;
    await visitor.signIn("admin");
    expect(visitor.cookie).not.toContain("a".repeat(32));
  });

  test("signing out ends the session for the old cookie too", async () => {
    const visitor = new Visitor(folder.port);
    await visitor.signIn("admin");
    const before = visitor.cookie;
    await visitor.api("POST", "/api/logout", {});
    visitor.cookie = before;
    expect((await visitor.forwardAuth(`one.${domain}`)).status).toBe(302);
  });

  test("sends on only to https below the domain", async () => {
    const send = (targetURL: string): Promise<{ body: string }> =>
      new Visitor(folder.port).api("POST", "/api/firstfactor", {
        username: "admin",
        password,
        targetURL,
        requestMethod: "GET",
      });
    expect((await send(`https://one.${domain}/x`)).body).toContain(`"redirect":"https://one.${domain}/x"`);
    expect((await send("https://evil.example.com/")).body).toBe('{"status":"OK"}');
  });
});

describe("one-time passwords", () => {
  test.each([
    [59, "94287082"],
    [1111111109, "07081804"],
    [1111111111, "14050471"],
    [1234567890, "89005924"],
    [20000000000, "65353130"],
  ])("are those of RFC 6238 at second %i", (second, code) => {
    const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    const step = Math.floor(second / 30);
    expect(totpCode(secret, step, 8)).toBe(code);
    expect(codeAt(secret, step)).toBe(code.slice(2));
  });

  test("are looked for one period back and ahead, no further", () => {
    const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    const found = [998, 999, 1000, 1001, 1002].map((step) => matchingStep(secret, codeAt(secret, step), 1000 * 30_000));
    expect(found).toEqual([undefined, 999, 1000, 1001, undefined]);
  });

  test("cannot be registered without the one-time code", async () => {
    const visitor = new Visitor(folder.port);
    await visitor.signIn("bob");
    const reply = await visitor.api("PUT", "/api/secondfactor/totp/register", {
      algorithm: "SHA1",
      length: 6,
      period: 30,
    });
    expect(reply.status).toBe(403);
    expect(data(reply)).toEqual({ elevation: true, first_factor: false, second_factor: false });
    await visitor.api("POST", "/api/user/session/elevation", {});
    expect((await visitor.api("PUT", "/api/user/session/elevation", { otc: "AAAAAAAA" })).status).toBe(403);
  });

  test("open two_factor, once per code, and not from another address's elevation", async () => {
    const visitor = new Visitor(folder.port);
    await visitor.signIn("admin");
    const { secret, step } = await enrolTotp(visitor);
    await visitor.signIn("admin");
    expect((await visitor.forwardAuth(app)).status).toBe(302);
    expect((await visitor.api("POST", "/api/secondfactor/totp", { token: codeAt(secret, step) })).status).toBe(403);
    expect((await visitor.api("POST", "/api/secondfactor/totp", { token: "000000" })).status).toBe(403);
    expect((await visitor.api("POST", "/api/secondfactor/totp", { token: codeAt(secret, step + 1) })).status).toBe(200);
    const inside = await visitor.forwardAuth(app);
    expect(inside.headers["remote-groups"]).toBe("admins,people");
    expect(Buffer.from(String(inside.headers["remote-name"]), "latin1").toString()).toBe("Ädmin");
    const again = new Visitor(folder.port);
    await again.signIn("admin");
    expect((await again.api("POST", "/api/secondfactor/totp", { token: codeAt(secret, step + 1) })).status).toBe(403);
  });

  test("a one-time code works once and only where it was asked for", async () => {
    const visitor = new Visitor(folder.port);
    await visitor.signIn("bob");
    await elevate(visitor, folder);
    const spent = oneTimeCode(folder);
    expect((await visitor.api("PUT", "/api/user/session/elevation", { otc: spent })).status).toBe(403);
    const elsewhere = new Visitor(folder.port, "198.51.100.1");
    elsewhere.cookie = visitor.cookie;
    expect(data(await elsewhere.api("GET", "/api/user/session/elevation"))).toMatchObject({ elevated: false });
  });
});
