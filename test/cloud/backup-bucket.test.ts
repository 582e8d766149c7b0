import { type Emulator, emulatorKey } from "@cloudcode/alicloud-emulator";
import { Account, type Parameters } from "@cloudcode/alicloud-emulator/testing/account";
import { failureOf } from "../sandbox/world";
import { ramPolicy, ramPolicyForBackups } from "../support/ram-policy";
import { type PlainStack, leastTemplate, openPlainStack } from "./plain-stack";
import { storageCall } from "./storage-call";

// `backupRepository: oss` by the real CLI and the real provider, with the rights of docs/ram-policy-oss.json.
jest.setTimeout(40 * 60_000);

let plain: PlainStack;
let emulator: Emulator;
let stack: PlainStack["stack"];
const up = () => stack.pulumi(["up", "--yes", "--skip-preview"]);
const destroy = ["destroy", "--yes", "--skip-preview"];

beforeAll(async () => {
  plain = await openPlainStack("backup-bucket", leastTemplate);
  ({ emulator, stack } = plain);
  const Statement = [ramPolicy("example.com"), ramPolicyForBackups()].flatMap((policy) => policy.Statement);
  emulator.rules.policy = { Version: "1", Statement };
  await stack.create({ power: "stopped", backupRepository: "oss" }, {});
});
afterAll(() => plain.close());

const kinds = () => emulator.inventory().map(({ kind }) => kind);
const bucket = () => {
  const [one, ...more] = emulator.cloud.state.buckets.values();
  if (one === undefined || more.length > 0) throw new Error("there is not one bucket");
  return one;
};
const key = () => {
  const [one] = [...emulator.cloud.state.ramUsers.values()].flatMap((user) => user.keys);
  if (one === undefined) throw new Error("there is no key");
  return one;
};

test("up makes a private bucket that keeps versions, encrypted, tagged, and a key for it", async () => {
  const { stdout, stderr } = await up();
  expect(stdout + stderr).not.toMatch(/deprecat/i);
  expect(bucket()).toMatchObject({
    id: expect.stringMatching(/^cloudcode-backup-bucket-backups-[a-z0-9]{10}$/) as string,
    versioning: "Enabled",
    encryption: "AES256",
    storageClass: "Standard",
    tags: { project: "cloudcode", stack: "backup-bucket" },
  });
  expect(bucket().settings["lifecycle"]).toContain("<NoncurrentDays>30</NoncurrentDays>");
  expect(kinds().filter((kind) => kind.startsWith("ram"))).toEqual(["ramUsers", "ramPolicies"]);
});

test("a second up, and a search for drift, find no change", async () => {
  await stack.pulumi(["preview", "--expect-no-changes"]);
  await stack.pulumi(["refresh", "--yes", "--skip-preview", "--expect-no-changes"]);
  await stack.pulumi(["preview", "--expect-no-changes"]);
});

test("the key's secret is in no plain state", async () => {
  const { stdout } = await stack.pulumi(["stack", "export"]);
  expect(stdout).toContain(key().id);
  expect(stdout).not.toContain(key().secret);
});

test("the key writes and deletes in its bucket, destroys no version, and gets nowhere else", async () => {
  const call = (method: string, path: string, secret = key().secret) =>
    storageCall(emulator.port, { id: key().id, secret }, method, path);
  expect(await call("PUT", `/${bucket().id}/restic/config`)).toEqual([200, ""]);
  expect(await call("DELETE", `/${bucket().id}/restic/config`)).toEqual([204, ""]);
  expect(bucket().versions).toHaveLength(2);
  expect(await call("PUT", `/${bucket().id}/restic/config`, "wrong")).toEqual([403, "SignatureDoesNotMatch"]);
  for (const [method, path] of [
    ["POST", `/${bucket().id}/?delete`],
    ["GET", `/${bucket().id}/?bucketInfo`],
    ["PUT", `/${bucket().id}/?versioning`],
    ["DELETE", `/${bucket().id}/`],
    ["PUT", "/another-bucket/restic/config"],
    ["GET", "/"],
  ] as const)
    expect([path, ...(await call(method, path))]).toEqual([path, 403, "AccessDenied"]);
});

test("destroy refuses to delete the bucket, keeps it with --exclude-protected, and up takes it up again", async () => {
  const { id } = bucket();
  expect(await failureOf(stack.pulumi(destroy))).toMatch(/cannot be deleted\s+because it is protected/);
  await stack.pulumi([...destroy, "--exclude-protected"]);
  expect(kinds().sort()).toEqual(["buckets", "disks"]);
  await up();
  expect(bucket().id).toBe(id);
  expect(bucket().versions).toHaveLength(2);
});

test("with deleteData, destroy deletes the bucket and all versions, and nothing needed more rights", async () => {
  stack.configure({ deleteData: "true" });
  await up();
  await stack.pulumi(destroy);
  expect(kinds()).toEqual([]);
  expect(emulator.journal.violations).toEqual([]);
  expect(emulator.journal.calls.filter(({ code }) => /Forbidden|AccessDenied/.test(code))).toHaveLength(6);
});

test("with these rights no other bucket, user or policy can be changed", async () => {
  const { id, secret } = emulatorKey;
  expect(await storageCall(emulator.port, { id, secret }, "DELETE", "/another-bucket/")).toEqual([403, "AccessDenied"]);
  const account = new Account(emulator);
  const refused = async (action: string, parameters: Parameters) => [
    action,
    await account.refusal("ram", action, parameters),
  ];
  for (const [action, parameters] of [
    ["CreateUser", { UserName: "alice" }],
    ["CreateAccessKey", { UserName: "alice" }],
    ["DeleteUser", { UserName: "alice" }],
    ["CreatePolicy", { PolicyName: "all", PolicyDocument: "{}" }],
    ["DeletePolicy", { PolicyName: "all" }],
    ["AttachPolicyToUser", { UserName: "alice", PolicyName: "cloudcode-home-backups-x", PolicyType: "Custom" }],
    ["AttachPolicyToUser", { UserName: "cloudcode-home-backups-x", PolicyName: "all", PolicyType: "Custom" }],
  ] as const)
    expect(await refused(action, parameters)).toEqual([action, "403 Forbidden.RAM"]);
});

test("each right of docs/ram-policy-oss.json was needed", () => {
  const called = new Set(emulator.journal.calls.map(({ product, action }) => `${product}:${action}`));
  expect(
    ramPolicyForBackups()
      .Statement.flatMap(({ Action }) => Action)
      .filter((action) => !called.has(action)),
  ).toEqual([]);
});
