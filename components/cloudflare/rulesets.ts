import { z } from "zod";
import { type Answer, isRefused, saidBy } from "./api";

/** Where rules of the firewall run, in this order (https://developers.cloudflare.com/waf/feature-interoperability/). */
export const phases = ["http_request_firewall_custom", "http_ratelimit", "http_request_firewall_managed"] as const;
export type Phase = (typeof phases)[number];

/** A rule as the program makes it. */
export const ruleSchema = z.strictObject({
  /** Tells it from all others of its phase, and stays when it changes. */
  ref: z.string(),
  description: z.string(),
  expression: z.string(),
  action: z.enum(["block", "execute"]),
  action_parameters: z.strictObject({ id: z.string() }).optional(),
  ratelimit: z
    .strictObject({
      characteristics: z.array(z.string()),
      period: z.number(),
      requests_per_period: z.number(),
      mitigation_timeout: z.number(),
    })
    .optional(),
  enabled: z.literal(true),
});
export type Rule = z.infer<typeof ruleSchema>;

export const placedRuleSchema = z.strictObject({ phase: z.enum(phases), rule: ruleSchema });
/** A rule, and where it runs. */
export type PlacedRule = z.infer<typeof placedRuleSchema>;

// Whatever more Cloudflare says of a rule is kept, to be compared.
const foundRule = z.looseObject({
  id: z.string(),
  ref: z.string().optional(),
  description: z.string().optional(),
  enabled: z.boolean().default(true),
  action: z.string().optional(),
  action_parameters: z.looseObject({ id: z.string().optional() }).optional(),
});
/** A rule as Cloudflare has it. */
export type FoundRule = z.infer<typeof foundRule>;

// A ruleset without rules may say nothing of them.
const entrypointSchema = z.object({ id: z.string(), rules: z.array(foundRule).default([]) });
/** The ruleset of a zone and a phase, which holds the rules of everybody. There is one at most. */
export type Entrypoint = z.infer<typeof entrypointSchema>;

/** One call of the API of a zone. */
export type CallZone = (method: string, path: string, body?: object) => Promise<Answer>;

/** One change of one rule; all other rules stay as they are. */
export type Change =
  | { readonly kind: "remove"; readonly id: string }
  | { readonly kind: "change"; readonly id: string; readonly rule: Rule }
  | { readonly kind: "add"; readonly rule: Rule };

/** The rules of a phase; undefined: nobody has made any yet. */
export async function readEntrypoint(call: CallZone, phase: Phase): Promise<Entrypoint | undefined> {
  const answer = await call("GET", `/rulesets/phases/${phase}/entrypoint`);
  if (answer.status === 404) return undefined;
  const { data } = entrypointSchema.safeParse(answer.result);
  if (!answer.ok || data === undefined) throw new RulesetError(answer);
  return data;
}

/** Why rules cannot be read. */
export class RulesetError extends Error {
  /** Whether the token lacks the right; of one of another form Cloudflare says 400. */
  readonly refused: boolean;

  constructor(answer: Answer) {
    super(saidBy(answer));
    this.refused = isRefused(answer) || answer.status === 400;
  }
}

/**
 * What makes the rules whose reference begins with `owner` the wanted ones. The others stay, in their order: those of the program come
 * after them. Removals come first, because a plan may allow one rule alone.
 */
export function changesOf(found: readonly FoundRule[], wanted: readonly Rule[], owner: string): Change[] {
  const ours = found.filter(({ ref }) => ref?.startsWith(owner));
  const there = new Map(wanted.map((rule) => [rule, ours.find(({ ref }) => ref === rule.ref)]));
  const kept = new Set(there.values());
  return [
    ...ours.filter((rule) => !kept.has(rule)).map(({ id }): Change => ({ kind: "remove", id })),
    ...wanted.flatMap((rule): Change[] => {
      const now = there.get(rule);
      if (now === undefined) return [{ kind: "add", rule }];
      return holds(now, rule) ? [] : [{ kind: "change", id: now.id, rule }];
    }),
  ];
}

/**
 * Makes one change, by the call for one rule: the calls for a whole ruleset would replace the rules of everybody.
 *
 * @param dryRun Cloudflare only says what it would do (https://developers.cloudflare.com/ruleset-engine/rulesets-api/dry-run/)
 */
export function make(
  call: CallZone,
  { change, phase, entrypoint }: { change: Change; phase: Phase; entrypoint: Entrypoint | undefined },
  dryRun = false,
): Promise<Answer> {
  const query = dryRun ? "?dry_run=true" : "";
  if (change.kind === "add" && entrypoint === undefined)
    return call("POST", `/rulesets${query}`, { name: "default", kind: "zone", phase, rules: [change.rule] });
  const rules = `/rulesets/${entrypoint?.id ?? ""}/rules`;
  switch (change.kind) {
    case "add":
      return call("POST", `${rules}${query}`, change.rule);
    case "change":
      return call("PATCH", `${rules}/${change.id}${query}`, change.rule);
    case "remove":
      return call("DELETE", `${rules}/${change.id}${query}`);
  }
}

/** Whether all that is wanted is there; Cloudflare adds more to it. */
function holds(found: unknown, wanted: unknown): boolean {
  if (Array.isArray(found) && Array.isArray(wanted) && found.length !== wanted.length) return false;
  if (!isObject(found) || !isObject(wanted)) return found === wanted;
  return Object.entries(wanted).every(([key, value]) => holds(found[key], value));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
