// A stand-in for Cloudflare's API of one zone and its rulesets, and for what their rules do to visitors. As strict as its documentation says:
// https://developers.cloudflare.com/ruleset-engine/rulesets-api/, https://developers.cloudflare.com/waf/rate-limiting-rules/#availability
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { z } from "zod";
import { type VisitorRequest, parseExpression } from "./cloudflare-expression";

export type Phase = "http_request_firewall_custom" | "http_ratelimit" | "http_request_firewall_managed";
export type PlanName = "free" | "pro" | "business" | "enterprise";

const definition = z.strictObject({
  ref: z.string().min(1).optional(),
  description: z.string().default(""),
  expression: z.string(),
  action: z.enum(["block", "managed_challenge", "log", "skip", "execute"]),
  action_parameters: z.looseObject({ id: z.string().optional() }).optional(),
  ratelimit: z
    .strictObject({
      characteristics: z.array(z.string()),
      period: z.number().int(),
      requests_per_period: z.number().int().positive(),
      mitigation_timeout: z.number().int(),
      requests_to_origin: z.boolean().optional(),
    })
    .optional(),
  enabled: z.boolean().default(true),
});

/** A rule as people write it. */
export type Definition = z.input<typeof definition>;

/** A rule as the zone keeps it. */
export type KeptRule = z.output<typeof definition> & {
  readonly id: string;
  readonly ref: string;
  readonly version: string;
};

interface Ruleset {
  readonly id: string;
  readonly phase: Phase;
  version: number;
  rules: KeptRule[];
}

interface Plan {
  readonly name: string;
  /** Most rules by phase. */
  readonly rules: Readonly<Record<Phase, number>>;
  readonly periods: readonly number[];
  readonly timeouts: readonly number[];
  /** Of expressions of rate limits. */
  readonly fields: readonly string[];
  readonly managed: readonly string[];
}

const managedRuleset = "efb7b8c949ac4650a09736fc376e9aee";
const freeManagedRuleset = "77454fe2d30c4220b5701f6fdfb893ba";
const path = "http.request.uri.path";
const minute = [10, 15, 20, 30, 40, 45, 60];
const hour = [...minute, 90, 120, 180, 240, 300, 480, 600, 900, 1200, 1800, 2400, 3600];
const all = (custom: number, limits: number) => ({
  http_request_firewall_custom: custom,
  http_ratelimit: limits,
  http_request_firewall_managed: 1000,
});
const paid = [managedRuleset, "4814384a9e5d4991b9815dcfc25d2f1f", freeManagedRuleset];
const plans: Readonly<Record<PlanName, Plan>> = {
  free: {
    name: "Free Website",
    rules: all(5, 1),
    periods: [10],
    timeouts: [10],
    fields: [path],
    managed: [freeManagedRuleset],
  },
  pro: {
    name: "Pro Website",
    rules: all(20, 2),
    periods: minute,
    timeouts: hour,
    fields: [path, "http.host"],
    managed: paid,
  },
  business: {
    name: "Business Website",
    rules: all(100, 5),
    periods: hour.filter((seconds) => seconds <= 600),
    timeouts: [...hour, 86400],
    fields: [path, "http.host", "http.user_agent"],
    managed: paid,
  },
  enterprise: {
    name: "Enterprise Website",
    rules: all(1000, 100),
    periods: hour,
    timeouts: [...hour, 86400],
    fields: [path, "http.host", "http.user_agent"],
    managed: paid,
  },
};

/** What Cloudflare refuses, as it says it. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export const zoneId = "fedcba9876543210fedcba9876543210";
export const apiToken = "cloudflare-api-token-of-mine";
/** Whose rules a stack of the tests makes. */
export const owner = { project: "cloudcode", stack: "test", tunnel: "casecheck-cloudflare" };

/** A zone at Cloudflare. */
export class CloudflareZone {
  name = "example.org";
  plan: PlanName = "free";
  /** What the token may do here. */
  rights = { zoneRead: true, waf: "edit" as "none" | "read" | "edit" };
  /**
   * Whether limits of a free plan may name a host. The documentation says that they may not; somebody's zone had one
   * (ma-r-s/crossplay#106, September 2026).
   */
  hostInFreeLimits = false;
  /** Answers that come before the others, or in place of them if they are `after` what was asked was done. */
  trouble: { readonly status: number; readonly when: "before" | "after" }[] = [];
  /** What somebody else does just before the API answers. */
  meanwhile: ((call: string) => void) | undefined;
  /** Method and path below the zone. */
  readonly asked: string[] = [];
  readonly #rulesets: Ruleset[] = [];
  #server: Server | undefined;
  #ids = 0;
  #url = "";

  /** Leads this process and its children there. */
  async open(): Promise<void> {
    this.#server = createServer((asked, answer) => void this.#answer(asked, answer));
    this.#url = `http://127.0.0.1:${await listen(this.#server)}/client/v4`;
    process.env["CLOUDFLARE_BASE_URL"] = this.#url;
  }

  close(): void {
    this.#server?.close();
    delete process.env["CLOUDFLARE_BASE_URL"];
  }

  /** What somebody makes in the dashboard. @returns its id */
  add(phase: Phase, rule: Definition, position?: number): string {
    const ruleset = this.#entrypoint(phase) ?? this.#create(phase);
    const kept = this.#kept(rule);
    this.#check(phase, [...ruleset.rules, kept]);
    ruleset.rules.splice(position ?? ruleset.rules.length, 0, kept);
    return kept.id;
  }

  remove(phase: Phase, id: string): void {
    const ruleset = this.#entrypoint(phase);
    if (ruleset) ruleset.rules = ruleset.rules.filter((rule) => rule.id !== id);
  }

  rules(phase: Phase): readonly KeptRule[] {
    return this.#entrypoint(phase)?.rules ?? [];
  }

  /** Calls that change something, but for dry runs. */
  changes(): string[] {
    return this.asked.filter((call) => !call.startsWith("GET ") && !call.endsWith("dry_run=true"));
  }

  /** What the rules say to visitors of one address at one data centre, who come at these seconds: an HTTP status; 200: it gets to the tunnel. */
  visits(requests: readonly (VisitorRequest & { readonly second: number })[]): number[] {
    const seen = new Map<string, { since: number; count: number; blockedUntil: number }>();
    return requests.map(({ second, ...request }) => {
      const matching = (phase: Phase) =>
        this.rules(phase).filter(({ enabled, expression }) => enabled && parseExpression(expression).matches(request));
      if (matching("http_request_firewall_custom").some(({ action }) => action === "block")) return 403;
      for (const { id, ratelimit } of matching("http_ratelimit")) {
        if (!ratelimit) continue;
        const counter = seen.get(id) ?? { since: second, count: 0, blockedUntil: -1 };
        seen.set(id, counter);
        if (second < counter.blockedUntil) return 429;
        if (second >= counter.since + ratelimit.period) Object.assign(counter, { since: second, count: 0 });
        if (++counter.count > ratelimit.requests_per_period) {
          counter.blockedUntil = second + ratelimit.mitigation_timeout;
          return 429;
        }
      }
      return 200;
    });
  }

  async #answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await text(asked);
    const { pathname, search, searchParams } = new URL(asked.url ?? "", "http://cloudflare");
    const where = pathname.replace(`/client/v4/zones/${zoneId}`, "");
    const call = `${asked.method ?? ""} ${where}${search}`;
    this.asked.push(call);
    const say = (status: number, result: unknown, error?: Refusal) => {
      const errors = error ? [{ code: error.code, message: error.message }] : [];
      answer
        .writeHead(status, { "content-type": "application/json" })
        .end(JSON.stringify({ success: !error, errors, messages: [], result }));
    };
    this.meanwhile?.(call);
    const trouble = this.trouble.shift();
    if (trouble?.when === "before") return void answer.writeHead(trouble.status).end("<html>trouble</html>");
    try {
      const dryRun = searchParams.get("dry_run") ?? "false";
      if (!["true", "false"].includes(dryRun)) throw new Refusal(400, 10001, "dry_run is neither true nor false");
      if (body !== "" && asked.headers["content-type"] !== "application/json")
        throw new Refusal(400, 10002, "content type is not JSON");
      const result = this.#do(asked, where, body, dryRun === "true");
      if (trouble) answer.writeHead(trouble.status).end("<html>trouble</html>");
      else say(200, dryRun === "true" ? null : result);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      say(error.status, null, error);
    }
  }

  #do({ method = "", headers }: IncomingMessage, where: string, body: string, dryRun: boolean): unknown {
    const { zoneRead, waf } = this.rights;
    const { authorization = "" } = headers;
    if (!/^Bearer [\w-]{20,}$/.test(authorization)) throw new Refusal(400, 6003, "Invalid request headers");
    if (authorization !== `Bearer ${apiToken}`) throw new Refusal(401, 1000, "Invalid API Token");
    const needs = (granted: boolean) => {
      if (!granted) throw new Refusal(403, 10000, "Authentication error");
    };
    if (method === "GET" && where === "") {
      needs(zoneRead);
      return { id: zoneId, name: this.name, plan: { legacy_id: this.plan, name: plans[this.plan].name } };
    }
    if (!where.startsWith("/rulesets")) throw new Refusal(404, 7003, "Could not route to that path");
    needs(waf === "edit" || (waf === "read" && method === "GET"));

    const phase = /^\/rulesets\/phases\/(\w+)\/entrypoint$/.exec(where)?.[1];
    if (method === "GET" && phase !== undefined) {
      const ruleset = this.#rulesets.find((one) => one.phase === phase);
      if (!ruleset) throw new Refusal(404, 10003, `could not find entrypoint ruleset in the ${phase} phase`);
      return shown(ruleset);
    }
    if (method === "POST" && where === "/rulesets") return this.#createWhole(parsed(body), dryRun);
    const [, id, rule] = /^\/rulesets\/([0-9a-f]{32})\/rules(?:\/([0-9a-f]{32}))?$/.exec(where) ?? [];
    if (id === undefined) throw new Refusal(405, 10004, "method not allowed");
    const ruleset = this.#rulesets.find((one) => one.id === id);
    if (!ruleset) throw new Refusal(404, 10005, "could not find ruleset");
    const next = this.#changed(ruleset, method, rule, body);
    this.#check(ruleset.phase, next);
    if (!dryRun) {
      ruleset.rules = next;
      ruleset.version++;
    }
    return shown(ruleset);
  }

  #changed({ rules }: Ruleset, method: string, id: string | undefined, body: string): KeptRule[] {
    if (method === "POST" && id === undefined) return [...rules, this.#kept(parsed(body))];
    const old = rules.find((one) => one.id === id);
    if (!old) throw new Refusal(404, 10006, "could not find rule");
    if (method === "DELETE") return rules.filter((one) => one !== old);
    if (method !== "PATCH") throw new Refusal(405, 10004, "method not allowed");
    // All of the definition, not only what changes; the reference alone stays where it is not named.
    const fresh = { ...this.#kept(parsed(body), old), version: String(Number(old.version) + 1) };
    return rules.map((one) => (one === old ? fresh : one));
  }

  #createWhole(body: unknown, dryRun: boolean): unknown {
    const asked = z
      .strictObject({
        name: z.string().min(1),
        description: z.string().optional(),
        kind: z.literal("zone"),
        phase: z.enum(["http_request_firewall_custom", "http_ratelimit", "http_request_firewall_managed"]),
        rules: z.array(z.unknown()).default([]),
      })
      .safeParse(body);
    if (!asked.success) throw new Refusal(400, 20007, asked.error.message);
    const { phase } = asked.data;
    if (this.#entrypoint(phase))
      throw new Refusal(
        400,
        20217,
        `'zone' is not a valid value for kind because exceeded maximum number of zone rulesets for phase ${phase}`,
      );
    const rules = asked.data.rules.map((rule) => this.#kept(rule));
    this.#check(phase, rules);
    if (dryRun) return null;
    const ruleset = this.#create(phase);
    ruleset.rules = rules;
    return shown(ruleset);
  }

  #entrypoint(phase: Phase): Ruleset | undefined {
    return this.#rulesets.find((one) => one.phase === phase);
  }

  #create(phase: Phase): Ruleset {
    const ruleset: Ruleset = { id: this.#id(), phase, version: 1, rules: [] };
    this.#rulesets.push(ruleset);
    return ruleset;
  }

  #kept(rule: unknown, old?: KeptRule): KeptRule {
    const { success, data, error } = definition.safeParse(rule);
    if (!success) throw new Refusal(400, 20000, error.message);
    const id = old?.id ?? this.#id();
    return { ...data, id, ref: data.ref ?? old?.ref ?? id, version: old?.version ?? "1" };
  }

  #id(): string {
    return (++this.#ids).toString(16).padStart(32, "0");
  }

  /** What Cloudflare demands of the rules of a phase, and what the plan has. */
  #check(phase: Phase, rules: readonly KeptRule[]): void {
    const plan = plans[this.plan];
    const most = plan.rules[phase];
    if (rules.length > most)
      throw new Refusal(
        400,
        20120,
        `exceeded maximum number of rules in the phase ${phase}: ${rules.length} out of ${most}`,
      );
    if (new Set(rules.map(({ ref }) => ref)).size < rules.length)
      throw new Refusal(400, 20121, "a ref is used by more than one rule");
    for (const rule of rules) this.#checkRule(phase, rule, plan);
    const run = rules.flatMap((rule) => rule.action_parameters?.id ?? []);
    if (new Set(run).size < run.length) throw new Refusal(400, 20122, "a managed ruleset is executed more than once");
  }

  #checkRule(
    phase: Phase,
    { expression, action, action_parameters: parameters, ratelimit }: KeptRule,
    plan: Plan,
  ): void {
    let fields: ReadonlySet<string>;
    try {
      ({ fields } = parseExpression(expression));
    } catch (error) {
      throw new Refusal(400, 20127, `'${expression}' is not a valid value for expression: ${String(error)}`);
    }
    if ((action === "execute") !== (phase === "http_request_firewall_managed") && action !== "skip")
      throw new Refusal(400, 20015, `it is not possible to use the ${action} action in a ruleset with phase ${phase}`);
    if (action === "execute" && !plan.managed.includes(parameters?.id ?? ""))
      throw new Refusal(400, 20220, `not entitled to execute the ruleset ${parameters?.id ?? ""}`);
    if ((ratelimit !== undefined) !== (phase === "http_ratelimit"))
      throw new Refusal(400, 20016, "ratelimit belongs to rules of the phase http_ratelimit, each of which needs it");
    if (ratelimit) this.#checkLimit(ratelimit, fields, plan);
  }

  #checkLimit(limit: NonNullable<KeptRule["ratelimit"]>, fields: ReadonlySet<string>, plan: Plan): void {
    const { characteristics, period, mitigation_timeout: timeout } = limit;
    if (!characteristics.includes("cf.colo.id"))
      throw new Refusal(400, 20017, "cf.colo.id is a mandatory characteristic");
    if (characteristics.some((one) => one !== "cf.colo.id" && one !== "ip.src"))
      throw new Refusal(400, 20018, "not entitled to use the characteristics");
    if (!plan.periods.includes(period))
      throw new Refusal(
        400,
        20019,
        `not entitled to use the period ${period}, can only use a period among [${plan.periods.join(" ")}]`,
      );
    if (!plan.timeouts.includes(timeout))
      throw new Refusal(
        400,
        20020,
        `not entitled to use a mitigation timeout different from ${plan.timeouts.join(" ")}`,
      );
    const may = [...plan.fields, ...(this.hostInFreeLimits ? ["http.host"] : [])];
    const other = [...fields].find((field) => !may.includes(field));
    if (other !== undefined) throw new Refusal(400, 20021, `not entitled to use the field ${other} in the expression`);
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Refusal(400, 10026, "request body is not JSON");
  }
}

/** A ruleset without rules does not name them. */
function shown({ id, phase, version, rules }: Ruleset): object {
  return { id, name: "default", kind: "zone", phase, version: String(version), ...(rules.length > 0 && { rules }) };
}

/** Gives each test of the place where this is called a zone of its own. */
export function eachWithZone(use: (zone: CloudflareZone) => void): void {
  let zone: CloudflareZone;
  beforeEach(async () => {
    zone = new CloudflareZone();
    await zone.open();
    use(zone);
  });
  afterEach(() => {
    zone.close();
  });
}
