// By hand: the real provider plugin against the emulator, step by step; needs the plugin in the engine's home.
//   node --import tsx test/emulator/provider-check/main.ts
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OutputMap, Stack } from "@pulumi/pulumi/automation";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { cacheDir } from "../../../sandbox/cache";
import { preparePulumi } from "../../../sandbox/toolchain";
import { call } from "../client";
import type { Emulator } from "../emulator";
import { emulatorEnvironment, startEmulator } from "../emulator";
import type { Fault } from "../faults";
import type { Wanted } from "./program";
import { first, program } from "./program";

const say = (line: string): void => {
  console.log(line);
};

/** Fails the check with what was seen instead. */
function expect(what: string, seen: unknown, wanted: unknown): void {
  if (JSON.stringify(seen) !== JSON.stringify(wanted))
    throw new Error(`${what}: ${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`);
}

class Check {
  constructor(
    private readonly stack: Stack,
    private readonly emulator: Emulator,
  ) {}

  async #step<T>(name: string, run: () => Promise<T>): Promise<T> {
    const { journal } = this.emulator;
    journal.operation = name;
    const start = Date.now();
    const result = await run();
    const calls = journal.calls.filter((one) => one.operation === name).length;
    say(`${name}: ${((Date.now() - start) / 1000).toFixed(1)} s, ${calls} calls`);
    return result;
  }

  /** Brings the stack to `wanted`, then sees no difference in a preview, nor after a refresh. */
  async up(name: string, wanted: Wanted): Promise<OutputMap> {
    this.stack.workspace.program = program(wanted);
    const output: string[] = [];
    const onOutput = (text: string): void => void output.push(text);
    const { outputs, summary } = await this.#step(name, () => this.stack.up({ onOutput })).catch((error: unknown) => {
      say(output.join(""));
      throw error;
    });
    say(`  ${JSON.stringify(summary.resourceChanges)}`);
    await this.#unchanged(`${name}, preview`, () => this.stack.preview({ diff: true }));
    await this.#unchanged(`${name}, refresh`, () => this.stack.refresh());
    await this.#unchanged(`${name}, preview after refresh`, () => this.stack.preview({ diff: true }));
    return outputs;
  }

  async #unchanged(
    name: string,
    run: () => Promise<{ stdout: string; changeSummary?: object; summary?: { resourceChanges?: object } }>,
  ): Promise<void> {
    const { stdout, changeSummary, summary } = await this.#step(name, run);
    const changes = Object.keys(changeSummary ?? summary?.resourceChanges ?? {}).filter((kind) => kind !== "same");
    if (changes.length > 0)
      throw new Error(`${name} has differences: ${changes.join()} ${stdout.replaceAll("\n", " ")}`);
  }

  /** An `up` that must fail; tells with what. */
  async fails(name: string, fault: Fault, wanted: Wanted): Promise<void> {
    this.emulator.fail(fault);
    this.stack.workspace.program = program(wanted);
    const output: string[] = [];
    const result = await this.#step(name, () =>
      this.stack.up({ onOutput: (text) => void output.push(text) }).then(
        () => "nothing failed",
        () => /\bCode: (\S+)/.exec(output.join(""))?.[1] ?? output.join(""),
      ),
    );
    this.emulator.faults.clear();
    say(`  ${result}`);
  }

  async destroy(): Promise<void> {
    await this.#step("destroy", () => this.stack.destroy());
    expect("inventory after destroy", this.emulator.inventory(), []);
  }
}

async function main(): Promise<void> {
  const prepared = await preparePulumi({ cacheDir, say });
  // The Automation API asks the CLI it finds there for its version.
  process.env["PATH"] = prepared.env["PATH"] ?? process.env["PATH"];
  const folder = mkdtempSync(join(tmpdir(), "provider-check-"));
  const emulator = await startEmulator({ stateFile: join(folder, "state") });
  const envVars = {
    ...prepared.env,
    ...emulatorEnvironment(emulator),
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "check",
    ...(process.env["PULUMI_HOME"] === undefined ? {} : { PULUMI_HOME: process.env["PULUMI_HOME"] }),
  };
  try {
    const stack = await LocalWorkspace.createOrSelectStack(
      { stackName: "one", projectName: "check", program: program(first) },
      { envVars, workDir: folder },
    );
    await stack.setConfig("alicloud:region", { value: "ap-southeast-1" });
    const check = new Check(stack, emulator);
    say(JSON.stringify(await check.up("up", first)));
    const grown = { ...first, size: 30, bandwidth: 50, retentionDays: 14, sshCidr: "198.51.100.0/24" };
    await check.up("update", grown);
    await check.up("tags", { ...grown, tags: { project: "check", more: "yes" } });
    await check.up("type", { ...grown, type: "ecs.u1-c1m2.large" });
    await check.up("power off", { ...grown, power: "Stopped" });
    await check.up("power on", { ...grown, protected: false });
    await check.destroy();
    const spot = { spotStrategy: "SpotWithPriceLimit", spotPriceLimit: 0.05 };
    await check.up("spot", { ...first, protected: false, charge: spot });
    await check.destroy();
    const open = { ...first, protected: false };
    await check.fails("no quota", { kind: "quota", action: "AllocateEipAddress" }, open);
    await check.fails("no stock", { kind: "noStock" }, open);
    await check.up("after all", open);
    await check.destroy();
    emulator.fail({ kind: "throttled", action: "AttachDisk" });
    emulator.fail({ kind: "serverError", action: "AssociateEipAddress", status: 503 });
    emulator.fail({ kind: "lostAnswer", action: "RunInstances", how: "cut" });
    emulator.fail({ kind: "lostAnswer", action: "CreateDisk", how: "timeout" });
    await check.up("retries", open);
    emulator.fail({ kind: "dependencyViolation", action: "DeleteVpc", times: 2 });
    await check.destroy();
    const prePaid = { instanceChargeType: "PrePaid", period: 1, periodUnit: "Month", forceDelete: true };
    const renewal = { renewalStatus: "AutoRenewal", autoRenewPeriod: 1 };
    await check.up("subscription", { ...first, protected: false, charge: { ...prePaid, ...renewal } });
    await check.destroy();
    const used = [...new Set(emulator.journal.calls.map((one) => `${one.product}:${one.action}`))].sort();
    say(`Actions: ${used.join(" ")}`);
    emulator.rules.policy = { Version: "1", Statement: [{ Effect: "Allow", Action: used, Resource: "*" }] };
    await check.up("with no other permission", open);
    const [host] = emulator.cloud.state.instances.keys();
    await call(emulator.port, "ecs", "DeleteInstance", { InstanceId: host ?? "", Force: "true" });
    await emulator.idle();
    await check.destroy();
    expect("violations", emulator.journal.violations, []);
    expect("failures", emulator.journal.failures, []);
    say("All right.");
  } finally {
    for (const violation of emulator.journal.violations) say(`VIOLATION ${JSON.stringify(violation)}`);
    const refused = emulator.journal.calls.filter((one) => one.code !== "");
    for (const one of refused) say(`${one.operation}: ${one.action} ${one.status} ${one.code}`);
    await emulator.close();
    rmSync(folder, { recursive: true });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message.split("\n", 2).join(" ") : error);
  process.exitCode = 1;
});
