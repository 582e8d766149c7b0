// Signatures: the examples of the public documentation, and what the gateway refuses.
import { createHash } from "node:crypto";
import { call, send, signedQuery } from "../testing/client";
import { timestamp } from "../src/clock";
import type { Emulator } from "../src/emulator";
import { emulatorKey, startEmulator } from "../src/emulator";
import { ApiError } from "../src/errors";
import type { SignedRequest } from "../src/signature";
import { checkSignature, signatureV1, signatureV3 } from "../src/signature";

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

test("version 1.0 signs the documented example as documented", () => {
  const values = new Map(
    Object.entries({
      Timestamp: "2016-02-23T12:46:24Z",
      Format: "XML",
      AccessKeyId: "testid",
      Action: "DescribeRegions",
      SignatureMethod: "HMAC-SHA1",
      SignatureNonce: "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
      Version: "2014-05-26",
      SignatureVersion: "1.0",
    }),
  );
  expect(signatureV1("GET", values, "testsecret")).toBe("OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
});

/** https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature */
const example: SignedRequest = {
  method: "POST",
  path: "/",
  headers: {
    host: "ecs.cn-shanghai.aliyuncs.com",
    "x-acs-action": "RunInstances",
    "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "x-acs-date": "2023-10-26T10:22:32Z",
    "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
    "x-acs-version": "2014-05-26",
  },
  query: new Map([
    ["ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"],
    ["RegionId", "cn-shanghai"],
  ]),
  form: new Map(),
  body: new Uint8Array(),
};
const documented = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0";

test("version 3 signs the documented example as documented", () => {
  expect(signatureV3(example, Object.keys(example.headers), "YourAccessKeySecret")).toBe(documented);
});

describe("a request of version 3", () => {
  const signed = Object.keys(example.headers).join(";");
  const withAuthorization = (authorization: string, more: Record<string, string> = {}): SignedRequest => ({
    ...example,
    headers: { ...example.headers, ...more, authorization },
  });
  const good = `ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=${signed},Signature=${documented}`;
  const secretOf = (keyId: string): string | undefined =>
    keyId === "YourAccessKeyId" ? "YourAccessKeySecret" : undefined;

  test("is known by its signer", () => {
    expect(checkSignature(withAuthorization(good), secretOf)).toMatchObject({
      keyId: "YourAccessKeyId",
      timestamp: "2023-10-26T10:22:32Z",
    });
  });

  test.each<[string, SignedRequest, string]>([
    ["another key", withAuthorization(good.replace("YourAccessKeyId", "Other")), "InvalidAccessKeyId.NotFound"],
    ["another signature", withAuthorization(good.replace("06563", "16563")), "SignatureDoesNotMatch"],
    ["another body", { ...withAuthorization(good), body: Buffer.from("x") }, "SignatureDoesNotMatch"],
    ["another query", { ...withAuthorization(good), query: new Map() }, "SignatureDoesNotMatch"],
    ["an unsigned header", withAuthorization(good, { "x-acs-security-token": "x" }), "SignatureDoesNotMatch"],
    ["another scheme", withAuthorization("Bearer x"), "InvalidAuthorization"],
  ])("with %s is refused", (_, request, code) => {
    let refused = "";
    try {
      checkSignature(request, secretOf);
    } catch (error) {
      refused = error instanceof ApiError ? error.code : String(error);
    }
    expect(refused).toBe(code);
  });
});

test("a good request of version 1.0 is answered", async () => {
  expect(await call(emulator.port, "sts", "GetCallerIdentity")).toMatchObject({
    status: 200,
    body: { IdentityType: "RAMUser" },
  });
});

test.each([
  ["a wrong secret", { key: { ...emulatorKey, secret: "wrong" } }, 400, "SignatureDoesNotMatch"],
  ["an unknown key", { key: { ...emulatorKey, id: "nobody" } }, 404, "InvalidAccessKeyId.NotFound"],
  ["an old time", { Timestamp: "2016-02-23T12:46:24Z" }, 400, "InvalidTimeStamp.Expired"],
  ["no time at all", { Timestamp: "now" }, 400, "InvalidTimeStamp.Expired"],
])("%s is refused", async (_, changes, status, Code) => {
  const query = signedQuery("sts", "GetCallerIdentity", {}, changes);
  expect(await send(emulator.port, query)).toMatchObject({ status, body: { Code } });
});

test("a request that was changed after it was signed is refused, and one that is sent twice", async () => {
  const query = signedQuery("vpc", "DescribeVpcs", { RegionId: "ap-southeast-1" });
  expect(await send(emulator.port, query)).toMatchObject({ status: 200 });
  expect(await send(emulator.port, query)).toMatchObject({ status: 400, body: { Code: "SignatureNonceUsed" } });
  query.set("RegionId", "cn-hongkong");
  expect(await send(emulator.port, query)).toMatchObject({ body: { Code: "SignatureDoesNotMatch" } });
});

test("a request of version 3 is answered, its parameters in query and body alike", async () => {
  const body = new URLSearchParams({ Description: "from the body é~*" }).toString();
  const query = new Map([["VpcName", "home"]]);
  const headers: Record<string, string> = {
    host: `127.0.0.1:${emulator.port}`,
    "x-acs-action": "CreateVpc",
    "x-acs-content-sha256": createHash("sha256").update(body).digest("hex"),
    "x-acs-date": timestamp(),
    "x-acs-signature-nonce": "only once",
    "x-acs-version": "2016-04-28",
  };
  const names = Object.keys(headers);
  const request = { method: "POST", path: "/", headers, query, form: new Map(), body: Buffer.from(body) };
  const signature = signatureV3(request, names, emulatorKey.secret);
  const answer = await fetch(`http://127.0.0.1:${emulator.port}/?${new URLSearchParams([...query]).toString()}`, {
    method: "POST",
    body,
    headers: {
      ...headers,
      "content-type": "application/x-www-form-urlencoded",
      authorization: `ACS3-HMAC-SHA256 Credential=${emulatorKey.id},SignedHeaders=${names.join(";")},Signature=${signature}`,
    },
  });
  expect(answer.status).toBe(200);
  expect([...emulator.cloud.state.vpcs.values()]).toMatchObject([{ name: "home", description: "from the body é~*" }]);
});
