import { type PathRule, type Policy, type Route, appOf, hostOf, indexIcons, isPrefix } from "../routes";
import type { Person } from "../settings/people";

/** One rule of Authelia's access_control (https://www.authelia.com/configuration/security/access-control/). */
export interface AccessRule {
  readonly domain: string;
  readonly policy: Policy;
  /** Whom it is for, each as `user:NAME`; none: everybody. Authelia takes a stranger for anybody, and asks for the sign-in. */
  readonly subjects?: readonly string[];
  /** RE2 on path and query; none: the whole host. */
  readonly resources?: readonly string[];
}

/** Who has an account. */
export interface Accounts {
  /** Name of the operator, who reaches everything. */
  readonly operator: string;
  readonly people: readonly Person[];
}

/** No people: whoever has an account reaches everything. */
export const operatorAlone: Accounts = { operator: "", people: [] };

/** Names of those who reach an App, the operator's first; undefined where the operator is the only account. */
export function membersOf(app: string, { operator, people }: Accounts): string[] | undefined {
  if (people.length === 0) return undefined;
  return [operator, ...people.filter(({ apps }) => apps.includes(app)).map(({ name }) => name)];
}

/**
 * Authelia's rules: for each Route the paths that differ, then the host; the index page; everything else is denied by the
 * default policy. Only paths a Route lists, and the index page's icons, can be `bypass`: first match wins, and paths stand in their order before their host.
 * With people each rule that asks for a sign-in names who passes; any other account is denied.
 */
export function accessRules(
  routes: readonly Route[],
  domain: string,
  accounts: Accounts = operatorAlone,
): AccessRule[] {
  const everybody =
    accounts.people.length === 0 ? undefined : [accounts.operator, ...accounts.people.map(({ name }) => name)];
  const icons = indexIcons.map((path) => pathExpression({ path }));
  const index: AccessRule[] = [
    { domain, policy: "bypass", resources: icons },
    only(everybody, { domain, policy: "two_factor" }),
  ];
  return [...routes.flatMap((route) => rulesOf(route, domain, membersOf(appOf(route), accounts))), ...index];
}

/** The rule for these accounts alone. A path without a sign-in, or closed, is so for everybody. */
function only(members: readonly string[] | undefined, rule: AccessRule): AccessRule {
  if (members === undefined || rule.policy === "bypass" || rule.policy === "deny") return rule;
  return { ...rule, subjects: members.map((name) => `user:${name}`) };
}

function rulesOf(route: Route, domain: string, members: readonly string[] | undefined): AccessRule[] {
  const host = hostOf(route, domain);
  const policyOf = ({ policy }: PathRule) => policy ?? route.policy;
  // A path of the Route's own policy still closes itself against a wider one behind it; behind the last that differs, none does.
  const end = route.paths.findLastIndex((rule) => policyOf(rule) !== route.policy) + 1;
  return [
    ...route.paths.slice(0, end).flatMap((rule) => {
      const place = { domain: host, resources: [pathExpression(rule)] };
      const own = only(members, { ...place, policy: policyOf(rule) });
      // Whom it does not name would go on to a wider path behind it, which may be open.
      return own.subjects === undefined ? [own] : [own, { ...place, policy: "deny" as const }];
    }),
    only(members, { domain: host, policy: route.policy }),
  ];
}

/** An anchored expression: Authelia matches path and query, and does not anchor by itself. */
export function pathExpression({ path }: Pick<PathRule, "path">): string {
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return isPrefix(path) ? `^${literal(path.slice(0, -2))}([/?].*)?$` : `^${literal(path)}(\\?.*)?$`;
}
