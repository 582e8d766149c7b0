// Stand-in for Authelia 4.39.20: access_control rules, first match wins. Pure.
import type { BlockList } from "node:net";
import { isIPv6 } from "node:net";

export type Policy = "bypass" | "one_factor" | "two_factor" | "deny";
export type QueryOperator = "present" | "absent" | "equal" | "not equal" | "pattern" | "not pattern";

export interface QueryMatch {
  readonly key: string;
  readonly operator: QueryOperator;
  readonly value: string | RegExp;
}

export interface Rule {
  readonly domains: readonly string[];
  readonly domainPatterns: readonly RegExp[];
  readonly policy: Policy;
  /** One of the outer entries must match; all of its inner entries must. */
  readonly subjects: readonly (readonly string[])[];
  readonly networks: BlockList | undefined;
  readonly methods: readonly string[];
  readonly resources: readonly RegExp[];
  readonly query: readonly (readonly QueryMatch[])[];
}

export interface AccessControl {
  readonly defaultPolicy: Policy;
  readonly rules: readonly Rule[];
}

export interface Subject {
  readonly username: string;
  readonly groups: readonly string[];
  readonly ip: string;
}

export interface Target {
  readonly url: string;
  readonly scheme: string;
  readonly hostname: string;
  /** Cleaned, decoded path plus "?query": what `resources` is matched against. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly method: string;
}

export interface Verdict {
  readonly policy: Policy;
  /** The matched rule speaks of users or groups, so an anonymous visitor may still be let in after signing in. */
  readonly subjectBound: boolean;
}

export function requiredPolicy(control: AccessControl, subject: Subject, target: Target): Verdict {
  const rule = control.rules.find((candidate) => matches(candidate, subject, target));
  return rule
    ? { policy: rule.policy, subjectBound: isSubjectBound(rule) }
    : { policy: control.defaultPolicy, subjectBound: false };
}

export function needsSecondFactor(control: AccessControl): boolean {
  return control.defaultPolicy === "two_factor" || control.rules.some((rule) => rule.policy === "two_factor");
}

/** "name:" groups of a pattern that stand for the signed-in user or one of the user's groups. */
export function namesIdentity(pattern: RegExp): boolean {
  return /\(\?<(?:User|Group)>/.test(pattern.source);
}

function isSubjectBound(rule: Rule): boolean {
  return (
    rule.subjects.length > 0 ||
    rule.domains.some((domain) => domain.startsWith("{user}") || domain.startsWith("{group}")) ||
    [...rule.domainPatterns, ...rule.resources].some(namesIdentity)
  );
}

function matches(rule: Rule, subject: Subject, target: Target): boolean {
  return (
    matchesDomain(rule, subject, target.hostname) &&
    (rule.resources.length === 0 || rule.resources.some((pattern) => matchesPattern(pattern, target.path, subject))) &&
    (rule.query.length === 0 || rule.query.some((all) => all.every((one) => matchesQuery(one, target.query)))) &&
    (rule.methods.length === 0 || rule.methods.includes(target.method)) &&
    (rule.networks === undefined || rule.networks.check(subject.ip, isIPv6(subject.ip) ? "ipv6" : "ipv4")) &&
    matchesSubject(rule, subject)
  );
}

function isAnonymous(subject: Subject): boolean {
  return subject.username === "" && subject.groups.length === 0;
}

function matchesSubject(rule: Rule, subject: Subject): boolean {
  if (rule.subjects.length === 0 || isAnonymous(subject)) return true;
  return rule.subjects.some((all) =>
    all.every((one) => {
      const name = one.slice(one.indexOf(":") + 1).trim();
      return one.startsWith("user:") ? subject.username === name : subject.groups.includes(name);
    }),
  );
}

function matchesDomain(rule: Rule, subject: Subject, hostname: string): boolean {
  return (
    rule.domains.some((domain) => matchesDomainText(domain.toLowerCase(), subject, hostname)) ||
    rule.domainPatterns.some((pattern) => matchesPattern(pattern, hostname, subject))
  );
}

function matchesDomainText(domain: string, subject: Subject, hostname: string): boolean {
  const host = hostname.toLowerCase();
  if (domain.startsWith("*.")) return host.endsWith(domain.slice(1));
  const placeholder = /^\{(user|group)\}/.exec(domain);
  if (!placeholder) return host === domain;
  const suffix = domain.slice(placeholder[0].length);
  if (isAnonymous(subject) && host.endsWith(suffix)) return host.length > suffix.length;
  if (placeholder[1] === "user") return host === `${subject.username}${suffix}`;
  const dot = host.indexOf(".");
  return dot > 0 && host.slice(dot) === suffix && hasFolded(subject.groups, host.slice(0, dot));
}

function matchesPattern(pattern: RegExp, input: string, subject: Subject): boolean {
  const found = pattern.exec(input);
  if (!found) return false;
  if (!namesIdentity(pattern) || isAnonymous(subject)) return true;
  const { User: user, Group: group } = found.groups ?? {};
  if (user !== undefined && user.toLowerCase() !== subject.username.toLowerCase()) return false;
  return group === undefined || hasFolded(subject.groups, group);
}

function hasFolded(values: readonly string[], wanted: string): boolean {
  return values.some((value) => value.toLowerCase() === wanted.toLowerCase());
}

function matchesQuery(one: QueryMatch, query: URLSearchParams): boolean {
  const value = query.get(one.key) ?? "";
  switch (one.operator) {
    case "present":
      return query.has(one.key);
    case "absent":
      return !query.has(one.key);
    case "equal":
      return value === one.value;
    case "not equal":
      return value !== one.value;
    case "pattern":
      return one.value instanceof RegExp && one.value.test(value);
    case "not pattern":
      return one.value instanceof RegExp && !one.value.test(value);
  }
}
