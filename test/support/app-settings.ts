import { z } from "zod";
import { appKinds } from "../../components/apps/registry";
import type { Section, Setting } from "../../components/settings/setting";
import { faultsOf } from "./settings";

/**
 * Settings for an App, made from its own table: whatever App is in the registry, the tests of all Apps can switch it on, give it
 * every setting, and give it texts that careless templates break on.
 */

export type Raw = Readonly<Record<string, string>>;

/** The same, where undefined keeps a setting out. */
export type Fixed = Readonly<Record<string, string | undefined>>;

/** What the tests of all Apps need to know of one. */
export interface Kind {
  readonly name: string;
  readonly enabled: string;
  readonly settings: Section;
}

export const kinds: readonly Kind[] = appKinds;

/** `least`: switched on with what it needs. `full`: every setting given. `hostile`: every text as unlucky as its check allows. */
export type Style = "least" | "full" | "hostile";

export const nasty = `$HOME \${HOME} $$ $(id) \`id\` & < > " ' # \\ \\n %s {{x}} { } : - ! | * é 密码 🔑`;

/** The worst first: a check that refuses one may take a later one. */
const hostileTexts: readonly string[] = [
  ` ${nasty} `,
  nasty,
  nasty.replaceAll(":", ""),
  nasty.slice(0, 60),
  `/${nasty.slice(1)}`,
  `$HOME$$\`'"#&<>{{x}}|!*`,
  "https://api.example.com/$HOME/;&()/a?x=$$&y=%7B",
  "https://api.example.com/$HOME/;&()/a=$$&b=%7B",
  "http://jo:$HOME%20&()$$@proxy.example.com:1080",
  "o'brien+$HOME#&%|!*@example.com",
  "0x1.example.com",
  "null",
  ...Array.from({ length: 20 }, (_, index) => `${index}e3`),
];

/**
 * Settings that switch an App on and pass all checks. Starts with the best value of each key and follows the faults that the
 * program reports: a key at fault gets its next value, or none.
 *
 * @param base settings of the rest of the stack
 * @param fixed settings of the App that must be so
 * @returns undefined when the program refuses the fixed settings
 * @throws Error when the App asks for a setting that is not its own, or no value of a key is good
 */
export function settingsFor(kind: Kind, style: Style, fixed: Fixed = {}, base: Raw = {}): Raw | undefined {
  const keys = Object.keys(kind.settings).filter((key) => key !== kind.enabled);
  const values = new Map(keys.map((key) => [key, valuesOf(key, kind.settings[key], style)]));
  for (const [key, value] of Object.entries(fixed)) values.set(key, [value]);
  for (;;) {
    const given = [...values].flatMap(([key, [value]]) => (value === undefined ? [] : [[key, value] as const]));
    const raw: Raw = { [kind.enabled]: "true", ...Object.fromEntries(given) };
    const faults = faultsOf({ ...base, ...raw });
    const [fault] = faults;
    if (fault === undefined) return raw;
    // A fault of a fixed key may end with the fault of another one.
    const movable = faults.map((one) => one.split(" ")[0] ?? "").find((key) => !(key in fixed) && values.has(key));
    if (movable === undefined) {
      if (faults.every((one) => (one.split(" ")[0] ?? "") in fixed)) return undefined;
      throw new Error(`${kind.name} cannot be switched on by settings of its own: ${fault}`);
    }
    const rest = values.get(movable)?.slice(1) ?? [];
    if (rest.length === 0)
      throw new Error(`no value of ${movable} is good for ${style} settings: ${faults.join("; ")}`);
    values.set(movable, rest);
  }
}

/** The settings, which must exist. */
export function given(kind: Kind, style: Style, fixed: Fixed = {}, base: Raw = {}): Raw {
  const raw = settingsFor(kind, style, fixed, base);
  if (raw === undefined) throw new Error(`the program refuses ${Object.keys(fixed).join(", ")} of ${kind.name}`);
  return raw;
}

/** Settings of one style for every App together. */
export function everyApp(style: Style, fixed: Fixed = {}, base: Raw = {}): Raw {
  return kinds.reduce<Raw>((all, kind) => {
    const own = Object.entries(fixed).filter(([key]) => key in kind.settings);
    return { ...all, ...given(kind, style, Object.fromEntries(own), { ...base, ...all }) };
  }, {});
}

/** Each style, and each word of each switch and choice in the full and the hostile one: together they reach every branch of a template. */
export function variantsOf(kind: Kind): (readonly [title: string, settings: Raw])[] {
  const styles = ["least", "full", "hostile"] as const;
  const words = Object.entries(kind.settings).flatMap(([key, setting]) =>
    key === kind.enabled ? [] : wordsOf(setting).map((word) => [key, word] as const),
  );
  const chosen = words.flatMap(([key, word]) =>
    (["full", "hostile"] as const).flatMap((style) => {
      const raw = settingsFor(kind, style, { [key]: word });
      return raw === undefined ? [] : [[`${style} settings and ${key} ${word}`, raw] as const];
    }),
  );
  return [...styles.map((style) => [`${style} settings`, given(kind, style)] as const), ...chosen];
}

/** The words of a switch or a choice. */
export function wordsOf({ type, schema }: Setting): readonly string[] {
  if (type === "boolean") return ["true", "false"];
  return schema instanceof z.ZodEnum ? schema.options.map(String) : [];
}

/** Values of a setting that its own check takes, the best first; undefined: it is not given. */
function valuesOf(key: string, setting: Setting | undefined, style: Style): readonly (string | undefined)[] {
  if (setting === undefined) return [undefined];
  const words = wordsOf(setting);
  if (words.length === 0) {
    const usual = plainValues(key, setting);
    const texts = style === "hostile" ? hostileValues(setting) : [];
    const taken = [...texts, ...usual].filter((text) => setting.schema.safeParse(text).success);
    return style === "least" ? [undefined, ...taken] : [...taken, undefined];
  }
  if (style === "least") return [undefined, ...words];
  const usual = words.filter((word) => isDefault(setting, word));
  const others = words.filter((word) => !isDefault(setting, word));
  // Switches are turned in the full style, choices in the hostile one, so that each style has some of both.
  const turned = (setting.type === "boolean") === (style === "full");
  return turned ? [...others, ...usual, undefined] : [...usual, ...others, undefined];
}

/** Values unlike the default, and unlike those of other keys where the check allows that. */
function plainValues(key: string, setting: Setting): readonly string[] {
  const example = exampleOf(setting);
  if (setting.secret) return [`secret of ${key}`, `secret-of-${key}`, example];
  if (!isDefault(setting, example)) return [example];
  return typeof setting.default === "number" ? [String(setting.default + 1), example] : [`${example}-x`, example];
}

function hostileValues({ type, secret }: Setting): readonly string[] {
  // A secret is unlike what is no secret, so that a test tells the one from the other.
  if (type === "string") return secret ? hostileTexts : hostileTexts.map((text) => text.replace("$HOME", "$HOMES"));
  return type === "array" ? hostileTexts.map((text) => JSON.stringify([text])) : [];
}

/** The same settings with a harmless text, which stands nowhere else, instead of each text that a check lets differ. */
export function harmless(
  kind: Kind,
  settings: Raw,
): { readonly settings: Raw; readonly texts: ReadonlyMap<string, string> } {
  const changed = Object.entries(settings).flatMap(([key, value]) => {
    const setting = kind.settings[key];
    if (setting === undefined || wordsOf(setting).length > 0) return [];
    const id = key.toLowerCase();
    const texts = [
      `text of ${key}`,
      `text-of-${id}`,
      `https://of-${id}.example.com/a`,
      `http://of-${id}.example.com:1080`,
      `text@of-${id}.example.com`,
      `of-${id}.example.com`,
    ];
    const wrap = (text: string) => (setting.type === "array" ? JSON.stringify([text]) : text);
    const text = texts.find((one) => setting.schema.safeParse(wrap(one)).success);
    if (text === undefined) return [];
    const [former = ""] = setting.type === "array" ? z.array(z.string()).parse(JSON.parse(value)) : [value];
    return [{ key, value: wrap(text), text, former }];
  });
  return {
    settings: { ...settings, ...Object.fromEntries(changed.map(({ key, value }) => [key, value])) },
    texts: new Map(changed.map(({ text, former }) => [text, former])),
  };
}

function isDefault(setting: Setting, word: string): boolean {
  return String(setting.default) === word;
}

/** The example as the shell hands it to `pulumi config set`. */
export function exampleOf({ example }: Setting): string {
  return example.replace(/^'(.*)'$/s, "$1");
}
