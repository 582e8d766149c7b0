import { type Accounts, accessRules, operatorAlone } from "../../components/auth-gateway/access-rules";
import type { Route } from "../../components/routes";

/**
 * The policy Authelia applies: the first rule whose host and expression match path and query, and that names the visitor if it names anybody; else
 * deny. A stranger is taken for anybody (authelia/authelia, internal/authorization/access_control_rule.go).
 *
 * @param visitor name of who has signed in; undefined: nobody
 */
export function policyFor(
  routes: readonly Route[],
  domain: string,
  host: string,
  pathAndQuery: string,
  { accounts = operatorAlone, visitor }: { readonly accounts?: Accounts; readonly visitor?: string } = {},
): string {
  const rule = accessRules(routes, domain, accounts).find(
    (each) =>
      each.domain === host &&
      (each.resources?.some((expression) => new RegExp(expression).test(pathAndQuery)) ?? true) &&
      (visitor === undefined || (each.subjects?.includes(`user:${visitor}`) ?? true)),
  );
  return rule?.policy ?? "deny";
}
