// The properties of the design that need the whole site, each with at least a hundred cases; properties.test.ts has the others.
import fc from "fast-check";
import { NewApi } from "../src/new-api";
import { hostileText } from "../../../test/support/hostile";
import { type World, admin, authFile, credential, openWorld } from "../testing/kit";

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
async function donation(linuxDo: number): Promise<string> {
  const newApi = linuxDo;
  world.newApi.users.set(newApi, { linuxDoId: String(linuxDo), quota: 0, used: 0 });
  world.service.store.bind(linuxDo, newApi);
  const session = world.service.store.openSession({ linuxDo, username: "x" });
  const file = credential(world);
  expect((await world.post("/donate", { file }, session)).status).toBe(303);
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
      const file = await donation(linuxDo);
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
      const log = world.log.join("");
      for (const secret of secrets) if (secret) expect(log).not.toContain(secret);
      world.oauth.secrets.length = 0;
      world.log.length = 0;
    }),
    runs,
  );
});
