import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { appWarnings } from "../apps/registry";
import { OperatorError } from "../operator-error";
import { networkWarnings } from "./network-rules";
import { nearest } from "./nearest";
import type { Problem } from "./problem";
import { crossFieldProblems } from "./rules";
import type { Setting } from "./setting";
import { type Settings, toSettings } from "./settings";
import { type PlainSettings, type SettingKey, exampleCommand, settingKeys, settingsTable } from "./table";

/**
 * Reads, checks and freezes the configuration of the stack. Runs in preview too, before any resource is declared.
 *
 * @throws OperatorError that lists every problem with key, fault, example and the command that fixes it; no value is quoted
 */
export function readSettings(): Settings {
  const project = pulumi.getProject();
  const encrypted = encryptedKeys();
  const result = parseSettings(configOfProject(), project, (key) => encrypted.has(`${project}:${key}`));
  if (!result.ok) throw new OperatorError(result.message);
  return toSettings(result.values);
}

/** The raw texts under `PROJECT:`. */
function configOfProject(): Record<string, string> {
  const prefix = `${pulumi.getProject()}:`;
  const all = Object.entries(pulumi.runtime.allConfig());
  return Object.fromEntries(
    all.filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** Keys that the stack file holds encrypted, as the engine passes them to a Node program; the SDK has no call for it. */
function encryptedKeys(): ReadonlySet<string> {
  return new Set(JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]") as string[]);
}

/** What a preview warns of, each in one line with its fix. */
export function warningsOf(settings: Settings): string[] {
  const project = pulumi.getProject();
  return [...networkWarnings(settings.values), ...appWarnings(settings)].map(
    ({ key, fault }) => `${key} ${fault}\n${fix(key, project)}`,
  );
}

type Parsed = { readonly ok: true; readonly values: PlainSettings } | { readonly ok: false; readonly message: string };

/**
 * The pure half of {@link readSettings}.
 *
 * @param isEncrypted whether the stack file holds the key encrypted
 */
export function parseSettings(
  raw: Readonly<Record<string, string>>,
  project: string,
  isEncrypted: (key: string) => boolean,
): Parsed {
  const { values, problems } = checkSettings(raw, { isEncrypted });
  if (problems.length === 0) return { ok: true, values };
  return { ok: false, message: describe(problems, (key) => fix(key, project)) };
}

/** What is known of settings in addition to their texts. */
interface Known {
  /** Whether the key is held encrypted. */
  readonly isEncrypted: (key: string) => boolean;
  /** Secrets that are given, but whose text is known only when resources exist. @default none */
  readonly later?: ReadonlySet<string>;
}

/** Parses texts by the table and the rules between settings; the values are whole where there are no problems. */
export function checkSettings(
  raw: Readonly<Record<string, string>>,
  { isEncrypted, later = new Set() }: Known,
): { readonly values: PlainSettings; readonly problems: readonly Problem[] } {
  const problems: Problem[] = Object.keys(raw)
    .filter((key) => !isSettingKey(key))
    .map(unknownKey);
  const values: Partial<Record<SettingKey, unknown>> = {};
  for (const key of settingKeys) {
    const setting: Setting = settingsTable[key];
    const given = raw[key];
    if (later.has(key)) {
      // To the rules it is there; what they say of its text is settled when that is known.
      values[key] = "given later";
      continue;
    }
    // An empty value is none, as where `pulumi config set` got an unset variable of the shell.
    if (given === undefined || given === "") {
      values[key] = setting.default;
      continue;
    }
    if (setting.secret && !isEncrypted(key)) problems.push({ key, fault: "is a secret, but is stored in plain text" });
    const parsed = setting.schema.safeParse(given);
    if (parsed.success) values[key] = parsed.data;
    else problems.push(...parsed.error.issues.map((issue) => ({ key, fault: faultOf(issue) })));
  }
  const broken = new Set([...problems.map(({ key }) => key), ...later]);
  problems.push(...crossFieldProblems(values as PlainSettings, broken));
  return { values: values as PlainSettings, problems };
}

export function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(settingsTable, key);
}

function unknownKey(key: string): Problem {
  return { key, fault: `is not a setting; the nearest is ${nearest(key, settingKeys)}` };
}

/** Of one problem that the table finds: the rest of a sentence that begins with the key. */
export function faultOf(issue: z.core.$ZodIssue): string {
  const place = issue.path.map((step, depth) =>
    depth > 0 && typeof step === "string" ? `.${step}` : `[${String(step)}]`,
  );
  return `${place.join("")}${place.length > 0 ? " " : ""}${issue.message}`;
}

/** All problems, each with the line that `fix` has for its key. */
export function describe(problems: readonly Problem[], fix: (key: string) => string): string {
  const lines = problems.map(({ key, fault }) => `  ${key} ${fault}\n${fix(key)}`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `the configuration has ${count}; nothing was touched.\n${lines.join("\n")}`;
}

function fix(key: string, project: string): string {
  if (!isSettingKey(key)) return `    fix: pulumi config rm ${project}:${key}`;
  return `    fix: ${exampleCommand(key)}`;
}
