import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { cacheDir } from "../../cli/cache";
import { CommandError, type RunOptions, run } from "../../cli/run";
import { projectRoot } from "../../sandbox/folder";
import { packageVersion } from "@cloudcode/offline-kit/toolchain/bundle";
import { type PreparedPulumi, preparePulumi } from "@cloudcode/offline-kit/toolchain";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { keyPair } from "../support/keys";
import { PaperHost } from "../support/paper-host";

// The first run of all may have to build the engine.
jest.setTimeout(900_000);

const [host, login] = [keyPair(), keyPair()];
const machine = new PaperHost();
let engine: PreparedPulumi;
let folder: string;
let project: string;
let env: Record<string, string>;

const succeed = async (program: string, args: readonly string[], options: RunOptions = {}) => {
  const { stdout } = await run(program, args, { cwd: project, ...options, env: { ...env, ...options.env } });
  return stdout;
};
const pulumi = (...args: readonly string[]) => succeed(engine.pulumi, [...args, "--non-interactive"]);
const words = async (output: Promise<string>) =>
  output.catch((error: unknown) => {
    if (error instanceof CommandError) return `${error.output.stdout}\n${error.output.stderr}`;
    throw error;
  });
const up = () => pulumi("up", "--yes", "--skip-preview");
const ops = (...args: readonly string[]) => succeed(process.execPath, ["ops/bin.mjs", ...args]);

/** What `ops status` says of the release of a stack. */
async function releaseOf(stack: string): Promise<unknown> {
  // Nobody answers at the addresses of this stack, which is red.
  const printed = await words(ops("status", "--json"));
  const checks = JSON.parse(printed.slice(0, printed.lastIndexOf("]") + 1)) as { name: string }[];
  return checks.find(({ name }) => name === `release ${stack}`);
}

beforeAll(async () => {
  engine = await preparePulumi({ cacheDir, say: () => undefined });
  folder = mkdtempSync(join(tmpdir(), "new-project-"));
  project = join(folder, "home");
  for (const name of ["home", "bin", "state"]) mkdirSync(join(folder, name));
  // What a clone of this repository holds.
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: projectRoot,
  });
  for (const file of files.toString().split("\0").filter(Boolean))
    cpSync(join(projectRoot, file), join(folder, "template", file));
  // The installed packages instead of the same ones from the registry.
  const npm = `#!/bin/sh\n[ "$1" != install ] || exec ln -s '${join(projectRoot, "node_modules")}' node_modules\n`;
  writeFileSync(join(folder, "bin", "npm"), npm);
  chmodSync(join(folder, "bin", "npm"), 0o755);
  env = {
    ...engine.env,
    ...(engine.origin === "built" && { PULUMI_HOME: ownHome(engine.env["PULUMI_HOME"] ?? "") }),
    PATH: [join(folder, "bin"), dirname(engine.pulumi), process.env["PATH"] ?? ""].join(delimiter),
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "of the test",
    CLOUDCODE_BUNDLES: join(folder, "bundles"),
  };
  await machine.start(host.private, login.private);
});
afterAll(async () => {
  await machine.stop();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * A PULUMI_HOME with the plugins there are. `pulumi new` also fetches those of clouds that this stack does not use; where they
 * cannot be had, a name takes their place.
 */
function ownHome(home: string): string {
  const own = join(folder, "pulumi");
  const plugins = ["alicloud", "cloudflare", "command", "random", "tls"];
  for (const name of plugins) {
    const plugin = join("plugins", `resource-${name}-v${packageVersion(`@pulumi/${name}`)}`);
    const program = `pulumi-resource-${name}`;
    mkdirSync(join(own, plugin), { recursive: true });
    if (!existsSync(join(home, plugin))) writeFileSync(join(own, plugin, program), "", { mode: 0o755 });
    else
      for (const file of readdirSync(join(home, plugin)))
        symlinkSync(join(home, plugin, file), join(own, plugin, file));
  }
  return own;
}

it("pulumi new asks the few questions that matter, by default for a home at Alibaba Cloud", async () => {
  const answers = {
    "Project name": "home",
    "Project description": "",
    "Stack name": "",
    adminEmail: "jo@example.com",
    adminUsername: "jo",
    domain: "home.example.com",
    hostAddress: "127.0.0.1",
    opencodeAnthropicApiKey: "sk-ant-of-the-test",
    region: "",
    sshCidrs: "",
    target: "existing",
  };
  const said = await succeed(engine.pulumi, ["new", join(folder, "template")], {
    input: `${Object.values(answers).join("\n")}\n`,
    // Where the CLI is asked without a terminal.
    env: { PULUMI_TEST_INTERACTIVE: "1" },
  });
  // Each question once, in this order, and no other.
  const asked = [...said.matchAll(/(Project name|Project description|Stack name|\((?:[a-z]\w+)\))(?: \([^)]*\))?: /g)];
  expect(asked.map(([, name = ""]) => name.replaceAll(/[()]/g, ""))).toEqual(Object.keys(answers));
  expect(said).toContain("(region) (ap-southeast-1): ");
  expect(said).toContain("(target) (alicloud): ");
  expect(said).toContain("pulumi config set --secret hostPrivateKey");
});

it("the new project has what the program needs, and the settings that were answered", async () => {
  const config = JSON.parse(await pulumi("config", "--json")) as Record<string, { value?: string; secret: boolean }>;
  const own = Object.fromEntries(Object.entries(config).filter(([key]) => key !== "pulumi:tags"));
  const plain = (value: string) => ({ value, secret: false });
  expect(own).toEqual({
    "home:adminEmail": plain("jo@example.com"),
    "home:adminUsername": plain("jo"),
    "home:domain": plain("home.example.com"),
    "home:hostAddress": plain("127.0.0.1"),
    "home:opencodeAnthropicApiKey": { secret: true },
    "home:region": plain("ap-southeast-1"),
    "home:target": plain("existing"),
  });
  // No stack of ours is taken for one of theirs.
  expect(
    readdirSync(project)
      .filter((name) => /^Pulumi\..+\.yaml$/.test(name))
      .sort(),
  ).toEqual(["Pulumi.dev.yaml", "Pulumi.sandbox.yaml"]);
  expect(readFileSync(join(project, "program.cjs"), "utf8")).toBe(
    readFileSync(join(projectRoot, "program.cjs"), "utf8"),
  );
});

it("one refusal names all problems, a misspelt key among them, before anything is touched", async () => {
  await pulumi("config", "set", "domian", "x");
  const said = await words(pulumi("preview"));
  for (const fault of [
    "the configuration has 3 problems; nothing was touched.",
    "domian is not a setting; the nearest is domain",
    "fix: pulumi config rm home:domian",
    "hostKey is missing",
    "hostPrivateKey is missing",
  ])
    expect(said).toContain(fault);
  expect(said).not.toContain("    at ");
  await pulumi("config", "rm", "home:domian");
});

it("it deploys, and a second up finds nothing to do and opens no connection", async () => {
  await pulumi("config", "set", "hostKey", host.public);
  await pulumi("config", "set", "hostPort", String(machine.port));
  await succeed(engine.pulumi, ["config", "set", "--secret", "hostPrivateKey", "--non-interactive"], {
    input: login.private,
  });
  await up();
  for (const stack of ["auth", "edge", "opencode"]) expect(machine.running(stack)).toMatch(/^[0-9a-f]{12}$/);
  expect((await pulumi("stack", "output", "url")).trim()).toBe("https://home.example.com");
  const before = machine.connections;
  await pulumi("preview", "--expect-no-changes");
  await up();
  expect(machine.connections).toBe(before);
});

it("sshCommand, pasted as it stands, logs in with the key of the state", async () => {
  // ssh finds its home by the account, whatever HOME is.
  const knownHosts = join(userInfo().homedir, ".ssh", "known_hosts_cloudcode-dev");
  const pasted = await pulumi("stack", "output", "sshCommand");
  try {
    const said = await succeed("sh", ["-c", pasted], { input: "hostname\n", env: { HOME: userInfo().homedir } });
    expect(said).toBe("on paper: hostname\n");
    expect(readFileSync(knownHosts, "utf8")).toBe(`cloudcode-dev ${host.public}\n`);
  } finally {
    rmSync(knownHosts, { force: true });
  }
});

it("ops knows its target, and the releases of its stacks by their output", async () => {
  expect(await words(ops("doctor"))).toMatch(/credentials .*existing/);
  for (const stack of ["auth", "edge", "opencode"])
    expect(await releaseOf(stack)).toMatchObject({ state: "ok", seen: machine.running(stack) });
});

it("an up that the host refuses leaves the earlier release in the state", async () => {
  const before = machine.running("opencode");
  await pulumi("config", "set", "opencodeMemoryMiB", "1300");
  machine.refuses.add("opencode");
  await expect(up()).rejects.toThrow();
  expect(await releaseOf("opencode")).toMatchObject({ state: "ok", seen: before });
});

it("an up of another stack alone does not claim a release that was not applied", async () => {
  await pulumi("up", "--yes", "--skip-preview", "--target", "**::edge-release");
  const before = machine.running("opencode");
  expect(await releaseOf("opencode")).toMatchObject({
    state: "red",
    seen: expect.stringContaining(`runs ${before}; `) as string,
  });
  await up();
  expect(machine.running("opencode")).not.toBe(before);
  expect(await releaseOf("opencode")).toMatchObject({ state: "ok", seen: machine.running("opencode") });
});

it("after ops rollback the next preview shows it, and the next up applies the program's release", async () => {
  const program = machine.running("opencode");
  expect(await ops("rollback", "opencode")).toMatch(/is running and replaces \w+\nThe state is marked: /);
  const rolledBack = machine.running("opencode");
  expect(rolledBack).not.toBe(program);
  expect(await releaseOf("opencode")).toMatchObject({
    state: "warn",
    seen: `runs ${rolledBack}, after ops rollback`,
  });
  const preview = await pulumi("preview", "--diff");
  expect(preview).toMatch(/\+-command:local:Command: \(replace\)\n.*\n? *\[urn=\S+::opencode-release\]/);
  expect(await words(pulumi("preview", "--expect-no-changes"))).toContain("no changes were expected");
  const before = machine.connections;
  await up();
  expect(machine.connections).toBe(before + 1);
  expect(machine.running("opencode")).toBe(program);
  expect(await releaseOf("opencode")).toMatchObject({ state: "ok", seen: program });
  await pulumi("preview", "--expect-no-changes");
});

it("an agent sees the home over MCP as ops does, and history as JSON is what it was", async () => {
  const client = new Client({ name: "test", version: "1" });
  const own: NodeJS.ProcessEnv = { ...process.env, ...env };
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: ["ops/bin.mjs", "mcp"],
      cwd: project,
      env: Object.fromEntries(Object.entries(own).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    }),
  );
  try {
    const text = async (name: string, words: Record<string, unknown> = {}) => {
      const { content, isError } = await client.callTool({ name, arguments: words });
      const [first] = content;
      return [isError ?? false, first?.type === "text" ? first.text : ""] as const;
    };
    const [, status] = await text("status");
    const checks = JSON.parse(status) as { name: string; seen: string }[];
    expect(checks.find(({ name }) => name === "release opencode")?.seen).toBe(machine.running("opencode"));
    expect(await text("history")).toEqual([false, "[]"]);
    expect(await text("restart", { app: "opencode" })).toEqual([
      false,
      '{"message":"opencode has restarted on paper"}',
    ]);
    expect(await text("restart", { app: "mail" })).toEqual([
      true,
      "this stack has no mail; it has auth, edge, opencode",
    ]);
  } finally {
    await client.close();
  }
  expect(JSON.parse(await ops("history", "--json"))).toEqual([]);
  expect(JSON.parse(await ops("restart", "opencode", "--json"))).toEqual({
    message: "opencode has restarted on paper",
  });
});

describe("ops update opencode", () => {
  const set = () => pulumi("config", "get", "opencodeVersion").catch(() => "");
  const untouched = async (attempt: Promise<string>) => {
    const before = machine.running("opencode");
    const said = await words(attempt);
    expect(await set()).toBe("");
    expect(machine.running("opencode")).toBe(before);
    await pulumi("preview", "--expect-no-changes");
    return said;
  };

  it("changes nothing without a yes, nor for a version that the program does not know", async () => {
    const unanswered = await untouched(ops("update", "opencode", "1.1.1"));
    expect(unanswered).toContain("opencode-release");
    expect(unanswered).toContain("nothing was changed");
    const unknown = await untouched(ops("update", "opencode", "newest", "--yes"));
    expect(unknown).toContain("opencodeVersion");
    expect(unknown).toContain("the preview failed; nothing was changed");
    expect(await untouched(ops("update", "auth"))).toContain("auth has no version to set");
  });

  it("returns to the former version where the new one does not become healthy", async () => {
    machine.refuses.add("opencode");
    const said = await untouched(ops("update", "opencode", "1.1.1", "--yes"));
    expect(said).toMatch(/OpenCode 1\.1\.1 could not be deployed; \S+ is set and running/);
  });

  it("deploys, and a failure later returns to what was set", async () => {
    const before = machine.running("opencode");
    expect(await ops("update", "opencode", "1.1.1", "--yes")).toContain("OpenCode 1.1.1 is running.");
    expect((await set()).trim()).toBe("1.1.1");
    const updated = machine.running("opencode");
    expect(updated).not.toBe(before);
    machine.refuses.add("opencode");
    await words(ops("update", "opencode", "1.1.2", "--yes"));
    expect((await set()).trim()).toBe("1.1.1");
    expect(machine.running("opencode")).toBe(updated);
    await pulumi("config", "rm", "opencodeVersion");
    await up();
    expect(machine.running("opencode")).toBe(before);
  });
});

it("a state of an older version says what to do, can be rolled back, and is mended by the next up", async () => {
  const state = JSON.parse(await pulumi("stack", "export")) as {
    deployment: { resources: { type: string; outputs?: object }[] };
  };
  for (const resource of state.deployment.resources)
    if (resource.type === "cloudcode:index:ComposeStack") resource.outputs = {};
  await succeed(engine.pulumi, ["stack", "import", "--non-interactive"], { input: JSON.stringify(state) });
  const older = {
    state: "red",
    seen: expect.stringContaining("an older version of the program") as string,
    fix: "pulumi up",
  };
  expect(await releaseOf("opencode")).toMatchObject(older);
  await ops("rollback", "opencode");
  expect(await pulumi("preview")).toContain("opencode-release");
  await up();
  for (const stack of ["auth", "edge", "opencode"])
    expect(await releaseOf(stack)).toMatchObject({ state: "ok", seen: machine.running(stack) });
});
