import { generateKeyPairSync } from "node:crypto";
import { rootCertificates } from "node:tls";
import { parseSettings } from "../../components/settings/read";
import { type Settings, toSettings } from "../../components/settings/settings";
import type { AlicloudTarget } from "../../components/settings/targets";
import { minimal, minimalAlicloud, project } from "./minimal";

type Raw = Readonly<Record<string, string>>;

/** What the operator reads; empty for a configuration without problems. */
export function messageOf(raw: Raw, isEncrypted: (key: string) => boolean = () => true): string {
  const parsed = parseSettings(raw, project, isEncrypted);
  return parsed.ok ? "" : parsed.message;
}

/** The problem sentences, `KEY fault`, of a least configuration with these settings. */
export function faultsOf(settings: Raw, least: Raw = minimal): string[] {
  return sentences(messageOf({ ...least, ...settings }));
}

/** The problem sentences of a message, without the remedy of each. */
export function sentences(message: string): string[] {
  return message
    .split("\n")
    .filter((line) => /^ {2}\S/.test(line))
    .map((line) => line.trim());
}

/** The shaped settings of a least configuration with these. @throws Error with the message where there is a problem */
export function settingsOf(settings: Raw = {}, least: Raw = minimal): Settings {
  const parsed = parseSettings({ ...least, ...settings }, project, () => true);
  if (!parsed.ok) throw new Error(parsed.message);
  return toSettings(parsed.values);
}

/** The Target of the least configuration on Alibaba Cloud with these settings. */
export function alicloudTargetOf(settings: Raw = {}): AlicloudTarget {
  const { target } = settingsOf(settings, minimalAlicloud);
  if (target.kind !== "alicloud") throw new Error("the settings name another target");
  return target;
}

/** A private key of OpenSSL's formats. */
export function pemKey(type: "sec1" | "pkcs8", passphrase?: string): string {
  const encryption = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
  return generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type, format: "pem", ...encryption },
  }).privateKey;
}

/** A certificate of an authority, of those that come with Node: making one takes longer than what is tested with it. */
export const pemCertificate = `${rootCertificates[0] ?? ""}\n`;
