// By hand: the real provider plugin against the emulator, scenario by scenario; the engine must find the plugin.
//   node --import tsx packages/alicloud-emulator/provider-check/main.ts [SCENARIO...]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { cacheDir } from "../../../cli/cache";
import { preparePulumi } from "@cloudcode/offline-kit/toolchain";
import { emulatorEnvironment, startEmulator } from "../src/emulator";
import { Check, expect, say } from "./check";
import { first, program } from "./program";
import { scenarios } from "./scenarios";

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
    const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(scenarios);
    for (const name of names) {
      const scenario = scenarios[name];
      if (!scenario) throw new Error(`There are the scenarios ${Object.keys(scenarios).join(", ")}.`);
      say(`${name}:`);
      await scenario(check);
    }
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
