// Stand-in for Authelia 4.39.20: access_control rules, first match wins. Pure.
import type { Config, Policy } from "../config/schema";

export interface Target {
  readonly url: string;
  readonly scheme: string;
  readonly hostname: string;
  /** Cleaned, decoded path plus "?query": what `resources` is matched against. */
  readonly path: string;
  readonly method: string;
}

export function requiredPolicy(control: Config["access_control"], target: Target): Policy {
  const rule = control.rules.find(
    ({ domain, resources = [] }) =>
      domain.toLowerCase() === target.hostname.toLowerCase() &&
      (resources.length === 0 || resources.some((pattern) => pattern.test(target.path))),
  );
  return rule?.policy ?? control.default_policy;
}
