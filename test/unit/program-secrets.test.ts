import { privateKey } from "../support/minimal";
import { type ProgramRun, runProgram } from "../support/program";
import { type ReleaseName, archiveOf, arrivedFiles } from "../support/releases";
import { everyApp } from "../support/app-settings";

const given = {
  adminPassword: "hunter2 hunter2 hunter2",
  smtpAddress: "submission://smtp.example.com:587",
  smtpUsername: "mailer@example.com",
  smtpPassword: "smtp-secret-1234",
  opencodeAnthropicApiKey: "sk-ant-secret-1234",
  opencodeOpenaiApiKey: "sk-openai-secret-1234",
};

const generated = [
  "auth-salt",
  "digest-key",
  "auth-encryption-key",
  "auth-reset-secret",
  "auth-session-secret",
  "auth-password",
];

let run: ProgramRun;
let withGeneratedPassword: ProgramRun;
let secrets: string[];
beforeAll(async () => {
  run = await runProgram(given);
  withGeneratedPassword = await runProgram();
  secrets = [
    given.adminPassword,
    given.smtpPassword,
    given.opencodeAnthropicApiKey,
    given.opencodeOpenaiApiKey,
    ...privateKey.trim().split("\n").slice(1, -1),
    ...generatedValues(run),
    ...generatedValues(withGeneratedPassword),
  ];
});

/** Every text below secret inputs that the program made from the random resources: their outputs travel in the releases. */
function generatedValues({ resources }: ProgramRun): string[] {
  return resources
    .filter(({ name }) => generated.includes(name))
    .flatMap(({ outputs }) => Object.values(outputs))
    .filter((value) => typeof value === "string");
}

/** The tar behind a release's standard input, as text. */
const payload = (name: ReleaseName) => archiveOf(run, name).toString("latin1");

describe("a secret of the configuration or of the state", () => {
  it("stands in no input that Pulumi keeps or shows in plain text", () => {
    expect(secrets.length).toBeGreaterThan(10);
    for (const { resources } of [run, withGeneratedPassword]) {
      for (const { inputs, secretInputs } of resources) {
        const plain = Object.entries(inputs).filter(([key]) => !secretInputs.includes(key));
        const text = JSON.stringify(plain);
        for (const secret of secrets) expect(text).not.toContain(secret);
      }
    }
  });

  it("stands in no output that is shown in plain text", () => {
    for (const { outputs } of [run, withGeneratedPassword]) {
      const text = JSON.stringify(Object.values(outputs).filter(({ secret }) => !secret));
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  });

  it("does reach the host, in the release of the stack that needs it and in no other", () => {
    const holders = (secret: string) =>
      (["auth-release", "edge-release", "opencode-release", "docker-install"] as const).filter((name) =>
        payload(name).includes(secret),
      );
    expect(holders(given.smtpPassword)).toEqual(["auth-release"]);
    expect(holders(given.opencodeAnthropicApiKey)).toEqual(["opencode-release"]);
    expect(holders(given.opencodeOpenaiApiKey)).toEqual(["opencode-release"]);
    // Only the hash of the password leaves the operator's machine, and the key of the digests stays in state.
    expect(holders(given.adminPassword)).toEqual([]);
    expect(holders(run.resource("digest-key").outputs["result"] ?? "")).toEqual([]);
    expect(holders(run.resource("auth-encryption-key").outputs["result"] ?? "")).toEqual(["auth-release"]);
  });
});

describe("the hash of the operator's password", () => {
  it("is argon2id with the parameters and the salt in state", () => {
    const salt = Buffer.from(run.resource("auth-salt").outputs["base64"] ?? "", "base64")
      .toString("base64")
      .replace(/=+$/, "");
    expect(payload("auth-release")).toContain(`$argon2id$v=19$m=65536,t=3,p=4$${salt}$`);
  });
});

describe("a secret that two Apps share", () => {
  it("is one that is made once: OpenCode asks the model proxy with a key that this knows", async () => {
    const donation = Object.entries(everyApp("least")).filter(([setting]) => setting.startsWith("donation"));
    const both = await runProgram({ ...Object.fromEntries(donation), opencodeDonationModels: '["gift-1"]' });
    const { result } = both.resource("shared-model-proxy-key-of-opencode").outputs;
    expect(result).toEqual(expect.any(String));
    const [code, site] = await Promise.all(
      (["opencode-release", "donation-release"] as const).map((name) => arrivedFiles(both, name)),
    );
    expect(code?.get("provider-donation")?.content).toBe(result);
    expect(site?.get("proxy.yaml")?.content).toContain(String(result));
    expect(both.resources.filter(({ name }) => name.startsWith("shared-"))).toHaveLength(1);
    expect(run.resources.filter(({ name }) => name.startsWith("shared-"))).toEqual([]);
  });
});
