import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hookCommand } from "../../components/hook";
import type { ReachInput } from "../../components/host/reach";
import { cacheDir } from "../../cli/cache";
import { CommandError } from "../../cli/run";
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

describe("the guard of what is protected, with the real engine", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "guard-"));
    mkdirSync(join(folder, "state"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it("refuses a destroy without a preview before anything is touched; lets go what is not protected; and is no hindrance where nothing is", async () => {
    const engine = await preparePulumi({ cacheDir, say: () => undefined });
    const template = join(projectRoot, "Pulumi.sandbox.yaml");
    const stack = new Stack(folder, engine, {}, { name: "guarded", project: projectRoot, template });
    await stack.create({}, {});
    const file = (name: string) => join(folder, name);
    const touch = (name: string) => ({ name, delete: `touch ${file(name)}` });
    const guard = { name: "destroy-guard", delete: hookCommand("refuse-destroy"), stdin: '{"kept":["the data disk"]}' };
    const resources: readonly Kept[] = [
      { ...touch("disk"), protect: true },
      { ...touch("machine"), needs: ["disk"] },
      touch("app"),
      { ...guard, needs: ["disk", "machine", "app"] },
    ];
    const gone = () => ["disk", "machine", "app"].filter((name) => existsSync(file(name)));
    const left = async () => (await stack.pulumi(["stack", "export"])).stdout;
    const destroy = ["destroy", "--yes", "--skip-preview"];
    await stack.pulumi(["stack", "import"], { input: commandsOf("guarded", resources) });

    const refused = stack.pulumi(destroy).then(
      () => "it was not refused",
      (error: unknown) => (error instanceof CommandError ? error.output.stdout + error.output.stderr : String(error)),
    );
    expect((await refused).replace(/\s+/g, " ")).toContain("nothing was touched: the data disk cannot be deleted");
    expect(gone()).toEqual([]);
    expect(await left()).toContain("destroy-guard");

    await stack.pulumi([...destroy, "--exclude-protected"]);
    expect(gone()).toEqual(["machine", "app"]);
    expect(await left()).not.toContain("destroy-guard");

    // Whoever takes the protection away with Pulumi itself can still destroy.
    for (const name of ["disk", "machine", "app"]) rmSync(file(name), { force: true });
    const unprotected = resources.map((one) => ({ ...one, protect: false }));
    await stack.pulumi(["stack", "import"], { input: commandsOf("guarded", unprotected) });
    await stack.pulumi(["destroy", "--yes"]);
    expect(gone()).toEqual(["disk", "machine", "app"]);
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
        address: "127.0.0.1",
        port: server.port,
        user: "root",
        seconds: 5,
        privateKey: login.private,
        hostKey: host.public,
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

/** A local command in a state. */
interface Kept {
  readonly name: string;
  readonly delete: string;
  readonly stdin?: string;
  readonly protect?: boolean;
  /** Names of those it depends on. */
  readonly needs?: readonly string[];
  /** @default the stack's own */
  readonly type?: string;
}

/** An exported state that holds one resource of ours, the removal of an App. */
function stateOf(stack: string, line: string, input: ReachInput): string {
  const type = "cloudcode:index:ComposeStack$command:local:Command";
  return commandsOf(stack, [{ name: "opencode-removal", delete: line, stdin: JSON.stringify(input), type }]);
}

/** An exported state with these local commands. */
function commandsOf(stack: string, commands: readonly Kept[]): string {
  const urn = (type: string, name: string) => `urn:pulumi:${stack}::cloudcode::${type}::${name}`;
  const version = packageVersion("@pulumi/command");
  const root = urn("pulumi:pulumi:Stack", `cloudcode-${stack}`);
  const provider = urn("pulumi:providers:command", "default");
  const id = "00000000-0000-4000-8000-000000000000";
  const ofCommand = ({ name, type = "command:local:Command" }: Kept) => urn(type, name);
  const resources = [
    { urn: root, custom: false, type: "pulumi:pulumi:Stack" },
    { urn: provider, custom: true, id, type: "pulumi:providers:command", inputs: { version }, outputs: { version } },
    ...commands.map((one) => {
      const { name, delete: line, stdin = "", protect = false, needs = [] } = one;
      const inputs = { delete: line, stdin, addPreviousOutputInEnv: false, logging: "none" };
      return {
        urn: ofCommand(one),
        custom: true,
        id: name,
        type: "command:local:Command",
        parent: root,
        protect,
        inputs,
        outputs: { ...inputs, stdout: "", stderr: "" },
        provider: `${provider}::${id}`,
        dependencies: commands.filter((other) => needs.includes(other.name)).map(ofCommand),
      };
    }),
  ];
  const manifest = { time: "2026-11-01T00:00:00Z", magic: "", version: "" };
  return JSON.stringify({ version: 3, deployment: { manifest, resources } });
}
