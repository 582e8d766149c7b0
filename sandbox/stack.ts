import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { asConfigOf, projectName } from "../cli/project";
import { projectRoot } from "./folder";
import { type Output, type RunOptions, run } from "../cli/run";
import type { PreparedPulumi } from "@cloudcode/offline-kit/toolchain";

const fileSchema = z.looseObject({ config: z.record(z.string(), z.unknown()) });

/** What a throw-away stack is made of. */
export interface StackSource {
  readonly name: string;
  /** Folder of the program. */
  readonly project: string;
  /** The stack file that its own begins as. */
  readonly template: string;
}

/** The sandbox's own. @param name of the Pulumi stack */
export function sandboxSource(name = "sandbox"): StackSource {
  return { name, project: projectRoot, template: join(projectRoot, "Pulumi.sandbox.yaml") };
}

/** A throw-away stack, the sandbox's unless said otherwise: its state and its configuration are in a folder of its own. */
export class Stack {
  readonly file: string;
  /** Environment of the CLI: local state backend, passphrase, plugins. */
  readonly env: Record<string, string>;

  constructor(
    private readonly folder: string,
    private readonly engine: PreparedPulumi,
    env: Readonly<Record<string, string>>,
    private readonly source = sandboxSource(),
  ) {
    this.file = join(folder, `Pulumi.${source.name}.yaml`);
    this.env = {
      ...engine.env,
      ...env,
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: once(join(folder, "passphrase"), () => randomBytes(24).toString("base64url")),
    };
  }

  get name(): string {
    return this.source.name;
  }

  /** Runs the Pulumi CLI in the project, non-interactive. */
  async pulumi(args: readonly string[], options: RunOptions = {}): Promise<Output> {
    // What only looks at the stack runs next to its file; Pulumi would write into the committed one otherwise.
    const place = args[0] === "stack" ? [this.folder] : [this.source.project, "--config-file", this.file];
    return run(this.engine.pulumi, [...args, "--non-interactive", "--stack", this.source.name, "--cwd", ...place], {
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  /** Sets plain configuration; undefined removes a key. */
  configure(values: Readonly<Record<string, unknown>>): void {
    const stack = fileSchema.parse(parse(readFileSync(this.file, "utf8")));
    const project = projectName(this.source.project);
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined) Reflect.deleteProperty(stack.config, `${project}:${key}`);
      else stack.config[`${project}:${key}`] = value;
    }
    writeFileSync(this.file, stringify(stack), { mode: 0o600 });
  }

  /** Makes the stack with this configuration unless it is there. */
  async create(values: Readonly<Record<string, unknown>>, secrets: Readonly<Record<string, string>>): Promise<void> {
    if (existsSync(this.file)) return;
    copyFileSync(join(this.source.project, "Pulumi.yaml"), join(this.folder, "Pulumi.yaml"));
    const template = fileSchema.parse(parse(readFileSync(this.source.template, "utf8")));
    const config = asConfigOf(projectName(this.source.project), template.config);
    writeFileSync(this.file, stringify({ ...template, config }), { mode: 0o600 });
    // A selection would be noted in the CLI's own folder, which outlives the stack.
    await this.pulumi(["stack", "init", "--no-select"]);
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
