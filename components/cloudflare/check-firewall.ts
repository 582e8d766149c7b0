import { z } from "zod";
import { OperatorError } from "../operator-error";
import { callCloudflare, isRefused, saidBy, unanswered } from "./api";
import {
  type FirewallRequest,
  type Owner,
  type Part,
  freePlan,
  notInFreePlan,
  ownerPrefix,
  partsOf,
  runsManaged,
} from "./firewall-rules";
import {
  type CallZone,
  type Entrypoint,
  type PlacedRule,
  RulesetError,
  changesOf,
  make,
  readEntrypoint,
} from "./rulesets";

/** A firewall before a host name of a zone, and who asks for it. */
export interface FirewallCheck {
  readonly host: string;
  readonly zoneId: string;
  readonly request: FirewallRequest;
  readonly owner: Owner;
  /** A secret. */
  readonly apiToken: string;
}

/** What can be made, and what a preview says of it. */
export interface CheckedFirewall {
  readonly rules: readonly PlacedRule[];
  readonly says: string;
  /** What cannot be made, and why. */
  readonly warnings: readonly string[];
}

const zoneSchema = z.object({
  name: z.string(),
  // Deprecated. Without it Cloudflare is asked for all that any plan has.
  plan: z.object({ legacy_id: z.string(), name: z.string() }).optional(),
});

const readPermission = "Zone: Read";
const wafPermission = "Zone WAF: Edit";

/**
 * What Cloudflare would make for a firewall. Nothing changes: its API checks rights, plan and rules in a dry run.
 *
 * @throws OperatorError that names each permission that the token lacks
 */
export async function checkFirewall({
  host,
  zoneId,
  request,
  owner,
  apiToken,
}: FirewallCheck): Promise<CheckedFirewall> {
  const { title, tokenKey, switchKey } = request;
  const what = `the firewall of ${title}`;
  const call: CallZone = async (method, path, body) => {
    const answer = await callCloudflare(apiToken, method, `/zones/${zoneId}${path}`, body).catch((error: unknown) => {
      throw new OperatorError(`Cloudflare does not answer, which keeps ${what}: ${unanswered(error)}`);
    });
    if (answer.status === 429 || answer.status >= 500)
      throw new OperatorError(`Cloudflare is too busy for ${what}: ${saidBy(answer)}.`);
    return answer;
  };
  /** What Cloudflare says, by the permission that is missing. */
  const lacking = new Map<string, string>();

  const answer = await call("GET", "");
  const zone = answer.ok ? zoneSchema.safeParse(answer.result).data : undefined;
  // Of a token of another form it says 400.
  if (isRefused(answer) || answer.status === 400) lacking.set(readPermission, saidBy(answer));
  else if (zone === undefined)
    throw new OperatorError(`Cloudflare does not tell the zone of ${host}, which keeps ${what}: ${saidBy(answer)}.`);
  else if (host !== zone.name && !host.endsWith(`.${zone.name}`))
    throw new OperatorError(`${host} is not in ${zone.name}, the zone of the zone ID; nothing was touched.`);

  const plan = zone?.plan?.legacy_id ?? "";
  const results: Result[] = [];
  for (const part of partsOf(host, request, plan, owner)) {
    const result = await judge(call, part, ownerPrefix(owner));
    if ("refused" in result) lacking.set(wafPermission, result.refused);
    else results.push(result);
  }
  if (lacking.size > 0)
    throw new OperatorError(
      `The API token of ${tokenKey} may not make ${what} at Cloudflare (${[...new Set(lacking.values())].join("; ")}); nothing was touched. ` +
        `It lacks, for the zone, the permissions ${[...lacking.keys()].join(" and ")}: ` +
        `add them (https://dash.cloudflare.com/profile/api-tokens), or set ${switchKey} to false.`,
    );
  return {
    rules: results.flatMap((result) => ("placed" in result ? [result.placed] : [])),
    says: [
      `Cloudflare's firewall before ${title} at ${host}${zone?.plan ? `, with the plan ${zone.plan.name}` : ""}:`,
      ...results.flatMap((result) => ("says" in result ? [result.says] : [])),
      ...(plan === freePlan ? [notInFreePlan] : []),
      "Bot Fight Mode, a switch of the whole zone, and all rules of your own stay as they are.",
    ].join("\n- "),
    warnings: results.flatMap((result) => ("why" in result ? [`${title} at Cloudflare: ${result.why}`] : [])),
  };
}

/** What becomes of a part: it is made, it is there already, or it cannot be. */
type Result =
  { readonly placed: PlacedRule; readonly says: string } | { readonly says: string } | { readonly why: string };

async function judge(
  call: CallZone,
  { phase, candidates, what }: Part,
  owner: string,
): Promise<Result | { readonly refused: string }> {
  let entrypoint: Entrypoint | undefined;
  try {
    entrypoint = await readEntrypoint(call, phase);
  } catch (error) {
    if (!(error instanceof RulesetError)) throw error;
    if (error.refused) return { refused: error.message };
    throw new OperatorError(`Cloudflare does not tell the rules of the zone (${phase}): ${error.message}.`);
  }
  const found = entrypoint?.rules ?? [];
  const others = found.filter(({ ref }) => !ref?.startsWith(owner));
  const other = candidates.some(({ rule }) => runsManaged(rule)) ? others.find(runsManaged) : undefined;
  if (other?.enabled === true) return { says: "a rule of your own runs the Cloudflare Managed Ruleset" };
  if (other)
    return {
      why: `no ${what}: a rule of your own for them is switched off, and a zone can have one. Switch it on, or delete it.`,
    };

  let said = "";
  for (const { rule, says } of candidates) {
    const change = changesOf(found, [rule], owner).find(({ kind }) => kind !== "remove");
    const answer = change && (await make(call, { change, phase, entrypoint }, true));
    if (answer === undefined || answer.ok) return { placed: { phase, rule }, says };
    if (isRefused(answer)) return { refused: saidBy(answer) };
    said = saidBy(answer);
  }
  const { expression = "" } = candidates.at(-1)?.rule ?? {};
  const room =
    others.length > 0
      ? ` The zone has ${others.length} of your own, which stay; to make room delete one, or add to it: ${expression}`
      : "";
  return { why: `no ${what}: ${said}.${room}` };
}
