import { z } from "zod";
import { keyPair } from "../support/keys";
import { textOf } from "../support/plain";
import { type ProgramRun, runAlicloud } from "../support/program";
import { newestImage } from "../support/provider-answers";
import { type NamedOptions, cloudResources, optionsOf } from "../support/recorded-options";

/** Most of what the target can make; what the other settings change is in the other files. */
const settings = { domain: "home.example.com" };
const account = { dnsZones: ["example.com"] };
const tags = { project: "cloudcode", stack: "test" };
const rules = ["in-tcp-22-from-198.51.100.4-32", "in-tcp-80-from-0.0.0.0-0", "in-tcp-443-from-0.0.0.0-0"].concat(
  "in-udp-443-from-0.0.0.0-0",
  "out",
);

let run: ProgramRun;
beforeAll(async () => {
  run = await runAlicloud(settings, { account });
});

/** What each resource of the cloud has in common. */
const each: NamedOptions = { provider: "alicloud", onError: ["explain-alicloud-fault"] };
const goesWithMachine: NamedOptions = { deletedWith: "host-instance", deleteBeforeReplace: true };

const names = ({ resources }: ProgramRun) => resources.map(({ type, name }) => `${type} ${name}`).sort();

describe("the target alicloud", () => {
  it("makes these resources and no others, below the host", () => {
    expect(names(run).filter((name) => name.split(" ")[1]?.startsWith("host"))).toEqual([
      "alicloud:dns/alidnsRecord:AlidnsRecord host-dns-a-apex",
      "alicloud:dns/alidnsRecord:AlidnsRecord host-dns-a-wildcard",
      "alicloud:ecs/autoSnapshotPolicy:AutoSnapshotPolicy host-data-snapshot-policy",
      "alicloud:ecs/ecsAutoSnapshotPolicyAttachment:EcsAutoSnapshotPolicyAttachment host-data-snapshots",
      "alicloud:ecs/ecsDisk:EcsDisk host-data-disk",
      "alicloud:ecs/ecsDiskAttachment:EcsDiskAttachment host-data-attachment",
      "alicloud:ecs/ecsKeyPair:EcsKeyPair host-key-pair",
      "alicloud:ecs/eipAddress:EipAddress host-address",
      "alicloud:ecs/eipAssociation:EipAssociation host-address-association",
      "alicloud:ecs/instance:Instance host-instance",
      "alicloud:ecs/securityGroup:SecurityGroup host-network-security-group",
      ...rules.map((rule) => `alicloud:ecs/securityGroupRule:SecurityGroupRule host-network-${rule}`).sort(),
      "alicloud:vpc/network:Network host-network-vpc",
      "alicloud:vpc/switch:Switch host-network-vswitch",
      "cloudcode:index:DataDisk host-data",
      "cloudcode:index:DnsRecords host-dns",
      "cloudcode:index:Host host",
      "cloudcode:index:Network host-network",
      "command:local:Command host-address-unbinding",
      "command:local:Command host-data-release",
      "command:local:Command host-image",
      "command:local:Command host-leftovers",
      "command:local:Command host-placement",
      "command:local:Command host-reachable",
      "command:local:Command host-type",
      "command:local:Command host-unprotection",
      "tls:index/privateKey:PrivateKey host-host-key",
      "tls:index/privateKey:PrivateKey host-login-key",
    ]);
    expect(names(run)).toContain("pulumi:providers:alicloud alicloud");
  });

  it.each<[string, Record<string, string>]>([
    ["with what it makes by default", {}],
    ["with all that it can make", { ipv6: "true", deleteData: "true", finalSnapshot: "true" }],
    ["while it is stopped", { power: "stopped" }],
  ])("shows the same resources in a preview, where no value of the cloud is known yet, %s", async (_what, more) => {
    const all = { ...settings, ...more };
    const preview = await runAlicloud(all, { account, preview: true });
    const up = await runAlicloud(all, { account });
    expect(preview.resources.map(({ urn }) => urn).sort()).toEqual(up.resources.map(({ urn }) => urn).sort());
  });

  it("asks the cloud of the region, and only for its zones", () => {
    expect(run.resource("alicloud").inputs).toEqual({ region: "ap-southeast-1" });
    expect(run.calls.map(({ token }) => token)).toEqual(["alicloud:dns/getAlidnsDomains:getAlidnsDomains"]);
    expect(run.calls[0]?.provider).toContain("alicloud::alicloud");
  });

  it("gives each resource of the cloud its own provider, the hook that explains errors, and the stack's tags", () => {
    // What has no tags in the cloud's API.
    const untagged = /SecurityGroupRule|EcsDiskAttachment|EipAssociation|PolicyAttachment|AlidnsRecord/;
    for (const { name, type, inputs } of cloudResources(run)) {
      expect(optionsOf(run, name)).toMatchObject(each);
      expect(inputs["tags"]).toEqual(untagged.test(type) ? undefined : tags);
    }
  });
});

type Row = [string, Record<string, unknown>, NamedOptions];

describe("each resource has just these inputs and options", () => {
  const rows: Row[] = [
    [
      "host-network-vpc",
      { vpcName: "cloudcode-test", cidrBlock: "192.168.0.0/16", tags },
      { parent: "host-network", dependsOn: ["host-leftovers"] },
    ],
    [
      "host-network-vswitch",
      {
        vswitchName: "cloudcode-test",
        vpcId: "host-network-vpc-id",
        zoneId: "ap-southeast-1a",
        cidrBlock: "192.168.1.0/24",
        tags,
      },
      { parent: "host-network", dependsOn: ["host-leftovers", "host-network-vpc", "host-placement"] },
    ],
    [
      "host-network-security-group",
      { securityGroupName: "cloudcode-test", vpcId: "host-network-vpc-id", tags },
      { parent: "host-network", dependsOn: ["host-leftovers", "host-network-vpc"] },
    ],
    [
      "host-data-disk",
      {
        diskName: "cloudcode-test",
        zoneId: "ap-southeast-1a",
        category: "cloud_essd_entry",
        size: 20,
        encrypted: true,
        paymentType: "PayAsYouGo",
        deleteWithInstance: false,
        tags,
        deleteAutoSnapshot: false,
        enableAutoSnapshot: true,
        type: "online",
      },
      {
        parent: "host-data",
        dependsOn: ["host-leftovers", "host-placement"],
        protect: true,
        ignoreChanges: ["snapshotId"],
      },
    ],
    [
      "host-data-snapshot-policy",
      { autoSnapshotPolicyName: "cloudcode-test", repeatWeekdays: ["7"], timePoints: ["3"], retentionDays: 28, tags },
      { parent: "host-data", dependsOn: ["host-leftovers"], ignoreChanges: ["resourceGroupId"] },
    ],
    [
      "host-data-snapshots",
      { autoSnapshotPolicyId: "host-data-snapshot-policy-id", diskId: "host-data-disk-id" },
      { parent: "host-data", dependsOn: ["host-data-disk", "host-data-snapshot-policy", "host-leftovers"] },
    ],
    [
      "host-key-pair",
      { keyPairName: "cloudcode-test", publicKey: expect.stringMatching(/^ssh-ed25519 [A-Za-z0-9+/=]+$/), tags },
      { parent: "host", dependsOn: ["host-leftovers", "host-login-key"] },
    ],
    [
      "host-instance",
      {
        instanceName: "cloudcode-test",
        hostName: "cloudcode-test",
        keyName: "cloudcode-test",
        tags,
        instanceType: "ecs.e-c1m2.large",
        imageId: newestImage,
        instanceChargeType: "PostPaid",
        vswitchId: "host-network-vswitch-id",
        securityGroups: ["host-network-security-group-id"],
        systemDiskCategory: "cloud_essd_entry",
        systemDiskSize: 20,
        userData: expect.any(String),
        httpEndpoint: "enabled",
        httpTokens: "required",
        deletionProtection: false,
        status: "Running",
      },
      {
        parent: "host",
        dependsOn: [
          "host-host-key",
          "host-image",
          "host-key-pair",
          "host-network-security-group",
          "host-network-vswitch",
          "host-placement",
          "host-type",
          ...rules.map((rule) => `host-network-${rule}`),
        ].sort(),
        ignoreChanges: ["userData"],
        replaceOnChanges: ["imageId", "vswitchId"],
      },
    ],
    [
      "host-data-attachment",
      { diskId: "host-data-disk-id", instanceId: "host-instance-id" },
      { ...goesWithMachine, parent: "host", dependsOn: ["host-data-disk", "host-instance", "host-leftovers"] },
    ],
    [
      "host-address",
      {
        addressName: "cloudcode-test",
        bandwidth: "20",
        internetChargeType: "PayByTraffic",
        tags,
        paymentType: "PayAsYouGo",
        deletionProtection: false,
      },
      { parent: "host", dependsOn: ["host-instance"] },
    ],
    [
      "host-address-association",
      { allocationId: "host-address-id", instanceId: "host-instance-id", instanceType: "EcsInstance" },
      {
        ...goesWithMachine,
        parent: "host",
        dependsOn: ["host-address", "host-address-unbinding", "host-data-attachment", "host-instance"],
      },
    ],
  ];

  it.each(rows)("%s", (name, inputs, options) => {
    expect(run.resource(name).inputs).toEqual(inputs);
    expect(optionsOf(run, name)).toEqual({ ...each, ...options });
  });

  it("a disk whose machine was taken back meanwhile is not waited for ten minutes", () => {
    expect(run.resource("host-data-attachment").options.customTimeouts).toMatchObject({ create: "3m" });
  });

  it("but for the rules and the records, which have tables of their own", () => {
    const others = /SecurityGroupRule|AlidnsRecord/;
    const all = cloudResources(run).filter(({ type }) => !others.test(type));
    expect(all.map(({ name }) => name).sort()).toEqual(rows.map(([name]) => name).sort());
  });
});

describe("what is secret", () => {
  it("is the machine's user data, and the input of what logs in", () => {
    const secrets = run.resources.flatMap(({ name, secretInputs }) => secretInputs.map((key) => `${name} ${key}`));
    expect(secrets.filter((name) => name.startsWith("host"))).toEqual(
      expect.arrayContaining(["host-instance userData", "host-reachable stdin", "host-data-release stdin"]),
    );
    expect(secrets).toEqual(expect.arrayContaining(["docker-install stdin", "auth-release stdin"]));
  });

  it("is each private key: it stands in no input that Pulumi keeps or shows in plain text, and in no output", () => {
    const lines = ["host-login-key", "host-host-key"].flatMap((name) =>
      bodyOf(run.resource(name).outputs["privateKeyOpenssh"] ?? ""),
    );
    expect(lines.length).toBeGreaterThan(4);
    for (const { inputs, secretInputs } of run.resources) {
      const plain = JSON.stringify(Object.entries(inputs).filter(([key]) => !secretInputs.includes(key)));
      for (const line of lines) expect(plain).not.toContain(line);
    }
    const shown = JSON.stringify(Object.values(run.outputs).filter(({ secret }) => !secret));
    for (const line of lines) expect(shown).not.toContain(line);
  });

  it("does reach the machine: the host key in its user data, the login key in the input of what logs in", () => {
    const userData = textOf(run.resource("host-instance").inputs["userData"]);
    const input = textOf(run.resource("docker-install").inputs["stdin"]);
    const { privateKey } = z.object({ privateKey: z.string() }).parse(JSON.parse(input));
    for (const line of bodyOf(run.resource("host-host-key").outputs["privateKeyOpenssh"] ?? ""))
      expect(userData).toContain(line);
    for (const line of bodyOf(run.resource("host-login-key").outputs["privateKeyOpenssh"] ?? "")) {
      expect(privateKey).toContain(line);
      expect(userData).not.toContain(line);
    }
  });
});

/** The lines of a private key that are its own; the first ones are the same in each. */
function bodyOf(privateKey: string): string[] {
  const common = new Set(keyPair().private.split("\n"));
  return privateKey.split("\n").filter((line) => line !== "" && !common.has(line));
}
