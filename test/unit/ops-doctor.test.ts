import {
  judgeBackend,
  judgeCli,
  judgeCredentials,
  judgeNode,
  judgePlugins,
  judgeSecrets,
  judgeSsh,
  judgeStack,
  judgeState,
} from "../../ops/doctor/judge";

import { targetOf } from "../../ops/doctor/doctor";

const yes = (text: string) => ({ ok: true as const, text });
const no = (fault: string) => ({ ok: false as const, fault });
const whoami = (url: string) => yes(JSON.stringify({ user: "me", url }));

describe("doctor", () => {
  it.each([
    ["an old Node", judgeNode("v18.20.0"), "red"],
    ["a new Node", judgeNode("v24.1.0"), "ok"],
    ["no CLI", judgeCli(no("the Pulumi CLI is not on PATH")), "red"],
    ["an old CLI", judgeCli(yes("v3.99.0\n")), "red"],
    ["a new CLI", judgeCli(yes("v3.274.1\n")), "ok"],
    ["no login", judgeBackend(no("PULUMI_ACCESS_TOKEN must be set")), "red"],
    ["a state file", judgeBackend(whoami("file:///home/me")), "ok"],
    ["a bucket", judgeBackend(whoami("s3://state?endpoint=oss-ap-southeast-1.aliyuncs.com")), "ok"],
    ["Pulumi Cloud", judgeBackend(whoami("https://app.pulumi.com/me")), "ok"],
    ["no stack", judgeStack(no("no stack is selected")), "red"],
    ["a stack", judgeStack(yes("home\n")), "ok"],
    ["a passphrase that fits", judgeSecrets(yes("{}"), "encryptionsalt: v1:x\n"), "ok"],
    ["a wrong passphrase", judgeSecrets(no("incorrect passphrase"), "encryptionsalt: v1:x\n"), "red"],
    ["a KMS key out of reach", judgeSecrets(no("denied"), "secretsprovider: awskms://alias/x\n"), "red"],
    ["an empty state", judgeState(yes('{"deployment":{}}')), "ok"],
    ["a cut off update", judgeState(yes('{"deployment":{"pending_operations":[{}]}}')), "red"],
    ["a locked state", judgeState(no("the stack is currently locked by 1 lock(s)")), "red"],
    ["no SSH client", judgeSsh({ ssh: true, "ssh-agent": false }), "red"],
    ["an SSH client", judgeSsh({ ssh: true, "ssh-agent": true }), "ok"],
  ])("%s is %s", (_what, check, state) => {
    expect(check.state).toBe(state);
    if (state === "red") expect(check.fix).toMatch(/\S/);
  });

  it("names the key that must be reachable, or the variable of the passphrase", () => {
    expect(judgeSecrets(no("x"), "secretsprovider: awskms://alias/x\n").fix).toContain("awskms://alias/x");
    expect(judgeSecrets(no("x"), "encryptionsalt: v1:x\n").fix).toContain("PULUMI_CONFIG_PASSPHRASE_FILE");
  });

  it("finds missing plugins only where the CLI may not fetch them", () => {
    const installed = yes(
      JSON.stringify([
        { name: "command", version: "1.2.1" },
        { name: "tls", version: "5.0.0" },
      ]),
    );
    const needed = { command: "1.2.1", tls: "5.6.1" };
    expect(judgePlugins(installed, { command: "1.2.1" }, false).state).toBe("ok");
    expect(judgePlugins(installed, needed, true)).toMatchObject({
      state: "none",
      seen: "tls 5.6.1 will be downloaded by the next preview",
    });
    expect(judgePlugins(installed, needed, false)).toMatchObject({
      state: "red",
      fix: "pulumi plugin install resource tls 5.6.1",
    });
  });

  it("reads the target of a project of any name, and no setting of a provider of that name", () => {
    const config = (values: Record<string, string>) =>
      JSON.stringify(Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value, secret: false }])));
    expect(targetOf(config({ "home:target": "existing", "alicloud:target": "x" }), "home")).toBe("existing");
    expect(targetOf(config({ "cloudcode:target": "existing" }), "cloudcode")).toBe("existing");
    expect(targetOf(config({ "cloudcode:target": "existing" }), "home")).toBe("alicloud");
  });

  it("wants both halves of an access key, and none for an existing host", () => {
    expect(judgeCredentials("existing", {}).state).toBe("none");
    expect(judgeCredentials("alicloud", {}).state).toBe("red");
    expect(judgeCredentials("alicloud", { ALICLOUD_ACCESS_KEY: "a" })).toMatchObject({
      seen: "only ALICLOUD_ACCESS_KEY is set",
    });
    expect(judgeCredentials("alicloud", { ALICLOUD_ACCESS_KEY: "a", ALICLOUD_SECRET_KEY: "b" }).state).toBe("ok");
  });
});
