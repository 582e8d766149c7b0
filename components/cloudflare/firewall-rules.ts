import { createHash } from "node:crypto";
import type { FoundRule, Phase, Rule } from "./rulesets";

/** What an App asks of Cloudflare's firewall, before the tunnel that leads to it. */
export interface FirewallRequest {
  /** Name of the App, as people read it. */
  readonly title: string;
  /** Paths that may be guessed at, such as a sign-in; what begins with one of them is meant. */
  readonly guarded: readonly string[];
  /** What these paths do, in words. */
  readonly guards: string;
  /** Most requests for them in one period that may come from one address. */
  readonly requests: number;
  /** Setting with the API token. */
  readonly tokenKey: string;
  /** Setting that switches it off. */
  readonly switchKey: string;
}

/** A rule that may be made, and what it does. */
export interface Candidate {
  readonly rule: Rule;
  readonly says: string;
}

/** One of the things that are made. */
export interface Part {
  /** Completes "no …". */
  readonly what: string;
  readonly phase: Phase;
  /** The best one first. The first that Cloudflare accepts is made. */
  readonly candidates: readonly Candidate[];
}

/** Of a stack and one of its tunnels. */
export interface Owner {
  readonly project: string;
  readonly stack: string;
  readonly tunnel: string;
}

/** With what the references of its rules begin. No two owners have the same, whatever letters their names are made of. */
export function ownerPrefix({ project, stack, tunnel }: Owner): string {
  const digest = createHash("sha256").update(JSON.stringify([project, stack, tunnel]));
  return `cloudcode-${digest.digest("hex").slice(0, 16)}-`;
}

/** The Cloudflare Managed Ruleset: https://developers.cloudflare.com/waf/managed-rules/ */
export const managedRuleset = "efb7b8c949ac4650a09736fc376e9aee";

/** As a zone's plan is called: https://developers.cloudflare.com/api/resources/zones/methods/get/ */
export const freePlan = "free";

/** What a free plan does not have. */
export const notInFreePlan =
  "Not in this plan: a limit over a minute, and the Cloudflare Managed Ruleset. Cloudflare runs its Free Managed Ruleset for every zone of this plan.";

/**
 * What is made in a zone of a plan. Cloudflare's answer to a dry run decides between the candidates, because what its documentation says of
 * plans and what its API accepts differ: https://developers.cloudflare.com/waf/rate-limiting-rules/#availability
 */
export function partsOf(host: string, request: FirewallRequest, plan: string, owner: Owner): Part[] {
  const { title, guarded, guards, requests } = request;
  const prefix = ownerPrefix(owner);
  const free = plan === freePlan;
  const common = (name: string, what: string) => ({
    ref: `${prefix}${name}`,
    description: `cloudcode: ${owner.project}/${owner.stack}, ${title}: ${what}`,
    enabled: true as const,
  });
  const here = atHost(host);
  const paths = anyOf(guarded.map((path) => `starts_with(http.request.uri.path, "${path}")`));

  const limit = (expression: string, seconds: number, more = ""): Candidate => ({
    says: `${guards}: at most ${requests} requests in ${seconds} s from one address, then none for ${seconds} s${more}`,
    rule: {
      ...common("limit", `limit on ${guards}`),
      expression,
      action: "block",
      ratelimit: {
        // Counters of different data centres are never one: Cloudflare demands the first.
        characteristics: ["cf.colo.id", "ip.src"],
        period: seconds,
        requests_per_period: requests,
        mitigation_timeout: seconds,
      },
    },
  });
  const bots: Candidate = {
    says: `known crawlers, and programs without a name, are kept from ${guards}; scanners for other software get nothing`,
    rule: {
      ...common("bots", "crawlers and scanners"),
      expression: `${here} and ((${paths} and ${anyOf(nameless)}) or ${anyOf(scans)})`,
      action: "block",
    },
  };
  const managed: Candidate = {
    says: "the Cloudflare Managed Ruleset looks at each request",
    rule: {
      ...common("managed", "managed rules"),
      expression: here,
      action: "execute",
      action_parameters: { id: managedRuleset },
    },
  };
  const precise = `${here} and ${paths}`;
  return [
    { what: "rule against crawlers and scanners", phase: "http_request_firewall_custom", candidates: [bots] },
    {
      what: `limit on ${guards}`,
      phase: "http_ratelimit",
      candidates: [
        ...(free ? [] : [limit(precise, 60)]),
        limit(precise, 10),
        limit(paths, 10, `, at all names of the zone: the plan lets no limit name one`),
      ],
    },
    ...(free
      ? []
      : [{ what: "managed rules", phase: "http_request_firewall_managed" as const, candidates: [managed] }]),
  ];
}

/** Whether a rule runs the managed rules, which a zone can do once. */
export function runsManaged({
  action,
  action_parameters: parameters,
}: Pick<FoundRule, "action" | "action_parameters">): boolean {
  return action === "execute" && parameters?.id === managedRuleset;
}

/** Who says that they are a crawler, and who says nothing. */
const nameless = ["cf.client.bot", 'http.user_agent eq ""'];

/** What is asked for where another program is hoped for: a web server of pages answers each path, which invites such visitors. */
const scans = [
  'ends_with(lower(http.request.uri.path), ".php")',
  ...["/.env", "/.git", "/wp-", "/cgi-bin"].map((part) => `lower(http.request.uri.path) contains "${part}"`),
];

/** The header Host as a visitor sends it, which may have capital letters and a port. */
function atHost(host: string): string {
  return `starts_with(lower(http.host), "${host}")`;
}

function anyOf(conditions: readonly string[]): string {
  return `(${conditions.join(" or ")})`;
}
