import type { Found } from "../../ops/adopt/cloud";
import { adoptedSettings, adoptions, cloudProblems, harm, importFile, stackProblems } from "../../ops/adopt/plan";
import { parseState } from "../../ops/adopt/state-file";
import { parsePreview } from "../../cli/preview";

const resources = {
  vpc: { id: "vpc-1", cidr: "192.168.0.0/16" },
  vswitch: { id: "vsw-1", zone: "ap-southeast-1b" },
  security_group: { id: "sg-1" },
  ecs: { id: "i-1" },
  eip: { id: "eip-1", ip: "203.0.113.9" },
  ssh_key_pair: { name: "cloudcode-ssh-key", private_key_path: ".cloudcode/ssh_key" },
};
const file = (more: object = {}, part: object = resources) =>
  JSON.stringify({ version: "1.0", region: "ap-southeast-1", status: "running", resources: part, ...more });
const { state } = parseState(file());

const rule = { IpProtocol: "TCP", PortRange: "22/22", Policy: "Accept", Priority: "1", NicType: "intranet" };
const found: Found = {
  vpc: { CidrBlock: "192.168.0.0/16" },
  vswitch: { CidrBlock: "192.168.1.0/24", ZoneId: "ap-southeast-1b", VpcId: "vpc-1" },
  group: {
    VpcId: "vpc-1",
    rules: [
      { ...rule, SourceCidrIp: "203.0.113.7/32" },
      { ...rule, SourceCidrIp: "" },
    ],
  },
  machine: {
    zoneId: "ap-southeast-1b",
    instanceType: "ecs.e-c1m2.large",
    imageId: "m-gone",
    status: "Running",
    chargeType: "PostPaid",
    vpcId: "vpc-1",
    vswitchId: "vsw-1",
    securityGroupIds: ["sg-1"],
    diskCategory: "cloud_essd",
    systemDiskGiB: 60,
  },
  address: { IpAddress: "203.0.113.9", Bandwidth: 5, InstanceId: "i-1" },
};
const nothing: Found = { vpc: undefined, vswitch: undefined, group: undefined, machine: undefined, address: undefined };

describe("a state.json", () => {
  it("is read with what was made, whether the deployment came to its end or not", () => {
    expect(parseState(file({ cloudcode: { domain: "home.example.com" } }))).toEqual({
      state: {
        region: "ap-southeast-1",
        keyFile: "ssh_key",
        domain: "home.example.com",
        ids: { vpc: "vpc-1", vswitch: "vsw-1", group: "sg-1", machine: "i-1", address: "eip-1" },
      },
      problems: [],
    });
    const partial = parseState(file({ status: "" }, { vpc: { id: "vpc-1" }, vswitch: { id: "" } }));
    expect(partial).toMatchObject({ state: { ids: { vpc: "vpc-1" } }, problems: [] });
  });

  it("tells all its problems", () => {
    const part = { ...resources, vpc: { id: "" }, security_group: { id: "vpc-2" }, eip: { id: "" } };
    expect(parseState(file({ version: "2.0", region: "", status: "on" }, part)).problems).toEqual([
      "version is 2.0; only 1.0 is known",
      "region is missing or not a region",
      "status is not running, suspended or destroyed",
      "resources.vpc.id is missing, but a resource that needs it exists",
      "resources.security_group.id is not the id of one",
      "resources.eip.id is missing: without an address nothing was installed on the machine i-1, so delete the machine in the console and its id in the file",
    ]);
    expect(parseState(file({}, {})).problems).toEqual(["resources lists nothing that was created"]);
    const destroyed = parseState(file({ status: "destroyed" }, {})).problems;
    expect(destroyed).toEqual([expect.stringContaining("status is destroyed: there is nothing to adopt")]);
  });

  it("is refused where it is something else", () => {
    expect(() => parseState("version: 1.0")).toThrow("the file is not JSON");
    expect(() => parseState('{"version": 1}')).toThrow("the file is not a state.json of the old CLI: version");
  });
});

describe("what is adopted", () => {
  it("has the program's names and the provider's ids", () => {
    expect(adoptions(state, found).map(({ name, id }) => `${name} ${id}`)).toEqual([
      "host-network-vpc vpc-1",
      "host-network-vswitch vsw-1",
      "host-network-security-group sg-1",
      "host-network-in-tcp-22-from-203.0.113.7-32 sg-1:ingress:tcp:22/22:intranet:203.0.113.7/32:accept:1",
      "host-instance i-1",
      "host-address eip-1",
      "host-address-association eip-1:i-1",
    ]);
  });

  it("stays as it is by these settings", () => {
    expect(adoptedSettings(state, found)).toEqual({
      region: "ap-southeast-1",
      vpcCidr: "192.168.0.0/16",
      vswitchCidr: "192.168.1.0/24",
      zones: '["ap-southeast-1b"]',
      adoptedInstance: "i-1",
      instanceTypes: '["ecs.e-c1m2.large"]',
      diskCategories: '["cloud_essd"]',
      systemDiskGiB: "60",
      bandwidthMbps: "5",
    });
    expect(adoptedSettings(state, nothing)).toEqual({ region: "ap-southeast-1" });
  });

  it("must be there, belong together, and be awake", () => {
    expect(cloudProblems(state, found)).toEqual([]);
    expect(cloudProblems(state, nothing)).toHaveLength(5);
    const machine = found.machine && { ...found.machine, status: "Stopped", chargeType: "PrePaid", vswitchId: "vsw-2" };
    const address = found.address && { ...found.address, InstanceId: "" };
    expect(cloudProblems(state, { ...found, machine, address })).toEqual([
      "the machine does not match the file: one of its ids belongs to something else",
      "the machine is Stopped: start it in the console, then import",
      "the machine is not pay-as-you-go, as all machines of the old CLI are: change it in the console, then import",
      "the public address is not bound to the machine: bind it in the console, then import",
    ]);
  });

  it("must fit the stack", () => {
    const wanted = adoptions(state, found);
    expect(stackProblems(state, found, wanted, { zones: '["ap-southeast-1b"]' }, new Map())).toEqual([]);
    expect(stackProblems(state, found, wanted, {}, new Map([["host-instance", "i-1"]]))).toEqual([]);
    const config = { target: "existing", region: "us-east-1", zones: '["us-east-1a"]', hostImage: "m-1" };
    expect(stackProblems(state, found, wanted, config, new Map([["host-instance", "i-2"]]))).toEqual([
      "target is not alicloud",
      "region is us-east-1, but the old machine is in ap-southeast-1: pulumi config set region ap-southeast-1",
      "zones does not contain ap-southeast-1b, the zone of the old machine: pulumi config rm zones",
      "hostImage is set, but import-state adopts the old one: pulumi config rm hostImage",
      "the stack already has its own host-instance (i-2): import into a new stack, created with pulumi stack init",
    ]);
  });
});

describe("the preview", () => {
  const urn = (type: string, name: string) => `urn:pulumi:s::cloudcode::${type}::${name}`;
  const machine = urn("cloudcode:index:Home$cloudcode:index:Host$alicloud:ecs/instance:Instance", "host-instance");
  const steps = [
    { op: "create", urn: urn("pulumi:providers:alicloud", "alicloud") },
    { op: "create", urn: urn("cloudcode:index:Home$cloudcode:index:Host", "host") },
    { op: "create", urn: urn("cloudcode:index:Home$cloudcode:index:Network", "host-network") },
    { op: "create", urn: urn("cloudcode:index:ComposeStack", "host-type") },
    { op: "replace", urn: machine, replaceReasons: ["imageId"] },
    { op: "delete", urn: urn("alicloud:ecs/securityGroupRule:SecurityGroupRule", "host-network-in-tcp-22") },
  ];
  const preview = parsePreview(JSON.stringify({ steps }));

  it("names the parents of an import", () => {
    expect(importFile(preview, adoptions(state, nothing).slice(0, 1))).toEqual({
      nameTable: { alicloud: steps[0]?.urn, host: steps[1]?.urn, "host-network": steps[2]?.urn },
      resources: [
        {
          type: "alicloud:vpc/network:Network",
          name: "host-network-vpc",
          id: "vpc-1",
          parent: "host-network",
          provider: "alicloud",
        },
      ],
    });
  });

  it("must not take away what was adopted; a rule may go", () => {
    expect(harm(preview, adoptions(state, found))).toEqual([
      "host-instance (i-1) would be replaced, because of imageId",
    ]);
  });
});
