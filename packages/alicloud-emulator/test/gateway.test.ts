// What holds for every action: parameters, permissions, faults, repeated requests, pages, restarts.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Emulator } from "../src/emulator";
import { startEmulator } from "../src/emulator";
import { FakeMachines } from "../src/fake-machines";
import { Account } from "../testing/account";

let emulator: Emulator;
let account: Account;
let machines: FakeMachines;

beforeEach(async () => {
  machines = new FakeMachines();
  emulator = await startEmulator({ machines });
  account = new Account(emulator);
});
afterEach(() => emulator.close());

const vpc = { CidrBlock: "10.0.0.0/16", VpcName: "home" };

test.each<[string, string, string, Record<string, string>, string]>([
  ["a parameter with a typo", "vpc", "CreateVpc", { ...vpc, VpcNmae: "home" }, "400 UnknownParameter.Emulator"],
  ["a misspelt field of a list", "vpc", "CreateVpc", { "Tag.1.Name": "a" }, "400 UnknownParameter.Emulator"],
  ["a value of the wrong form", "vpc", "CreateVpc", { CidrBlock: "10.0.0.0" }, "400 InvalidParameter"],
  [
    "a word that is none of the allowed",
    "ecs",
    "StopInstance",
    { InstanceId: "i-1", StoppedMode: "x" },
    "400 InvalidParameter",
  ],
  ["an id of another kind", "vpc", "DeleteVpc", { VpcId: "vsw-1" }, "400 InvalidParameter"],
  ["no parameter that is required", "vpc", "CreateVSwitch", { VpcId: "vpc-1" }, "400 MissingParameter"],
  ["an action that does not exist", "vpc", "MakeVpc", {}, "404 InvalidAction.NotFound"],
  ["an action of another product", "vpc", "RunInstances", {}, "404 InvalidAction.NotFound"],
])("%s is refused and noted as a violation", async (_, product, action, parameters, code) => {
  expect(await account.refusal(product, action, parameters)).toBe(code);
  expect(emulator.journal.violations).toMatchObject([{ action }]);
  expect(emulator.inventory()).toEqual([]);
});

test("a region the cloud does not have is refused", async () => {
  expect(await account.refusal("vpc", "CreateVpc", { ...vpc, RegionId: "moon-north-1" })).toBe(
    "404 InvalidRegionId.NotFound",
  );
});

test("a policy allows what it lists, with wildcards, and nothing else", async () => {
  emulator.rules.policy = {
    Version: "1",
    Statement: [{ Effect: "Allow", Action: ["vpc:Describe*", "vpc:CreateVpc"], Resource: ["*"] }],
  };
  await account.ask("vpc", "CreateVpc", vpc);
  await account.ask("vpc", "DescribeVpcs");
  await account.ask("sts", "GetCallerIdentity");
  expect(await account.refusal("vpc", "DeleteVpc", { VpcId: "vpc-1" })).toBe("403 Forbidden.RAM");
  expect(await account.refusal("ecs", "DescribeVpcs")).toBe("404 InvalidAction.NotFound");
  expect(await account.raw("ecs", "DescribeInstances")).toMatchObject({
    status: 403,
    body: { Code: "Forbidden.RAM", AccessDeniedDetail: { AuthAction: "ecs:DescribeInstances" } },
  });
});

test("a policy's tags and resources bind what exists by its own tags, and what is new by the request's", async () => {
  const network = await account.network();
  const own = { "Tag.1.Key": "project", "Tag.1.Value": "mine" };
  const mine = await account.text("vpc", "CreateVpc", "VpcId", { ...vpc, ...own });
  await emulator.idle();
  const condition = (key: string) => ({ StringEquals: { [key]: ["mine"] } });
  emulator.rules.policy = {
    Version: "1",
    Statement: [
      { Effect: "Allow", Action: ["vpc:DeleteVpc"], Resource: ["*"], Condition: condition("acs:ResourceTag/project") },
      { Effect: "Allow", Action: ["ecs:CreateDisk"], Resource: ["*"], Condition: condition("acs:RequestTag/project") },
      { Effect: "Allow", Action: ["vpc:DeleteVSwitch"], Resource: ["acs:vpc:*:*:vswitch/vsw-other"] },
      { Effect: "Allow", Action: ["alidns:AddDomainRecord"], Resource: ["acs:alidns:*:*:domain/example.com"] },
    ],
  };
  const forbidden = "403 Forbidden.RAM";
  expect(await account.refusal("vpc", "DeleteVpc", { VpcId: network.vpc })).toBe(forbidden);
  await account.ask("vpc", "DeleteVpc", { VpcId: mine });
  expect(await account.refusal("vpc", "DeleteVpc", { VpcId: "vpc-gone" })).toBe("404 InvalidVpcId.NotFound");
  expect(await account.refusal("vpc", "DeleteVSwitch", { VSwitchId: network.vswitch })).toBe(forbidden);
  const disk = { ZoneId: "ap-southeast-1b", DiskCategory: "cloud_essd", Size: "20" };
  expect(await account.refusal("ecs", "CreateDisk", disk)).toBe(forbidden);
  await account.ask("ecs", "CreateDisk", { ...disk, ...own });
  const record = { RR: "www", Type: "A", Value: "192.0.2.1" };
  await account.ask("alidns", "AddDomainRecord", { DomainName: "example.com", ...record });
  expect(await account.refusal("alidns", "AddDomainRecord", { DomainName: "home.example.com", ...record })).toBe(
    forbidden,
  );
});

test("a repeated request has one effect; its token is of no use for another one", async () => {
  const first = await account.ask("vpc", "CreateVpc", { ...vpc, ClientToken: "once" });
  const second = await account.ask("vpc", "CreateVpc", { ...vpc, ClientToken: "once" });
  expect(second["VpcId"]).toBe(first["VpcId"]);
  expect(await account.refusal("vpc", "CreateVpc", { VpcName: "other", ClientToken: "once" })).toBe(
    "400 IdempotentParameterMismatch",
  );
  expect(emulator.inventory()).toHaveLength(1);
});

describe("a fault", () => {
  test("that happens twice is over at the third call", async () => {
    emulator.fail({ kind: "throttled", action: "CreateVpc", times: 2 });
    expect(await account.refusal("vpc", "CreateVpc", vpc)).toBe("400 Throttling.User");
    await account.ask("vpc", "DescribeVpcs");
    expect(await account.refusal("vpc", "CreateVpc", vpc)).toBe("400 Throttling.User");
    await account.ask("vpc", "CreateVpc", vpc);
    expect(emulator.faults.pending).toEqual([]);
  });

  test.each<[Parameters<Emulator["fail"]>[0], string]>([
    [{ kind: "serverError", action: "Create*", status: 503 }, "503 ServiceUnavailable"],
    [{ kind: "serverError" }, "500 InternalError"],
    [{ kind: "quota", action: "CreateVpc" }, "400 QuotaExceeded.Vpc"],
    [{ kind: "dependencyViolation", action: "CreateVpc" }, "400 DependencyViolation"],
    [{ kind: "error", action: "CreateVpc", status: 400, code: "SystemBusy" }, "400 SystemBusy"],
  ])("%j answers %s and changes nothing", async (fault, code) => {
    emulator.fail(fault);
    expect(await account.refusal("vpc", "CreateVpc", vpc)).toBe(code);
    expect(emulator.inventory()).toEqual([]);
  });

  test.each<[Parameters<Emulator["fail"]>[0], string]>([
    [{ kind: "noStock" }, "403 OperationDenied.NoStock"],
    [{ kind: "soldOut", zone: "ap-southeast-1b", type: "ecs.e-c1m2.large" }, "403 OperationDenied.NoStock"],
    [{ kind: "noDisk", category: "cloud_essd_entry" }, "400 InvalidSystemDiskCategory.ValueNotSupported"],
    [{ kind: "quota", action: "RunInstances" }, "403 QuotaExceed.ElasticQuota"],
    [{ kind: "insufficientBalance" }, "403 InvalidAccountStatus.NotEnoughBalance"],
    [{ kind: "riskControl" }, "403 Forbidden.RiskControl"],
  ])("%j is why no instance is bought: %s", async (fault, code) => {
    const network = await account.network();
    emulator.fail(fault);
    expect(await account.refusal("ecs", "RunInstances", account.instance(network))).toBe(code);
    emulator.faults.clear();
    await account.run(network);
  });

  test("of one zone and type does not concern others", async () => {
    const network = await account.network();
    emulator.fail({ kind: "noStock", zone: "ap-southeast-1a" });
    emulator.fail({ kind: "noStock", type: "ecs.c7.large" });
    await account.run(network);
  });

  test.each([
    ["cut", "lost"],
    ["timeout", "504"],
  ] as const)("that loses the answer (%s) leaves the effect, and a repeated request finds it", async (how, seen) => {
    emulator.fail({ kind: "lostAnswer", action: "CreateVpc", how });
    const create = { ...vpc, ClientToken: "once" };
    const first = account.raw("vpc", "CreateVpc", create).then(
      (answer) => String(answer.status),
      () => "lost",
    );
    expect(await first).toBe(seen);
    const [made] = emulator.inventory();
    expect(await account.text("vpc", "CreateVpc", "VpcId", create)).toBe(made?.id);
    expect(emulator.inventory()).toHaveLength(1);
  });
});

/** The statuses DescribeAvailableResource gives for the type, by zone. */
async function offers(type: string): Promise<Record<string, string>> {
  const query = { DestinationResource: "InstanceType", InstanceType: type, SystemDiskCategory: "cloud_essd" };
  const answer = JSON.stringify(await account.ask("ecs", "DescribeAvailableResource", query));
  const zones = [...answer.matchAll(/"ZoneId":"([^"]+)".*?"Value":"[^"]+","Status":"(\w+)"/g)];
  return Object.fromEntries(zones.map(([, zone = "", status = ""]) => [zone, status]));
}

test("what is on offer depends on zone, type and what is sold out", async () => {
  const zones = { "ap-southeast-1a": "Available", "ap-southeast-1b": "Available", "ap-southeast-1c": "Available" };
  expect(await offers("ecs.e-c1m2.large")).toEqual(zones);
  emulator.fail({ kind: "soldOut", zone: "ap-southeast-1a" });
  emulator.fail({ kind: "noStock", zone: "ap-southeast-1b" });
  expect(await offers("ecs.e-c1m2.large")).toEqual({ ...zones, "ap-southeast-1a": "SoldOut" });
  expect(await offers("ecs.t6-c1m2.large")).toEqual({ "ap-southeast-1c": "Available" });
  emulator.fail({ kind: "noDisk", zone: "ap-southeast-1c", category: "cloud_essd" });
  expect(await offers("ecs.t6-c1m2.large")).toEqual({});
});

async function listed(product: string, action: string, id: string, more: Record<string, string>): Promise<string[]> {
  const answer = JSON.stringify(await account.ask(product, action, more));
  return [...answer.matchAll(new RegExp(`"${id}":"([^"]+)"`, "g"))].map(([, found = ""]) => found);
}

test.each([
  ["ecs", "DescribeImages", "ImageId", 130],
  ["alidns", "DescribeDomains", "DomainName", 114],
])("%s %s lists everything once, page after page", async (product, action, id, total) => {
  const pages = [];
  for (const PageNumber of ["1", "2", "3"])
    pages.push(await listed(product, action, id, { PageNumber, PageSize: "100" }));
  expect(pages.map((page) => page.length)).toEqual([100, total - 100, 0]);
  expect(new Set(pages.flat()).size).toBe(total);
  expect(await account.refusal(product, action, { PageSize: "101" })).toBe("400 InvalidParameter");
});

test("resources are found by their tags", async () => {
  const made = [];
  for (const stack of ["prod", "test"])
    made.push(await account.text("vpc", "CreateVpc", "VpcId", { "Tag.1.Key": "stack", "Tag.1.Value": stack }));
  const [, test = ""] = made;
  expect(await listed("vpc", "DescribeVpcs", "VpcId", { "Tag.1.Key": "stack" })).toEqual(made);
  expect(await listed("vpc", "DescribeVpcs", "VpcId", { "Tag.1.Key": "stack", "Tag.1.Value": "test" })).toEqual([test]);
  await account.ask("vpc", "UnTagResources", { ResourceType: "VPC", "ResourceId.1": test, "TagKey.1": "stack" });
  const more = { "Tag.1.Key": "a", "Tag.1.Value": "b" };
  await account.ask("vpc", "TagResources", { ResourceType: "VPC", "ResourceId.1": test, ...more });
  expect(await account.ask("vpc", "ListTagResources", { ResourceType: "VPC", "ResourceId.1": test })).toMatchObject({
    TagResources: { TagResource: [{ ResourceId: test, TagKey: "a", TagValue: "b" }] },
  });
});

test("calls are logged with what the test says is done", async () => {
  emulator.journal.operation = "second up";
  await account.ask("vpc", "CreateVpc", { ...vpc, ClientToken: "once" });
  await account.refusal("vpc", "DeleteVpc", { VpcId: "vpc-1" });
  const common = { operation: "second up", product: "vpc" };
  expect(emulator.journal.calls).toMatchObject([
    { ...common, action: "CreateVpc", clientToken: "once", status: 200, code: "", parameters: vpc },
    { ...common, action: "DeleteVpc", status: 404, code: "InvalidVpcId.NotFound" },
  ]);
  expect(emulator.journal.calls[0]?.parameters).not.toHaveProperty("Signature");
});

test("the account survives a restart, and so does the certificate", async () => {
  const folder = mkdtempSync(join(tmpdir(), "emulator-state-"));
  try {
    const stateFile = join(folder, "state");
    const before = await startEmulator({ stateFile });
    const first = new Account(before);
    const network = await first.network();
    const id = await first.run(network, { "Tag.1.Key": "stack", "Tag.1.Value": "prod" });
    await first.text("vpc", "AllocateEipAddress", "EipAddress");
    const token = await first.text("vpc", "CreateVpc", "VpcId", { ClientToken: "once" });
    await before.close();

    const after = await startEmulator({ stateFile });
    const second = new Account(after);
    expect(after.inventory()).toEqual(before.inventory());
    expect(second.status(id)).toBe("Running");
    expect(await second.text("vpc", "CreateVpc", "VpcId", { ClientToken: "once" })).toBe(token);
    expect(await second.text("vpc", "AllocateEipAddress", "EipAddress")).toBe("198.51.100.2");
    expect(after.certificateFile).toBe(before.certificateFile);
    await after.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
