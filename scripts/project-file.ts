import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Document, parseDocument } from "yaml";
import { type Setting, type SettingKey, settingKeys, settingsTable } from "../components/settings/table";

const projectFile = join(__dirname, "..", "Pulumi.yaml");

/** Keys that `pulumi new` asks for; the rest has a default or is optional. */
const askedFor: readonly SettingKey[] = [
  "domain",
  "hostAddress",
  "hostUser",
  "hostPrivateKey",
  "hostKey",
  "adminUsername",
  "adminEmail",
];

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

function declaration(key: SettingKey): Record<string, unknown> {
  const { type, description, example, secret, ...rest }: Setting = settingsTable[key];
  return {
    type,
    ...(type === "array" && { items: { type: "string" } }),
    description: `${secret ? "Secret. " : ""}${description} Example: ${example}`,
    // Pulumi demands a value of every declared key without a default, and an encrypted one where `secret` is declared; the
    // program itself tells better what is missing or stands in plain text.
    default: rest.default ?? "",
  };
}

function question(key: SettingKey): Record<string, unknown> {
  const { description, secret, ...rest }: Setting = settingsTable[key];
  return {
    description,
    ...(rest.default !== undefined && { default: rest.default }),
    ...(secret && { secret: true }),
  };
}

if (require.main === module) writeFileSync(projectFile, withSettings(readFileSync(projectFile, "utf8")));
