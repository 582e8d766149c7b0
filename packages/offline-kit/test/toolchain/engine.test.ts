import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cacheDir } from "../../../../cli/cache";
import { until } from "../../../../cli/run";
import type { PreparedPulumi } from "../../toolchain";
import { preparePulumi } from "../../toolchain";

// The first run of all may have to build the engine.
jest.setTimeout(900_000);

const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const command = require("@pulumi/command");
const random = require("@pulumi/random");
const tls = require("@pulumi/tls");
const config = new pulumi.Config();
if (process.env.TOY_PID) {
  require("fs").writeFileSync(process.env.TOY_PID, String(process.pid));
  setInterval(() => {}, 1000);
}
const password = new random.RandomPassword("password", { length: 24 });
const local = new command.local.Command("local", {
  create: config.get("create") ?? "cat >/dev/null; echo run >>runs; echo ran",
  stdin: pulumi.interpolate\`\${password.result} \${config.requireSecret("token")}\`,
  triggers: [config.get("trigger") ?? "1"],
  logging: "none",
  addPreviousOutputInEnv: false,
});
exports.said = local.stdout;
exports.key = new tls.PrivateKey("key", { algorithm: "ED25519" }).publicKeyOpenssh;
`;

let engine: PreparedPulumi;
let folder: string;
let env: NodeJS.ProcessEnv;

interface Finished {
  readonly code: number | null;
  readonly output: string;
}

function pulumi(...args: string[]): Promise<Finished> {
  const child = spawn(engine.pulumi, [...args, "--non-interactive", "--color", "never"], { cwd: folder, env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => {
      output += data.toString("utf8");
    });
  }
  return new Promise((done, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      done({ code, output });
    });
  });
}

async function succeed(...args: string[]): Promise<string> {
  const { code, output } = await pulumi(...args);
  if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code ?? "a signal"}:\n${output}`);
  return output;
}

/** How often the command has come to its end. */
const runs = (): number => readFileSync(join(folder, "runs"), "utf8").trim().split("\n").length;

const up = (): Promise<string> => succeed("up", "--yes", "--skip-preview");

beforeAll(async () => {
  engine = await preparePulumi({ cacheDir, say: () => undefined });
  folder = mkdtempSync(join(tmpdir(), "engine-"));
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), "{}");
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    "name: toy\nruntime: { name: nodejs, options: { typescript: false } }\nmain: program.js\n",
  );
  writeFileSync(join(folder, "program.js"), PROGRAM);
  env = {
    ...process.env,
    ...engine.env,
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "toy",
  };
  await succeed("stack", "init", "dev");
  await succeed("config", "set", "--secret", "token", "the-token-of-the-test");
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it("creates without a warning, and runs the command once", async () => {
  expect(await up()).not.toMatch(/warning/i);
  expect(runs()).toBe(1);
  expect(await succeed("stack", "output", "said")).toBe("ran\n");
  expect(await succeed("stack", "output", "key")).toMatch(/^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI\S+$/m);
});

it("keeps secrets encrypted in state", () => {
  const stacks = join(folder, ".pulumi", "stacks");
  const state = readFileSync(
    join(stacks, "toy", readdirSync(join(stacks, "toy")).find((file) => file.endsWith("dev.json")) ?? ""),
    "utf8",
  );
  expect(state).toContain('"ciphertext"');
  expect(state).not.toContain("the-token-of-the-test");
  expect(state).not.toContain("BEGIN OPENSSH PRIVATE KEY");
});

it("has nothing to do the second time, and runs nothing for it", async () => {
  const before = runs();
  await succeed("preview", "--expect-no-changes");
  await succeed("preview", "--expect-no-changes");
  expect(await up()).toContain("4 unchanged");
  await succeed("refresh", "--yes", "--skip-preview");
  await succeed("preview", "--expect-no-changes");
  expect(runs()).toBe(before);
});

it("updates in place when only standard input changes", async () => {
  await succeed("config", "set", "--secret", "token", "another");
  const preview = await succeed("preview", "--diff");
  expect(preview).toContain("~ stdin: [secret] => [secret]");
  expect(preview).not.toContain("another");
  expect(await up()).toContain("~ 1 updated");
});

it("replaces when a trigger changes", async () => {
  await succeed("config", "set", "trigger", "2");
  expect(await succeed("preview")).toContain("+-1 to replace");
  expect(await up()).toContain("+-1 replaced");
});

it("shows the failed command and what it printed, and keeps the old state", async () => {
  await succeed("config", "set", "create", "echo broken; exit 7");
  const { code, output } = await pulumi("up", "--yes", "--skip-preview");
  expect(code).not.toBe(0);
  expect(output).toContain('exit status 7: running "echo broken; exit 7":\n    broken');
  await succeed("config", "rm", "create");
  expect(await up()).toContain("4 unchanged");
});

it("leaves no program behind when the engine is killed", async () => {
  const file = join(folder, "pid");
  const child = spawn(engine.pulumi, ["preview", "--non-interactive"], { cwd: folder, env: { ...env, TOY_PID: file } });
  const started = () => Promise.resolve(existsSync(file) ? readFileSync(file, "utf8") : undefined);
  const pid = await until(60, started, () => Promise.resolve("the program never started"));
  child.kill("SIGKILL");
  const gone = () => Promise.resolve(existsSync(`/proc/${pid}`) ? undefined : true);
  await until(20, gone, () => Promise.resolve(`process ${pid} is still there`));
});

it("destroys without a run when there is no delete command", async () => {
  const before = runs();
  await succeed("destroy", "--yes", "--skip-preview");
  expect(runs()).toBe(before);
});
