import { appKinds } from "../components/apps/registry";
import { alicloudSettings } from "../components/settings/sections/alicloud";
import { backupSettings } from "../components/settings/sections/backup";
import { certificateSettings } from "../components/settings/sections/certificates";
import { dockerSettings } from "../components/settings/sections/docker";
import { gatewaySettings } from "../components/settings/sections/gateway";
import { networkSettings } from "../components/settings/sections/network";
import { notifySettings } from "../components/settings/sections/notify";
import { operationsSettings } from "../components/settings/sections/operations";
import { ownAppsSettings } from "../components/settings/sections/own-apps";
import { existingSettings, targetSettings } from "../components/settings/sections/target";
import type { Section, Setting } from "../components/settings/setting";
import { type SettingKey, exampleCommand, settingKeys } from "../components/settings/table";

/** Sections of the page in its order: a heading, what it links to, and the settings below it. */
const groups: readonly { readonly title: string; readonly page?: string; readonly settings: Section }[] = [
  { title: "The whole stack", settings: targetSettings },
  { title: "Target `existing`: a machine you have", page: "existing-machine.md", settings: existingSettings },
  { title: "Target `alicloud`: Alibaba Cloud", page: "alibaba-cloud.md", settings: alicloudSettings },
  { title: "Sign-in and mail", page: "security.md", settings: gatewaySettings },
  { title: "Certificates", page: "domain.md", settings: certificateSettings },
  { title: "Mainland China", page: "mainland.md", settings: networkSettings },
  { title: "Docker and the host", page: "machine.md", settings: dockerSettings },
  { title: "Backups", page: "backups.md", settings: backupSettings },
  { title: "Updates and alerts", page: "operations.md", settings: operationsSettings },
  { title: "News on the phone", page: "notifications.md", settings: notifySettings },
  ...appKinds.map(({ name, settings }) => ({ title: `App: ${name}`, page: `apps/${name}.md`, settings })),
  { title: "Apps of your own", page: "own-apps.md", settings: ownAppsSettings },
];

/**
 * docs/settings.md: every setting with type, default and example.
 *
 * @throws Error when a setting is in no group
 */
export function settingsPage(): string {
  const grouped = new Set(groups.flatMap(({ settings }) => Object.keys(settings)));
  const missing = settingKeys.filter((key) => !grouped.has(key));
  if (missing.length > 0) throw new Error(`in no group of scripts/settings-page.ts: ${missing.join(", ")}`);
  return `# Settings

<!-- Written by \`npm run settings\` from the settings table (components/settings/table.ts): edit that, not this page. -->

Set a value with \`pulumi config set KEY VALUE\`, a secret with \`pulumi config set --secret KEY\`: without a value on the command
line Pulumi asks for it, and it does not stay in your shell's history. Return to the default with \`pulumi config rm KEY\`.
\`pulumi up\` checks all settings first, reports every fault at once, each with a valid example, and changes nothing until all
are correct.

A list or an object is written as JSON; \`pulumi config set --path 'KEY[0]' VALUE\` sets one item of a list.

${groups.map(section).join("\n")}`;
}

function section({ title, page, settings }: (typeof groups)[number]): string {
  const rows = settingKeys.flatMap((key) => {
    const setting = settings[key];
    return setting === undefined ? [] : [row(key, setting)];
  });
  return `## ${title}

${page === undefined ? "" : `See also [${page}](${page}).\n\n`}| Setting | What it is | Type | Default | Example |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

function row(key: SettingKey, { type, secret, description, ...rest }: Setting): string {
  const standard = rest.default === undefined ? "" : code(textOf(rest.default));
  const cells = [code(key), prose(description), secret ? `secret ${type}` : type, standard, code(exampleCommand(key))];
  return `| ${cells.join(" | ")} |`;
}

/** As `pulumi config get` prints it. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A pipe ends a cell even within code (https://github.github.com/gfm/#tables-extension-). */
function code(text: string): string {
  return `\`${text.replaceAll("|", "\\|")}\``;
}

/** A description, whose only Markdown is code in backticks. */
function prose(text: string): string {
  return text.replace(/[<|*[\]]/g, "\\$&");
}
