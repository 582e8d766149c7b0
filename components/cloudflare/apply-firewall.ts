/**
 * Run by `node bin/cloudcode-hook.cjs firewall`, with {@link FirewallInput} as JSON on standard input: with the word `apply` when the rules
 * are made or changed, with `remove` before they go. Only the stack's own rules are touched, one at a time.
 */
import { z } from "zod";
import { callCloudflare, isRefused, unanswered } from "./api";
import {
  type CallZone,
  type Change,
  type Phase,
  type Rule,
  RulesetError,
  changesOf,
  make,
  phases,
  placedRuleSchema,
  readEntrypoint,
} from "./rulesets";
import { runScript } from "./script";

const inputSchema = z.object({
  zoneId: z.string(),
  apiToken: z.string(),
  /** With what the references of the stack's rules begin. */
  owner: z.string().min(20),
  rules: z.array(placedRuleSchema).readonly(),
  /** Setting with the API token. */
  tokenKey: z.string(),
});
export type FirewallInput = z.infer<typeof inputSchema>;

/** Changes that may fail in one phase: one that was sent twice, or that meets somebody else's, is right at the next look. */
const failures = 3;

async function firewall(word: string | undefined, input: FirewallInput): Promise<string> {
  if (word !== "apply" && word !== "remove") throw new Error("The word is apply or remove.");
  const { zoneId, apiToken, owner, rules, tokenKey } = input;
  const call: CallZone = (method, path, body) => callCloudflare(apiToken, method, `/zones/${zoneId}${path}`, body);
  const wanted = word === "apply" ? rules : [];
  let changed = 0;
  for (const phase of phases) {
    const ofPhase = wanted.flatMap((placed) => (placed.phase === phase ? [placed.rule] : []));
    changed += await settle(call, phase, ofPhase, owner).catch((error: unknown) => {
      const said = error instanceof RulesetError ? error.message : unanswered(error);
      const refused = error instanceof RulesetError && error.refused;
      throw new Error(
        `Cloudflare did not ${word} the firewall's rules in ${phase}: ${said}. All other rules are as they were.` +
          (refused ? ` The API token (${tokenKey}) must be valid, with Zone WAF: Edit.` : ""),
      );
    });
  }
  return `rules of the firewall that were changed at Cloudflare: ${changed}`;
}

/** @returns how many rules were changed */
async function settle(call: CallZone, phase: Phase, wanted: readonly Rule[], owner: string): Promise<number> {
  const done = new Set<string>();
  for (let failed = 0; ;) {
    const entrypoint = await readEntrypoint(call, phase);
    const change = changesOf(entrypoint?.rules ?? [], wanted, owner).find((one) => !done.has(nameOf(one)));
    if (change === undefined) return done.size;
    const answer = await make(call, { change, phase, entrypoint });
    if (answer.ok) done.add(nameOf(change));
    else if (isRefused(answer) || ++failed === failures) throw new RulesetError(answer);
  }
}

/** Not by its id: a rule that was added may be found changed by Cloudflare itself, such as in the order of a list. */
function nameOf(change: Change): string {
  return change.kind === "remove" ? change.id : change.rule.ref;
}

void runScript(inputSchema, (input) => firewall(process.argv[2], input));
