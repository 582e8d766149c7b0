import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { type CheckedFirewall, checkFirewall } from "../../components/cloudflare/check-firewall";
import { type FirewallRequest, ownerPrefix, partsOf } from "../../components/cloudflare/firewall-rules";
import { type FoundRule, type PlacedRule, type Rule, changesOf } from "../../components/cloudflare/rulesets";
import { Home } from "../../index";
import { type CloudflareZone, type PlanName, apiToken, eachWithZone, owner, zoneId } from "../support/cloudflare-zone";
import { tunnelToken } from "../support/least-apps";
import { textOf } from "../support/plain";
import { hostKey, minimal, privateKey } from "../support/minimal";
import { failureOf, runProgram, useEngine } from "../support/program";
import { type RecordedResource, RecordingMonitor } from "../support/recorder";
import { optionsOf } from "../support/recorded-options";
import { faultsOf } from "../support/settings";

// Nobody waits for a Cloudflare that is too busy.
jest.mock("node:timers/promises", () => ({ setTimeout: () => Promise.resolve() }));

const host = "cases.example.org";
const managedRuleset = "efb7b8c949ac4650a09736fc376e9aee";
const tunnel = {
  domain: "home.example.com",
  casecheckEnabled: "true",
  casecheckPublished: "tunnel",
  casecheckTunnelHost: host,
};
const made = {
  ...tunnel,
  casecheckCloudflareApiToken: apiToken,
  casecheckCloudflareAccountId: "0123456789abcdef0123456789abcdef",
  casecheckCloudflareZoneId: zoneId,
};
const request: FirewallRequest = {
  title: "CaseCheck",
  guarded: ["/v1/auth/login", "/v1/attendance/check-in"],
  guards: "sign-in and check-in",
  requests: 240,
  tokenKey: "casecheckCloudflareApiToken",
  switchKey: "casecheckFirewall",
};

const inputOf = ({ inputs }: RecordedResource) =>
  JSON.parse(textOf(inputs["stdin"])) as { readonly rules: readonly PlacedRule[] };

let zone: CloudflareZone;
eachWithZone((own) => (zone = own));

const check = (more: { host?: string; apiToken?: string } = {}): Promise<CheckedFirewall> =>
  checkFirewall({ host, zoneId, request, owner, apiToken, ...more });
const faultOf = (more?: { host?: string; apiToken?: string }) =>
  check(more).then(
    () => "no fault",
    (error: unknown) => (error instanceof Error ? error.message : ""),
  );
const byPhase = (rules: readonly PlacedRule[]) => Object.fromEntries(rules.map(({ phase, rule }) => [phase, rule]));

describe("the setting casecheckFirewall", () => {
  const fault = "casecheckFirewall has no effect without a tunnel that casecheckCloudflareApiToken creates";
  it.each<[string, Record<string, string>, string[]]>([
    ["with a tunnel of the program's", { ...made, casecheckFirewall: "false" }, []],
    [
      "with a tunnel made by hand",
      { ...tunnel, casecheckTunnelToken: tunnelToken, casecheckFirewall: "false" },
      [fault],
    ],
    ["behind Caddy", { casecheckEnabled: "true", casecheckFirewall: "false" }, [fault]],
    ["while CaseCheck is off", { casecheckFirewall: "false" }, []],
  ])("can be false %s, or has no effect", (_where, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });
});

describe("what the program declares", () => {
  // The first run of the program in a file loads all of it.
  jest.setTimeout(60_000);
  const prefix = ownerPrefix(owner);

  it("is one command that makes the rules before the name leads anywhere, and removes them after it", async () => {
    const run = await runProgram(made);
    const firewall = run.resource("casecheck-cloudflare-firewall");
    expect(firewall.inputs).toMatchObject({
      create: "node bin/cloudcode-hook.cjs firewall apply",
      delete: "node bin/cloudcode-hook.cjs firewall remove",
      triggers: [zoneId, prefix],
    });
    const { rules, ...input } = inputOf(firewall);
    expect(input).toEqual({ zoneId, apiToken, owner: prefix, tokenKey: request.tokenKey });
    expect(rules.map(({ phase, rule }) => [phase, rule.ref])).toEqual([
      ["http_request_firewall_custom", `${prefix}bots`],
      ["http_ratelimit", `${prefix}limit`],
    ]);
    expect(firewall.options.deleteBeforeReplace).toBe(true);
    expect(optionsOf(run, "casecheck-cloudflare-name").dependsOn).toContain("casecheck-cloudflare-firewall");
    expect(zone.changes()).toEqual([]);

    // The token is in the secret input of those who call Cloudflare, and nowhere else.
    expect(firewall.secretInputs).toEqual(["stdin"]);
    expect(JSON.stringify({ ...firewall.inputs, stdin: "" })).not.toContain(apiToken);
    const holders = ["provider", "end", "firewall"].map((part) => `casecheck-cloudflare-${part}`);
    const others = run.resources.filter(({ name }) => !holders.includes(name));
    expect(JSON.stringify([run.outputs, others])).not.toContain(apiToken);
  });

  it("is nothing where the setting says so, and Cloudflare is not asked", async () => {
    const run = await runProgram({ ...made, casecheckFirewall: "false" });
    expect(run.resources.map(({ name }) => name)).not.toContain("casecheck-cloudflare-firewall");
    expect(zone.asked).toEqual([]);
  });

  it("is the same in a preview, which changes nothing at Cloudflare", async () => {
    const preview = await runProgram(made, { preview: true });
    expect(inputOf(preview.resource("casecheck-cloudflare-firewall")).rules).toHaveLength(2);
    expect(zone.changes()).toEqual([]);
  });

  it("is nothing at all where the token lacks a right: one sentence, before any resource", async () => {
    zone.rights.waf = "none";
    const error = await failureOf({ ...minimal, sshCidrs: "", ...made }, {});
    expect(error instanceof Error ? error.message : "").toMatch(
      /^The API token of casecheckCloudflareApiToken may not/,
    );
  });

  it("is the same where another program's resource makes the token", async () => {
    const monitor = new RecordingMonitor({ randomness: "state" });
    useEngine(monitor, {});
    try {
      await pulumi.runtime.runInPulumiStack(() => {
        const cloudflareApiToken = pulumi.secret(Promise.resolve(apiToken));
        const { domain, casecheckCloudflareAccountId: cloudflareAccountId } = made;
        const ids = { cloudflareAccountId, cloudflareZoneId: zoneId };
        const target = { kind: "existing", hostAddress: "203.0.113.7", hostKey, hostPrivateKey: privateKey } as const;
        const casecheck = { published: "tunnel", tunnelHost: host, ...ids, cloudflareApiToken } as const;
        new Home("home", { target, domain, apps: { casecheck } });
        return Promise.resolve({});
      });
    } finally {
      await pulumi.runtime.disconnect();
    }
    const firewall = monitor.recorded.find(({ name }) => name === "casecheck-cloudflare-firewall");
    expect(firewall && inputOf(firewall).rules).toHaveLength(2);
  });
});

describe("the rights of the token", () => {
  const cures = "add them (https://dash.cloudflare.com/profile/api-tokens), or set casecheckFirewall to false.";
  const lacks = (said: string, permissions: string) =>
    `The API token of casecheckCloudflareApiToken may not make the firewall of CaseCheck at Cloudflare (${said}); nothing was touched. It lacks, for the zone, the permissions ${permissions}: ${cures}`;
  const denied = "HTTP 403, Authentication error (10000)";

  it.each<[string, { zoneRead: boolean; waf: "none" | "read" | "edit" }, string]>([
    ["of none of both", { zoneRead: false, waf: "none" }, "Zone: Read and Zone WAF: Edit"],
    ["of the zone alone", { zoneRead: true, waf: "none" }, "Zone WAF: Edit"],
    ["that may only read rules", { zoneRead: true, waf: "read" }, "Zone WAF: Edit"],
    ["of the rules alone", { zoneRead: false, waf: "edit" }, "Zone: Read"],
  ])("are named where it is one %s", async (_what, rights, permissions) => {
    zone.rights = rights;
    expect(await faultOf()).toBe(lacks(denied, permissions));
    expect(zone.changes()).toEqual([]);
  });

  it("are both named where it is none, and it is not shown", async () => {
    const other = "another-token-of-twenty-and-more";
    expect(await faultOf({ apiToken: other })).toBe(
      lacks("HTTP 401, Invalid API Token (1000)", "Zone: Read and Zone WAF: Edit"),
    );
    expect(await faultOf({ apiToken: "short" })).toBe(
      lacks("HTTP 400, Invalid request headers (6003)", "Zone: Read and Zone WAF: Edit"),
    );
  });

  it("are not blamed for a name in another zone, a zone that is none, or a Cloudflare that is out of reach", async () => {
    expect(await faultOf({ host: "cases.example.com" })).toBe(
      "cases.example.com is not in example.org, the zone of the zone ID; nothing was touched.",
    );
    const wrong = checkFirewall({ host, zoneId: "0".repeat(32), request, owner, apiToken });
    await expect(wrong).rejects.toThrow(
      `Cloudflare does not tell the zone of ${host}, which keeps the firewall of CaseCheck: HTTP 404, Could not route to that path (7003).`,
    );
  });
});

const limitOf = (expression: string, requests: number) => ({
  description: "mine",
  expression,
  action: "block" as const,
  ratelimit: {
    characteristics: ["ip.src", "cf.colo.id"],
    period: 10,
    requests_per_period: requests,
    mitigation_timeout: 10,
  },
});

describe("what is made in a zone", () => {
  it.each<[PlanName, boolean, number, boolean]>([
    ["free", false, 10, false],
    ["free", true, 10, true],
    ["pro", false, 60, true],
    ["business", false, 60, true],
    ["enterprise", false, 60, true],
  ])("with the plan %s, whose limits may name a host: %s", async (plan, hostInFreeLimits, seconds, precise) => {
    zone.plan = plan;
    zone.hostInFreeLimits = hostInFreeLimits;
    const { rules, says, warnings } = await check();
    const found = byPhase(rules);
    expect(found["http_ratelimit"]?.ratelimit).toEqual({
      characteristics: ["cf.colo.id", "ip.src"],
      period: seconds,
      requests_per_period: 240,
      mitigation_timeout: seconds,
    });
    expect(found["http_ratelimit"]?.expression.includes("http.host")).toBe(precise);
    expect(found["http_request_firewall_managed"]?.action_parameters).toEqual(
      plan === "free" ? undefined : { id: managedRuleset },
    );
    expect(says).toContain(`at most 240 requests in ${seconds} s from one address, then none for ${seconds} s`);
    expect(says.includes("at all names of the zone")).toBe(!precise);
    expect(says.includes("Not in this plan: a limit over a minute, and the Cloudflare Managed Ruleset.")).toBe(
      plan === "free",
    );
    expect(warnings).toEqual([]);
    expect(zone.changes()).toEqual([]);
  });

  it("is said whole", async () => {
    expect((await check()).says).toBe(
      `Cloudflare's firewall before CaseCheck at ${host}, with the plan Free Website:
- known crawlers, and programs without a name, are kept from sign-in and check-in; scanners for other software get nothing
- sign-in and check-in: at most 240 requests in 10 s from one address, then none for 10 s, at all names of the zone: the plan lets no limit name one
- Not in this plan: a limit over a minute, and the Cloudflare Managed Ruleset. Cloudflare runs its Free Managed Ruleset for every zone of this plan.
- Bot Fight Mode, a switch of the whole zone, and all rules of your own stay as they are.`,
    );
  });

  it("is not the limit where a limit of the owner's takes the only place; the rest is made, and the preview says what to do", async () => {
    zone.add("http_ratelimit", limitOf('starts_with(http.request.uri.path, "/login")', 20));
    const { rules, warnings } = await check();
    expect(rules.map(({ phase }) => phase)).toEqual(["http_request_firewall_custom"]);
    expect(warnings).toEqual([
      'CaseCheck at Cloudflare: no limit on sign-in and check-in: HTTP 400, exceeded maximum number of rules in the phase http_ratelimit: 2 out of 1 (20120). The zone has 1 of your own, which stay; to make room delete one, or add to it: (starts_with(http.request.uri.path, "/v1/auth/login") or starts_with(http.request.uri.path, "/v1/attendance/check-in"))',
    ]);
  });

  it.each([
    [true, "a rule of your own runs the Cloudflare Managed Ruleset", ""],
    [false, "", "a rule of your own for them is switched off, and a zone can have one. Switch it on, or delete it."],
  ])("leaves managed rules to a rule of the owner's that is on: %s", async (enabled, says, warning) => {
    zone.plan = "pro";
    zone.add("http_request_firewall_managed", {
      expression: '"x" eq "x"',
      action: "execute",
      action_parameters: { id: managedRuleset },
      enabled,
    });
    const checked = await check();
    expect(byPhase(checked.rules)).not.toHaveProperty("http_request_firewall_managed");
    expect(checked.says).toContain(says);
    expect(checked.warnings.join()).toContain(warning);
    expect(checked.warnings).toHaveLength(enabled ? 0 : 1);
  });

  it("is found again: what is in place is not asked of Cloudflare once more, and needs no room", async () => {
    zone.hostInFreeLimits = true;
    const { rules } = await check();
    for (const { phase, rule } of rules) zone.add(phase, rule);
    zone.asked.length = 0;
    expect((await check()).rules).toEqual(rules);
    expect(zone.asked).toEqual([
      "GET ",
      "GET /rulesets/phases/http_request_firewall_custom/entrypoint",
      "GET /rulesets/phases/http_ratelimit/entrypoint",
    ]);
  });

  it("is told before the machine is: Cloudflare that is too busy stops the program", async () => {
    zone.trouble = Array.from({ length: 4 }, () => ({ status: 503, when: "before" as const }));
    expect(await faultOf()).toBe("Cloudflare is too busy for the firewall of CaseCheck: HTTP 503.");
  });
});

describe("a change of rules", () => {
  const prefix = ownerPrefix(owner);
  const word = fc.constantFrom("bots", "limit", "managed", "old");
  const rule = fc.record({
    ref: word.map((one) => `${prefix}${one}`),
    description: fc.string(),
    expression: fc.constantFrom("a", "b"),
    action: fc.constant("block" as const),
    enabled: fc.constant(true as const),
  });
  const ofOthers = fc.record({
    ref: fc.oneof(
      fc.string({ minLength: 1 }),
      word,
      word.map((one) => `${ownerPrefix({ ...owner, stack: "other" })}${one}`),
      fc.constant(prefix.slice(0, -1)),
    ),
    expression: fc.constantFrom("a", "b"),
    enabled: fc.boolean(),
  });
  const wanted = fc.uniqueArray(rule, { selector: ({ ref }) => ref, maxLength: 3 });
  /** Rules of everybody, each with an id, and of each stack one of a reference. */
  const zoneOf = fc
    .tuple(fc.uniqueArray(rule, { selector: ({ ref }) => ref, maxLength: 4 }), fc.array(ofOthers, { maxLength: 6 }))
    .chain(([ours, others]) => fc.shuffledSubarray([...ours, ...others], { minLength: ours.length + others.length }))
    .map((rules) => rules.map((one, index): FoundRule => ({ ...one, id: String(index) })));

  /** As Cloudflare does each of them. */
  function after(found: readonly FoundRule[], rules: readonly Rule[]): FoundRule[] {
    return changesOf(found, rules, prefix).reduce<FoundRule[]>(
      (now, change) => {
        if (change.kind === "add") return [...now, { ...change.rule, id: `new ${change.rule.ref}` }];
        if (change.kind === "remove") return now.filter(({ id }) => id !== change.id);
        return now.map((one) => (one.id === change.id ? { ...change.rule, id: one.id } : one));
      },
      [...found],
    );
  }
  const isOurs = ({ ref }: FoundRule) => ref?.startsWith(prefix) === true;
  const without = (rules: readonly FoundRule[]) => rules.filter((one) => !isOurs(one));

  it("makes the program's rules the wanted ones, and leaves all others as they are, in their order", () => {
    fc.assert(
      fc.property(zoneOf, wanted, (found, rules) => {
        const now = after(found, rules);
        expect(without(now)).toEqual(without(found));
        const ours = now.filter(isOurs);
        expect(ours).toHaveLength(rules.length);
        expect(ours).toEqual(expect.arrayContaining(rules.map((one) => expect.objectContaining(one) as unknown)));
        // The second time there is nothing left to do.
        expect(changesOf(now, rules, prefix)).toEqual([]);
      }),
    );
  });

  it("to none leaves exactly what others made", () => {
    fc.assert(
      fc.property(zoneOf, wanted, (found, rules) => {
        expect(after(after(found, rules), [])).toEqual(without(found));
      }),
    );
  });

  it("never needs more room than the wanted rules and those of others do", () => {
    fc.assert(
      fc.property(zoneOf, wanted, (found, rules) => {
        const most = Math.max(found.length, without(found).length + rules.length);
        for (let steps = 1; steps <= changesOf(found, rules, prefix).length; steps++) {
          const kinds = changesOf(found, rules, prefix).slice(0, steps);
          const size = kinds.reduce(
            (sum, { kind }) => sum + (kind === "add" ? 1 : kind === "remove" ? -1 : 0),
            found.length,
          );
          expect(size).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it("of one stack is none of another's, whatever letters their names have", () => {
    const name = fc.string({ minLength: 1, unit: fc.constantFrom("a", "-", "/", ".", "_", '"', ",") });
    const owners = fc.record({ project: name, stack: name, tunnel: name });
    fc.assert(
      fc.property(owners, owners, (one, other) => {
        expect(ownerPrefix(one) === ownerPrefix(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
    const [part] = partsOf(host, request, "free", owner);
    expect(part?.candidates[0]?.rule.description).toBe("cloudcode: cloudcode/test, CaseCheck: crawlers and scanners");
  });
});
