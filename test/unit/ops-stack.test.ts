import { appliedStacks, parseOutputs, pulumiFault } from "../../ops/stack";

const urn =
  (...types: readonly string[]) =>
  (name: string) =>
    `urn:pulumi:s::home::${types.join("$")}::${name}`;
const stack = urn("cloudcode:index:ComposeStack");
const gateway = urn("cloudcode:index:AuthGatewayStack", "cloudcode:index:ComposeStack");
const command = urn("cloudcode:index:ComposeStack", "command:local:Command");

const exported = (resources: readonly object[]) =>
  JSON.stringify({ version: 3, deployment: { manifest: { time: "2026-11-25T15:00:00Z" }, resources } });

/** A component and its two commands, as a state has them. */
const composeStack = (component: string, name: string, outputs?: object, taint?: true) => [
  { urn: component, type: "cloudcode:index:ComposeStack", custom: false, outputs },
  { urn: command(`${name}-removal`), type: "command:local:Command", parent: component, outputs: { delete: "x" } },
  {
    urn: command(`${name}-release`),
    type: "command:local:Command",
    parent: component,
    outputs: { create: "x" },
    taint,
  },
];

describe("the releases of a state", () => {
  it("are an output of each ComposeStack, wherever it stands", () => {
    const state = exported([
      { urn: "urn:pulumi:s::home::pulumi:pulumi:Stack::home-s", type: "pulumi:pulumi:Stack" },
      ...composeStack(gateway("auth"), "auth", { release: "aaaaaaaaaaaa" }),
      ...composeStack(stack("opencode"), "opencode", { release: "bbbbbbbbbbbb" }, true),
    ]);
    expect(appliedStacks(state)).toEqual({
      auth: { command: command("auth-release"), release: "aaaaaaaaaaaa", tainted: false },
      opencode: { command: command("opencode-release"), release: "bbbbbbbbbbbb", tainted: true },
    });
    expect(appliedStacks('{"deployment":{}}')).toEqual({});
  });

  it("are not known of a state of an older program, which still says what is on the host", () => {
    const unknown = { command: command("auth-release"), release: undefined, tainted: false };
    for (const outputs of [undefined, {}, { release: null }])
      expect(appliedStacks(exported(composeStack(gateway("auth"), "auth", outputs)))).toEqual({ auth: unknown });
  });

  it("are those of stacks that were applied", () => {
    const [component, removal] = composeStack(stack("opencode"), "opencode", { release: "bbbbbbbbbbbb" });
    expect(appliedStacks(exported([component ?? {}, removal ?? {}]))).toEqual({});
  });
});

describe("the outputs of a stack", () => {
  const outputs = {
    url: "https://home.example.com",
    urls: {},
    other: 1,
    operations: {
      connection: { host: "203.0.113.7", port: 22, user: "root", privateKey: "k", hostKey: "ssh-ed25519 AAAA" },
      awake: true,
      domain: "home.example.com",
      publicAddress: "203.0.113.7",
      operator: "admin",
      stacks: ["auth"],
      sites: [],
    },
  };

  it("are read", () => {
    expect(parseOutputs(JSON.stringify(outputs)).operations).toEqual({ ...outputs.operations, codesTo: undefined });
  });

  it("keep what is true of some stacks alone", () => {
    const operations = { ...outputs.operations, limited: true, announcesItself: true };
    expect(parseOutputs(JSON.stringify({ ...outputs, operations })).operations).toMatchObject({
      limited: true,
      announcesItself: true,
    });
  });

  it("of a program that never ran to its end are reported by name", () => {
    expect(() => parseOutputs("{}")).toThrow(
      "the stack lacks the outputs url, urls, operations: run `pulumi up` once until it completes",
    );
  });
});

describe("what the Pulumi CLI says", () => {
  it.each([
    [
      "pulumi could not be started: spawn pulumi ENOENT",
      "the Pulumi CLI is not on PATH: https://www.pulumi.com/docs/install/",
    ],
    [
      "error: no stack selected; please use `pulumi stack select` …",
      "no stack is selected: run `pulumi stack select NAME`, or add --stack NAME",
    ],
    ["error: no stack named 'x' found", "no stack named 'x' found; `pulumi stack ls` lists those of this backend"],
    ["error: something else\n", "something else"],
    [
      "error: … api error SignatureDoesNotMatch: …",
      "the bucket of the state refuses the keys of this shell: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ],
    [
      'error: 2 errors occurred:\n 1) operation error KMS: Decrypt, … request send failed, Post "https://kms.example.com/": dial tcp: no such host\n',
      "the KMS that keeps the key of this stack's secrets cannot be reached (dial tcp: no such host)",
    ],
    [
      "error: … operation error KMS: Decrypt, get identity: get credentials: … no EC2 IMDS role found",
      "the KMS that keeps the key of this stack's secrets refuses the credentials of this shell: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ],
    [
      "error: … operation error KMS: Decrypt, … DisabledException: …",
      "the KMS key of this stack's secrets does not exist, is disabled, or is scheduled for deletion: without it the secrets are lost",
    ],
    ["error: operation error KMS: something else", "operation error KMS: something else"],
    ["error: … NoSuchBucket: …", "the bucket of the state does not exist: check its name and endpoint"],
    [
      "error: the stack is currently locked by 1 lock(s). …\n  s3://x: created by jo@laptop (pid 12) at 2026-11-25T15:00:00Z",
      "jo@laptop (since 2026-11-25T15:00:00Z) holds the stack's lock; `pulumi cancel` releases it if that run was killed",
    ],
  ])("%s: %s", (words, sentence) => {
    expect(pulumiFault(words)).toBe(sentence);
  });

  it("about a passphrase names the two variables", () => {
    const words =
      "error: getting secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE";
    expect(pulumiFault(words)).toMatch(/^the stack's passphrase is missing or wrong: set PULUMI_CONFIG_PASSPHRASE or/);
  });
});
