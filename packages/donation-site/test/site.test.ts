// The site's answers one by one: login and its troubles, binding, roles, limits, and what keeps other sites out.
import { type World, admin, authFile, boundDonor, cookieOf, credential, openWorld, random } from "../testing/kit";
import type { Fault } from "../testing/oauth-server";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.stop());

/** The way to Linux Do and back. */
async function attempt(allow = true, change: (back: URLSearchParams) => void = () => undefined) {
  const first = await world.request("/linuxdo/login");
  const back = new URL(world.oauth.answer(first.headers.get("location") ?? "", allow));
  change(back.searchParams);
  const cookie = cookieOf(first, "login");
  const again = () => world.request(back.pathname + back.search, { headers: { cookie } });
  return { answer: await again(), again };
}

describe("login", () => {
  it("opens a session in a cookie that no script and no other site gets", async () => {
    const { answer } = await attempt();
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/bind"]);
    const cookie = answer.headers.getSetCookie().find((text) => text.startsWith("__Host-session="));
    for (const part of ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=86400"])
      expect(cookie).toContain(part);
  });

  it("goes to /donate when the visitor is bound already", async () => {
    await boundDonor(world, 42);
    world.oauth.person = { id: 42, username: "ada" };
    expect((await attempt()).answer.headers.get("location")).toBe("/donate");
  });

  const refused: [string, () => Promise<Response>][] = [
    ["is denied there", async () => (await attempt(false)).answer],
    [
      "comes back without a code",
      async () =>
        (
          await attempt(true, (query) => {
            query.delete("code");
          })
        ).answer,
    ],
    [
      "comes back with a wrong code",
      async () =>
        (
          await attempt(true, (query) => {
            query.set("code", "x");
          })
        ).answer,
    ],
    [
      "comes back with a wrong state",
      async () =>
        (
          await attempt(true, (query) => {
            query.set("state", "x");
          })
        ).answer,
    ],
    [
      "comes back without a state",
      async () =>
        (
          await attempt(true, (query) => {
            query.delete("state");
          })
        ).answer,
    ],
    ["comes back a second time", async () => (await attempt()).again()],
    ["comes back in another browser", () => world.request("/linuxdo/callback?code=x&state=y")],
  ];
  it.each(refused)("that %s is a 400 with a link to try again", async (_name, way) => {
    const answer = await way();
    expect([answer.status, cookieOf(answer, "session")]).toEqual([400, ""]);
    expect(await answer.text()).toContain('<a class="button" href="/linuxdo/login">Try again</a>');
  });

  const faults: Fault[] = ["token-500", "token-html", "wrong-client", "user-500", "user-shapeless"];
  it.each(faults)("that meets %s is a 500 that tells nothing", async (fault) => {
    world.oauth.fault = fault;
    const { answer } = await attempt();
    expect([answer.status, cookieOf(answer, "session")]).toEqual([500, ""]);
    const text = await answer.text();
    expect(text).toContain("Something went wrong.");
    expect(text).not.toMatch(/token|client|linux-do/);
  });

  it("does not mind that Linux Do names itself and adds an ID token, as an OpenID provider may", async () => {
    world.oauth.openId = true;
    const { answer } = await attempt();
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/bind"]);
  });

  it("is refused where another server names itself", async () => {
    const { answer } = await attempt(true, (query) => {
      query.set("iss", "https://evil.example");
    });
    expect([answer.status, cookieOf(answer, "session")]).toEqual([400, ""]);
  });

  it("is refused where it takes longer than a code is good for", async () => {
    const { answer } = await attempt(true, () => {
      world.oauth.ahead = 61_000;
    });
    expect([answer.status, cookieOf(answer, "session")]).toEqual([400, ""]);
  });

  it("ends with logout, for that token too", async () => {
    const session = await world.login({ id: 3, username: "ada" });
    expect((await world.request("/bind", { session })).status).toBe(200);
    expect((await world.post("/logout", {}, session)).status).toBe(303);
    expect((await world.request("/bind", { session })).status).toBe(401);
  });
});

describe("a session that has ended", () => {
  const ended = "x".repeat(43);

  it.each(["/bind", "/donate", "/status", "/auth-files", "/donations", "/bindings"])(
    "clears its cookie at %s, goes to the login, and comes back there",
    async (page) => {
      const answer = await world.request(page, { session: ended });
      expect(answer.status).toBe(401);
      expect(answer.headers.getSetCookie().join()).toMatch(/__Host-session=; Max-Age=0; Path=\//);
      const [, login = ""] = /^0; url=(.+)$/.exec(answer.headers.get("refresh") ?? "") ?? [];
      expect(login).toBe(`/linuxdo/login?back=${encodeURIComponent(page)}`);
      world.oauth.person = admin;
      const first = await world.request(login);
      const back = new URL(world.oauth.answer(first.headers.get("location") ?? "", true));
      const cookie = [cookieOf(first, "login"), cookieOf(first, "back")].join("; ");
      const done = await world.request(back.pathname + back.search, { headers: { cookie } });
      expect([done.status, done.headers.get("location")]).toEqual([302, page]);
      expect(cookieOf(done, "back")).toBe("__Host-back=");
    },
  );

  it("leads from a form back to its page", async () => {
    for (const [form, page] of [
      ["/donate", "/donate"],
      ["/unbind", undefined],
      ["/auth-files/upload", "/auth-files"],
    ] as const) {
      const { headers } = await world.post(form, {}, ended);
      const login = page === undefined ? "/linuxdo/login" : `/linuxdo/login?back=${encodeURIComponent(page)}`;
      expect(headers.get("refresh")).toBe(`0; url=${login}`);
    }
  });

  it("is not what somebody has who was never signed in: they get a link", async () => {
    const answer = await world.request("/status");
    expect([answer.status, answer.headers.get("refresh"), answer.headers.getSetCookie()]).toEqual([401, null, []]);
    expect(await answer.text()).toContain('href="/linuxdo/login?back=%2Fstatus"');
  });

  it.each([
    "https://evil.example/",
    "//evil.example",
    "/status/../x",
    "/logout",
    "/linuxdo/login",
    "javascript:x",
    "/auth-files/download",
  ])("comes back to no other place, such as %s", async (place) => {
    const first = await world.request(`/linuxdo/login?back=${encodeURIComponent(place)}`);
    expect(cookieOf(first, "back")).toBe("__Host-back=");
  });
});

describe("unlinking", () => {
  const events = () =>
    world.log.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ event }) => event === "unbind");

  it("is done by the visitor, is in the log, and leaves the new-api user free for its owner", async () => {
    const session = await boundDonor(world, 42);
    expect(await (await world.request("/bind", { session })).text()).toContain('action="/unbind"');
    const answer = await world.post("/unbind", {}, session);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/bind"]);
    expect(world.service.store.binding(42)).toBeUndefined();
    expect(events()).toEqual([expect.objectContaining({ userId: 42, newApi: 42, by: 42 })]);
    expect(await (await world.request("/bind", { session })).text()).not.toContain('action="/unbind"');
    // A second time does nothing.
    expect((await world.post("/unbind", {}, session)).status).toBe(303);
    expect(events()).toHaveLength(1);
    expect((await world.post("/donate", { file: credential(world) }, session)).status).toBe(400);
    expect((await world.post("/bind", { user: "42" }, session)).status).toBe(303);
    expect(world.service.store.binding(42)).toBe(42);
  });

  it("is done by an administrator for anybody, and the log says who", async () => {
    await boundDonor(world, 42);
    const session = await world.login(admin);
    expect(await (await world.request("/bindings", { session })).text()).toContain("Linux Do 42 → new-api 42");
    expect((await world.post("/bindings/unbind", { user: "42" }, session)).status).toBe(303);
    expect(world.service.store.binding(42)).toBeUndefined();
    expect(events()).toEqual([expect.objectContaining({ userId: 42, newApi: 42, by: admin.id })]);
    for (const user of ["", "0", "x", "-1", "1e3"])
      expect((await world.post("/bindings/unbind", { user }, session)).status).toBe(400);
  });

  it("is nobody else's, and not another site's", async () => {
    const session = await boundDonor(world, 42);
    expect((await world.post("/bindings/unbind", { user: "42" }, session)).status).toBe(403);
    expect((await world.request("/bindings", { session })).status).toBe(403);
    expect((await world.post("/unbind", {}, session, "https://evil.example")).status).toBe(403);
    expect((await world.post("/unbind", {})).status).toBe(401);
    expect(world.service.store.binding(42)).toBe(42);
  });

  it("waits while quota is on its way", async () => {
    const session = await boundDonor(world, 42);
    world.newApi.fault = "500-before";
    expect((await world.post("/donate", { file: credential(world) }, session)).status).toBe(500);
    expect((await world.post("/unbind", {}, session)).status).toBe(409);
    expect((await world.post("/bindings/unbind", { user: "42" }, await world.login(admin))).status).toBe(409);
    world.newApi.fault = "none";
    await world.service.donations.settle();
    await world.service.donations.settle();
    expect((await world.post("/unbind", {}, session)).status).toBe(303);
  });
});

describe("binding", () => {
  it("holds only for the new-api user of the same Linux Do account", async () => {
    world.newApi.users.set(5, { linuxDoId: "42", quota: 0, used: 0 });
    world.newApi.users.set(6, { linuxDoId: "", quota: 0, used: 0 });
    const session = await world.login({ id: 42, username: "ada" });
    const bind = async (user: string) => (await world.post("/bind", { user }, session)).status;
    expect(await bind("6")).toBe(403);
    expect(await bind("7")).toBe(404);
    expect(await bind("0x5")).toBe(400);
    expect(await bind("-5")).toBe(400);
    expect(world.service.store.binding(42)).toBeUndefined();
    expect(await bind("5")).toBe(303);
    world.restart();
    expect(world.service.store.binding(42)).toBe(5);
    expect((await world.post("/bind", { user: "5" }, await world.login({ id: 43, username: "eve" }))).status).toBe(403);
  });

  it("is a generic 500 when new-api does not answer", async () => {
    const session = await world.login({ id: 42, username: "ada" });
    world.newApi.stop();
    expect((await world.post("/bind", { user: "5" }, session)).status).toBe(500);
  });

  it("is needed before a donation", async () => {
    const session = await world.login({ id: 42, username: "ada" });
    expect((await world.post("/donate", { file: credential(world) }, session)).status).toBe(400);
    expect(world.proxy.files.size).toBe(0);
  });
});

describe("auth files", () => {
  it("are listed, uploaded, downloaded and deleted by an administrator", async () => {
    const session = await world.login(admin);
    expect(
      (await world.post("/auth-files/upload", { file: authFile({ type: "codex" }, "mine.json") }, session)).status,
    ).toBe(303);
    expect(await (await world.request("/auth-files", { session })).text()).toContain("mine.json");
    const download = await world.request("/auth-files/download?name=mine.json", { session });
    expect([await download.json(), download.headers.get("content-disposition")]).toEqual([
      { type: "codex" },
      'attachment; filename="mine.json"',
    ]);
    expect((await world.post("/auth-files/delete", { name: "mine.json" }, session)).status).toBe(303);
    expect(world.proxy.files.size).toBe(0);
  });

  it.each(["../config.json", "a/b.json", "x.yaml", "", 'a".json', "a\nb.json"])("are never named %j", async (name) => {
    const session = await world.login(admin);
    expect((await world.post("/auth-files/delete", { name }, session)).status).toBe(400);
    expect((await world.request(`/auth-files/download?name=${encodeURIComponent(name)}`, { session })).status).toBe(
      400,
    );
  });
});

describe("what other sites send", () => {
  it.each(["https://evil.example", "null", "https://other.home.example.com", "http://donate.home.example.com"])(
    "as a form from %s is refused",
    async (from) => {
      const session = await boundDonor(world, 42);
      const answer = await world.post("/donate", { file: credential(world) }, session, from);
      expect([answer.status, world.newApi.grants]).toEqual([403, 0]);
      expect((await world.post("/logout", {}, session, from)).status).toBe(403);
    },
  );

  it("cannot frame a page or add anything to it", async () => {
    const answer = await world.request("/");
    expect(answer.headers.get("content-security-policy")).toBe(
      "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    );
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  it("cannot bring markup into a page by a name", async () => {
    const session = await world.login({ id: 42, username: "<script>&\"'" });
    const text = await (await world.request("/bind", { session })).text();
    expect(text).toContain("&lt;script&gt;");
    expect(text).not.toContain("<script");
  });
});

describe("too much", () => {
  beforeEach(async () => {
    await world.stop();
    world = await openWorld({ limits: { login: 4, bind: 2, donate: 2 } });
  });

  it("of logins from one address is a 429, and other addresses go on", async () => {
    const login = async (from: string) =>
      (await world.request("/linuxdo/login", { headers: { "x-forwarded-for": `198.51.100.9, ${from}` } })).status;
    for (let count = 0; count < 4; count++) expect(await login("203.0.113.1")).toBe(302);
    expect(await login("203.0.113.1")).toBe(429);
    expect(await login("203.0.113.2")).toBe(302);
  });

  it("of binding and donating by one visitor is a 429", async () => {
    const session = await boundDonor(world, 42);
    const bind = async () => (await world.post("/bind", { user: "9" }, session)).status;
    expect([await bind(), await bind()]).toEqual([404, 429]);
    const donate = async () => (await world.post("/donate", { file: authFile({}) }, session)).status;
    expect([await donate(), await donate(), await donate()]).toEqual([400, 400, 429]);
  });

  it("in one file is a 413", async () => {
    const session = await boundDonor(world, 42);
    const file = authFile({ type: "claude", access_token: random().repeat(4000) });
    expect((await world.post("/donate", { file }, session)).status).toBe(413);
  });
});

test.each([
  ["zh-CN,zh;q=0.9,en;q=0.8", "zh-CN", "捐赠站"],
  ["en-GB,zh;q=0.9", "en", "Donation site"],
  ["en;q=0.1, zh-Hant;q=0.5", "zh-CN", "捐赠站"],
  ["de, zh;q=0", "en", "Donation site"],
  ["", "en", "Donation site"],
])("who accepts %j reads %s", async (accepted, language, title) => {
  const text = await (await world.request("/", { headers: { "accept-language": accepted } })).text();
  expect(text).toContain(`<html lang="${language}">`);
  expect(text).toContain(title);
});

test("an unknown page is a 404 page", async () => {
  const answer = await world.request("/nothing");
  expect([answer.status, (await answer.text()).includes("There is nothing here.")]).toEqual([404, true]);
});
