import { textOf } from "../support/plain";
import { hostKey, privateKey } from "../support/minimal";
import { type ProgramRun, runProgram } from "../support/program";
import type { RecordedResource } from "../support/recorder";
import { tarOf } from "../support/releases";

const localCommand = "command:local:Command";

const reach = "exec node bin/cloudcode-hook.cjs reach";

let run: ProgramRun;
beforeAll(async () => {
  run = await runProgram();
});

const ofType = (type: string) => run.resources.filter((resource) => resource.type === type);
/** What runs on the host when it is made or changed. */
const remoteCommands = ({ resources }: ProgramRun = run) =>
  resources.filter(({ name }) => /-(install|release)$/.test(name));

describe("the default stack", () => {
  it("consists of these resources and no others", () => {
    expect(run.resources.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "cloudcode:index:AuthGatewayStack auth",
      "cloudcode:index:ComposeStack auth",
      "cloudcode:index:ComposeStack edge",
      "cloudcode:index:ComposeStack opencode",
      "cloudcode:index:DockerEngine docker",
      "cloudcode:index:Home home",
      "cloudcode:index:Host host",
      "cloudcode:index:Network host-network",
      "cloudcode:index:ReverseProxyStack edge",
      "command:local:Command auth-release",
      "command:local:Command auth-removal",
      "command:local:Command destroy-guard",
      "command:local:Command docker-install",
      "command:local:Command docker-removal",
      "command:local:Command edge-release",
      "command:local:Command edge-removal",
      "command:local:Command host-reachable",
      "command:local:Command opencode-release",
      "command:local:Command opencode-removal",
      "pulumi:pulumi:Stack cloudcode-test",
      "random:index/randomBytes:RandomBytes auth-salt",
      "random:index/randomPassword:RandomPassword auth-encryption-key",
      "random:index/randomPassword:RandomPassword auth-password",
      "random:index/randomPassword:RandomPassword auth-reset-secret",
      "random:index/randomPassword:RandomPassword auth-session-secret",
      "random:index/randomPassword:RandomPassword backup-password",
      "random:index/randomPassword:RandomPassword digest-key",
      "random:index/randomPassword:RandomPassword edge-login-opencode",
    ]);
  });

  it("is the same in a preview, where no random value is known yet", async () => {
    const preview = await runProgram({}, { preview: true });
    const names = ({ resources }: ProgramRun) => resources.map(({ urn }) => urn).sort();
    expect(names(preview)).toEqual(names(run));
  });

  it("gives no name to two resources of one type", () => {
    expect(new Set(run.resources.map(({ urn }) => urn)).size).toBe(run.resources.length);
  });
});

describe("every remote command", () => {
  it("reaches the host as the first look does, by the given key alone and at the pinned host key, and in bounded time", () => {
    const commands = remoteCommands();
    expect(commands).toHaveLength(4);
    const look = JSON.parse(textOf(run.resource("host-reachable").inputs["stdin"])) as Record<string, unknown>;
    for (const { inputs, secretInputs } of commands) {
      expect(secretInputs).toContain("stdin");
      const { payload, ...connection } = JSON.parse(textOf(inputs["stdin"])) as Record<string, unknown>;
      expect(connection).toEqual({
        address: "203.0.113.7",
        port: 22,
        user: "root",
        privateKey,
        hostKey,
        seconds: 60,
        limit: { seconds: 2040, graceSeconds: 540 },
      });
      expect(Object.keys(connection)).toEqual(Object.keys(look));
      expect(tarOf(String(payload)).toString("latin1")).toContain("ustar");
    }
  });

  it("sends nothing by environment, streams nothing to the log but the installer's warnings, and has no delete or trigger half", () => {
    for (const { name, inputs } of remoteCommands()) {
      expect(Object.keys(inputs).sort()).toEqual(["addPreviousOutputInEnv", "create", "logging", "stdin"]);
      const logging = name === "docker-install" ? "stderr" : "none";
      expect(inputs).toMatchObject({ addPreviousOutputInEnv: false, logging });
    }
  });

  it("takes what may be secret on a secret standard input and keeps its output secret", () => {
    for (const { secretInputs, options } of remoteCommands()) {
      expect(secretInputs).toEqual(["stdin"]);
      expect(options.additionalSecretOutputs).toEqual(expect.arrayContaining(["stdout", "stderr"]));
    }
  });

  it("may take the time an image build needs", () => {
    for (const { options } of remoteCommands())
      expect(options.customTimeouts).toEqual({ create: "45m", update: "45m" });
  });

  it("waits until the host was reached once", () => {
    for (const { options } of remoteCommands()) expect(options.dependsOn).toContain(run.resource("host-reachable").urn);
  });

  it("shows one line with a digest for each file of its release, one of a data format, and nothing else behind its first line", () => {
    for (const { name, inputs } of remoteCommands()) {
      const lines = textOf(inputs["create"]).split("\n").slice(1);
      expect(lines.length).toBeGreaterThan(2);
      const [format = "", ...digests] = lines[0]?.startsWith("# data") ? lines : ["", ...lines];
      for (const line of digests) expect(line).toMatch(/^# [0-9a-f]{8} [\w./-]+$/);
      expect(format.replace(/; .*/, "")).toBe(name === "opencode-release" ? "# data format 1" : "");
    }
  });
});

describe("each ComposeStack", () => {
  it.each(["auth", "edge", "opencode"])(
    "%s is applied by the host's own command, named by the release's id",
    (name) => {
      const [first] = textOf(run.resource(`${name}-release`).inputs["create"]).split("\n");
      expect(first).toMatch(new RegExp(`^${reach} '/opt/cloudcode/bin/cloudcode-host apply ${name} [0-9a-f]{12}'$`));
    },
  );

  it.each(["auth", "edge", "opencode"])("%s waits until Docker is ready", (name) => {
    expect(reaches(run.resource(`${name}-release`), run.resource("docker-install"))).toBe(true);
  });

  it("waits for no other ComposeStack, so that all are applied side by side", () => {
    for (const name of ["auth", "edge", "opencode"]) {
      const others = ["auth", "edge", "opencode"].filter((other) => other !== name);
      for (const other of others)
        expect(reaches(run.resource(`${name}-release`), run.resource(`${other}-release`))).toBe(false);
    }
  });
});

describe("the wait for the host", () => {
  it("is one local command that runs nothing but `true`, bounded by hostWaitSeconds and a minute more", async () => {
    const patient = await runProgram({ hostWaitSeconds: "90", hostUser: "ubuntu" });
    const { inputs, options } = patient.resource("host-reachable");
    expect(inputs).toMatchObject({
      create: `${reach} true`,
      logging: "none",
    });
    expect(JSON.parse(textOf(inputs["stdin"]))).toMatchObject({ user: "ubuntu", seconds: 90 });
    expect(options.customTimeouts).toEqual({ create: "150s", update: "150s" });
  });

  it("is followed by commands of the same user", async () => {
    const other = await runProgram({ hostUser: "ubuntu" });
    const commands = remoteCommands(other);
    expect(commands).toHaveLength(4);
    for (const { inputs } of commands) expect(JSON.parse(textOf(inputs["stdin"]))).toMatchObject({ user: "ubuntu" });
  });
});

describe("the removal of a ComposeStack, and of what runs by itself on the host", () => {
  it("is a local command with a delete half only", () => {
    const removals = ofType(localCommand).filter(({ name }) => name.endsWith("-removal"));
    expect(removals).toHaveLength(4);
    for (const { inputs, secretInputs } of removals) {
      expect(Object.keys(inputs).sort()).toEqual(["addPreviousOutputInEnv", "delete", "logging", "stdin"]);
      expect(inputs).toMatchObject({ addPreviousOutputInEnv: false, logging: "none" });
      expect(secretInputs).toEqual(["stdin"]);
      expect(JSON.parse(textOf(inputs["stdin"]))).toMatchObject({ address: "203.0.113.7", hostKey, seconds: 60 });
    }
  });

  it.each([
    ["false", "keep-data"],
    ["true", "delete-data"],
  ])("with deleteData %s says %s", async (deleteData, word) => {
    const { resource } = await runProgram({ deleteData });
    for (const name of ["auth", "edge", "opencode"]) {
      const { inputs, urn } = resource(`${name}-removal`);
      const remote = `'/opt/cloudcode/bin/cloudcode-host remove ${name} ${word}'`;
      // The URN for the sentence on forgetting the stack is the resource's own.
      expect(inputs["delete"]).toBe(`${reach} ${remote} '${urn}'`);
    }
  });

  it("is in the state before its release starts, which may be cut off", () => {
    for (const name of ["auth", "edge", "opencode"]) {
      expect(reaches(run.resource(`${name}-release`), run.resource(`${name}-removal`))).toBe(true);
      expect(reaches(run.resource(`${name}-removal`), run.resource(`${name}-release`))).toBe(false);
      expect(reaches(run.resource(`${name}-removal`), run.resource("docker-install"))).toBe(true);
    }
    expect(reaches(run.resource("docker-install"), run.resource("docker-removal"))).toBe(true);
    // A destroy after an `up` that never got there asks nobody.
    expect(reaches(run.resource("docker-removal"), run.resource("host-reachable"))).toBe(true);
  });
});

describe("the encryption key of Authelia's database", () => {
  it.each([
    ["false", true],
    ["true", false],
  ])("with deleteData %s is protected: %s", async (deleteData, isProtected) => {
    const { resource } = await runProgram({ deleteData });
    expect(resource("auth-encryption-key").options.protect).toBe(isProtected);
  });
});

/** Whether `from` is made after `to`: by its own dependencies, or by those of a component around it. */
function reaches(from: RecordedResource, to: RecordedResource): boolean {
  const next = [...from.options.dependsOn, from.options.parent];
  if (next.includes(to.urn)) return true;
  return run.resources.some((resource) => next.includes(resource.urn) && reaches(resource, to));
}
