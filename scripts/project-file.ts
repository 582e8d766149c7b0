import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, parseDocument } from "yaml";
import type { Setting } from "../components/settings/setting";
import { type SettingKey, settingsTable } from "../components/settings/table";
import { libraryTypes } from "./library-types";
import { settingsPage } from "./settings-page";

const projectRoot = join(__dirname, "..");
const projectFile = join(projectRoot, "Pulumi.yaml");

/** Keys that `pulumi new` asks for, and when; it asks in the order of the alphabet, so each question stands for itself. */
const askedFor: Partial<Record<SettingKey, string>> = {
  target: "",
  region: "With target alicloud: ",
  sshCidrs: "",
  hostAddress: "With target existing: ",
  domain: "",
  adminUsername: "",
  adminEmail: "",
  opencodeAnthropicApiKey: "Optional: ",
};

/**
 * Pulumi.yaml with its `template.config` block written again from the table of settings. There is no `config` block: `pulumi config`
 * then lists what the operator set and nothing else, and no key or type is refused by Pulumi before the program reports all
 * problems at once. Types and defaults are in the table, and for people in docs/settings.md.
 */
export function withSettings(project: string): string {
  const document: Document = parseDocument(project);
  const questions = Object.entries(askedFor).map(([key, when]) => [
    key,
    question(settingsTable[key as SettingKey], when),
  ]);
  document.setIn(["template", "config"], document.createNode(Object.fromEntries(questions)));
  return document.toString({ lineWidth: 120 });
}

/** A default is a text there: https://www.pulumi.com/docs/iac/concepts/projects/project-file/#template-config */
function question(setting: Setting, when: string): Record<string, unknown> {
  const { type, description, example, secret, ...rest } = setting;
  return {
    description: `${when}${description}${type === "array" ? ` A list, such as ${example.replaceAll("'", "")}` : ""}`,
    ...(typeof rest.default === "string" && { default: rest.default }),
    ...(secret && { secret: true }),
  };
}

if (require.main === module) {
  writeFileSync(projectFile, withSettings(readFileSync(projectFile, "utf8")));
  writeFileSync(join(projectRoot, "docs/settings.md"), settingsPage());
  writeFileSync(join(projectRoot, "library.d.ts"), libraryTypes());
}
