// Who may go where: access rules and the status codes of forward-auth, without a server.
import fc from "fast-check";
import type { Policy, Rule, Subject } from "../../stand-ins/authelia/access/authorizer";
import { requiredPolicy } from "../../stand-ins/authelia/access/authorizer";
import {
  acceptsHtml,
  authorizedAnswer,
  decide,
  unauthorizedAnswer,
} from "../../stand-ins/authelia/access/forward-auth";
import { parseTarget } from "../../stand-ins/authelia/access/target";
import { readAccessControl } from "../../stand-ins/authelia/config/access-control";
import type { Tree } from "../../stand-ins/authelia/config/section";
import { Section } from "../../stand-ins/authelia/config/section";

const nobody: Subject = { username: "", groups: [], ip: "192.0.2.1" };
const admin: Subject = { username: "admin", groups: ["admins", "people"], ip: "192.0.2.1" };
const bob: Subject = { username: "bob", groups: [], ip: "10.1.2.3" };

function control(rules: readonly Tree[], defaultPolicy = "deny"): ReturnType<typeof readAccessControl> {
  const problems = { errors: [], warnings: [] };
  const result = readAccessControl(new Section({ default_policy: defaultPolicy, rules }, "access_control", problems));
  expect(problems.errors).toEqual([]);
  return result;
}

function policyFor(rules: readonly Tree[], subject: Subject, url: string, method = "GET"): Policy {
  const target = parseTarget(url, method);
  if (!target) throw new Error(`not an address: ${url}`);
  return requiredPolicy(control(rules), subject, target).policy;
}

describe("access rules", () => {
  const rules: readonly Tree[] = [
    { domain: "public.x.io", policy: "bypass" },
    { domain: "api.x.io", resources: ["^/v1([/?].*)?$"], policy: "bypass" },
    { domain: "api.x.io", resources: ["^/admin"], subject: "group:admins", policy: "two_factor" },
    { domain: "api.x.io", resources: ["^/admin"], policy: "deny" },
    { domain: "office.x.io", networks: ["10.0.0.0/8"], policy: "one_factor" },
    { domain: "both.x.io", subject: [["user:admin", "group:people"]], policy: "one_factor" },
    { domain: "either.x.io", subject: ["user:bob", "group:admins"], policy: "one_factor" },
    { domain: "{user}.home.x.io", policy: "one_factor" },
    {
      domain: "query.x.io",
      query: [
        [
          { key: "share", operator: "present" },
          { key: "mode", value: "read" },
        ],
      ],
      policy: "bypass",
    },
    { domain: "*.x.io", methods: ["OPTIONS"], policy: "bypass" },
    { domain: ["x.io", "*.x.io"], policy: "two_factor" },
  ];

  test.each<[string, Subject, string, string, Policy]>([
    ["the first rule that matches wins", nobody, "https://public.x.io/", "GET", "bypass"],
    ["a resource with its query", nobody, "https://api.x.io/v1?x=1", "GET", "bypass"],
    ["a longer first segment is another resource", nobody, "https://api.x.io/v12", "GET", "two_factor"],
    ["dots do not lead out of a resource", nobody, "https://api.x.io/v1/../admin", "GET", "two_factor"],
    ["nor do escaped dots and slashes", nobody, "https://api.x.io/v1%2f..%2fadmin", "GET", "two_factor"],
    ["double slashes are one", nobody, "https://api.x.io//v1", "GET", "bypass"],
    ["a group that is there", admin, "https://api.x.io/admin", "GET", "two_factor"],
    ["a group that is not", bob, "https://api.x.io/admin", "GET", "deny"],
    ["an anonymous visitor may still turn out to be somebody", nobody, "https://api.x.io/admin", "GET", "two_factor"],
    ["from the network", bob, "https://office.x.io/", "GET", "one_factor"],
    ["from elsewhere", admin, "https://office.x.io/", "GET", "two_factor"],
    ["all of an inner list", admin, "https://both.x.io/", "GET", "one_factor"],
    ["not only some of it", { ...admin, groups: [] }, "https://both.x.io/", "GET", "two_factor"],
    ["any of an outer list", bob, "https://either.x.io/", "GET", "one_factor"],
    ["one's own domain", bob, "https://bob.home.x.io/", "GET", "one_factor"],
    ["another's domain", bob, "https://admin.home.x.io/", "GET", "two_factor"],
    ["a query", nobody, "https://query.x.io/?share&mode=read", "GET", "bypass"],
    ["half a query", nobody, "https://query.x.io/?share", "GET", "two_factor"],
    ["a method", nobody, "https://app.x.io/", "OPTIONS", "bypass"],
    ["the apex is not below itself", nobody, "https://x.io/", "OPTIONS", "two_factor"],
    ["capitals", nobody, "https://PUBLIC.X.IO/", "GET", "bypass"],
    ["a port", nobody, "https://public.x.io:8443/", "GET", "bypass"],
    ["a look-alike", nobody, "https://evilx.io/", "GET", "deny"],
    ["nothing matches", nobody, "https://y.io/", "GET", "deny"],
  ])("%s", (_, subject, url, method, expected) => {
    expect(policyFor(rules, subject, url, method)).toBe(expected);
  });

  test("whatever the path, only /v1 is open", () => {
    fc.assert(
      fc.property(fc.webPath(), fc.webQueryParameters(), (path, query) => {
        const url = `https://api.x.io${path}${query === "" ? "" : `?${query}`}`;
        const target = parseTarget(url, "GET");
        if (target && policyFor(rules, bob, url) === "bypass") expect(target.path).toMatch(/^\/v1([/?].*)?$/s);
      }),
    );
  });
});

describe("the decision", () => {
  test.each<[Policy, 0 | 1 | 2, boolean, string]>([
    ["bypass", 0, false, "authorized"],
    ["one_factor", 0, false, "unauthorized"],
    ["one_factor", 1, false, "authorized"],
    ["two_factor", 1, false, "unauthorized"],
    ["two_factor", 2, false, "authorized"],
    ["deny", 0, false, "forbidden"],
    ["deny", 0, true, "unauthorized"],
    ["deny", 2, true, "forbidden"],
  ])("%s, level %i, about a person: %s", (policy, level, subjectBound, expected) => {
    expect(decide(level, { policy, subjectBound })).toBe(expected);
  });

  test("a signed-in visitor's name goes to the app in UTF-8", () => {
    const { headers } = authorizedAnswer({ username: "ö", displayName: "Ö", groups: ["a", "b"], emails: ["o@x.io"] });
    expect(headers).toMatchObject({ "remote-user": "Ã¶", "remote-groups": "a,b", "remote-email": "o@x.io" });
  });
});

describe("an unauthorized visitor is", () => {
  const answer = (
    method: string,
    accept: string | undefined,
    xRequestedWith?: string,
  ): ReturnType<typeof unauthorizedAnswer> => {
    const target = parseTarget("https://app.x.io/a?b=1", method);
    if (!target) throw new Error("unreachable");
    return unauthorizedAnswer(target, { accept, xRequestedWith }, "https://auth.x.io");
  };
  test.each<[string, string, string | undefined, string | undefined, number]>([
    ["sent to the portal", "GET", "text/html,*/*;q=0.8", undefined, 302],
    ["sent there by HEAD too", "HEAD", "text/html", undefined, 302],
    ["and by OPTIONS", "OPTIONS", "text/html", undefined, 302],
    ["sent there from curl", "GET", "*/*", undefined, 302],
    ["told to GET the portal after a form", "POST", "text/html", undefined, 303],
    ["refused as a script", "GET", "text/html", "XMLHttpRequest", 401],
    ["refused as a program", "GET", "application/json", undefined, 401],
    ["refused when HTML is only the last resort", "GET", "application/json, */*", undefined, 401],
    ["refused without Accept", "GET", undefined, undefined, 401],
  ])("%s", (_, method, accept, xhr, status) => {
    const { status: actual, headers } = answer(method, accept, xhr);
    expect(actual).toBe(status);
    expect(headers["location"]).toBe(`https://auth.x.io/?rd=https%3A%2F%2Fapp.x.io%2Fa%3Fb%3D1&rm=${method}`);
  });

  test("HTML counts wherever it stands", () => {
    expect(acceptsHtml("image/png, text/html;q=0.1")).toBe(true);
  });
});

test.each(["not an address", "https://x.io/%zz", "https://x y/", "https://x.io/\n"])("%j is no address", (url) => {
  expect(parseTarget(url, "GET")).toBeUndefined();
});

test("a rule without conditions beyond the domain has none", () => {
  const [rule] = control([{ domain: "x.io", policy: "bypass" }]).rules as readonly [Rule];
  expect(rule).toMatchObject({ subjects: [], methods: [], resources: [], query: [], networks: undefined });
});
