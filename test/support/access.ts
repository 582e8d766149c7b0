import { accessRules } from "../../components/auth-gateway/access-rules";
import type { Route } from "../../components/routes";

/** The policy Authelia applies: the first rule whose host and expression match path and query, else deny. */
export function policyFor(routes: readonly Route[], domain: string, host: string, pathAndQuery: string): string {
  const rule = accessRules(routes, domain).find(
    (each) =>
      each.domain === host && (each.resources?.some((expression) => new RegExp(expression).test(pathAndQuery)) ?? true),
  );
  return rule?.policy ?? "deny";
}
