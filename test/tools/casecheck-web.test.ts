import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { CasecheckWeb } from "../support/casecheck-web";
import { tunnelToken } from "../support/least-apps";

const caddyPublishes = { domain: "home.example.com", casecheckEnabled: "true" };
const tunnelPublishes = {
  ...caddyPublishes,
  casecheckPublished: "tunnel",
  casecheckTunnelToken: tunnelToken,
  casecheckTunnelHost: "cases.example.org",
};

/** Every way to write the path that leads to the registration behind uvicorn, and more that another server might take for it. */
const spelling = (letter: string) => {
  const code = letter.charCodeAt(0).toString(16);
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(letter) },
    fc.constantFrom(`%${code}`, `%${code.toUpperCase()}`, letter.toUpperCase()),
  );
};
const spelled = fc
  .tuple(
    fc.constantFrom("", "", "", "/", "/."),
    fc.tuple(...Array.from("/v1/auth/register", spelling)).map((letters) => letters.join("")),
    fc.constantFrom("", "", "%0a", "%0A", "/", "%2F", "%0a/", "//", "/.", "%0d", ";x", "."),
    fc.constantFrom("", "?x=1", "?", "?/../../health"),
  )
  .map((parts) => parts.join(""));

const exact = [
  "/v1/auth/register",
  "/v1/auth/%72egister",
  "/v1%2Fauth%2Fregister",
  "/%76%31/auth/register",
  "/v1/auth/register%0a",
  "/v1/auth/register/",
  "/v1/auth/register%2f",
  "/v1/auth/register?next=/",
  "http://cases.example.org/v1/auth/register",
];

describe.each([
  ["through a tunnel", tunnelPublishes, [{}, { "Remote-User": "mallory" }]],
  ["behind Caddy, for who did not pass the gate", caddyPublishes, [{}]],
  ["behind Caddy, where it is open", { ...caddyPublishes, casecheckOpen: "true" }, [{}]],
])("%s", (_what, settings, visitors) => {
  let web: CasecheckWeb;
  beforeAll(async () => {
    web = await CasecheckWeb.open(settings);
  });
  afterAll(() => {
    web.close();
  });

  it.each(exact)("nobody makes an account at %s", async (target) => {
    for (const headers of visitors)
      for (const method of ["POST", "GET", "OPTIONS"])
        expect(await web.send(target, headers, method)).toEqual({ status: 403, arrived: undefined });
  });

  it("nor at any other spelling of it", async () => {
    await fc.assert(
      fc.asyncProperty(spelled, fc.constantFrom(...visitors), async (target, headers) => {
        const { arrived } = await web.send(target, headers);
        expect([target, arrived?.registers ?? false]).toEqual([target, false]);
      }),
      { numRuns: 500 },
    );
  });

  it("everything else passes: the login, and what only begins like it", async () => {
    const passes = { status: 200, arrived: { registers: false, cookie: undefined, visitor: "127.0.0.1 https" } };
    for (const target of ["/v1/auth/login", "/v1/auth/me", "/v1/attendance/register", "/v1/registers", "/health"])
      expect(await web.send(target)).toEqual(passes);
    expect(await web.send("/check-in", {}, "GET")).toEqual({ status: 200, arrived: undefined });
  });

  it("a hundred guesses at once reach the API one by one, and keep nobody else waiting", async () => {
    const guesses = Promise.all(Array.from({ length: 100 }, () => web.send("/v1/auth/login")));
    await sleep(300);
    const start = Date.now();
    expect((await web.send("/v1/auth/me")).status).toBe(200);
    // With 100 ms for each guess, a common queue takes ten seconds.
    expect(Date.now() - start).toBeLessThan(3000);
    const statuses = (await guesses).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(web.logins.most).toBe(1);
    expect((await web.send("/v1/auth/login")).status).toBe(200);
  });

  it("a class of 60 that signs in at once gets in: who reads 503 tries once or twice more", async () => {
    const signIn = async (): Promise<number> => {
      for (let tries = 1; ; tries++) {
        if ((await web.send("/v1/auth/login")).status === 200) return tries;
        await sleep(500);
      }
    };
    const tries = await Promise.all(Array.from({ length: 60 }, signIn));
    expect(Math.max(...tries)).toBeLessThanOrEqual(3);
    // Cloudflare's limit in 10 s, where each member also registers and checks in.
    expect(tries.reduce((sum, one) => sum + one, 60 + 60)).toBeLessThanOrEqual(240);
  });

  it("the API is told the visitor's own address and https, whatever else a visitor says", async () => {
    const [own, other] =
      "casecheckTunnelHost" in settings
        ? ["cf-connecting-ip", "x-forwarded-for"]
        : ["x-forwarded-for", "cf-connecting-ip"];
    const forged = {
      [other]: "198.51.100.9",
      "x-real-ip": "198.51.100.9",
      forwarded: "for=198.51.100.9",
      "x-forwarded-proto": "http",
    };
    for (const target of ["/v1/auth/me", "/v1/auth/login"])
      for (const visitor of ["203.0.113.7", "192.168.1.20", "2001:db8::7"])
        expect((await web.send(target, { ...forged, [own]: visitor })).arrived?.visitor).toBe(`${visitor} https`);
  });

  it("the gate's cookie does not reach the API, and CaseCheck's own does", async () => {
    const cookieOf = async (cookie: string) => (await web.send("/v1/auth/me", { cookie })).arrived?.cookie ?? "";
    expect(await cookieOf("authelia_session=secret")).toBe("");
    expect(await cookieOf("a=1; authelia_session=secret; b=2")).toBe("a=1; b=2");
    expect(await cookieOf("a=1; authelia_session=secret")).not.toContain("secret");
  });
});

describe("the description of the API", () => {
  const paths = ["/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"];
  const get = (web: CasecheckWeb, path: string, headers = {}, port?: number) => web.send(path, headers, "GET", port);

  it.each([
    ["nowhere unless it is wished", caddyPublishes, false],
    ["where Caddy publishes CaseCheck", { ...caddyPublishes, casecheckDocs: "true" }, true],
    ["never in the tunnel", { ...tunnelPublishes, casecheckDocs: "true" }, false],
  ])("is shown %s", async (_where, settings, shown) => {
    const web = await CasecheckWeb.open(settings);
    try {
      for (const path of paths) expect([path, (await get(web, path)).arrived !== undefined]).toEqual([path, shown]);
    } finally {
      web.close();
    }
  });

  it("is behind the edge where a tunnel publishes CaseCheck, with the API and nothing else", async () => {
    const web = await CasecheckWeb.open({ ...tunnelPublishes, casecheckDocs: "true" });
    try {
      const at = (path: string, headers = {}) => get(web, path, headers, web.docsPort);
      const visitor = { "x-forwarded-for": "203.0.113.7", "cf-connecting-ip": "198.51.100.9" };
      for (const path of [...paths, "/v1/auth/me", "/v1/auth/login"])
        expect((await at(path, visitor)).arrived?.visitor).toBe("203.0.113.7 https");
      expect((await at("/")).status).toBe(302);
      for (const path of ["/check-in", "/index.html", "/other"])
        expect(await at(path)).toEqual({ status: 404, arrived: undefined });
      for (const target of exact) {
        expect((await at(target)).status).toBe(403);
        expect((await at(target, { "Remote-User": "admin" })).arrived?.registers).toBe(true);
      }
    } finally {
      web.close();
    }
  });
});

describe.each([
  ["through a tunnel with open registration", { ...tunnelPublishes, casecheckOpenRegistration: "true" }, {}],
  [
    "in an open CaseCheck with open registration",
    { ...caddyPublishes, casecheckOpen: "true", casecheckOpenRegistration: "true" },
    {},
  ],
  ["behind Caddy, for who passed the gate", caddyPublishes, { "Remote-User": "admin" }],
])("%s", (_what, settings, headers) => {
  it("accounts can be made", async () => {
    const web = await CasecheckWeb.open(settings);
    try {
      for (const target of exact) expect((await web.send(target, headers)).arrived?.registers).toBe(true);
    } finally {
      web.close();
    }
  });
});
