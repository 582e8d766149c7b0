import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { casecheck } from "../../components/apps/casecheck";
import { enabledApps } from "../../components/apps/registry";
import { checkFirewall } from "../../components/cloudflare/check-firewall";
import { type FirewallRequest, ownerPrefix } from "../../components/cloudflare/firewall-rules";
import type { PlacedRule } from "../../components/cloudflare/rulesets";
import {
  type CloudflareZone,
  type Definition,
  type PlanName,
  apiToken,
  eachWithZone,
  owner,
  zoneId,
} from "../support/cloudflare-zone";
import { projectRoot } from "../support/project-root";
import { settingsOf } from "../support/settings";

const host = "cases.example.org";
const settings = {
  domain: "home.example.com",
  casecheckEnabled: "true",
  casecheckPublished: "tunnel",
  casecheckTunnelHost: host,
  casecheckCloudflareApiToken: apiToken,
  casecheckCloudflareAccountId: "0123456789abcdef0123456789abcdef",
  casecheckCloudflareZoneId: zoneId,
};

function firewallOfCasecheck(): FirewallRequest {
  const app = enabledApps(settingsOf(settings)).find(({ name }) => name === casecheck.name);
  if (app?.tunnel?.firewall === undefined) throw new Error("CaseCheck wants no firewall");
  return app.tunnel.firewall;
}

// A hook takes seconds where the machine is busy, and some tests run it several times.
jest.setTimeout(120_000);

let zone: CloudflareZone;
eachWithZone((own) => (zone = own));

/** Runs the real script, as Pulumi does. */
async function hook(word: string, rules: readonly PlacedRule[]) {
  const args = ["bin/cloudcode-hook.cjs", "firewall", word];
  const child = spawn("node", args, { cwd: projectRoot, env: { ...process.env } });
  const { tokenKey } = firewallOfCasecheck();
  child.stdin.end(JSON.stringify({ zoneId, apiToken, owner: ownerPrefix(owner), rules, tokenKey }));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [said, failed, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, said: said.trim(), failed: failed.trim() };
}

/** What the program would have made now. */
async function wanted(): Promise<readonly PlacedRule[]> {
  return (await checkFirewall({ host, zoneId, request: firewallOfCasecheck(), owner, apiToken })).rules;
}

const phases = ["http_request_firewall_custom", "http_ratelimit", "http_request_firewall_managed"] as const;
const everything = () => phases.map((phase) => zone.rules(phase));
const blocks = (expression: string, more: Partial<Definition> = {}): Definition => ({
  description: "mine",
  expression,
  action: "block",
  ...more,
});
const mineAll = () => {
  zone.add("http_request_firewall_custom", blocks('http.host eq "shop.example.org" and cf.client.bot'));
  zone.add("http_request_firewall_custom", blocks('http.user_agent contains "bad"', { enabled: false, ref: "mine" }));
};

it("the rules are made and removed one by one, in a zone with rules of its owner's and in one without", async () => {
  for (const withOwn of [false, true]) {
    if (withOwn) mineAll();
    const before = everything();
    expect(await hook("apply", await wanted())).toEqual({
      code: 0,
      said: "rules of the firewall that were changed at Cloudflare: 2",
      failed: "",
    });
    expect(everything().map((rules) => rules.length)).toEqual(
      before.map((rules, at) => rules.length + (at < 2 ? 1 : 0)),
    );
    // What is right already is not sent again.
    expect((await hook("apply", await wanted())).said).toMatch(/ 0$/);
    expect((await hook("remove", [])).said).toMatch(/ 2$/);
    expect(everything()).toEqual(before);
  }
  expect(zone.changes().filter((call) => call.startsWith("PUT"))).toEqual([]);
});

it("another plan changes the rules in place, and takes and gives the managed ones", async () => {
  mineAll();
  const mine = zone.rules("http_request_firewall_custom");
  await hook("apply", await wanted());
  const [limit] = zone.rules("http_ratelimit");
  zone.plan = "pro";
  expect((await hook("apply", await wanted())).said).toMatch(/ 2$/);
  expect(zone.rules("http_ratelimit")).toMatchObject([{ id: limit?.id, ratelimit: { period: 60 } }]);
  expect(zone.rules("http_request_firewall_managed")).toMatchObject([{ action: "execute" }]);
  await hook("remove", []);
  expect(everything()).toEqual([mine, [], []]);
});

it("what others make at the same moment stays", async () => {
  const rules = await wanted();
  let others = 1;
  zone.meanwhile = (call) => {
    // The ruleset comes into being between the look and the change.
    if (call.startsWith("POST") && others-- > 0) zone.add("http_request_firewall_custom", blocks("cf.client.bot"));
  };
  expect((await hook("apply", rules)).code).toBe(0);
  expect(zone.rules("http_request_firewall_custom").map(({ description }) => description)).toEqual([
    "mine",
    "cloudcode: cloudcode/test, CaseCheck: crawlers and scanners",
  ]);
});

it("what Cloudflare did although it answered with trouble is not done twice", async () => {
  const rules = await wanted();
  mineAll();
  const [custom, limits] = everything();
  zone.meanwhile = (call) => {
    if (call.startsWith("POST") && zone.changes().length === 1) zone.trouble = [{ status: 502, when: "after" }];
  };
  expect((await hook("apply", rules)).code).toBe(0);
  expect(everything().map(({ length }) => length)).toEqual([(custom?.length ?? 0) + 1, (limits?.length ?? 0) + 1, 0]);
});

it.each(["apply", "remove"])("a token without the right fails in words at %s, and is not shown", async (word) => {
  mineAll();
  const rules = await wanted();
  const before = everything();
  zone.rights.waf = "none";
  const { code, failed } = await hook(word, rules);
  expect(code).toBe(1);
  expect(failed).toBe(
    `Cloudflare did not ${word} the firewall's rules in http_request_firewall_custom: HTTP 403, Authentication error (10000). All other rules are as they were. The API token (casecheckCloudflareApiToken) must be valid, with Zone WAF: Edit.`,
  );
  expect(failed).not.toContain(apiToken);
  expect(everything()).toEqual(before);
});

describe.each<[PlanName, boolean]>([
  ["free", false],
  ["free", true],
  ["pro", false],
])("with the plan %s, whose limits may name a host: %s", (plan, hostInFreeLimits) => {
  beforeEach(async () => {
    zone.plan = plan;
    zone.hostInFreeLimits = hostInFreeLimits;
    for (const { phase, rule } of await wanted()) zone.add(phase, rule);
  });
  const at = (path: string, second: number, more = {}) => ({ host, path, second, ...more });
  const many = <T>(count: number, make: (index: number) => T) =>
    Array.from({ length: count }, (_, index) => make(index));

  it("a class of 60 behind one address registers, signs in and checks in within ten seconds", () => {
    const requests = many(60, (member) => [
      at("/v1/auth/register", (member % 10) * 0.3),
      at("/v1/auth/login", 3 + (member % 10) * 0.3),
      at("/v1/auth/me", 6),
      at("/check-in", 6),
      at("/v1/attendance/check-in", 6 + (member % 10) * 0.3),
    ])
      .flat()
      .sort((one, other) => one.second - other.second);
    expect(new Set(zone.visits(requests))).toEqual(new Set([200]));
  });

  it("who guesses is stopped after 240 requests, at each spelling of the path, and comes back later", () => {
    const guesses = many(300, (index) => at(index % 2 ? "/v1/auth/login" : "/v1/auth/login\n", 1));
    const statuses = zone.visits([
      ...guesses,
      at("/v1/activities", 2),
      at("/v1/auth/login", 5),
      at("/v1/auth/login", 99),
    ]);
    expect(statuses.filter((status) => status === 429)).toHaveLength(61);
    expect(statuses.slice(-3)).toEqual([200, 429, 200]);
  });

  it("crawlers, nameless programs and scanners are kept out; people, programs and their other requests are not", () => {
    const visit = (path: string, more = {}) => zone.visits([at(path, 1, more)])[0];
    const crawler = { crawler: true };
    const nameless = { userAgent: "" };
    for (const other of [crawler, nameless]) {
      expect(visit("/v1/auth/login", other)).toBe(403);
      expect(visit("/v1/attendance/check-in", other)).toBe(403);
      expect(visit("/health", other)).toBe(200);
    }
    for (const path of ["/wp-login.php", "/index.PHP", "/.env", "/a/.git/config", "/cgi-bin/x"])
      for (const name of [host, "CASES.example.org", `${host}:443`]) expect(visit(path, { host: name })).toBe(403);
    for (const path of ["/", "/check-in", "/assets/index-1.js", "/health", "/v1/activities", "/v1/auth/login"])
      expect(visit(path, { userAgent: "curl/8.14" })).toBe(200);
  });

  it("the other names of the zone are not concerned, but for the limit where the plan lets it name none", () => {
    const shop = { host: "shop.example.org" };
    expect(zone.visits([at("/wp-login.php", 1, shop), at("/v1/auth/login", 1, { ...shop, userAgent: "" })])).toEqual([
      200, 200,
    ]);
    const guesses = zone.visits(many(300, () => at("/v1/auth/login", 1, shop)));
    expect(guesses.includes(429)).toBe(plan === "free" && !hostInFreeLimits);
  });
});
