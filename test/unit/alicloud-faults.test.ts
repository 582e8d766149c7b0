import * as pulumi from "@pulumi/pulumi";
import { explainAtResource } from "../../components/alicloud/resources/fault-hook";
import { explainFault } from "../../components/alicloud/api/faults";
import type { Answered } from "@cloudcode/alicloud-emulator/testing/client";
import { type Emulator, startEmulator } from "@cloudcode/alicloud-emulator";
import { type Fault, faultSchema } from "@cloudcode/alicloud-emulator/faults";
import { Account } from "@cloudcode/alicloud-emulator/testing/account";

/** The answer as provider 1.285.0 prints it: one form for each of its two client libraries. */
const forms: Readonly<Record<string, (action: string, answer: Answered) => string>> = {
  tea: (action, { status, body }) =>
    [
      `\x1b[31m[ERROR]\x1b[0m terraform-provider-alicloud@v1.285.0/alicloud/resource_alicloud_x.go:331: Resource alicloud_x ${action} Failed!!! [SDK alibaba-cloud-sdk-go ERROR]:`,
      "SDKError:",
      `   StatusCode: ${status}`,
      `   Code: ${String(body["Code"])}`,
      `   Message: code: ${status}, ${String(body["Message"])} request id: ${String(body["RequestId"])}`,
      `   Data: ${JSON.stringify({ ...body, statusCode: status })}`,
    ].join("\n"),
  sdk: (action, { body }) =>
    [
      `\x1b[31m[ERROR]\x1b[0m terraform-provider-alicloud@v1.285.0/alicloud/resource_alicloud_x.go:331: Resource alicloud_x ${action} Failed!!! [SDK alibaba-cloud-sdk-go ERROR]:`,
      "SDK.ServerError",
      `ErrorCode: ${String(body["Code"])}`,
      "Recommend: ",
      `RequestId: ${String(body["RequestId"])}`,
      `Message: ${String(body["Message"])}`,
      "RespHeaders: map[Connection:[keep-alive] Content-Type:[application/json] Keep-Alive:[timeout=5]]",
    ].join("\n"),
};
const inEveryForm = (action: string, answer: Answered): Set<string | undefined> =>
  new Set(Object.values(forms).map((form) => explainFault(form(action, answer))));

/** As the provider prints an answer of OSS. */
const ossError = (code: string) =>
  `terraform-provider-alicloud@v1.285.0/alicloud/resource_alicloud_oss_bucket.go:513: Resource alicloud_oss_bucket IsBucketExist Failed!!! [SDK aliyun-oss-go-sdk ERROR]:
oss: service returned error: StatusCode=403, ErrorCode=${code}, ErrorMessage="…", RequestId=a826485b`;

it.each([
  ["AccessDenied", /^The access key may not create a bucket and a key for backups: grant docs\/ram-policy-oss/],
  ["UserDisable", /^Object Storage Service is not activated in this account/],
  ["SignatureDoesNotMatch", /secret does not belong to its id/],
])("%s of OSS is explained", (code, sentence) => {
  expect(explainFault(ossError(code))).toMatch(sentence);
});

it.each([
  [
    "AddDomainRecord",
    /^The access key may not do AddDomainRecord: .* write the zone of your domain where .* example\.com/,
  ],
  [
    "CreateDisk",
    /^The access key may not do CreateDisk: add that action .* did not create the resource .* add the tag project: cloud/,
  ],
  [
    "DescribeDisks",
    /^The access key may not do DescribeDisks: add that action to [^,]*, then run the command again\.$/,
  ],
])("a refusal of %s says what the policy binds it to", (action, sentence) => {
  const body = { Code: "Forbidden.RAM", Message: "User not authorized to operate on the specified resource." };
  expect(inEveryForm(action, { status: 403, body })).toEqual(new Set([expect.stringMatching(sentence)]));
});

describe("every fault of the emulator", () => {
  let emulator: Emulator;
  let account: Account;
  beforeEach(async () => {
    emulator = await startEmulator();
    account = new Account(emulator);
  });
  afterEach(() => emulator.close());

  const zone = "ap-southeast-1b";
  // The record makes the compiler ask for a case of every kind of fault; two have no answer of the API, and what has no price is reported by budgets.
  const cases: Readonly<Record<Exclude<Fault["kind"], "lostAnswer" | "noPrice" | "error">, [Fault, string, RegExp]>> = {
    soldOut: [{ kind: "soldOut", zone }, "RunInstances", /^The instance type is sold out or not sold in this zone: /],
    noStock: [{ kind: "noStock", zone }, "RunInstances", /^The instance type is sold out or not sold in this zone: /],
    noDisk: [
      { kind: "noDisk", zone, category: "cloud_essd_entry" },
      "RunInstances",
      /^The zone or the instance type does not support this disk category: /,
    ],
    quota: [
      { kind: "quota", action: "RunInstances" },
      "RunInstances",
      /^The account has reached a quota \(RunInstances/,
    ],
    insufficientBalance: [{ kind: "insufficientBalance" }, "RunInstances", /^The account has too little balance /],
    riskControl: [{ kind: "riskControl" }, "RunInstances", /^Alibaba Cloud's risk control /],
    dependencyViolation: [
      { kind: "dependencyViolation", action: "DeleteVpc", times: 9 },
      "DeleteVpc",
      /^A resource that this stack did not create .* instances, network interfaces, load balancers, NAT or IPv6 gateways/,
    ],
    throttled: [{ kind: "throttled" }, "RunInstances", /^Alibaba Cloud refused the call because there were too many /],
    serverError: [{ kind: "serverError" }, "RunInstances", /^Alibaba Cloud had an internal error: /],
  };

  it.each(Object.entries(cases))("%s is one sentence", async (_kind, [fault, action, sentence]) => {
    const network = await account.network();
    emulator.fail(fault);
    const parameters = action === "DeleteVpc" ? { VpcId: network.vpc } : account.instance(network);
    const answer = await account.raw(action === "DeleteVpc" ? "vpc" : "ecs", action, parameters);
    expect(answer.status).not.toBe(200);
    const sentences = inEveryForm(action, answer);
    expect(sentences.size).toBe(1);
    for (const one of sentences) expect(one).toMatch(sentence);
  });

  it("is known", () => {
    const kinds = faultSchema.options.map((option) => option.shape.kind.value);
    expect([...Object.keys(cases), "lostAnswer", "noPrice", "error"].sort()).toEqual([...kinds].sort());
  });

  it("lostAnswer: a cut connection and a gateway that gives up are one and the same", async () => {
    emulator.fail({ kind: "lostAnswer", action: "CreateVpc", how: "timeout" });
    const lost = /^The answer of Alibaba Cloud was lost .* run `pulumi refresh` and `pulumi up` again/;
    for (const sentence of inEveryForm("CreateVpc", await account.raw("vpc", "CreateVpc", { CidrBlock: "10.0.0.0/8" })))
      expect(sentence).toMatch(lost);
    for (const text of [
      'Post "https://ecs.ap-southeast-1.aliyuncs.com/": EOF',
      "read tcp 10.0.0.2:51234->47.1.2.3:443: read: connection reset by peer",
      "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
      "ecs:RunInstances: ConnectionFailed: ECONNRESET",
      "ecs:RunInstances: RequestTimeout: no answer in time",
      "timeout while waiting for state to become 'Available' (last state: 'Pending', timeout: 10m0s)",
    ])
      expect(explainFault(text)).toMatch(lost);
  });

  it("a denied action is named as RAM names it", async () => {
    emulator.rules.policy = { Version: "1", Statement: [] };
    const denied = await account.raw("vpc", "CreateVpc", { CidrBlock: "10.0.0.0/8" });
    expect(explainFault(String(forms["tea"]?.("CreateVpc", denied)))).toMatch(
      /^The access key may not do vpc:CreateVpc: add that action to the RAM policy /,
    );
    expect(explainFault(String(forms["sdk"]?.("CreateVpc", denied)))).toMatch(/^The access key may not do CreateVpc: /);
  });
});

describe("a code of the API", () => {
  it.each<[string, RegExp]>([
    ["Zone.NotOnSale", /^The instance type is sold out or not sold/],
    ["InvalidInstanceType.ValueNotSupported", /^The instance type is sold out or not sold/],
    ["QuotaExceed.ElasticQuota", /Quota Center/],
    ["QuotaExceeded.Vpc", /Quota Center/],
    ["DependencyViolation.VSwitch", /still uses the one to be deleted/],
    ["Throttling.Api", /too many in a short time/],
    ["InvalidSystemDiskCategory.ValueNotSupported", /'diskCategories\[0\]'/],
    ["InvalidDiskCategory.NotSupported", /'diskCategories\[0\]'/],
    ["InvalidAccountStatus.NotEnoughBalance", /too little balance/],
    ["PAY.INSUFFICIENT_BALANCE", /too little balance/],
    ["Forbidden.RiskControl", /risk control/],
    ["RealNameAuthenticationError", /real name is not verified/],
    ["DomainRecordDuplicate", /`pulumi import alicloud:dns\/alidnsRecord:AlidnsRecord /],
    ["Forbidden.RAM", /RAM policy/],
    ["NoPermission", /RAM policy/],
    ["InvalidAccessKeyId.NotFound", /does not know the access key/],
    ["InvalidAccessKeyId.Inactive", /does not know the access key/],
    ["SignatureDoesNotMatch", /secret does not belong to its id/],
    ["InvalidTimeStamp.Expired", /clock is wrong/],
    ["IncorrectEipStatus", /still being bound or unbound/],
    ["InvalidOperation.DeletionProtection", /`pulumi config set protectMachine false`/],
    ["OperationDenied.DeletionProtection", /`pulumi config set protectMachine false`/],
    ["KeyPair.AlreadyExist", /key pair of this name/],
    ["InvalidVpcId.NotFound", /not in this region/],
    ["InvalidVSwitchId.NotFound", /not in this region/],
    ["InvalidVpcID.NotFound", /not in this region/],
    ["InvalidSpotPriceLimit.LowerThanPublicPrice", /spotPriceLimitUsd/],
    ["InvalidSnapshotId.NotFound", /restoreFromSnapshot/],
    ["IncorrectInstanceStatus", /in the middle of another change/],
    ["InvalidRegionId.NotFound", /no such region/],
    ["InternalError", /had an internal error/],
  ])("%s", (Code, sentence) => {
    const answer = { status: 400, body: { Code, Message: "No.", RequestId: "4C0E" } };
    for (const one of inEveryForm("SomeAction", answer)) {
      expect(one).toMatch(sentence);
      expect(one).toMatch(/^[A-Z][^\n]*[.)]$/);
    }
  });

  it.each([
    ["dial tcp: lookup ecs.ap-nowhere-1.aliyuncs.com: no such host", /no DNS entry/],
    ["tls: failed to verify certificate: x509: certificate signed by unknown authority", /not trusted/],
    ["no valid credential sources for Terraform Alibaba Cloud Provider found.", /^There is no access key: /],
  ])("%s", (text, sentence) => {
    expect(explainFault(text)).toMatch(sentence);
  });

  it("that is not known is not explained", () => {
    const body = { Code: "InvalidSomething.Else", Message: "The LoadBalancer is wrong.", RequestId: "4C0E" };
    expect([...inEveryForm("SomeAction", { status: 400, body })]).toEqual([undefined]);
    expect(explainFault("")).toBeUndefined();
  });

  it("of a stopped instance that finds no place says so", () => {
    const answer = { status: 403, body: { Code: "OperationDenied.NoStock", Message: "No.", RequestId: "4C0E" } };
    for (const one of inEveryForm("StartInstance", answer))
      expect(one).toMatch(/Stopping the instance released its capacity/);
  });
});

describe("the hook", () => {
  const urn = "urn:pulumi:prod::cloudcode::alicloud:ecs/instance:Instance::host";
  const ask = async (errors: string[]): Promise<{ retry: boolean; logged: string[] }> => {
    const logged: string[] = [];
    const spy = jest.spyOn(pulumi.log, "error").mockImplementation(async (text, resource) => {
      const shown = await new Promise<string>((resolve) => resource?.urn.apply(resolve));
      logged.push(`${shown} ${text}`);
    });
    const type = "alicloud:ecs/instance:Instance";
    const args = { urn, id: "", name: "host", type, failedOperation: "create" as const, errors };
    const retry = await explainAtResource(args);
    spy.mockRestore();
    return { retry, logged };
  };

  it("logs the sentence of the newest error at the resource, and does not ask for another attempt", async () => {
    expect(await ask(["Code: Forbidden.RiskControl", "Code: OperationDenied.NoStock"])).toEqual({
      retry: false,
      logged: [`${urn} ${String(explainFault("Forbidden.RiskControl"))}`],
    });
  });

  it("leaves an error alone that it does not know", async () => {
    expect(await ask(["something else"])).toEqual({ retry: false, logged: [] });
  });
});
