import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, parseDocument } from "yaml";
import type { Setting } from "../components/settings/setting";
import { type SettingKey, settingKeys, settingsTable } from "../components/settings/table";
import { settingsPage } from "./settings-page";

const projectRoot = join(__dirname, "..");
const projectFile = join(projectRoot, "Pulumi.yaml");

/** Keys that `pulumi new` asks for; the rest has a default or is optional. */
const askedFor: readonly SettingKey[] = ["target", "region", "domain", "sshCidrs", "adminUsername", "adminEmail"];

/** Pulumi.yaml with its `config` and `template.config` blocks written anew from the table of settings. */
export function withSettings(project: string): string {
  const document: Document = parseDocument(project);
  document.set("config", document.createNode(Object.fromEntries(settingKeys.map((key) => [key, declaration(key)]))));
  document.setIn(
    ["template", "config"],
    document.createNode(Object.fromEntries(askedFor.map((key) => [key, question(key)]))),
  );
  return document.toString({ lineWidth: 120 });
}

/**
 * No `type` and no `secret`: with them Pulumi itself stops at the first value that does not fit, before the program can
 * report all of them with their cures. The description says both. Every key has a default for the same reason.
 */
function declaration(key: SettingKey): Record<string, unknown> {
  const { type, description, example, secret, ...rest }: Setting = settingsTable[key];
  return {
    description: `(${secret ? "secret " : ""}${type}) ${description} Example: ${example}`,
    default: rest.default ?? "",
  };
}

/** A default is a text there: https://www.pulumi.com/docs/iac/concepts/projects/project-file/#template-config */
function question(key: SettingKey): Record<string, unknown> {
  const { type, description, example, secret, ...rest }: Setting = settingsTable[key];
  return {
    description: type === "array" ? `${description} A list, such as ${example.replaceAll("'", "")}` : description,
    ...(typeof rest.default === "string" && { default: rest.default }),
    ...(secret && { secret: true }),
  };
}

if (require.main === module) {
  writeFileSync(projectFile, withSettings(readFileSync(projectFile, "utf8")));
  writeFileSync(join(projectRoot, "docs/settings.md"), settingsPage());
}
