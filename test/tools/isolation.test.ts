import fc from "fast-check";
import type { Route } from "../../components/routes";
import { Edge, type HeaderList } from "../support/edge";
import { siteOf } from "../support/routes";

const everyPage = siteOf({
  subdomain: "every",
});
const other: Route = { ...everyPage, subdomain: "other", pages: "/|/page/[a-z]+" };
const route: Route = {
  ...other,
  subdomain: "app",
  paths: [
    { path: "/v1/admin/*" },
    { path: "/v1/*", policy: "bypass", crossOrigin: true, upstream: "app-api:81" },
    { path: "/free/*", policy: "bypass" },
  ],
  keys: [{ path: "/api/*", header: "Authorization", value: "Bearer key_\\w+", withoutCookies: ".+" }],
};
const basic: Route = { ...route, subdomain: "basic", basicAuth: { username: "jo", password: undefined } };
const domain = "home.example.com";

let closed: Edge;
let open: Edge;
beforeAll(async () => {
  const secrets = { "hash-basic": "$2b$10$abcdefghijklmnopqrstuuUz3YHbs8.8VGmVQh8p1xWpPpmlgb9Cq" };
  const routes = [route, other, basic, everyPage];
  [closed, open] = [await Edge.open(routes, { secrets }), await Edge.open(routes, { secrets, gateSays: 200 })];
});
afterAll(() => {
  closed.close();
  open.close();
});

interface Request {
  readonly subdomain: "" | "app" | "other" | "every" | "auth" | "basic";
  readonly method: string;
  readonly path: string;
  readonly headers: HeaderList;
}

/** `refused`: nobody is asked. `asked`: a page of the edge's own asks the visitor. `through`: the gateway decides, as ever. */
type Verdict = "refused" | "asked" | "through";

const pages: Readonly<Record<Request["subdomain"], (path: string) => boolean>> = {
  "": () => true,
  app: (path) => /^\/(page\/[a-z]+)?$/.test(path),
  other: (path) => /^\/(page\/[a-z]+)?$/.test(path),
  basic: (path) => /^\/(page\/[a-z]+)?$/.test(path),
  every: () => true,
  auth: (path) =>
    path === "/" ||
    path.startsWith("/settings") ||
    path === `/?rd=${encodeURIComponent(`https://app.${domain}/x`)}&rm=GET`,
};

/** The rule, told apart from Caddy. */
function verdictOf({ subdomain, method, path, headers }: Request): Verdict {
  const values = (name: string) => headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  const is = (name: string, ...allowed: readonly string[]) => {
    const [value, ...more] = values(name);
    return value !== undefined && more.length === 0 && allowed.includes(value);
  };
  const has = (name: string) => values(name).length > 0;
  const host = subdomain === "" ? domain : `${subdomain}.${domain}`;
  if (has("origin") && !is("origin", `https://${host}`)) return "refused";
  if (!has("sec-fetch-site") || is("sec-fetch-site", "same-origin", "none")) return "through";
  const link =
    (method === "GET" || method === "HEAD") &&
    is("sec-fetch-mode", "navigate") &&
    is("sec-fetch-dest", "document") &&
    values("sec-purpose").join(",") === "" &&
    values("purpose").join(",") === "";
  if (!link) return "refused";
  return pages[subdomain](path) || is("referer", `https://${domain}/`) ? "through" : "asked";
}

async function verdictAt(edge: Edge, { subdomain, method, path, headers }: Request): Promise<Verdict> {
  const { at, answer } = await edge.get(subdomain, path, headers, method);
  if (at !== "edge" || (subdomain === "basic" && answer.status === 401)) return "through";
  expect(answer.status).toBe(403);
  return answer.headers["content-type"]?.startsWith("text/html") ? "asked" : "refused";
}

const link = (site: string): HeaderList => [
  ["Sec-Fetch-Site", site],
  ["Sec-Fetch-Mode", "navigate"],
  ["Sec-Fetch-Dest", "document"],
];

const header = (name: string, ...values: readonly string[]) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 4, arbitrary: fc.constantFrom(...values).map((value) => [[name, value] as const]) },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.constantFrom(...values, ""), { maxLength: 3 })
        .map((all) => all.map((value) => [name, value] as const)),
    },
  );
const spelled = (name: string) => fc.constantFrom(name, name.toLowerCase(), name.toUpperCase());
const origins = [
  ...["", "app.", "other.", "auth.", "basic.", "every."].map((prefix) => `https://${prefix}${domain}`),
  "null",
  "NULL",
  "https://app.home.example.com:443",
  "https://app.home.example.com:8443",
  "https://app.home.example.com.",
  "HTTPS://app.home.example.com",
  "https://APP.home.example.com",
  "http://app.home.example.com",
  "https://app.home.example.com/",
  "https://evil.example",
  "https://app.home.example.com.evil.example",
  "https://app.home.example.comx",
  "https://xapp.home.example.com",
  "https://app.home.example.com https://evil.example",
  "https://app.home.example.com,https://app.home.example.com",
  "*",
  "app.home.example.com",
];
const requests: fc.Arbitrary<Request> = fc.record({
  subdomain: fc.constantFrom("", "app", "other", "every", "auth", "basic"),
  method: fc.constantFrom(
    "GET",
    "GET",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "PROPFIND",
    "REPORT",
  ),
  path: fc.constantFrom(
    "/",
    "/?x=1",
    "/page/a",
    "/page/a?x=1",
    "/page/a/b",
    "/PAGE/a",
    "/page/../page/a",
    "//page/a",
    "/free/x",
    "/logout",
    "/settings/two-factor-authentication",
    `/?rd=${encodeURIComponent(`https://app.${domain}/x`)}&rm=GET`,
    `/?rd=${encodeURIComponent(`https://auth.${domain}/logout`)}&rm=GET`,
    "/terminal/ws",
    "/api/authz/forward-auth",
    "/v1/admin/x",
    "/api/x",
  ),
  headers: fc
    .tuple(
      fc.oneof(
        fc.tuple(
          header(
            "Sec-Fetch-Site",
            "same-origin",
            "same-site",
            "cross-site",
            "none",
            "Same-Origin",
            "same-origin, none",
          ),
          header("Sec-Fetch-Mode", "navigate", "no-cors", "cors", "same-origin", "websocket", "Navigate"),
          header("Sec-Fetch-Dest", "document", "iframe", "object", "embed", "empty", "image", "report", "Document"),
        ),
        // All but a link, so that each condition alone decides.
        fc.shuffledSubarray([...link("same-site")], { minLength: 2 }).map((list) => [list]),
        fc.constantFrom("same-site", "cross-site").map((site) => [link(site)]),
      ),
      fc.oneof(
        fc.constant([]),
        fc
          .tuple(
            header("Origin", ...origins),
            header("Sec-Purpose", "prefetch", "prefetch;prerender"),
            header("Purpose", "prefetch"),
            header(
              "Referer",
              `https://${domain}/`,
              `https://${domain}/x`,
              `https://evil.example/`,
              `https://app.${domain}/`,
            ),
            header("Upgrade", "websocket"),
            header("Content-Type", "text/plain", "application/json"),
            header("Cookie", "authelia_session=s"),
          )
          .map((lists) => lists.flat()),
      ),
    )
    .map(([fetched, more]): HeaderList => [...fetched.flat(), ...more])
    .chain((list) => fc.tuple(...list.map(([name, value]) => spelled(name).map((as) => [as, value] as const)))),
});

it("Caddy refuses, asks and lets through exactly what the rule says, whatever headers come", async () => {
  const seen = { refused: 0, asked: 0, through: 0 };
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      const verdict = verdictOf(request);
      seen[verdict] += 1;
      expect(await verdictAt(closed, request)).toBe(verdict);
    }),
    { numRuns: 1500 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
});

const foreign = ["Origin", "https://evil.example"] as const;
const cookie = ["Cookie", "authelia_session=g; other=1"] as const;
const bearer = ["Authorization", "Bearer key_1"] as const;

describe("what another site may call", () => {
  it.each(["/v1/models", "/v1", "/V1/models?x=/v1/admin"])(
    "%s is called by name, and carries nobody's session",
    async (path) => {
      for (const method of ["GET", "POST", "OPTIONS"]) {
        const { at, headers } = await open.get(
          "app",
          path,
          [foreign, cookie, ["Sec-Fetch-Site", "cross-site"]],
          method,
        );
        expect([at, headers.origin, headers.cookie]).toEqual(["app-api:81", foreign[1], undefined]);
      }
      const gate = await closed.get("app", path, [foreign, cookie]);
      expect([gate.at, gate.headers.cookie]).toEqual(["gate", undefined]);
    },
  );

  it.each(["/v1/admin", "/v1/admin/x", "/v1/x/../admin/x", "/v10", "/free/x", "/", "/%761/../free/x"])(
    "%s is not",
    async (path) => {
      expect((await open.get("app", path, [foreign])).at).toBe("edge");
    },
  );

  it("its answers to other origins go out, those of all other paths do not", async () => {
    const cors = async (path: string, headers: HeaderList) =>
      Object.keys((await open.get("app", path, headers)).answer.headers);
    expect(await cors("/v1/models", [foreign])).toEqual(expect.arrayContaining(["access-control-allow-origin"]));
    expect(await cors("/free/x", [])).not.toEqual(expect.arrayContaining(["access-control-allow-origin"]));
  });

  it("on a host with a password of Caddy's own there is none", async () => {
    expect((await open.get("basic", "/v1/models", [foreign])).at).toBe("edge");
  });
});

describe("a key", () => {
  it("passes from anywhere, and a session beside it does not", async () => {
    const { at, headers } = await closed.get(
      "app",
      "/api/x",
      [foreign, bearer, cookie, ["Sec-Fetch-Site", "cross-site"]],
      "POST",
    );
    expect([at, headers.cookie ?? ""]).toEqual(["app-web:80", ""]);
  });

  it("is needed: neither a preflight nor a session does instead", async () => {
    const preflight = ["Access-Control-Request-Headers", "authorization"] as const;
    expect((await closed.get("app", "/api/x", [foreign, preflight], "OPTIONS")).at).toBe("edge");
    expect((await closed.get("app", "/api/x", [foreign, cookie], "POST")).at).toBe("edge");
    expect((await closed.get("app", "/page/a", [foreign, bearer], "POST")).at).toBe("edge");
  });
});

describe("links of other sites", () => {
  it.each([
    ["/", "through"],
    ["/settings/two-factor-authentication", "through"],
    ["/reset-password/step2?token=x", "through"],
    ["/revoke/one-time-code?id=x", "through"],
    [`/?rd=${encodeURIComponent(`https://${domain}/`)}`, "through"],
    [`/?rd=${encodeURIComponent(`https://app.${domain}/page/a?b=1&c#d`)}&rm=POST`, "through"],
    [`/?rd=${encodeURIComponent(`https://auth.${domain}/logout`)}`, "asked"],
    [`/?rd=${encodeURIComponent(`https://app.${domain}@auth.${domain}/logout`)}`, "asked"],
    [`/?rd=${encodeURIComponent(`https://app.${domain}:443@auth.${domain}/logout`)}`, "asked"],
    [`/?rd=${encodeURIComponent(`https://appxhome.example.com/`)}`, "asked"],
    [
      `/?rd=${encodeURIComponent(`https://app.${domain}/`)}&rd=${encodeURIComponent(`https://auth.${domain}/logout`)}`,
      "asked",
    ],
    [`/?rd=https://auth.${domain}/logout`, "asked"],
    ["/logout", "asked"],
    ["/Logout", "asked"],
    ["/%6cogout", "asked"],
    ["/logout?rd=", "asked"],
    ["/consent/openid", "asked"],
    ["/api/state", "asked"],
  ] as const)("to the portal's %s are %s", async (path, verdict) => {
    for (const site of ["same-site", "cross-site"]) {
      const request = { subdomain: "auth", method: "GET", path, headers: link(site) } as const;
      expect(await verdictAt(closed, request)).toBe(verdict);
    }
  });

  it("that are no page get one that asks, and whose own link goes on", async () => {
    const { answer } = await closed.get("auth", "/logout", link("same-site"));
    expect(answer.body).toContain('<a href="">');
    expect(answer.headers["content-security-policy"]).toContain("default-src 'none'");
  });

  it("of the index page lead anywhere", async () => {
    const referer = ["Referer", `https://${domain}/`] as const;
    const request = { subdomain: "auth", method: "GET", path: "/logout" } as const;
    expect(await verdictAt(closed, { ...request, headers: [...link("same-site"), referer] })).toBe("through");
  });
});

describe("every answer", () => {
  it.each(["", "app", "other", "auth", "basic"] as const)(
    "of %p forbids frames, windows and uses by others",
    async (subdomain) => {
      for (const headers of [[], [foreign], link("cross-site")]) {
        for (const edge of [open, closed]) {
          const { answer } = await edge.get(subdomain, "/", headers);
          expect(answer.headers).toMatchObject({
            "content-security-policy": expect.stringContaining("frame-ancestors 'self'") as unknown,
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
          });
        }
      }
    },
  );

  it("keeps an App's own policy beside, and its stricter word on frames", async () => {
    const { answer } = await open.get("app", "/", []);
    expect(answer.headers["content-security-policy"]).toBe(
      "script-src 'self'; frame-ancestors 'none', frame-ancestors 'self'",
    );
    expect(answer.headers["x-frame-options"]).toBe("DENY");
  });
});
