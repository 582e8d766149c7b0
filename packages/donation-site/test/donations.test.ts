// Donations against stand-ins of Linux Do Connect, new-api and the proxy's management API.
import { type World, admin, authFile, boundDonor, credential, openWorld, random } from "../testing/kit";

let world: World;
let session: string;
beforeEach(async () => {
  world = await openWorld();
  session = await boundDonor(world, 42);
});
afterEach(() => world.stop());

const donate = (file: File, as = session) => world.post("/donate", { file }, as);
const quota = (id = 42) => world.newApi.users.get(id)?.quota;
const states = () => world.service.store.donationsOf(42).map(({ state }) => state);

test("a valid new credential gives quota once and stays at the proxy", async () => {
  const answer = await donate(credential(world));
  expect([answer.status, answer.headers.get("location")]).toEqual([303, "/status"]);
  expect(quota()).toBe(500);
  expect(world.proxy.files.size).toBe(1);
  expect(states()).toEqual(["granted"]);
  expect(await (await world.request("/status", { session })).text()).toContain("quota added");
});

test("the same credential again is refused, also to somebody else and also with other words around its tokens", async () => {
  const file = credential(world);
  await donate(file);
  expect((await donate(file)).status).toBe(409);
  const edited = { ...(JSON.parse(await file.text()) as object), email: "other@example.com" };
  expect((await donate(authFile(edited))).status).toBe(409);
  expect((await donate(file, await boundDonor(world, 43))).status).toBe(409);
  expect([quota(), quota(43), world.newApi.grants]).toEqual([500, 0, 1]);
});

test("an account that the provider names again is refused whatever the file says, and its file is removed", async () => {
  await donate(credential(world, "account", "a@example.com"));
  expect((await donate(credential(world, "account", "b@example.com"))).status).toBe(409);
  expect([quota(), world.proxy.files.size]).toEqual([500, 1]);
});

test("an account that the proxy holds already is refused", async () => {
  world.proxy.files.set("operator.json", JSON.stringify({ type: "claude", email: "me@example.com" }));
  expect((await donate(credential(world, random(), "me@example.com"))).status).toBe(409);
  expect([quota(), [...world.proxy.files.keys()]]).toEqual([0, ["operator.json"]]);
});

test("a credential the provider does not accept is refused, removed, and may come again when it is valid", async () => {
  const token = random();
  const file = authFile({ type: "claude", access_token: token });
  expect((await donate(file)).status).toBe(400);
  expect([quota(), world.proxy.files.size]).toEqual([0, 0]);
  world.proxy.accounts.set(token, random());
  expect((await donate(file)).status).toBe(303);
  expect(quota()).toBe(500);
});

test.each([
  ["no JSON", "{"],
  ["no known type", '{"type":"x","access_token":"y"}'],
  ["a type that the proxy ignores", '{"type":"gemini","access_token":"y"}'],
  ["no token", '{"type":"claude"}'],
  ["an inherited name", '{"type":"constructor","access_token":"y"}'],
  ["a list", "[]"],
])("a file with %s is refused before anything else sees it", async (_name, text) => {
  expect((await donate(new File([text], "auth.json"))).status).toBe(400);
  expect([world.proxy.files.size, states()]).toEqual([0, []]);
});

test("a credential whose token the proxy cannot refresh is refused", async () => {
  expect((await donate(authFile({ type: "antigravity", token: { refresh_token: random() } }))).status).toBe(400);
  expect([quota(), world.proxy.files.size, states()]).toEqual([0, 0, ["refused"]]);
});

test("nothing but known fields of a donor's file reaches the proxy", async () => {
  const token = random();
  world.proxy.accounts.set(token, random());
  const good = {
    type: "claude",
    access_token: token,
    email: "a@example.com",
    token: { expiry: "2026-01-01T00:00:00Z" },
  };
  const evil = { proxy_url: "http://10.0.0.1", base_url: "https://evil.example", headers: { a: "b" }, priority: 9 };
  expect((await donate(authFile({ ...evil, ...good, token: { ...evil, ...good.token }, scope: evil }))).status).toBe(
    303,
  );
  expect([...world.proxy.files.values()].map((text) => JSON.parse(text) as unknown)).toEqual([good]);
});

test("many donations of one credential at the same time give quota once", async () => {
  const file = credential(world);
  const answers = await Promise.all(Array.from({ length: 8 }, () => donate(file)));
  expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array<number>(7).fill(409)]);
  expect(quota()).toBe(500);
});

describe("quota is given exactly once", () => {
  test.each(["lost-before", "lost-after", "500-before", "500-after"] as const)(
    "when its answer is %s and the service starts again",
    async (fault) => {
      world.newApi.fault = fault;
      const answer = await donate(credential(world));
      expect(answer.status).toBe(500);
      expect(await answer.text()).toContain("new-api does not take the quota now. It is tried again by itself.");
      expect(states()).toEqual(["sent"]);
      world.newApi.fault = "none";
      world.restart();
      await world.service.donations.settle();
      expect(quota()).toBe(500);
      expect([states(), world.newApi.grants]).toEqual([["granted"], 1]);
      await world.service.donations.settle();
      expect(world.newApi.grants).toBe(1);
    },
  );

  test.each([
    ["has too many requests at first", "too-many", "sent"],
    ["says at first that its database is busy, which does not mean that its user is gone", "busy", "owed"],
  ] as const)("when new-api %s", async (_what, fault, state) => {
    world.newApi.fault = fault;
    expect((await donate(credential(world))).status).toBe(500);
    expect([states(), quota()]).toEqual([[state], 0]);
    world.newApi.fault = "none";
    await world.service.donations.settle();
    expect([states(), quota()]).toEqual([["granted"], 500]);
  });

  test("when a look at the donations fails once", async () => {
    world.newApi.fault = "busy";
    await donate(credential(world));
    world.newApi.fault = "none";
    jest.spyOn(world.service.store, "donations").mockImplementationOnce(() => {
      throw new Error("the disk is full");
    });
    await expect(world.service.donations.settle()).rejects.toThrow("the disk is full");
    await world.service.donations.settle();
    expect([states(), quota()]).toEqual([["granted"], 500]);
  });

  test.each(["lost-before", "lost-after"] as const)(
    "when the user spends quota meanwhile, and the answer was %s",
    async (fault) => {
      world.newApi.users.set(42, { linuxDoId: "42", quota: 1000, used: 0 });
      world.newApi.fault = fault;
      await donate(credential(world));
      const user = world.newApi.users.get(42);
      if (user) Object.assign(user, { quota: user.quota - 300, used: 300 });
      world.newApi.fault = "none";
      await world.service.donations.settle();
      expect(quota()).toBe(1200);
    },
  );

  test("when it was proven and the crash came before new-api was asked", async () => {
    world.proxy.fault = "calls";
    await donate(credential(world));
    const [left] = world.service.store.donations(["checking"]);
    world.service.store.prove(left?.id ?? "", []);
    world.proxy.fault = "none";
    world.restart();
    await world.service.donations.settle();
    expect([quota(), states()]).toEqual([500, ["granted"]]);
  });

  test("when two donations of one user meet a lost answer", async () => {
    world.newApi.fault = "lost-after";
    await donate(credential(world));
    await donate(credential(world));
    world.newApi.fault = "none";
    await world.service.donations.settle();
    await world.service.donations.settle();
    expect([quota(), states()]).toEqual([1000, ["granted", "granted"]]);
  });
});

test("a request whose answer is lost is not made again while it may still be at work", async () => {
  await world.stop();
  world = await openWorld({ grace: 60_000 });
  session = await boundDonor(world, 42);
  world.newApi.fault = "lost-before";
  await donate(credential(world));
  world.newApi.fault = "none";
  await world.service.donations.settle();
  expect([quota(), states()]).toEqual([0, ["sent"]]);
});

test("a check that the crash broke off is taken up again", async () => {
  world.proxy.fault = "calls";
  expect((await donate(credential(world))).status).toBe(303);
  expect(states()).toEqual(["checking"]);
  world.proxy.fault = "none";
  world.restart();
  await world.service.donations.settle();
  expect([quota(), states()]).toEqual([500, ["granted"]]);
});

test("an upload that never reached the proxy is given back to the donor", async () => {
  const file = credential(world);
  world.proxy.fault = "all";
  await donate(file);
  world.proxy.fault = "none";
  await world.service.donations.settle();
  expect(states()).toEqual(["refused"]);
  expect((await donate(file)).status).toBe(303);
  expect(quota()).toBe(500);
});

test("an upload that the proxy does not take is told as that", async () => {
  const file = credential(world);
  world.proxy.fault = "uploads";
  const answer = await donate(file);
  expect([answer.status, states()]).toEqual([503, ["refused"]]);
  expect(await answer.text()).toContain("The credential did not arrive at the model proxy.");
  expect(await (await world.request("/status", { session })).text()).toContain(
    "did not arrive; please donate it again",
  );
  world.proxy.fault = "none";
  expect((await donate(file)).status).toBe(303);
  expect(quota()).toBe(500);
});

describe("a person is needed", () => {
  test("when new-api refuses", async () => {
    world.newApi.fault = "refused";
    const answer = await donate(credential(world));
    const page = await answer.text();
    expect([answer.status, answer.headers.get("location")]).toEqual([500, null]);
    expect(page).toContain("the quota could not be added. An administrator sees this donation and decides.");
    const [donation] = world.service.store.donations(["person"]);
    expect(page).toContain(donation?.id);
    expect(page).toContain('<a class="button" href="mailto:help@example.com">');
    expect(states()).toEqual(["person"]);
    expect(await (await world.request("/status", { session })).text()).toContain("an administrator looks at it");
    expect(world.log.join("")).toContain('"event":"needs-person"');
    const list = await world.request("/donations", { session: await world.login(admin) });
    expect(await list.text()).toContain("add_quota: refused");
  });

  test("when nothing tells whether quota was given", async () => {
    world.newApi.fault = "lost-after";
    await donate(credential(world));
    world.newApi.fault = "none";
    const user = world.newApi.users.get(42);
    if (user) user.quota += 1;
    for (let round = 0; round < 12; round++) await world.service.donations.settle();
    expect([states(), world.newApi.grants]).toEqual([["person"], 1]);
  });

  test("when the proxy stays away", async () => {
    world.proxy.fault = "calls";
    await donate(credential(world));
    for (let round = 0; round < 12; round++) await world.service.donations.settle();
    expect([states(), quota()]).toEqual([["person"], 0]);
  });
});

describe("an administrator", () => {
  let asAdmin: string;
  let id: string;
  const decide = (decision: string, as = asAdmin, donation = id, from?: string) =>
    world.post("/donations/decide", { donation, decision }, as, from);
  beforeEach(async () => {
    world.newApi.fault = "refused";
    await donate(credential(world));
    world.newApi.fault = "none";
    asAdmin = await world.login(admin);
    id = world.service.store.donations(["person"])[0]?.id ?? "";
  });

  test("who gave the quota by hand says so, and it is not given again", async () => {
    expect((await decide("given")).status).toBe(303);
    expect([states(), quota()]).toEqual([["granted"], 0]);
    expect(world.log.filter((line) => line.includes('"event":"donation"'))).toHaveLength(1);
  });

  test("has it given now, once, however often the button is pressed", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => decide("give")));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 409, 409, 409, 409]);
    expect([states(), quota(), world.newApi.grants]).toEqual([["granted"], 500, 1]);
    expect((await decide("give")).status).toBe(409);
    expect(world.newApi.grants).toBe(1);
  });

  test("refuses it: the credential leaves the proxy, and may be donated again", async () => {
    const [text = ""] = world.proxy.files.values();
    expect((await decide("refuse")).status).toBe(303);
    expect([states(), quota(), world.proxy.files.size]).toEqual([["refused"], 0, 0]);
    expect((await donate(new File([text], "again.json"))).status).toBe(303);
    expect(quota()).toBe(500);
  });

  test("who cannot reach the proxy has refused nothing", async () => {
    world.proxy.fault = "all";
    expect((await decide("refuse")).status).toBe(500);
    world.proxy.fault = "none";
    expect([states(), world.proxy.files.size]).toEqual([["person"], 1]);
    expect((await decide("refuse")).status).toBe(303);
  });

  test("is named in the log, with what was decided", async () => {
    await decide("give");
    const line = world.log.find((each) => each.includes('"event":"decision"')) ?? "{}";
    expect(JSON.parse(line)).toMatchObject({ userId: admin.id, donation: id, decision: "give" });
  });

  test("alone may do it, from the site's own pages, with a known word and a donation that needs it", async () => {
    expect((await decide("give", session)).status).toBe(403);
    expect((await decide("give", "no session")).status).toBe(401);
    expect((await decide("give", asAdmin, id, "https://evil.example")).status).toBe(403);
    expect((await decide("double")).status).toBe(400);
    expect((await decide("give", asAdmin, "no such donation")).status).toBe(409);
    expect((await world.request("/donations", { session })).status).toBe(403);
    expect((await world.request("/donations")).status).toBe(401);
    expect([states(), quota()]).toEqual([["person"], 0]);
  });
});
