import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { projectRoot } from "./folder";
import { type Output, type RunOptions, run } from "./host/run";
import type { PreparedPulumi } from "./toolchain";

const fileSchema = z.looseObject({ config: z.record(z.string(), z.unknown()) });

/** The sandbox's stack: its state and its configuration are in the sandbox's folder. */
export class Stack {
  readonly file: string;
  /** Environment of the CLI: local state backend, passphrase, plugins. */
  readonly env: Record<string, string>;

  constructor(
    private readonly folder: string,
    private readonly engine: PreparedPulumi,
    env: Readonly<Record<string, string>>,
  ) {
    this.file = join(folder, "Pulumi.sandbox.yaml");
    this.env = {
      ...engine.env,
      ...env,
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: once(join(folder, "passphrase"), () => randomBytes(24).toString("base64url")),
    };
  }

  /** Runs the Pulumi CLI in the project, non-interactive. */
  async pulumi(args: readonly string[], options: RunOptions = {}): Promise<Output> {
    // What only looks at the stack runs beside its file; Pulumi would write into the committed one otherwise.
    const place =
      args[0] === "stack"
        ? ["--cwd", this.folder]
        : ["--cwd", projectRoot, "--stack", "sandbox", "--config-file", this.file];
    return run(this.engine.pulumi, [...args, "--non-interactive", ...place], {
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  /** Sets plain configuration; undefined removes a key. */
  configure(values: Readonly<Record<string, unknown>>): void {
    const stack = fileSchema.parse(parse(readFileSync(this.file, "utf8")));
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined) Reflect.deleteProperty(stack.config, `cloudcode:${key}`);
      else stack.config[`cloudcode:${key}`] = value;
    }
    writeFileSync(this.file, stringify(stack), { mode: 0o600 });
  }

  /** Makes the stack with this configuration unless it is there. */
  async create(values: Readonly<Record<string, unknown>>, secrets: Readonly<Record<string, string>>): Promise<void> {
    if (existsSync(this.file)) return;
    for (const file of ["Pulumi.yaml", "Pulumi.sandbox.yaml"])
      copyFileSync(join(projectRoot, file), join(this.folder, file));
    await this.pulumi(["stack", "select", "--create", "sandbox"]);
    this.configure(values);
    for (const [key, input] of Object.entries(secrets))
      await this.pulumi(["config", "set", "--secret", key], { input });
  }
}

/** Content of a private file that is made at first use. */
export function once(file: string, make: () => string): string {
  if (!existsSync(file)) writeFileSync(file, make(), { mode: 0o600 });
  return readFileSync(file, "utf8");
}
