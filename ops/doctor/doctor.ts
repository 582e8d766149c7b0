import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { projectName, settingsOfProject } from "../../cli/project";
import { succeeds } from "../../cli/run";
import { OpsError, type StackChoice, project, pulumi } from "../stack";
import type { Check } from "../status/check";
import {
  type Answer,
  judgeBackend,
  judgeCli,
  judgeCredentials,
  judgeNode,
  judgePlugins,
  judgeSecrets,
  judgeSsh,
  judgeStack,
  judgeState,
} from "./judge";

const plugins = ["alicloud", "command", "random", "tls"];

/** What this machine and the backend need before an `up` can work; nothing is changed. */
export async function doctor(choice: StackChoice): Promise<Check[]> {
  const ask = async (where: StackChoice, ...args: readonly string[]): Promise<Answer> => {
    try {
      return { ok: true, text: await pulumi(where, args) };
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      return {
        ok: false,
        fault: error.message
          .split("\n")
          .filter((line) => line.trim() !== "")
          .slice(0, 2)
          .join(" "),
      };
    }
  };
  // The CLI refuses --stack where a command is about none.
  const anyStack = choice.cwd === undefined ? {} : { cwd: choice.cwd };
  const cli = await ask(anyStack, "version");
  const head = [judgeNode(process.version), judgeCli(cli)];
  if (!cli.ok) return head;
  const backend = await ask(anyStack, "whoami", "--verbose", "--json");
  if (!backend.ok) return [...head, judgeBackend(backend)];
  const stack = await ask(choice, "stack", "--show-name");
  const name = stack.ok ? stack.text.trim() : undefined;
  const config = name === undefined ? undefined : await ask(choice, "config", "--show-secrets", "--json");
  const state = name === undefined ? undefined : await ask(choice, "stack", "export");
  const env = process.env;
  const automatic = env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] !== "true";
  return [
    ...head,
    judgeBackend(backend),
    judgeStack(stack),
    ...(config ? [judgeSecrets(config, stackFile(choice, name))] : []),
    ...(state ? [judgeState(state)] : []),
    judgePlugins(await ask(anyStack, "plugin", "ls", "--json"), neededPlugins(), automatic),
    ...(config?.ok === true ? [judgeCredentials(targetOf(config.text, projectName(choice.cwd ?? project)), env)] : []),
    judgeSsh({ ssh: await found("ssh"), "ssh-agent": await found("ssh-agent"), "ssh-add": await found("ssh-add") }),
  ];
}

function stackFile({ cwd = project }: StackChoice, name: string | undefined): string | undefined {
  const file = join(cwd, `Pulumi.${name?.split("/").at(-1) ?? ""}.yaml`);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

const configSchema = z.record(z.string(), z.looseObject({ value: z.string().optional() }));

/** @param config what `pulumi config --json` prints */
export function targetOf(config: string, project: string): string {
  return settingsOfProject(configSchema.parse(JSON.parse(config)), project)["target"]?.value ?? "alicloud";
}

const versionSchema = z.object({ version: z.string() });

function neededPlugins(): Record<string, string> {
  const version = (name: string) =>
    versionSchema.parse(
      JSON.parse(readFileSync(join(project, "node_modules", "@pulumi", name, "package.json"), "utf8")),
    ).version;
  return Object.fromEntries(plugins.map((name) => [name, version(name)]));
}

const found = (program: string) => succeeds("sh", ["-c", 'command -v "$1"', "sh", program]);
