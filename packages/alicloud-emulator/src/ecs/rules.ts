import type { Action, Actions, Answer, Call } from "../call";
import { invalid } from "../errors";
import type { Rule, SecurityGroup } from "../model";
import type { Format, Parameters } from "../parameters";
import { cidr, clientToken, id, text } from "../parameters";
import { findGroup } from "./security-groups";

type Direction = Rule["direction"];

/** What makes a rule another one. */
type Target = Omit<Rule, "id" | "createdAt" | "description">;

/** The rule a permission names; throws for a range or priority that cannot be. */
function target(parameters: Parameters, direction: Direction): Target {
  const side = direction === "ingress" ? "Source" : "Dest";
  const protocol = parameters.text("IpProtocol").toLowerCase();
  const portRange = parameters.text("PortRange");
  const priority = parameters.number("Priority", 1);
  const [from = NaN, to = NaN] = portRange.split("/").map(Number);
  const ports = protocol === "tcp" || protocol === "udp";
  if (ports ? !(from >= 1 && to >= from && to <= 65535) : portRange !== "-1/-1")
    throw invalid("InvalidIpPortRange.Malformed", "PortRange");
  if (priority < 1 || priority > 100) throw invalid("InvalidPriority.ValueNotSupported", "Priority");
  const found = {
    direction,
    protocol,
    portRange,
    policy: parameters.text("Policy", "accept").toLowerCase(),
    priority: String(priority),
    nicType: parameters.text("NicType", "intranet"),
    cidr: parameters.text(`${side}CidrIp`),
    ipv6Cidr: parameters.text(`Ipv6${side}CidrIp`),
    groupId: parameters.text(`${side}GroupId`),
  };
  if (found.cidr === "" && found.ipv6Cidr === "" && found.groupId === "")
    throw invalid("MissingParameter", `${side}CidrIp`, "is missing, and so is every other peer");
  return found;
}

/** Text to compare rules by; the policy and priority of a rule can change. */
const key = (rule: Target): string =>
  [rule.direction, rule.protocol, rule.portRange, rule.nicType, rule.cidr, rule.ipv6Cidr, rule.groupId].join(" ");

const same = (a: Target, b: Target): boolean => key(a) === key(b) && a.policy === b.policy && a.priority === b.priority;

const permissions = (parameters: Parameters): Parameters[] => {
  const listed = parameters.objects("Permissions");
  return listed.length > 0 ? listed : [parameters];
};

function authorize(call: Call, direction: Direction): Answer {
  const { cloud, parameters, region } = call;
  const group = findGroup(call, parameters.text("SecurityGroupId"));
  for (const permission of permissions(parameters)) {
    const wanted = target(permission, direction);
    // A rule that is there already is not made again, which is no error.
    if (group.rules.some((rule) => same(rule, wanted))) continue;
    group.rules.push({
      ...wanted,
      id: cloud.newId("sgr", region),
      createdAt: cloud.timestamp(),
      description: permission.text("Description"),
    });
  }
  return {};
}

function revoke(call: Call, direction: Direction): Answer {
  const { parameters } = call;
  const group = findGroup(call, parameters.text("SecurityGroupId"));
  // A rule that is not there is no error either.
  for (const permission of permissions(parameters)) dropRule(group, target(permission, direction));
  return {};
}

function dropRule(group: SecurityGroup, gone: Target): void {
  group.rules = group.rules.filter((rule) => !same(rule, gone));
}

function modify(call: Call, direction: Direction): Answer {
  const { parameters } = call;
  const group = findGroup(call, parameters.text("SecurityGroupId"));
  const wanted = target(parameters, direction);
  for (const rule of group.rules)
    if (key(rule) === key(wanted)) {
      rule.policy = wanted.policy;
      rule.priority = wanted.priority;
      rule.description = parameters.optional("Description") ?? rule.description;
    }
  return {};
}

const peers: Readonly<Record<Direction, Readonly<Record<string, Format>>>> = {
  ingress: { SourceCidrIp: cidr, Ipv6SourceCidrIp: text, SourceGroupId: id("sg") },
  egress: { DestCidrIp: cidr, Ipv6DestCidrIp: text, DestGroupId: id("sg") },
};

const fields = (direction: Direction): Readonly<Record<string, Format>> => ({
  IpProtocol: /^(tcp|udp|icmp|icmpv6|gre|all)$/i,
  PortRange: /^-?\d+\/-?\d+$/,
  Policy: /^(accept|drop)$/i,
  Priority: /^\d+$/,
  NicType: ["intranet"],
  Description: text,
  ...peers[direction],
});

/** Either flat or as a list `Permissions.N`. */
const table = (direction: Direction, handle: (call: Call, direction: Direction) => Answer): Action => ({
  parameters: {
    required: { SecurityGroupId: id("sg") },
    optional: {
      ...fields(direction),
      ...Object.fromEntries(
        Object.entries(fields(direction)).map(([name, format]) => [`Permissions.N.${name}`, format]),
      ),
      ...clientToken,
    },
  },
  handle: (call) => handle(call, direction),
});

/** https://api.alibabacloud.com/document/Ecs/2014-05-26/AuthorizeSecurityGroup and the same page of each action. */
export const rules: Actions = {
  AuthorizeSecurityGroup: table("ingress", authorize),
  AuthorizeSecurityGroupEgress: table("egress", authorize),
  RevokeSecurityGroup: table("ingress", revoke),
  RevokeSecurityGroupEgress: table("egress", revoke),
  ModifySecurityGroupRule: table("ingress", modify),
  ModifySecurityGroupEgressRule: table("egress", modify),
};
