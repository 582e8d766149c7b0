// The properties of the design that need the whole site, each with at least a hundred cases; properties.test.ts has the others.
import fc from "fast-check";
import { NewApi } from "../src/new-api";
import { hostileText } from "../../../test/support/hostile";
import { type World, admin, authFile, credential, openWorld, random } from "../testing/kit";

const runs = { numRuns: 100 };
const text = hostileText.filter((value) => value !== "");
const id = fc.integer({ min: 1, max: 2 ** 31 });
const stranger = id.filter((value) => value !== admin.id);
/** What an HTTP header can carry. */
const bearer = fc.string({ unit: fc.constantFrom(..."abcXYZ019-._~+/=".split("")), minLength: 1, maxLength: 60 });

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

const adminPaths: ["GET" | "POST", string][] = [
  ["GET", "/auth-files"],
  ["GET", "/auth-files/download?name=a.json"],
  ["POST", "/auth-files/upload"],
  ["POST", "/auth-files/delete"],
];
async function statusOfAdminPath([method, path]: ["GET" | "POST", string], session: string): Promise<number> {
  world.proxy.files.set("a.json", "{}");
  const form = { name: "a.json", file: authFile({}, "a.json") };
  return (await (method === "GET" ? world.request(path, { session }) : world.post(path, form, session))).status;
}

test("5. a user gets 403 for everything about auth files", async () => {
  await fc.assert(
    fc.asyncProperty(stranger, fc.constantFrom(...adminPaths), async (linuxDo, path) => {
      const session = world.service.store.openSession({ linuxDo, username: "x" });
      expect(await statusOfAdminPath(path, session)).toBe(403);
    }),
    runs,
  );
});

/** Every path that the site answers, but for what all requests pass. */
const everyPath = () =>
  world.service.app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => [method, path] as const);
/** What visitors may ask for, without a login or with one. */
const visitorPaths = [
  "/",
  "/healthz",
  "/style.css",
  "/linuxdo/login",
  "/linuxdo/callback",
  "/logout",
  "/bind",
  "/unbind",
  "/donate",
  "/status",
];

test("5. and 6. every other path of the site is 403 for a user, and none is for an administrator", async () => {
  const others = everyPath().filter(([, path]) => !visitorPaths.includes(path));
  expect(others.map(([method, path]) => `${method} ${path}`).sort()).toEqual([
    "GET /auth-files",
    "GET /auth-files/download",
    "GET /bindings",
    "GET /donations",
    "POST /auth-files/delete",
    "POST /auth-files/upload",
    "POST /bindings/unbind",
    "POST /donations/decide",
  ]);
  const form = fc.record({ name: text, user: text, donation: text, decision: text });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...everyPath()), stranger, form, async ([method, path], linuxDo, fields) => {
      const ask = async (id: number) => {
        const session = world.service.store.openSession({ linuxDo: id, username: "x" });
        return (await (method === "GET" ? world.request(path, { session }) : world.post(path, fields, session))).status;
      };
      expect(await ask(admin.id)).not.toBe(403);
      expect((await ask(linuxDo)) === 403).toBe(!visitorPaths.includes(path));
    }),
    runs,
  );
});

test("6. an administrator never gets 403 for it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...adminPaths), text, async (path, username) => {
      const session = world.service.store.openSession({ linuxDo: admin.id, username });
      expect([200, 303]).toContain(await statusOfAdminPath(path, session));
    }),
    runs,
  );
});

test("8. a page of one's own is 200 with a living session, else 401", async () => {
  const page = fc.constantFrom("/bind", "/donate", "/status");
  // In its last seconds a session may end before the request is made.
  const age = fc.oneof(fc.integer({ min: 0, max: 86_395_000 }), fc.integer({ min: 86_400_000, max: 1e9 }));
  await fc.assert(
    fc.asyncProperty(page, age, bearer, async (path, age, garbage) => {
      const now = Date.now();
      const clock = jest.spyOn(Date, "now").mockReturnValue(now - age);
      const session = world.service.store.openSession({ linuxDo: 3, username: "ada" });
      clock.mockRestore();
      expect((await world.request(path, { session })).status).toBe(age < 86_400_000 ? 200 : 401);
      expect((await world.request(path, { session: garbage })).status).toBe(401);
      expect((await world.request(path)).status).toBe(401);
    }),
    runs,
  );
});

test("11. every request to new-api carries the token as Bearer", async () => {
  world.newApi.users.set(90, { linuxDoId: "90", quota: 0, used: 0 });
  await fc.assert(
    fc.asyncProperty(bearer, fc.option(id.map(String), { nil: undefined }), async (adminToken, adminUser) => {
      const newApi = new NewApi({ baseUrl: world.newApi.url, adminToken, adminUser });
      world.newApi.headers.length = 0;
      await newApi.user(90);
      await newApi.addQuota(90, 1, "key");
      expect(world.newApi.headers.map((headers) => headers.get("authorization"))).toEqual(
        Array(2).fill(`Bearer ${adminToken}`),
      );
      expect(world.newApi.headers.map((headers) => headers.get("new-api-user"))).toEqual(
        Array(2).fill(adminUser ?? null),
      );
    }),
    runs,
  );
});

/** A donation of a new credential. @returns the text of its file */
async function donation(linuxDo: number, statuses: readonly number[] = [303]): Promise<string> {
  const newApi = linuxDo;
  world.newApi.users.set(newApi, { linuxDoId: String(linuxDo), quota: 0, used: 0 });
  world.service.store.bind(linuxDo, newApi);
  const session = world.service.store.openSession({ linuxDo, username: "x" });
  const file = credential(world);
  expect(statuses).toContain((await world.post("/donate", { file }, session)).status);
  return file.text();
}

test("12. each donation is logged once with its time, the user's id and the amount", async () => {
  await fc.assert(
    fc.asyncProperty(id, async (linuxDo) => {
      world.log.length = 0;
      const before = Date.now();
      await donation(linuxDo);
      const lines = world.log
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter(({ event }) => event === "donation");
      expect(lines).toEqual([expect.objectContaining({ userId: linuxDo, amount: world.config.quotaAmount })]);
      const time = Date.parse(String(lines[0]?.["time"]));
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThanOrEqual(Date.now());
    }),
    runs,
  );
});

test("12. every other outcome is logged once, with the user's id and what became of it", async () => {
  const lines = (...events: readonly string[]) =>
    world.log
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ event }) => events.includes(String(event)));
  const outcome = fc.constantFrom("no file", "seen", "not valid", "refused by new-api" as const);
  await fc.assert(
    fc.asyncProperty(id, outcome, async (linuxDo, kind) => {
      world.newApi.users.set(linuxDo, { linuxDoId: String(linuxDo), quota: 0, used: 0 });
      world.service.store.bind(linuxDo, linuxDo);
      const session = world.service.store.openSession({ linuxDo, username: "x" });
      const send = (file: File) => world.post("/donate", { file }, session);
      const good = credential(world);
      if (kind === "seen") await send(new File([await good.text()], "a.json"));
      world.log.length = 0;
      if (kind === "refused by new-api") world.newApi.fault = "refused";
      await send(kind === "no file" || kind === "not valid" ? authFile(kind === "no file" ? {} : bad()) : good);
      world.newApi.fault = "none";
      const why = {
        "no file": "no-credential",
        seen: "seen",
        "not valid": "not valid",
        "refused by new-api": undefined,
      };
      expect(lines("donation", "donation-refused", "needs-person")).toEqual([
        expect.objectContaining(
          kind === "refused by new-api"
            ? { event: "needs-person", userId: linuxDo, amount: world.config.quotaAmount }
            : { event: "donation-refused", userId: linuxDo, amount: 0, why: why[kind] },
        ),
      ]);
    }),
    runs,
  );
});

const bad = () => ({ type: "claude", access_token: random(), refresh_token: random() });

test("13. no token and no secret ever stands in the log, whatever goes wrong", async () => {
  const oauthFault = fc.constantFrom(
    "none",
    "token-500",
    "token-html",
    "wrong-client",
    "user-500",
    "user-shapeless" as const,
  );
  const newApiFault = fc.constantFrom("none", "lost-before", "lost-after", "500-before", "refused" as const);
  const proxyFault = fc.constantFrom("none", "all", "calls" as const);
  await fc.assert(
    fc.asyncProperty(id, oauthFault, newApiFault, proxyFault, async (linuxDo, ofOAuth, ofNewApi, ofProxy) => {
      world.oauth.fault = ofOAuth;
      const loginSession = await world.login({ id: linuxDo, username: "x" });
      world.oauth.fault = "none";
      world.newApi.fault = ofNewApi;
      world.proxy.fault = ofProxy;
      const file = await donation(linuxDo, [303, 500]);
      world.newApi.fault = "none";
      world.proxy.fault = "none";
      await world.service.donations.settle();
      const { access_token: access, refresh_token: refresh } = JSON.parse(file) as Record<string, string>;
      const { oauth, modelProxy, newApi } = world.config;
      const secrets = [
        loginSession,
        access,
        refresh,
        oauth.clientSecret,
        modelProxy.managementKey,
        newApi.adminToken,
        ...world.oauth.secrets,
      ];
      // Next to the site's log what other servers log of it: CLIProxyAPI and new-api write down paths and queries.
      const log = [...world.log, ...world.proxy.urls, ...world.newApi.urls].join("");
      expect(world.proxy.urls.length + world.newApi.urls.length).toBeGreaterThan(0);
      for (const secret of secrets) if (secret) expect(log).not.toContain(secret);
      for (const list of [world.oauth.secrets, world.proxy.urls, world.newApi.urls]) list.length = 0;
      world.log.length = 0;
    }),
    runs,
  );
});
