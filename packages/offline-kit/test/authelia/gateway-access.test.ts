// Who may go where: access rules and the status codes of forward-auth, without a server.
import fc from "fast-check";
import { RE2JS } from "re2js";
import { required } from "../../stand-ins/authelia/access/authorizer";
import {
  acceptsHtml,
  authorizedAnswer,
  decide,
  unauthorizedAnswer,
} from "../../stand-ins/authelia/access/forward-auth";
import { parseTarget } from "../../stand-ins/authelia/access/target";
import type { Policy } from "../../stand-ins/authelia/config/schema";

const rules = [
  { domain: "some.x.io", resources: [RE2JS.compile("^/open$")], policy: "bypass" },
  { domain: "some.x.io", policy: "two_factor", subject: [["user:jo"], ["user:mia"]] },
  { domain: "public.x.io", policy: "bypass" },
  { domain: "api.x.io", resources: [RE2JS.compile("^/v1([/?].*)?$")], policy: "bypass" },
  { domain: "api.x.io", resources: [RE2JS.compile("^/admin([/?].*)?$")], policy: "deny" },
  { domain: "api.x.io", policy: "two_factor" },
  { domain: "office.x.io", policy: "one_factor" },
  { domain: "x.io", policy: "two_factor" },
] as const;

function requiredFor(url: string, username: string) {
  const target = parseTarget(url, "GET");
  if (!target) throw new Error(`not an address: ${url}`);
  return required(
    {
      default_policy: "deny",
      rules: rules.map((rule) => ({
        ...rule,
        resources: "resources" in rule ? [...rule.resources] : undefined,
        subject: "subject" in rule ? rule.subject.map(([name]): [string] => [name]) : undefined,
      })),
    },
    target,
    username,
  );
}

const policyFor = (url: string) => requiredFor(url, "admin").policy;

describe("access rules", () => {
  test.each<[string, string, Policy]>([
    ["the first rule that matches wins", "https://public.x.io/", "bypass"],
    ["a resource with its query", "https://api.x.io/v1?x=1", "bypass"],
    ["a longer first segment is another resource", "https://api.x.io/v12", "two_factor"],
    ["dots do not lead out of a resource", "https://api.x.io/v1/../admin", "deny"],
    ["nor do escaped dots and slashes", "https://api.x.io/v1%2f..%2fadmin", "deny"],
    ["double slashes are one", "https://api.x.io//v1", "bypass"],
    ["a path that is closed", "https://api.x.io/admin/x", "deny"],
    ["one factor", "https://office.x.io/", "one_factor"],
    ["the apex", "https://x.io/", "two_factor"],
    ["capitals", "https://PUBLIC.X.IO/", "bypass"],
    ["a port", "https://public.x.io:8443/", "bypass"],
    ["below a host of a rule", "https://deep.public.x.io/", "deny"],
    ["a look-alike", "https://evilx.io/", "deny"],
    ["nothing matches", "https://y.io/", "deny"],
  ])("%s", (_, url, expected) => {
    expect(policyFor(url)).toBe(expected);
  });

  test.each<[string, string, Policy, boolean]>([
    ["somebody whom a rule names", "mia", "two_factor", true],
    ["somebody whom it does not name", "admin", "deny", false],
    ["somebody whose name only begins so", "mi", "deny", false],
    // Nobody knows yet who that will be.
    ["a stranger", "", "two_factor", true],
  ])("a rule for some people, to %s", (_, username, policy, forSome) => {
    expect(requiredFor("https://some.x.io/x", username)).toEqual({ policy, forSome });
    expect(requiredFor("https://some.x.io/open", username)).toEqual({ policy: "bypass", forSome: false });
  });

  test("whatever the path, only /v1 is open", () => {
    fc.assert(
      fc.property(fc.webPath(), fc.webQueryParameters(), (path, query) => {
        const url = `https://api.x.io${path}${query === "" ? "" : `?${query}`}`;
        const target = parseTarget(url, "GET");
        if (target && policyFor(url) === "bypass") expect(target.path).toMatch(/^\/v1([/?].*)?$/s);
      }),
    );
  });
});

describe("the decision", () => {
  test.each<[Policy, 0 | 1 | 2, string]>([
    ["bypass", 0, "authorized"],
    ["one_factor", 0, "unauthorized"],
    ["one_factor", 1, "authorized"],
    ["two_factor", 1, "unauthorized"],
    ["two_factor", 2, "authorized"],
    ["deny", 0, "forbidden"],
    ["deny", 2, "forbidden"],
  ])("%s, level %i: %s", (policy, level, expected) => {
    expect(decide(level, { policy, forSome: false })).toBe(expected);
  });

  test("a rule that closes to some people first asks a stranger who that is", () => {
    expect(decide(0, { policy: "deny", forSome: true })).toBe("unauthorized");
    expect(decide(1, { policy: "deny", forSome: true })).toBe("forbidden");
  });

  test("a signed-in visitor's name goes to the app in UTF-8", () => {
    const { headers } = authorizedAnswer({ username: "ö", displayName: "Ö", groups: ["a", "b"], emails: ["o@x.io"] });
    expect(headers.get("remote-user")).toBe("Ã¶");
    expect(headers.get("remote-groups")).toBe("a,b");
    expect(headers.get("remote-email")).toBe("o@x.io");
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
    expect(headers.get("location")).toBe(`https://auth.x.io/?rd=https%3A%2F%2Fapp.x.io%2Fa%3Fb%3D1&rm=${method}`);
  });

  test("HTML counts wherever it stands", () => {
    expect(acceptsHtml("image/png, text/html;q=0.1")).toBe(true);
  });
});

test.each(["not an address", "https://x.io/%zz", "https://x y/", "https://x.io/\n"])("%j is no address", (url) => {
  expect(parseTarget(url, "GET")).toBeUndefined();
});
