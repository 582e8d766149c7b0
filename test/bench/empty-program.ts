import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../cli/run";
import type { Sandbox } from "../../sandbox/sandbox";

/** An `up` or a `preview` that finds nothing to do. */
export interface EmptyProgram {
  up(): Promise<unknown>;
  preview(): Promise<unknown>;
}

/** The program in a folder next to this file, on the sandbox's engine and backend; it has been applied once. */
export async function emptyProgram(
  { engine, env, folder }: Pick<Sandbox, "engine" | "env" | "folder">,
  name: "empty" | "empty-sdk",
): Promise<EmptyProgram> {
  const cwd = join(__dirname, name);
  const stackFolder = join(folder, name);
  mkdirSync(stackFolder, { recursive: true });
  copyFileSync(join(cwd, "Pulumi.yaml"), join(stackFolder, "Pulumi.yaml"));
  await run(engine.pulumi, ["stack", "select", "--create", name, "--cwd", stackFolder], { env });
  const place = ["--cwd", cwd, "--stack", name, "--config-file", join(stackFolder, `Pulumi.${name}.yaml`)];
  const pulumi = (...args: string[]) => run(engine.pulumi, [...args, "--non-interactive", ...place], { env });
  const program = { up: () => pulumi("up", "--yes"), preview: () => pulumi("preview") };
  await program.up();
  return program;
}
