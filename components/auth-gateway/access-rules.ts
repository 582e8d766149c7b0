import { type PathRule, type Policy, type Route, hostOf, indexIcons, isPrefix } from "../routes";

/** One rule of Authelia's access_control (https://www.authelia.com/configuration/security/access-control/). */
export interface AccessRule {
  readonly domain: string;
  readonly policy: Policy;
  /** RE2 on path and query; none: the whole host. */
  readonly resources?: readonly string[];
}

/**
 * Authelia's rules: for each Route the paths that differ, then the host; the index page; everything else is denied by the
 * default policy. Only paths a Route lists, and the index page's icons, can be `bypass`: first match wins, and paths stand in their order before their host.
 */
export function accessRules(routes: readonly Route[], domain: string): AccessRule[] {
  const icons = indexIcons.map((path) => pathExpression({ path }));
  const index: AccessRule[] = [
    { domain, policy: "bypass", resources: icons },
    { domain, policy: "two_factor" },
  ];
  return [...routes.flatMap((route) => rulesOf(route, domain)), ...index];
}

function rulesOf(route: Route, domain: string): AccessRule[] {
  const host = hostOf(route, domain);
  const policyOf = ({ policy }: PathRule) => policy ?? route.policy;
  // A path of the Route's own policy still closes itself against a wider one behind it; behind the last that differs, none does.
  const end = route.paths.findLastIndex((rule) => policyOf(rule) !== route.policy) + 1;
  return [
    ...route.paths.slice(0, end).map((rule) => ({
      domain: host,
      policy: policyOf(rule),
      resources: [pathExpression(rule)],
    })),
    { domain: host, policy: route.policy },
  ];
}

/** An anchored expression: Authelia matches path and query, and does not anchor by itself. */
export function pathExpression({ path }: Pick<PathRule, "path">): string {
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return isPrefix(path) ? `^${literal(path.slice(0, -2))}([/?].*)?$` : `^${literal(path)}(\\?.*)?$`;
}
