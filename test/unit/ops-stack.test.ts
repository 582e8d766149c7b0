import { OpsError, parseOutputs, pulumiFault, releasesInState, withRelease } from "../../ops/stack";

const command = (name: string, release: string, more = "") =>
  `exec node bin/cloudcode-hook.cjs reach '/opt/cloudcode/bin/cloudcode-host apply ${name} ${release}'\n# 0123abcd compose.yaml${more}`;

const state = JSON.stringify({
  version: 3,
  deployment: {
    manifest: { time: "2026-11-25T15:00:00Z" },
    secrets_providers: { type: "passphrase", state: { salt: "v1:abc" } },
    resources: [
      { urn: "urn:pulumi:s::cloudcode::pulumi:pulumi:Stack::cloudcode-s" },
      {
        urn: "urn:pulumi:s::cloudcode::command:local:Command::auth-release",
        inputs: { create: command("auth", "aaaaaaaaaaaa"), stdin: { ciphertext: "v1:…" } },
        outputs: { create: command("auth", "aaaaaaaaaaaa"), stdout: { ciphertext: "v1:…" } },
      },
      {
        urn: "urn:pulumi:s::cloudcode::command:local:Command::opencode-release",
        inputs: { create: command("opencode", "bbbbbbbbbbbb") },
        outputs: { create: command("opencode", "bbbbbbbbbbbb") },
      },
    ],
  },
});

describe("the releases of a state", () => {
  it("are read from the commands that applied them", () => {
    expect(releasesInState(state)).toEqual({ auth: "aaaaaaaaaaaa", opencode: "bbbbbbbbbbbb" });
    expect(releasesInState('{"deployment":{}}')).toEqual({});
  });

  it("change for one stack alone after a rollback, and nothing else of the state does", () => {
    const changed = withRelease(state, "opencode", "cccccccccccc");
    expect(releasesInState(changed)).toEqual({ auth: "aaaaaaaaaaaa", opencode: "cccccccccccc" });
    const back = changed.replaceAll(
      "apply opencode cccccccccccc'\\n# returned to by ops rollback",
      "apply opencode bbbbbbbbbbbb'\\n# 0123abcd compose.yaml",
    );
    expect(back).toBe(state);
    expect(changed).toContain("reach '/opt/cloudcode/bin/cloudcode-host apply opencode cccccccccccc'");
  });

  it("cannot be changed for a stack that has none", () => {
    expect(() => withRelease(state, "donation", "cccccccccccc")).toThrow(
      new OpsError("the state holds no release of donation"),
    );
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

  it("of a program that never ran to its end are told by name", () => {
    expect(() => parseOutputs("{}")).toThrow(
      "the stack lacks the outputs url, urls, operations: run `pulumi up` to its end once",
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
      "no stack is selected: run `pulumi stack select NAME`, or give --stack NAME",
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
      "the KMS key of this stack's secrets is not there, is disabled, or waits for its deletion: without it they are lost",
    ],
    ["error: operation error KMS: something else", "operation error KMS: something else"],
    ["error: … NoSuchBucket: …", "the bucket of the state is not there: check its name and endpoint"],
    [
      "error: the stack is currently locked by 1 lock(s). …\n  s3://x: created by jo@laptop (pid 12) at 2026-11-25T15:00:00Z",
      "jo@laptop (since 2026-11-25T15:00:00Z) holds the stack's lock; `pulumi cancel` frees it once that run is dead",
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
