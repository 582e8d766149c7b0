import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hookCommand } from "../../components/hook";
import type { ReachInput } from "../../components/host/reach";
import { cacheDir } from "../../cli/cache";
import { projectRoot } from "../../sandbox/folder";
import { Stack } from "../../sandbox/stack";
import { packageVersion } from "@cloudcode/offline-kit/toolchain/bundle";
import { preparePulumi } from "@cloudcode/offline-kit/toolchain";
import { keyPair } from "../support/keys";
import { account, sshHost } from "../support/ssh-host";

// The first run of all may have to build the engine.
jest.setTimeout(900_000);

/** What the state of a stack of an earlier release holds: files that it ran by their path. They have to stay where they are. */
const earlier = [
  ["choose-type", "components/alicloud/choose-type.ts"],
  ["end-connections", "components/cloudflare/end-connections.ts"],
  ["final-snapshot", "components/alicloud/final-snapshot.ts"],
  ["leftovers", "components/alicloud/leftovers.ts"],
  ["newest-image", "components/alicloud/newest-image.ts"],
  ["place", "components/alicloud/place.ts"],
  ["unbind-address", "components/alicloud/unbind-address.ts"],
  ["unprotect", "components/alicloud/unprotect.ts"],
] as const;

describe.each(earlier)("the hook %s", (name, path) => {
  it.each([
    ["as state holds it", hookCommand(name)],
    ["as the state of an earlier release holds it", `node --import tsx ${path}`],
  ])("reads its input: %s", (_, line) => {
    const { status, stderr } = spawnSync("/bin/sh", ["-c", line], {
      cwd: projectRoot,
      // No account is asked, whatever this machine knows of one.
      env: { PATH: process.env["PATH"], HOME: "/nonexistent" },
      input: '{"seconds":"no number"}',
    });
    expect(stderr.toString()).toMatch(/^The input of this script is not valid: |Invalid input: expected string/);
    expect(status).toBe(1);
  });
});

it("no other hook is there", () => {
  const { status, stderr } = spawnSync("/bin/sh", ["-c", hookCommand("mischief")], { cwd: projectRoot });
  expect(stderr.toString()).toMatch(/^There is no hook mischief: reach, place, /);
  expect(status).toBe(2);
});

describe("a stack that the real engine destroys", () => {
  const [host, login] = [keyPair(), keyPair()];
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "hooks-"));
    mkdirSync(join(folder, "state"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    ["of now", "now", `exec ${hookCommand("reach")}`],
    ["of an earlier release", "before", "exec node --import tsx components/host/reach.ts"],
  ])("tells the machine so: its state is one %s", async (_, name, line) => {
    const heard: string[] = [];
    const answer = account();
    const server = await sshHost(host.private, login.private, (command, channel) => {
      heard.push(command);
      answer(command, channel);
    });
    try {
      const engine = await preparePulumi({ cacheDir, say: () => undefined });
      const template = join(projectRoot, "Pulumi.sandbox.yaml");
      const stack = new Stack(folder, engine, {}, { name, project: projectRoot, template });
      await stack.create({}, {});
      const gone = join(folder, `${name}-gone`);
      const state = stateOf(name, `${line} 'touch ${gone}'`, {
        ...{ address: "127.0.0.1", port: server.port, user: "root", seconds: 5 },
        ...{ privateKey: login.private, hostKey: host.public },
      });
      await stack.pulumi(["stack", "import"], { input: state });
      await stack.pulumi(["destroy", "--yes", "--skip-preview"]);
      expect(heard).toHaveLength(1);
      expect(spawnSync("test", ["-e", gone]).status).toBe(0);
      const { stdout } = await stack.pulumi(["stack", "export"]);
      expect(stdout).not.toContain("opencode-removal");
    } finally {
      await server.stop();
    }
  });
});

/** An exported state that holds one resource of ours, the removal of an App. */
function stateOf(stack: string, line: string, input: ReachInput): string {
  const urn = (type: string, name: string) => `urn:pulumi:${stack}::cloudcode::${type}::${name}`;
  const version = packageVersion("@pulumi/command");
  const root = urn("pulumi:pulumi:Stack", `cloudcode-${stack}`);
  const provider = urn("pulumi:providers:command", "default");
  const id = "00000000-0000-4000-8000-000000000000";
  const inputs = { delete: line, stdin: JSON.stringify(input), addPreviousOutputInEnv: false, logging: "none" };
  const resources = [
    { urn: root, custom: false, type: "pulumi:pulumi:Stack" },
    { urn: provider, custom: true, id, type: "pulumi:providers:command", inputs: { version }, outputs: { version } },
    {
      urn: urn("cloudcode:index:ComposeStack$command:local:Command", "opencode-removal"),
      ...{ custom: true, id: "opencode-removal", type: "command:local:Command", parent: root },
      ...{ inputs, outputs: { ...inputs, stdout: "", stderr: "" }, provider: `${provider}::${id}` },
    },
  ];
  const manifest = { time: "2026-11-01T00:00:00Z", magic: "", version: "" };
  return JSON.stringify({ version: 3, deployment: { manifest, resources } });
}
