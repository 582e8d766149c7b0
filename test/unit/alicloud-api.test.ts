import { type Query, allPages } from "../../components/alicloud/api/api";
import { faultOf } from "../../components/alicloud/api/api-fault";
import { type Emulator, emulatorKey, startEmulator } from "@cloudcode/alicloud-emulator";
import { runHook } from "../support/alicloud-scripts";

describe("pages of a list", () => {
  const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
  const read = (page: unknown): number[] => (page as { List: number[] }).List;

  /** Answers pages of `total` numbers and notes what was asked for. */
  const byNumber =
    (total: number, asked: Query[], withTotal = true) =>
    (page: Query) => {
      asked.push(page);
      const from = (Number(page["PageNumber"]) - 1) * Number(page["PageSize"]);
      const List = numbers(Math.max(0, Math.min(Number(page["PageSize"]), total - from)), from);
      return Promise.resolve({ List, ...(withTotal ? { TotalCount: total } : {}) });
    };

  it.each([0, 1, 50, 51, 100, 130])("are all read by number: %d entries", async (total) => {
    const asked: Query[] = [];
    expect(await allPages(byNumber(total, asked), read)).toEqual(numbers(total));
    expect(asked).toHaveLength(Math.max(1, Math.ceil(total / 50)));
  });

  it("are all read where no total is reported", async () => {
    expect(await allPages(byNumber(120, [], false), read)).toEqual(numbers(120));
  });

  it("end if the total promises more than there is", async () => {
    const ask = ({ PageNumber }: Query) => Promise.resolve({ List: PageNumber === "1" ? [1] : [], TotalCount: 9 });
    expect(await allPages(ask, read)).toEqual([1]);
  });

  it("are all read by token where there is one", async () => {
    const asked: Query[] = [];
    const ask = (page: Query) => {
      asked.push(page);
      const from = Number(page["NextToken"] ?? "0");
      return Promise.resolve({ List: [from], TotalCount: 99, NextToken: from < 3 ? String(from + 1) : "" });
    };
    expect(await allPages(ask, read)).toEqual([0, 1, 2, 3]);
    expect(asked.slice(1)).toEqual(["1", "2", "3"].map((NextToken) => ({ NextToken, MaxResults: "50" })));
  });
});

describe("an error of the client", () => {
  const answer = (statusCode: number, code: string, Message: string, more = {}) =>
    Object.assign(new Error(`${code}: code: ${statusCode}, ${Message} request id: 1`), {
      statusCode,
      code,
      data: { Message },
      ...more,
    });

  it.each([
    [400, "Throttling.User", true],
    [500, "InternalError", true],
    [503, "ServiceUnavailable", true],
    [403, "Forbidden.RAM", false],
    [400, "SignatureDoesNotMatch", false],
  ])("%d %s: passing %s", (status, code, passing) => {
    expect(faultOf("ecs:RunInstances", answer(status, code, "No."), [])).toMatchObject({
      message: `ecs:RunInstances: ${code}: No.`,
      passing,
    });
  });

  it("names the action that was denied", () => {
    const denied = answer(403, "Forbidden.RAM", "No.", { accessDeniedDetail: { AuthAction: "ecs:RunInstances" } });
    expect(faultOf("ecs:RunInstances", denied, []).message).toMatch(/No\. AuthAction: ecs:RunInstances$/);
  });

  it("never shows a key, nor the request of a broken connection", () => {
    const keys = ["the-id", "the-secret", "the-token"];
    const signature = answer(
      400,
      "SignatureDoesNotMatch",
      "Specified signature is not matched. the-id server string to sign is:POST&%2F&AccessKeyId%3Dthe-id",
    );
    expect(faultOf("ecs:X", signature, keys).message).toBe(
      "ecs:X: SignatureDoesNotMatch: Specified signature is not matched. …",
    );
    const foreign = answer(404, "InvalidAccessKeyId.NotFound", "LTAI5tAbCdEf12345678 is unknown, STS.NUxyz also");
    expect(faultOf("ecs:X", foreign, []).message).toBe("ecs:X: InvalidAccessKeyId.NotFound: … is unknown, … also");
    const cut = Object.assign(new Error("read ECONNRESETPOST https://h/?AccessKeyId=the-id failed."), {
      code: "ECONNRESET",
    });
    expect(faultOf("ecs:X", cut, keys)).toMatchObject({
      message: "ecs:X: ConnectionFailed: ECONNRESET",
      passing: true,
    });
    const late = Object.assign(new Error("ReadTimeout(30000). POST https://h/?a=the-id failed."), {
      name: "RequestTimeoutError",
    });
    expect(faultOf("ecs:X", late, keys)).toMatchObject({
      message: "ecs:X: RequestTimeout: no answer in time",
      passing: true,
    });
  });

  it("is not tried again for a certificate that is not trusted", () => {
    const untrusted = Object.assign(new Error("self-signed certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    expect(faultOf("ecs:X", untrusted, []).passing).toBe(false);
  });
});

describe("a call", () => {
  let emulator: Emulator;
  beforeEach(async () => {
    emulator = await startEmulator();
  });
  afterEach(async () => {
    await emulator.close();
    expect(emulator.journal.violations).toEqual([]);
  });

  const input = { region: "ap-southeast-1", tags: { stack: "test" }, seconds: 0 };
  const noKeys = {
    ALICLOUD_ACCESS_KEY: "",
    ALICLOUD_SECRET_KEY: "",
    ALIBABA_CLOUD_ACCESS_KEY_ID: "",
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: "",
  };
  const answered = (action: string) =>
    emulator.journal.calls.filter((one) => one.action === action).map((one) => one.status);

  it("is tried again when it is throttled, when the service fails and when the connection is cut", async () => {
    emulator.fail({ kind: "throttled", action: "DescribeVpcs" });
    emulator.fail({ kind: "serverError", action: "DescribeDisks", status: 503 });
    emulator.fail({ kind: "lostAnswer", action: "DescribeSnapshots", how: "cut" });
    emulator.fail({ kind: "lostAnswer", action: "DescribeInstances", how: "timeout" });
    const { code, stderr } = await runHook(emulator, "leftovers", input);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(answered("DescribeVpcs")).toEqual([400, 200]);
    expect(answered("DescribeDisks")).toEqual([503, 200]);
    expect(answered("DescribeSnapshots")).toEqual([0, 200]);
    expect(answered("DescribeInstances")).toEqual([504, 200]);
  });

  it("is given up after four times, in one sentence", async () => {
    emulator.fail({ kind: "throttled", action: "DescribeVpcs", times: 9 });
    const { code, stdout, stderr } = await runHook(emulator, "leftovers", input);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      "Alibaba Cloud refused the call because there were too many in a short time: wait a minute, then run the command again.",
    );
    expect(answered("DescribeVpcs")).toEqual([400, 400, 400, 400]);
  });

  it("takes the keys by either name, the provider's own first", async () => {
    const { id, secret } = emulatorKey;
    const runs = [
      { ...noKeys, ALIBABA_CLOUD_ACCESS_KEY_ID: id, ALIBABA_CLOUD_ACCESS_KEY_SECRET: secret },
      { ...noKeys, ALICLOUD_ACCESS_KEY: id, ALICLOUD_SECRET_KEY: secret, ALIBABA_CLOUD_ACCESS_KEY_ID: "other" },
    ];
    for (const env of runs) expect(await runHook(emulator, "leftovers", input, env)).toMatchObject({ code: 0 });
  });

  it.each([
    ["no key", noKeys, /^There is no access key: set ALIBABA_CLOUD_ACCESS_KEY_ID and [^\n]*$/],
    ["an unknown key", { ALICLOUD_ACCESS_KEY: "stranger-id" }, /^Alibaba Cloud does not know the access key, [^\n]*$/],
    ["a wrong secret", { ALICLOUD_SECRET_KEY: "wrong-secret" }, /^The access key's secret does not belong to [^\n]*$/],
  ])("with %s ends in one sentence without any key", async (_what, keys, sentence) => {
    const env = { ...keys, ALIBABA_CLOUD_ECS_METADATA_DISABLED: "true", HOME: "/nonexistent" };
    const { code, stdout, stderr } = await runHook(emulator, "leftovers", input, env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/stranger-id|wrong-secret|emulator-/);
  });

  it("that is not allowed names the action", async () => {
    emulator.rules.policy = {
      Version: "1",
      Statement: [{ Effect: "Allow", Action: ["ecs:*", "vpc:DescribeVpcs", "vpc:DescribeVSwitches"], Resource: ["*"] }],
    };
    expect((await runHook(emulator, "leftovers", input)).stderr).toBe(
      "The access key may not do vpc:DescribeEipAddresses: add that action to the RAM policy of its user (the whole policy is docs/ram-policy.json), then run the command again.",
    );
  });

  it("to an address where nothing listens ends in one sentence", async () => {
    const env = { ALIBABA_CLOUD_ENDPOINT_VPC: "127.0.0.1:9" };
    const { code, stderr } = await runHook(emulator, "leftovers", input, env);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Alibaba Cloud could not be reached or did not answer in time: [^\n]*$/);
  });
});
