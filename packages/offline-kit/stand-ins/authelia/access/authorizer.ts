// Stand-in for Authelia 4.39.20: access_control rules, first match wins. Pure.
import type { Config, Policy } from "../config/schema";

/** What the first rule that matches asks for. */
export interface Required {
  readonly policy: Policy;
  /** Whether that rule is for some people only: then nobody knows yet what it means for a stranger. */
  readonly forSome: boolean;
}

export interface Target {
  readonly url: string;
  readonly scheme: string;
  readonly hostname: string;
  /** Cleaned, decoded path plus "?query": what `resources` is matched against. */
  readonly path: string;
  readonly method: string;
}

/** @param username empty: nobody is signed in, whom the real one takes for anybody */
export function required(control: Config["access_control"], target: Target, username: string): Required {
  const rule = control.rules.find(
    ({ domain, resources = [], subject }) =>
      domain.toLowerCase() === target.hostname.toLowerCase() &&
      (resources.length === 0 || resources.some((pattern) => pattern.test(target.path))) &&
      (subject === undefined || username === "" || subject.some(([one]) => one === `user:${username}`)),
  );
  return { policy: rule?.policy ?? control.default_policy, forSome: rule?.subject !== undefined };
}
