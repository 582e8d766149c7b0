import * as pulumi from "@pulumi/pulumi";
import type { HomeArgs } from "../../library";
import { appKinds } from "../apps/registry";
import { OperatorError } from "../operator-error";
import { checkSettings, describe, faultOf, isSettingKey } from "./read";
import type { Setting } from "./setting";
import { type Settings, toSettings } from "./settings";
import { settingsTable } from "./table";

/**
 * The settings that the arguments of a Home give, held to the same table and rules as a configuration. A secret may be an output of
 * another resource: its text is checked when it is known.
 *
 * @throws OperatorError that lists every problem with key, fault and example; no value is quoted
 */
export function homeSettings(args: HomeArgs): Settings {
  const given = Object.entries(byKey(args)).filter(([, value]) => value !== undefined);
  const outputs = given.flatMap(([key, value]) => (pulumi.Output.isInstance(value) ? [[key, value] as const] : []));
  const texts = given
    .filter(([, value]) => !pulumi.Output.isInstance(value))
    .map(([key, value]) => [key, asText(value)]);
  const later = Object.fromEntries(
    outputs.filter(([key]) => isSecret(key)).map(([key, text]) => [key, checked(key, text)]),
  );
  const { values, problems } = checkSettings(Object.fromEntries(texts) as Record<string, string>, {
    isEncrypted: () => true,
    later: new Set(Object.keys(later)),
  });
  const unknown = outputs
    .filter(([key]) => !isSecret(key))
    .map(([key]) => ({
      key,
      fault: "is an output, but its value must be known before any resource is created: only secrets may be outputs",
    }));
  const all = [...problems.filter(({ key }) => !unknown.some((one) => one.key === key)), ...unknown];
  if (all.length > 0) throw new OperatorError(describe(all, example));
  return toSettings(values, later);
}

/** All arguments by the keys of the settings. */
function byKey({ target, apps, ...rest }: HomeArgs): Readonly<Record<string, unknown>> {
  const { kind, ...ofTarget } = target;
  return { target: kind, ...rest, ...ofTarget, ...(apps && appsByKey(apps)) };
}

/** An App that is there is switched on, and any other off. */
function appsByKey(apps: NonNullable<HomeArgs["apps"]>): Readonly<Record<string, unknown>> {
  const given = new Map<string, Readonly<Record<string, unknown>> | undefined>(Object.entries(apps));
  const names = new Set([...appKinds.map(({ enabled }) => enabled.replace(/Enabled$/, "")), ...given.keys()]);
  const entries = [...names].flatMap((name): (readonly [string, unknown])[] => {
    const app = given.get(name);
    const own = Object.entries(app ?? {}).map(([key, value]) => [name + capitalized(key), value] as const);
    return [[`${name}Enabled`, app !== undefined], ...own];
  });
  return Object.fromEntries(entries);
}

const capitalized = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** As a stack's configuration holds it. */
function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isSecret(key: string): boolean {
  if (!isSettingKey(key)) return false;
  const setting: Setting = settingsTable[key];
  return setting.secret === true;
}

/** The text of a secret, once it is known and the table finds nothing wrong with it. */
function checked(key: string, text: pulumi.Output<unknown>): pulumi.Output<string> {
  return text.apply((value) => {
    const parsed = isSettingKey(key) ? settingsTable[key].schema.safeParse(value) : undefined;
    if (typeof value === "string" && parsed?.success === true) return value;
    const faults = parsed?.error?.issues.map(faultOf) ?? ["is not a string"];
    throw new OperatorError(describe([{ key, fault: faults.join("; ") }], example));
  });
}

/** The line that shows a right value, instead of the command that sets a configuration. */
function example(key: string): string {
  if (!isSettingKey(key)) return "    fix: remove it";
  const { example: words }: Setting = settingsTable[key];
  return `    example: ${words.replace(/^'(.*)'$/, "$1")}`;
}
