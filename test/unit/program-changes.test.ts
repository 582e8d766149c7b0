import { textOf } from "../support/plain";
import { type ProgramRun, runProgram } from "../support/program";

/** Names of the resources whose inputs differ, and of those that come or go, marked + and -. */
function difference(before: ProgramRun, after: ProgramRun): string[] {
  const text = (run: ProgramRun) =>
    new Map(run.resources.map(({ urn, name, inputs }) => [urn, { name, inputs: JSON.stringify(inputs) }]));
  const [old, fresh] = [text(before), text(after)];
  const gone = [...old].filter(([urn]) => !fresh.has(urn)).map(([, { name }]) => `-${name}`);
  const come = [...fresh].filter(([urn]) => !old.has(urn)).map(([, { name }]) => `+${name}`);
  const changed = [...fresh]
    .filter(([urn, { inputs }]) => old.has(urn) && old.get(urn)?.inputs !== inputs)
    .map(([, { name }]) => name);
  return [...gone, ...come, ...changed].sort();
}

let before: ProgramRun;
beforeAll(async () => {
  before = await runProgram();
});

describe("a second run", () => {
  it("with the same state changes no input of any resource", async () => {
    const again = await runProgram();
    expect(difference(before, again)).toEqual([]);
    expect(again.outputs).toEqual(before.outputs);
  });

  it("with other random values differs, so that the comparison is not blind", async () => {
    const other = await runProgram({}, { randomness: "another state" });
    expect(difference(before, other)).toContain("auth-release");
  });
});

describe("a change of one setting touches only what it is about", () => {
  it.each<[Record<string, string>, string[]]>([
    [{ opencodeMemoryMiB: "4096" }, ["opencode-release"]],
    [{ opencodeAnthropicApiKey: "sk-ant-1234567890" }, ["opencode-release"]],
    [{ opencodeOpenaiBaseUrl: "https://api.example.com/v1" }, ["opencode-release"]],
    [{ opencodeDiskGiB: "20" }, ["opencode-release"]],
    [{ opencodeDevices: '["laptop"]' }, ["+edge-device-opencode-laptop", "edge-release"]],
    [{ opencodeTerminal: "false" }, ["edge-release", "opencode-release"]],
    [{ opencodeSubdomain: "ai" }, ["auth-release", "edge-release"]],
    [{ adminPassword: "a long passphrase of mine" }, ["-auth-password", "auth-release"]],
    [{ adminEmail: "me@example.com" }, ["auth-release"]],
    [{ acmeEmail: "me@example.com" }, ["edge-release"]],
    [{ fallbackCertificateMinutes: "30" }, ["edge-release"]],
    [{ swapMiB: "1024" }, ["docker-install"]],
    [{ sshCidrs: '["203.0.113.0/24"]' }, ["docker-install"]],
    [{ hostWaitSeconds: "30" }, ["host-reachable"]],
    [{ timeZone: "Asia/Singapore" }, ["auth-release", "edge-release", "opencode-release"]],
  ])("%j: %j", async (settings, touched) => {
    expect(difference(before, await runProgram(settings))).toEqual(touched);
  });

  it("a rotated API key changes OpenCode's release alone", async () => {
    const old = await runProgram({ opencodeAnthropicApiKey: "sk-ant-old" });
    expect(difference(old, await runProgram({ opencodeAnthropicApiKey: "sk-ant-new" }))).toEqual(["opencode-release"]);
  });

  it("the preview of a change names the changed files and no others", async () => {
    const digests = (run: ProgramRun) => textOf(run.resource("auth-release").inputs["create"]).split("\n").slice(1);
    const after = await runProgram({ adminPassword: "a long passphrase of mine" });
    expect(
      digests(after)
        .filter((line) => !digests(before).includes(line))
        .map((line) => line.split(" ")[2]),
    ).toEqual(["compose.yaml", "operator.yml"]);
  });
});

describe("an App that is switched off", () => {
  it("takes its own resources along and edits the gate and the edge", async () => {
    const without = await runProgram({ opencodeEnabled: "false" });
    expect(difference(before, without)).toEqual([
      "-edge-login-opencode",
      "-opencode",
      "-opencode-release",
      "-opencode-removal",
      "auth-release",
      "edge-release",
    ]);
    expect(without.outputs["urls"]?.value).toEqual({});
  });
});
