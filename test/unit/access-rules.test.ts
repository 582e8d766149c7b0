import fc from "fast-check";
import { accessRules, pathExpression } from "../../components/auth-gateway/access-rules";
import { authGatewayRelease } from "../../components/auth-gateway/auth-gateway-stack";
import { reverseProxyRelease } from "../../components/reverse-proxy/reverse-proxy-stack";
import { type PathRule, type Route, indexIcons } from "../../components/routes";
import { sites } from "../../components/reverse-proxy/sites";
import { type Release, renderRelease } from "../../components/stack/release";
import { join } from "node:path";
import { parse } from "yaml";
import { policyFor as policyOf } from "../support/access";
import { projectRoot } from "../support/project-root";
import { settingsOf } from "../support/settings";
import { siteOf } from "../support/routes";

const domain = "home.example.com";

const route = (paths: readonly PathRule[], rest: Partial<Route> = {}) => siteOf({ paths, ...rest });

const policyFor = (routes: readonly Route[], host: string, path: string) => policyOf(routes, domain, host, path);

describe("the access rules of a Route", () => {
  const paths: PathRule[] = [
    { path: "/hooks/github", policy: "bypass" },
    { path: "/public/private/*", policy: "two_factor" },
    { path: "/public/ws/*", upstream: "app-ws:81" },
    { path: "/public/*", policy: "bypass" },
    { path: "/admin/*", policy: "deny" },
    { path: "/elsewhere/*", upstream: "app-other:80" },
  ];
  const routes = [route(paths)];

  it.each([
    ["/", "two_factor"],
    ["/hooks/github", "bypass"],
    ["/hooks/github?delivery=1&x=/y", "bypass"],
    ["/hooks/github/", "two_factor"],
    ["/hooks/github/secrets", "two_factor"],
    ["/hooks/githubbb", "two_factor"],
    ["/x/hooks/github", "two_factor"],
    ["/?/hooks/github", "two_factor"],
    ["/public", "bypass"],
    ["/public?x=1", "bypass"],
    ["/public/", "bypass"],
    ["/public/a/b.js?v=1", "bypass"],
    ["/public/private", "two_factor"],
    ["/public/private/x", "two_factor"],
    ["/public/privately", "bypass"],
    ["/public/ws/x", "two_factor"],
    ["/publication", "two_factor"],
    ["/elsewhere/x", "two_factor"],
    ["/admin/users", "deny"],
  ])("for %s say %s", (path, policy) => {
    expect(policyFor(routes, `app.${domain}`, path)).toBe(policy);
  });

  it("say two_factor for the index page and nothing for a host that no Route has", () => {
    expect(policyFor(routes, domain, "/")).toBe("two_factor");
    expect(policyFor(routes, `other.${domain}`, "/hooks/github")).toBe("deny");
  });

  it.each(indexIcons)("say bypass for the icon %s of the index page, and for nothing around it", (path) => {
    expect(policyFor(routes, domain, path)).toBe("bypass");
    for (const near of [
      `${path}/`,
      `${path}/../`,
      `/x${path}`,
      path.slice(0, -1),
      `${path}x`,
      `/.${path}`,
      path.replace(".", "x"),
    ])
      expect([near, policyFor(routes, domain, near)]).toEqual([near, "two_factor"]);
    expect(policyFor(routes, `app.${domain}`, path)).toBe("two_factor");
  });

  it("let a bypass of one App open nothing of another", () => {
    const both = [...routes, route([], { subdomain: "other", network: "cloudcode-edge-other" })];
    expect(policyFor(both, `other.${domain}`, "/hooks/github")).toBe("two_factor");
  });

  it("repeat no path whose policy is the Route's own", () => {
    expect(
      accessRules([route([{ path: "/x", policy: "two_factor" }])], domain).filter((rule) => rule.domain !== domain),
    ).toHaveLength(1);
  });
});

describe("the expression of a path", () => {
  const segment = fc.string({
    unit: fc.constantFrom(..."abz019-._~!$&'()*+,;=:@%^|[]{}\\".split("")),
    minLength: 1,
    maxLength: 6,
  });
  const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`);
  const exact = path.filter((text) => !text.endsWith("/*"));
  const query = fc.option(
    fc.string({ maxLength: 8 }).map((text) => text.replace(/\s/g, "")),
    { nil: undefined },
  );
  const withQuery = (text: string, rest: string | undefined) => (rest === undefined ? text : `${text}?${rest}`);

  it("matches exactly that path, with any query", () => {
    fc.assert(
      fc.property(exact, exact, query, (listed, asked, rest) => {
        const expression = new RegExp(pathExpression({ path: listed }));
        return (
          expression.test(withQuery(listed, rest)) &&
          expression.test(withQuery(asked, rest)) === (asked === listed) &&
          !expression.test(`${listed}/${asked}`) &&
          !expression.test(`/x${listed}`)
        );
      }),
      { numRuns: 2000, verbose: true },
    );
  });

  it("of a prefix matches the path itself and all below it, and nothing beside it", () => {
    fc.assert(
      fc.property(exact, path, query, (prefix, below, rest) => {
        const expression = new RegExp(pathExpression({ path: `${prefix}/*` }));
        return (
          expression.test(withQuery(prefix, rest)) &&
          expression.test(withQuery(`${prefix}${below}`, rest)) &&
          !expression.test(withQuery(`${prefix}x`, rest)) &&
          !expression.test(withQuery(`/x${prefix}`, rest))
        );
      }),
      { numRuns: 2000, verbose: true },
    );
  });
});

describe("a path added to a Route", () => {
  const settings = settingsOf({ domain });
  const templates = join(projectRoot, "stack-templates");
  const secrets = { passwordHash: "h", sessionSecret: "s", resetSecret: "r", encryptionKey: "e", smtpPassword: "" };
  const gateway = (paths: readonly PathRule[]) =>
    renderRelease(templates, authGatewayRelease({ ...settings, domain, routes: [route(paths)] }), secrets, "k");
  const releases = (paths: readonly PathRule[]) => [
    gateway(paths).id,
    renderRelease(templates, reverseProxyRelease({ ...settings, domain, routes: [route(paths)] }), {}, "k").id,
  ];

  it("with another policy changes Authelia and leaves Caddy's release as it is", () => {
    const [auth, edge] = releases([]);
    const [authAfter, edgeAfter] = releases([{ path: "/hook", policy: "bypass" }]);
    expect(authAfter).not.toBe(auth);
    expect(edgeAfter).toBe(edge);
  });

  it("changes of Authelia's stack no other service, and no image, so that the update is start-first", () => {
    const plain = gateway([]);
    const changed = gateway([{ path: "/hook", policy: "bypass" }]);
    const servicesOf = ({ files }: Release) => {
      const text = files.find(({ path }) => path === "compose.yaml")?.content ?? "";
      return (parse(text, { merge: true }) as { services: Record<string, { image: string }> }).services;
    };
    const { authelia: before, ...others } = servicesOf(plain);
    const { authelia: after, ...othersAfter } = servicesOf(changed);
    expect(Object.keys(others)).toEqual(["seed", "sessions"]);
    expect(othersAfter).toEqual(others);
    expect(after).not.toEqual(before);
    expect(after?.image).toBe(before?.image);
    expect(changed.plan.startFirstAlone).toEqual(["authelia"]);
  });

  it("with another upstream changes Caddy and leaves Authelia's release as it is", () => {
    const [auth, edge] = releases([]);
    const [authAfter, edgeAfter] = releases([{ path: "/ws/*", upstream: "app-ws:81" }]);
    expect(authAfter).toBe(auth);
    expect(edgeAfter).not.toBe(edge);
  });
});

describe("the site of a Route", () => {
  it("sends listed paths elsewhere in their order, a prefix with and without what is below it", () => {
    const paths = [
      { path: "/a/*", upstream: "app-a:1" },
      { path: "/b", policy: "bypass" as const },
      { path: "/c", upstream: "app-c:3" },
      { path: "/d", upstream: "app-web:80" },
    ];
    expect(sites([route(paths)], domain)).toEqual([
      {
        host: "app.home.example.com",
        origin: "https://app.home.example.com",
        pages: "^(?:.*)$",
        refusals: [],
        open: [],
        basicAuth: undefined,
        keys: [],
        upstream: "app-web:80",
        elsewhere: [
          { name: "path0", paths: ["/a", "/a/*"], upstream: "app-a:1" },
          { name: "path2", paths: ["/c"], upstream: "app-c:3" },
        ],
      },
    ]);
  });
});
