import { inboundSuffix } from "../../components/host/network";
import { type Preview, actOf, nameOf, typeOf } from "../../cli/preview";
import type { Found } from "./cloud";
import type { Kind, OldState } from "./state-file";

/** A resource to import, named as the program names it. */
export interface Adoption {
  readonly type: string;
  readonly name: string;
  readonly id: string;
  readonly parent: "host" | "host-network";
}

const instance = { type: "alicloud:ecs/instance:Instance", name: "host-instance", parent: "host" } as const;
const eip = { type: "alicloud:ecs/eipAddress:EipAddress", name: "host-address", parent: "host" } as const;
const network = {
  vpc: { type: "alicloud:vpc/network:Network", name: "host-network-vpc" },
  vswitch: { type: "alicloud:vpc/switch:Switch", name: "host-network-vswitch" },
  group: { type: "alicloud:ecs/securityGroup:SecurityGroup", name: "host-network-security-group" },
} as const;
const rule = "alicloud:ecs/securityGroupRule:SecurityGroupRule";

/**
 * What is imported. The rules are all that the group has, so that the next `up` closes what the program does not open; the key
 * pair is none of it, since its public half cannot be read.
 */
export function adoptions({ ids }: OldState, { group }: Found): Adoption[] {
  const { vpc, vswitch, group: groupId, machine, address } = ids;
  const parent = "host-network";
  return [
    ...(vpc === undefined ? [] : [{ ...network.vpc, id: vpc, parent } as const]),
    ...(vswitch === undefined ? [] : [{ ...network.vswitch, id: vswitch, parent } as const]),
    ...(groupId === undefined ? [] : [{ ...network.group, id: groupId, parent } as const]),
    ...(group?.rules ?? []).flatMap((one) => {
      const [protocol, policy] = [one.IpProtocol.toLowerCase(), one.Policy.toLowerCase()];
      const [from = "", to] = one.PortRange.split("/");
      // A rule for another group or an IPv6 network is not the old CLI's.
      if (one.SourceCidrIp === "") return [];
      const name = `${parent}-${inboundSuffix(protocol, from === to ? from : `${from}-${to ?? ""}`, one.SourceCidrIp)}`;
      const id = [groupId, "ingress", protocol, one.PortRange, one.NicType, one.SourceCidrIp, policy, one.Priority];
      return [{ type: rule, name, id: id.join(":"), parent } as const];
    }),
    ...(machine === undefined ? [] : [{ ...instance, id: machine }]),
    ...(address === undefined ? [] : [{ ...eip, id: address }]),
    ...(machine === undefined || address === undefined
      ? []
      : [
          {
            type: "alicloud:ecs/eipAssociation:EipAssociation",
            name: "host-address-association",
            id: `${address}:${machine}`,
            parent: "host",
          } as const,
        ]),
  ];
}

/** The settings that keep all of it as it is, by key. */
export function adoptedSettings({ region, ids }: OldState, { vpc, vswitch, machine, address }: Found) {
  return {
    region,
    ...(vpc && { vpcCidr: vpc.CidrBlock }),
    ...(vswitch && { vswitchCidr: vswitch.CidrBlock, zones: JSON.stringify([vswitch.ZoneId]) }),
    ...(machine && {
      adoptedInstance: ids.machine ?? "",
      instanceTypes: JSON.stringify([machine.instanceType]),
      diskCategories: JSON.stringify([machine.diskCategory]),
      systemDiskGiB: String(machine.systemDiskGiB),
    }),
    ...(address && { bandwidthMbps: String(address.Bandwidth) }),
  } satisfies Record<string, string>;
}

const words: Readonly<Record<Kind, string>> = {
  vpc: "VPC",
  vswitch: "vSwitch",
  group: "security group",
  machine: "machine",
  address: "public address",
};

/** Why what the cloud has cannot be adopted. */
export function cloudProblems({ region, ids }: OldState, found: Found): string[] {
  const { vswitch, group, machine, address } = found;
  const gone = (Object.keys(words) as Kind[]).filter((kind) => ids[kind] !== undefined && found[kind] === undefined);
  const elsewhere = (what: string) => `${what} does not match the file: one of its ids belongs to something else`;
  return [
    ...gone.map((kind) => `the ${words[kind]} ${ids[kind] ?? ""} is not in ${region}: remove its id from the file`),
    ...(vswitch && vswitch.VpcId !== ids.vpc ? [elsewhere("the vSwitch")] : []),
    ...(group && group.VpcId !== ids.vpc ? [elsewhere("the security group")] : []),
    ...(machine && (machine.vswitchId !== ids.vswitch || machine.securityGroupIds.join() !== ids.group)
      ? [elsewhere("the machine")]
      : []),
    ...(machine && machine.status !== "Running"
      ? [`the machine is ${machine.status}: start it in the console, then import`]
      : []),
    ...(machine && machine.chargeType !== "PostPaid"
      ? ["the machine is not pay-as-you-go, as all machines of the old CLI are: change it in the console, then import"]
      : []),
    ...(machine && address && address.InstanceId !== ids.machine
      ? ["the public address is not bound to the machine: bind it in the console, then import"]
      : []),
  ];
}

/** Why this stack cannot take it over. @param config the stack's plain configuration @param known ids in its state by name */
export function stackProblems(
  { region }: OldState,
  { vswitch }: Found,
  wanted: readonly Adoption[],
  config: Readonly<Record<string, string>>,
  known: ReadonlyMap<string, string>,
): string[] {
  const zones = config["zones"];
  return [
    ...(config["target"] !== undefined && config["target"] !== "alicloud" ? ["target is not alicloud"] : []),
    ...(config["region"] !== undefined && config["region"] !== region
      ? [`region is ${config["region"]}, but the old machine is in ${region}: pulumi config set region ${region}`]
      : []),
    ...(vswitch && zones !== undefined && zones !== "[]" && !zones.includes(`"${vswitch.ZoneId}"`)
      ? [`zones does not contain ${vswitch.ZoneId}, the zone of the old machine: pulumi config rm zones`]
      : []),
    ...["vpcId", "vswitchId", "hostImage"]
      .filter((key) => config[key] !== undefined)
      .map((key) => `${key} is set, but import-state adopts the old one: pulumi config rm ${key}`),
    ...wanted
      .filter(({ name, id }) => known.has(name) && known.get(name) !== id)
      .map(
        ({ name }) =>
          `the stack already has its own ${name} (${known.get(name) ?? ""}): import into a new stack, created with pulumi stack init`,
      ),
  ];
}

/** What must be there before an import: the provider, the parents, the keys, and what decides the machine's place. */
export const foundations: readonly string[] = [
  "home",
  "alicloud",
  "host",
  "host-network",
  "host-login-key",
  "host-host-key",
  "host-placement",
  "host-type",
  "host-image",
];

/** The URNs of foundations; the same name can be an App's of another type, so types are looked at, too. */
export function foundationUrns({ steps }: Preview): string[] {
  const ours = /^(pulumi:providers:alicloud|cloudcode:index:(Home|Host|Network)|tls:|command:local:)/;
  return steps.filter((step) => foundations.includes(nameOf(step)) && ours.test(typeOf(step))).map(({ urn }) => urn);
}

/** The input of `pulumi import --file`: https://www.pulumi.com/docs/iac/guides/migration/import/#bulk-import-operations */
export function importFile(preview: Preview, wanted: readonly Adoption[]): object {
  const named = foundationUrns(preview).map((urn) => [nameOf({ urn }), urn] as const);
  const table = named.filter(([name]) => ["alicloud", "host", "host-network"].includes(name));
  return {
    nameTable: Object.fromEntries(table),
    resources: wanted.map((one) => ({ ...one, provider: "alicloud" })),
  };
}

/** What the next `up` would take away of what was adopted; rules may go, as those the program does not know must. */
export function harm({ steps }: Preview, wanted: readonly Adoption[]): string[] {
  return steps.flatMap((step) => {
    const one = wanted.find(({ type, name }) => type === typeOf(step) && name === nameOf(step) && type !== rule);
    const act = actOf(step);
    if (!one || (act !== "replaced" && act !== "deleted")) return [];
    return [`${one.name} (${one.id}) would be ${act}, because of ${step.replaceReasons.join(", ") || "the program"}`];
  });
}
