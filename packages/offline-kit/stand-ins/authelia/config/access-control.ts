// Stand-in for Authelia 4.39.20: reads and checks `access_control`.
import { BlockList, isIP } from "node:net";
import type { AccessControl, Policy, QueryMatch, QueryOperator, Rule } from "../access/authorizer";
import { namesIdentity } from "../access/authorizer";
import { compileRe2 } from "./re2";
import type { Section, Value } from "./section";
import { isTree, joinOr } from "./section";

const policies: readonly Policy[] = ["bypass", "one_factor", "two_factor", "deny"];
const operators: readonly QueryOperator[] = ["present", "absent", "equal", "not equal", "pattern", "not pattern"];
const methodNames = (
  "GET HEAD POST PUT PATCH DELETE TRACE CONNECT OPTIONS " + "COPY LOCK MKCOL MOVE PROPFIND PROPPATCH UNLOCK"
).split(" ");

export function readAccessControl(section: Section): AccessControl {
  const defaultPolicy = section.oneOf("default_policy", policies, "deny");
  const rules = section.sections("rules").map((rule, index) => readRule(rule, index + 1));
  if (rules.length === 0 && defaultPolicy !== "one_factor" && defaultPolicy !== "two_factor")
    section.error(
      `access_control: 'default_policy' option '${defaultPolicy}' is invalid: when no rules are specified it must be ` +
        "'two_factor' or 'one_factor'",
    );
  return { defaultPolicy, rules };
}

function readRule(section: Section, position: number): Rule {
  const domains = section.strings("domain");
  const name = domains.length === 0 ? `#${position}` : `#${position} (domain '${domains.join(",")}')`;
  const say = (message: string): void => {
    section.error(`access_control: rule ${name}: ${message}`);
  };
  const rule: Rule = {
    domains,
    domainPatterns: patterns(section.strings("domain_regex"), say),
    policy: readPolicy(section, say),
    subjects: readSubjects(section.raw("subject"), say),
    networks: readNetworks(section.strings("networks"), say),
    methods: readMethods(section.strings("methods"), say),
    resources: patterns(section.strings("resources"), say),
    query: readQuery(section, say),
  };
  if (domains.length + rule.domainPatterns.length === 0)
    say("option 'domain' or 'domain_regex' must be present but are both absent");
  for (const domain of domains)
    if (/^\*[^.]/.test(domain))
      say(`domain '${domain}' is ineffective and should probably be '*.${domain.slice(1)}' instead`);
  if (rule.policy === "bypass") checkBypass(rule, say);
  return rule;
}

function readPolicy(section: Section, say: (message: string) => void): Policy {
  const value = section.string("policy");
  const policy = policies.find((candidate) => candidate === value);
  if (value === "") say("option 'policy' must be present but it's absent");
  else if (!policy) say(`option 'policy' must be one of ${joinOr(policies)} but it's configured as '${value}'`);
  return policy ?? "deny";
}

function checkBypass(rule: Rule, say: (message: string) => void): void {
  if (rule.subjects.length > 0)
    say(
      "'policy' option 'bypass' is not supported when 'subject' option is configured: see https://www.authelia.com/c/acl#bypass",
    );
  if (rule.domainPatterns.some(namesIdentity))
    say(
      "'policy' option 'bypass' is not supported when 'domain_regex' option contains the user or group named matches",
    );
}

function patterns(sources: readonly string[], say: (message: string) => void): RegExp[] {
  return sources.flatMap((source) => {
    const compiled = compileRe2(source);
    if ("pattern" in compiled) return [compiled.pattern];
    say(`could not decode '${source}' to a regexp.Regexp: ${compiled.fault}`);
    return [];
  });
}

function readSubjects(value: Value, say: (message: string) => void): string[][] {
  if (value === null) return [];
  const outer: readonly Value[] = Array.isArray(value) ? value : [value];
  return outer.map((entry) => {
    const inner: readonly Value[] = Array.isArray(entry) ? entry : [entry];
    return inner.flatMap((item) => {
      if (typeof item === "string" && /^(?:user|group):/.test(item)) return [item];
      if (typeof item === "string" && item.startsWith("oauth2:client:"))
        say(
          `option 'subject' with value '${item}' is invalid: the client id '${item.slice(14)}' does not belong to a registered client`,
        );
      else
        say(
          `'subject' option '${JSON.stringify(item)}' is invalid: must start with 'user:', 'group:', or 'oauth2:client:'`,
        );
      return [];
    });
  });
}

function readNetworks(values: readonly string[], say: (message: string) => void): BlockList | undefined {
  if (values.length === 0) return undefined;
  const list = new BlockList();
  for (const value of values) {
    const [address = "", prefix] = value.split("/");
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : /^\d+$/.test(prefix) ? Number(prefix) : -1;
    if (family === 0 || bits < 0 || bits > (family === 6 ? 128 : 32))
      say(`the network '${value}' is not a valid Group Name, IP, or CIDR notation`);
    else list.addSubnet(address, bits, family === 6 ? "ipv6" : "ipv4");
  }
  return list;
}

function readMethods(values: readonly string[], say: (message: string) => void): readonly string[] {
  const unknown = values.filter((value) => !methodNames.includes(value));
  const twice = values.filter((value, index) => values.indexOf(value) !== index);
  if (unknown.length > 0)
    say(
      `option 'methods' must only have the values ${joinOr(methodNames)} but the values ${joinOr(unknown)} are present`,
    );
  if (twice.length > 0)
    say(`option 'methods' must have unique values but the values ${joinOr([...new Set(twice)])} are duplicated`);
  return values;
}

function readQuery(section: Section, say: (message: string) => void): QueryMatch[][] {
  const value = section.raw("query");
  if (value === null) return [];
  const outer: readonly Value[] = Array.isArray(value) ? value : [value];
  return outer.map((entry, i) => {
    const inner: readonly Value[] = Array.isArray(entry) ? entry : [entry];
    return inner.flatMap((item, j) => {
      if (!isTree(item)) {
        say("option 'query' must be a list of lists of mappings");
        return [];
      }
      return readQueryMatch(section.nested(item, `${section.path}.query[${i}][${j}]`), say);
    });
  });
}

function readQueryMatch(section: Section, say: (message: string) => void): QueryMatch[] {
  const key = section.string("key");
  const value = section.string("value");
  const written = section.string("operator", value === "" ? "present" : "equal");
  const operator = operators.find((candidate) => candidate === written);
  if (key === "") say("query: option 'key' is required but it's absent");
  if (!operator) {
    say(`query: option 'operator' must be one of ${joinOr(operators)} but it's configured as '${written}'`);
    return [];
  }
  const wantsValue = operator !== "present" && operator !== "absent";
  if (wantsValue !== (value !== "")) {
    say(
      `query: option 'value' ${wantsValue ? "must be" : "must not be"} present when the option 'operator' is '${operator}'`,
    );
    return [];
  }
  if (operator !== "pattern" && operator !== "not pattern") return [{ key, operator, value }];
  return patterns([value], say).map((pattern) => ({ key, operator, value: pattern }));
}
