import { z } from "zod";
import { parseSettings } from "../components/settings/read";
import type { PlainSettings } from "../components/settings/table";
import { projectName, settingsOfProject } from "../cli/project";
import { type StackChoice, project, pulumi } from "./stack";

const configSchema = z.record(z.string(), z.object({ value: z.string().optional(), secret: z.boolean().optional() }));

/** The stack's settings as the program would read them, secrets too; or what is wrong with them, as `pulumi preview` says it. */
export async function stackSettings(
  choice: StackChoice,
): Promise<{ readonly ok: true; readonly values: PlainSettings } | { readonly ok: false; readonly message: string }> {
  const config = configSchema.parse(JSON.parse(await pulumi(choice, ["config", "--show-secrets", "--json"])));
  const name = projectName(choice.cwd ?? project);
  const own = settingsOfProject(config, name);
  const raw = Object.fromEntries(Object.entries(own).map(([key, { value }]) => [key, value ?? ""]));
  return parseSettings(raw, name, (key) => own[key]?.secret === true);
}
