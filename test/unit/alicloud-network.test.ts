import fc from "fast-check";
import { securityRules } from "../../components/alicloud/resources/network";
import { inboundRules } from "../../components/host/network";
import { textOf } from "../support/plain";
import { type ProgramRun, failureOf, runAlicloud } from "../support/program";
import { publicIpv6Address } from "../support/provider-answers";
import { cloudResources, optionsOf } from "../support/recorded-options";

const ruleType = "alicloud:ecs/securityGroupRule:SecurityGroupRule";
const tags = { project: "cloudcode", stack: "test" };

/** The rules as told to the cloud, in one line each. */
const rulesOf = ({ resources }: ProgramRun) =>
  resources
    .filter(({ type }) => type === ruleType)
    .map(({ inputs }) =>
      ["type", "ipProtocol", "portRange", "cidrIp", "ipv6CidrIp"].map((key) => textOf(inputs[key] ?? "-")).join(" "),
    )
    .sort();

let run: ProgramRun;
let six: ProgramRun;
beforeAll(async () => {
  run = await runAlicloud({ sshCidrs: '["198.51.100.4/32","203.0.113.0/24"]' });
  six = await runAlicloud(
    { ipv6: "true", sshCidrs: '["2001:db8::/32"]', domain: "example.com", bandwidthMbps: "50" },
    { account: { dnsZones: ["example.com"] } },
  );
});

describe("the security group", () => {
  it("lets in SSH from sshCidrs alone, the web from everywhere, and everything out", () => {
    expect(rulesOf(run)).toEqual([
      "egress all -1/-1 0.0.0.0/0 -",
      "ingress tcp 22/22 198.51.100.4/32 -",
      "ingress tcp 22/22 203.0.113.0/24 -",
      "ingress tcp 443/443 0.0.0.0/0 -",
      "ingress tcp 80/80 0.0.0.0/0 -",
      "ingress udp 443/443 0.0.0.0/0 -",
    ]);
  });

  it("with IPv6 has the same rules for both families, but SSH", () => {
    expect(rulesOf(six)).toEqual([
      "egress all -1/-1 - ::/0",
      "egress all -1/-1 0.0.0.0/0 -",
      "ingress tcp 22/22 - 2001:db8::/32",
      "ingress tcp 443/443 - ::/0",
      "ingress tcp 443/443 0.0.0.0/0 -",
      "ingress tcp 80/80 - ::/0",
      "ingress tcp 80/80 0.0.0.0/0 -",
      "ingress udp 443/443 - ::/0",
      "ingress udp 443/443 0.0.0.0/0 -",
    ]);
  });

  it("has rules that say all of themselves and depend on the group", () => {
    for (const { type, name, inputs } of run.resources) {
      if (type !== ruleType) continue;
      expect(Object.keys(inputs).sort()).toEqual(
        ["cidrIp", "ipProtocol", "nicType", "policy", "portRange", "priority", "securityGroupId", "type"].sort(),
      );
      expect(inputs).toMatchObject({
        securityGroupId: "host-network-security-group-id",
        nicType: "intranet",
        policy: "accept",
        priority: 1,
      });
      expect(optionsOf(run, name)).toEqual({
        parent: "host-network",
        provider: "alicloud",
        onError: ["explain-alicloud-fault"],
        dependsOn: ["host-leftovers", "host-network-security-group"],
      });
    }
  });

  it("keeps its other rules when one network comes or goes", async () => {
    const less = await runAlicloud({ sshCidrs: '["203.0.113.0/24"]' });
    const names = (of: ProgramRun) => of.resources.filter(({ type }) => type === ruleType).map(({ name }) => name);
    expect(names(run).filter((name) => !names(less).includes(name))).toEqual([
      "host-network-in-tcp-22-from-198.51.100.4-32",
    ]);
    expect(names(less).filter((name) => !names(run).includes(name))).toEqual([]);
  });
});

describe("securityRules", () => {
  const ipv6Part = fc.integer({ min: 0, max: 0xffff }).map((number) => number.toString(16));
  const cidr = fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([ip, bits]) => `${ip}/${bits}`),
    fc
      .tuple(
        fc.array(ipv6Part, { maxLength: 4 }),
        fc.array(ipv6Part, { maxLength: 2 }),
        fc.integer({ max: 128, min: 0 }),
      )
      .map(([head, tail, bits]) => `${head.join(":")}::${tail.join(":")}/${bits}`),
  );

  it("opens no port to a network that was not asked for, and gives each rule a name of its own", () => {
    fc.assert(
      fc.property(fc.array(cidr, { minLength: 1, maxLength: 8 }), fc.boolean(), (sshCidrs, ipv6) => {
        const rules = securityRules(inboundRules(22, sshCidrs), ipv6);
        const ssh = rules.filter(({ type, portRange }) => type === "ingress" && portRange === "22/22");
        expect(new Set(ssh.map((rule) => rule.cidr))).toEqual(new Set(sshCidrs));
        expect(new Set(rules.map(({ suffix }) => suffix)).size).toBe(rules.length);
        const open = rules.filter(({ type }) => type === "ingress").map(({ portRange }) => portRange);
        expect(new Set(open)).toEqual(new Set(["22/22", "80/80", "443/443"]));
      }),
    );
  });

  it("tells two networks apart that differ in where their zeros are left out", () => {
    const names = securityRules(inboundRules(22, ["2001:db8::32:0/112", "2001:db8:32:0::/112"]), true);
    expect(new Set(names.map(({ suffix }) => suffix)).size).toBe(names.length);
  });

  it("makes one rule of a network that is named twice", () => {
    const rules = securityRules(inboundRules(22, ["203.0.113.0/24", "203.0.113.0/24"]), false);
    expect(rules.filter(({ portRange }) => portRange === "22/22")).toHaveLength(1);
  });
});

describe("IPv6", () => {
  it("gives VPC, vSwitch and machine addresses, a gateway, and bandwidth paid by traffic", () => {
    expect(six.resource("host-network-vpc").inputs).toMatchObject({ enableIpv6: true });
    expect(six.resource("host-network-vswitch").inputs).toMatchObject({ enableIpv6: true, ipv6CidrBlockMask: 1 });
    expect(six.resource("host-instance").inputs).toMatchObject({ ipv6AddressCount: 1 });
    expect(six.resource("host-network-ipv6-gateway").inputs).toEqual({
      vpcId: "host-network-vpc-id",
      ipv6GatewayName: "cloudcode-test",
      tags,
    });
    expect(six.resource("host-ipv6").inputs).toEqual({
      ipv6GatewayId: "host-network-ipv6-gateway-id",
      ipv6AddressId: "ipv6-address-id",
      bandwidth: 50,
      internetChargeType: "PayByTraffic",
    });
    expect(optionsOf(six, "host-ipv6")).toEqual({
      parent: "host",
      provider: "alicloud",
      onError: ["explain-alicloud-fault"],
      deletedWith: "host-instance",
      deleteBeforeReplace: true,
      dependsOn: ["host-instance", "host-leftovers", "host-network-ipv6-gateway"],
    });
  });

  it("asks for the address of this machine with the stack's own provider", () => {
    const call = six.calls.find(({ token }) => token.includes("getIpv6Addresses"));
    expect(call?.inputs).toEqual({ associatedInstanceId: "host-instance-id" });
    expect(call?.provider).toContain("::alicloud::");
  });

  it("adds AAAA records", () => {
    expect(six.resource("host-dns-aaaa-apex").inputs).toMatchObject({
      type: "AAAA",
      value: publicIpv6Address,
      rr: "@",
    });
    expect(six.resource("host-dns-aaaa-wildcard").inputs).toMatchObject({ type: "AAAA", rr: "*" });
  });

  it("is nowhere without the setting", () => {
    expect(JSON.stringify(cloudResources(run).map(({ inputs }) => inputs))).not.toMatch(/ipv6/i);
  });
});

describe("an existing network", () => {
  const existing = { vpcId: "vpc-t4n0a1", vswitchId: "vsw-t4n0a1" };
  const account = { vswitches: { "vsw-t4n0a1": "ap-southeast-1c" } };

  it("takes the place of the stack's own, which is not made, and decides the zone of machine and disk", async () => {
    const theirs = await runAlicloud(existing, { account });
    const names = theirs.resources.map(({ name }) => name);
    expect(names).not.toContain("host-network-vpc");
    expect(names).not.toContain("host-network-vswitch");
    expect(theirs.resource("host-network-security-group").inputs).toMatchObject({ vpcId: "vpc-t4n0a1" });
    expect(theirs.resource("host-instance").inputs).toMatchObject({ vswitchId: "vsw-t4n0a1" });
    expect(theirs.resource("host-placement").inputs["stdin"]).toContain('"zones":["ap-southeast-1c"]');
    expect(theirs.resource("host-data-disk").inputs).toMatchObject({ zoneId: "ap-southeast-1c" });
    expect(theirs.calls).toMatchObject([
      { token: "alicloud:vpc/getSwitches:getSwitches", inputs: { ids: ["vsw-t4n0a1"] } },
    ]);
    expect(theirs.calls[0]?.provider).toContain("::alicloud::");
  });

  it("may have an IPv6 gateway already, which is used", async () => {
    const ipv6 = { ...existing, ipv6: "true", ipv6GatewayId: "ipv6gw-t4n0a1" };
    const theirs = await runAlicloud(ipv6, { account });
    expect(theirs.resources.map(({ name }) => name)).not.toContain("host-network-ipv6-gateway");
    expect(theirs.resource("host-ipv6").inputs).toMatchObject({ ipv6GatewayId: "ipv6gw-t4n0a1" });
  });

  it("may be a VPC alone, with a vSwitch of the stack's own in it", async () => {
    const half = await runAlicloud({ vpcId: "vpc-t4n0a1", vswitchCidr: "10.1.2.0/24" });
    expect(half.resources.map(({ name }) => name)).not.toContain("host-network-vpc");
    expect(half.resource("host-network-vswitch").inputs).toMatchObject({
      vpcId: "vpc-t4n0a1",
      cidrBlock: "10.1.2.0/24",
    });
  });

  it("that is not in the region is reported by its id", async () => {
    expect(String(await failureOf(existing, {}))).toContain("there is no vSwitch vsw-t4n0a1 in ap-southeast-1");
  });

  it("that cannot be looked up is reported by its cause and fix", async () => {
    const fault = "invocation failed: SDKError: ErrorCode: Forbidden.RAM, AuthAction: vpc:DescribeVSwitches";
    const error = await failureOf(existing, { account: { fault } });
    expect(String(error)).toContain(
      "The access key may not do vpc:DescribeVSwitches: add that action to the RAM policy",
    );
  });
});
