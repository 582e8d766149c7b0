import { appSettings } from "../apps/registry";
import { alicloudSettings } from "./sections/alicloud";
import { backupSettings } from "./sections/backup";
import { certificateSettings } from "./sections/certificates";
import { dockerSettings } from "./sections/docker";
import { gatewaySettings } from "./sections/gateway";
import { operationsSettings } from "./sections/operations";
import { networkSettings } from "./sections/network";
import { notifySettings } from "./sections/notify";
import { ownAppsSettings } from "./sections/own-apps";
import { existingSettings, targetSettings } from "./sections/target";
import type { PlainValues, Setting, Values } from "./setting";

/**
 * Every configuration key of the program, with its type and default. docs/settings.md and what `pulumi new` asks (`template` of
 * Pulumi.yaml) are written from this table by `npm run settings`, so that documentation, defaults and validation have one source.
 */
export const settingsTable = {
  ...targetSettings,
  ...alicloudSettings,
  ...existingSettings,
  ...gatewaySettings,
  ...certificateSettings,
  ...networkSettings,
  ...dockerSettings,
  ...backupSettings,
  ...operationsSettings,
  ...notifySettings,
  ...appSettings,
  ...ownAppsSettings,
};

export type SettingKey = keyof typeof settingsTable;

/** The checked values by key: as given, as defaulted, or undefined. */
export type PlainSettings = PlainValues<typeof settingsTable>;

/** The same with Pulumi secrets for secrets. */
export type SettingValues = Values<typeof settingsTable>;

export const settingKeys = Object.keys(settingsTable) as SettingKey[];

/** The command that sets a key to its example, as an error and docs/settings.md show it. */
export function exampleCommand(key: SettingKey): string {
  const { secret, example }: Setting = settingsTable[key];
  // An example with --path names its key itself.
  const words = example.startsWith("--path") ? [example] : [key, example];
  return ["pulumi config set", ...(secret ? ["--secret"] : []), ...words].join(" ");
}
