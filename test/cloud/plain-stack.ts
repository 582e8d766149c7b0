import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheDir } from "../../cli/cache";
import { CommandError, type Output, run } from "../../cli/run";
import { say } from "../../cli/say";
import { trust } from "../../sandbox/cloud/trust";
import { projectRoot } from "../../sandbox/folder";
import { Stack } from "../../sandbox/stack";
import { withPlaceholders } from "../../scripts/preview/placeholders";
import type { Machines } from "@cloudcode/alicloud-emulator/machine";
import { type Emulator, emulatorEnvironment, startEmulator } from "@cloudcode/alicloud-emulator";
import { preparePulumi } from "@cloudcode/offline-kit/toolchain";

/** A stack with the real CLI and provider at an account of its own; it is not created yet. */
export interface PlainStack {
  readonly folder: string;
  readonly emulator: Emulator;
  readonly stack: Stack;
  /** Where Pulumi looks for the configuration of a stack that is named on the command line. */
  readonly stackFile: string;
  /** `npm run ops -- …` on it, with the configuration of now. */
  ops(...words: readonly string[]): Promise<Output & { readonly code: number }>;
  close(): Promise<void>;
}

/** The least configuration. */
export const leastTemplate = 'config:\n  cloudcode:sshCidrs: ["203.0.113.0/24"]\n';

/** The configuration of examples/Pulumi.example.yaml, with its secrets. */
export const exampleConfiguration = () =>
  withPlaceholders(readFileSync(join(projectRoot, "examples", "Pulumi.example.yaml"), "utf8"), "cloudcode");

/**
 * The first one on a machine may build the provider.
 *
 * @param template the stack's file before its first setting
 * @param machines what the account's machines are @default none
 */
export async function openPlainStack(name: string, template: string, machines?: Machines): Promise<PlainStack> {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  mkdirSync(join(folder, "state"));
  const engine = await preparePulumi({ cacheDir, say, alicloud: true });
  const emulator = await startEmulator({ stateFile: join(folder, "account"), ...(machines && { machines }) });
  const emulated = emulatorEnvironment(emulator);
  const file = join(folder, "template.yaml");
  writeFileSync(file, template);
  const env = { ...emulated, ...trust(folder, emulated) };
  const stack = new Stack(folder, engine, env, { name, project: projectRoot, template: file });
  const stackFile = join(projectRoot, `Pulumi.${name}.yaml`);
  return {
    folder,
    emulator,
    stack,
    stackFile,
    ops: async (...words) => {
      copyFileSync(stack.file, stackFile);
      const args = ["--import", "tsx", "ops/main.ts", "--stack", name, ...words];
      try {
        return { code: 0, ...(await run(process.execPath, args, { cwd: projectRoot, env: stack.env })) };
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        return { code: Number(/exit code (\d+)/.exec(error.message)?.[1]), ...error.output };
      }
    },
    close: async () => {
      rmSync(stackFile, { force: true });
      await emulator.close();
      rmSync(folder, { recursive: true });
    },
  };
}
