import fc from "fast-check";
import { parse } from "yaml";
import { costFactors } from "../../components/alicloud/prices/factors";
import { newPlacementRequest, placementRequest } from "../../components/alicloud/resources/placement-request";
import { userData } from "../../components/alicloud/resources/user-data";
import { alicloudSettings } from "../../components/settings/sections/alicloud";
import { keyPair } from "../support/keys";
import type { Plain } from "../support/plain";
import { type ProgramRun, failureOf, runAlicloud } from "../support/program";
import { cloudResources, optionsOf } from "../support/recorded-options";
import { alicloudTargetOf } from "../support/settings";

/** Many settings at once: each of them can be seen in an input of its own. */
const settings = {
  region: "us-east-1",
  instanceTypes: '["ecs.g7.large","ecs.c7.large"]',
  zones: '["us-east-1b"]',
  diskCategories: '["cloud_auto"]',
  hostImage: "m-0xi1234",
  systemDiskGiB: "40",
  dataDiskGiB: "100",
  bandwidthMbps: "100",
  snapshotRetentionDays: "14",
  restoreFromSnapshot: "s-0xi1234",
  finalSnapshot: "true",
  deleteData: "true",
  protectMachine: "true",
  vpcCidr: "172.16.0.0/16",
  vswitchCidr: "172.16.9.0/24",
  resourceGroupId: "rg-acfm1234",
  hostWaitSeconds: "120",
  trafficGbPerMonth: "100",
  budgetUsd: "500",
};

let run: ProgramRun;
beforeAll(async () => {
  run = await runAlicloud(settings, { account: { images: [settings.hostImage] } });
});

describe("a setting reaches its input", () => {
  it.each<[string, string, Record<string, Plain>]>([
    ["region", "alicloud", { region: "us-east-1" }],
    ["instanceTypes", "host-instance", { instanceType: "ecs.g7.large" }],
    ["zones", "host-network-vswitch", { zoneId: "us-east-1b" }],
    ["zones", "host-data-disk", { zoneId: "us-east-1b" }],
    ["diskCategories", "host-data-disk", { category: "cloud_auto" }],
    ["diskCategories", "host-instance", { systemDiskCategory: "cloud_auto" }],
    ["hostImage", "host-instance", { imageId: "m-0xi1234" }],
    ["systemDiskGiB", "host-instance", { systemDiskSize: 40 }],
    ["dataDiskGiB", "host-data-disk", { size: 100 }],
    ["bandwidthMbps", "host-address", { bandwidth: "100" }],
    ["snapshotRetentionDays", "host-data-snapshot-policy", { retentionDays: 14 }],
    ["restoreFromSnapshot", "host-data-disk", { snapshotId: "s-0xi1234" }],
    ["protectMachine", "host-instance", { deletionProtection: true }],
    ["protectMachine", "host-address", { deletionProtection: true }],
    ["vpcCidr", "host-network-vpc", { cidrBlock: "172.16.0.0/16" }],
    ["vswitchCidr", "host-network-vswitch", { cidrBlock: "172.16.9.0/24" }],
  ])("%s: of %s", (_key, name, inputs) => {
    expect(run.resource(name).inputs).toMatchObject(inputs);
  });

  it("hostImage: an image that is there, before anything is declared", async () => {
    expect(String(await failureOf({ hostImage: "m-0xi1234" }, {}))).toContain(
      "there is no image m-0xi1234 in ap-southeast-1: `pulumi config rm hostImage` uses Ubuntu 24.04",
    );
  });

  it("protectMachine and deleteData: what Pulumi refuses to delete", () => {
    const isProtected = cloudResources(run).filter(({ name }) => optionsOf(run, name).protect);
    expect(isProtected.map(({ name }) => name).sort()).toEqual(["host-address", "host-instance"]);
  });

  it("resourceGroupId: everything that belongs to one, which then is no longer ignored", () => {
    const grouped = cloudResources(run).filter(({ inputs }) => inputs["resourceGroupId"] === "rg-acfm1234");
    expect(grouped.map(({ name }) => name).sort()).toEqual([
      "host-address",
      "host-data-disk",
      "host-data-snapshot-policy",
      "host-instance",
      "host-key-pair",
      "host-network-security-group",
      "host-network-vpc",
    ]);
    expect(optionsOf(run, "host-data-snapshot-policy").ignoreChanges).toBeUndefined();
  });

  it("finalSnapshot: a snapshot when the stack goes, after the disk left its machine and before it is deleted", () => {
    expect(run.resource("host-data-final-snapshot").inputs).toEqual({
      delete: "node bin/cloudcode-hook.cjs final-snapshot",
      stdin: JSON.stringify({
        region: "us-east-1",
        diskId: "host-data-disk-id",
        name: "cloudcode-test-final",
        tags: { project: "cloudcode", stack: "test" },
      }),
      addPreviousOutputInEnv: false,
      logging: "stdout",
    });
    expect(run.resource("host-data-final-snapshot").options.customTimeouts).toMatchObject({ delete: "45m" });
    expect(optionsOf(run, "host-data-final-snapshot")).toMatchObject({ dependsOn: ["host-data-disk"] });
    expect(optionsOf(run, "host-data-attachment").dependsOn).toContain("host-data-final-snapshot");
  });

  it.each<[string, Record<string, string>, Record<string, Plain>]>([
    ["charge", { charge: "spot" }, { spotStrategy: "SpotAsPriceGo" }],
    ["spotPriceLimitUsd", { charge: "spot", spotPriceLimitUsd: "0.02" }, { spotPriceLimit: 0.02 }],
    ["subscriptionMonths", { charge: "subscription", subscriptionMonths: "6" }, { period: 6 }],
  ])("%s: of the machine", async (_key, given, inputs) => {
    expect((await runAlicloud(given)).resource("host-instance").inputs).toMatchObject(inputs);
  });

  it("icpFiled, budgetUsd, trafficGbPerMonth and the rest: seen in rules, prices and other files of this folder", () => {
    const elsewhere = [
      "budget",
      "budgetUsd",
      "charge",
      "icpFiled",
      "ipv6",
      "power",
      "spotFallback",
      "spotPriceLimitUsd",
      "subscriptionMonths",
    ];
    const seen = [...Object.keys(settings), ...elsewhere, "vpcId", "vswitchId", "ipv6GatewayId", "adoptedInstance"];
    expect(Object.keys(alicloudSettings).filter((key) => !seen.includes(key))).toEqual([]);
  });
});

describe("placementRequest", () => {
  it("asks for what is set, and in the zone of an existing vSwitch", () => {
    expect(placementRequest(alicloudTargetOf(settings), "us-east-1a")).toEqual({
      region: "us-east-1",
      instanceTypes: ["ecs.g7.large", "ecs.c7.large"],
      zones: ["us-east-1a"],
      diskCategories: ["cloud_auto"],
      spot: false,
      subscription: false,
    });
    expect(placementRequest(alicloudTargetOf(settings), undefined).zones).toEqual(["us-east-1b"]);
  });

  it("has what decides the price only for a new host, so that no other setting moves one that exists", () => {
    const target = alicloudTargetOf({ trafficGbPerMonth: "20", budget: "40" });
    const request = placementRequest(target, undefined);
    expect(JSON.stringify(request)).not.toMatch(/traffic|budget|GiB/);
    expect(newPlacementRequest(target, request)).toMatchObject({
      ...request,
      budget: { budget: 40, budgetUsd: 30 },
      cost: { region: "ap-southeast-1", trafficGbPerMonth: 20, systemDiskGiB: 20 },
    });
  });

  it("names the machine that there is already", () => {
    expect(placementRequest(alicloudTargetOf({ adoptedInstance: "i-t4n1" }), undefined).adopted).toBe("i-t4n1");
    expect(placementRequest(alicloudTargetOf(), undefined)).not.toHaveProperty("adopted");
  });

  it.each([
    ["payAsYouGo", false, false],
    ["spot", true, false],
    ["subscription", false, true],
  ])("on the market of %s", (charge, spot, subscription) => {
    expect(placementRequest(alicloudTargetOf({ charge }), undefined)).toMatchObject({ spot, subscription });
  });
});

test("the price reckons with each setting that decides it", () => {
  const all = { ...settings, charge: "spot", spotPriceLimitUsd: "0.03", subscriptionMonths: "6" };
  expect(costFactors(alicloudTargetOf(all), "ecs.x", "cloud_essd")).toEqual({
    region: "us-east-1",
    instanceType: "ecs.x",
    diskCategory: "cloud_essd",
    charge: "spot",
    spotPriceLimitUsd: 0.03,
    systemDiskGiB: 40,
    dataDiskGiB: 100,
    snapshotRetentionDays: 14,
    subscriptionMonths: 6,
    image: "m-0xi1234",
    trafficGbPerMonth: 100,
    backupBucket: false,
    workers: { count: 0, instanceType: undefined },
  });
});

describe("userData", () => {
  const { private: privateKey, public: publicKey } = keyPair();

  it("is cloud-config that installs the pinned host key, opens root to keys only, and does nothing else", () => {
    const text = userData({ privateKey, publicKey: `${publicKey}\n` });
    expect(text).toMatch(/^#cloud-config\n/);
    expect(parse(text)).toEqual({
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: privateKey, ed25519_public: publicKey },
      disable_root: false,
      ssh_pwauth: false,
    });
    // The limit of RunInstances, for what base64 makes of it.
    expect(Buffer.byteLength(Buffer.from(text).toString("base64"))).toBeLessThan(16 * 1024);
  });

  it("keeps any text of a key in its place, whatever YAML would read in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string(), (one, other) => {
        const { ssh_keys, ...rest } = parse(userData({ privateKey: one, publicKey: other })) as Record<string, unknown>;
        expect(ssh_keys).toEqual({ ed25519_private: one, ed25519_public: other.trim() });
        expect(Object.keys(rest)).toEqual(["ssh_deletekeys", "disable_root", "ssh_pwauth"]);
      }),
    );
  });
});
