import { generateKeyPairSync, randomBytes } from "node:crypto";
import { parse, stringify } from "yaml";
import { z } from "zod";
import type { Setting } from "../../components/settings/setting";
import { settingsTable } from "../../components/settings/table";
import { asConfigOf, settingsOfProject } from "../../cli/project";

const fileSchema = z.object({ config: z.record(z.string(), z.unknown()) });
const encrypted = z.strictObject({ secure: z.unknown() });

/** A stack file without its encrypted values, and random values in their place. */
export interface PlainStack {
  /** The file with its plain values only; nothing in it names the earlier passphrase or key service. */
  readonly file: string;
  /** Whether the host is to be made at Alibaba Cloud, as it is by default. */
  readonly isAlicloud: boolean;
  /** By key, the project's own without its name. */
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * A stack that anybody can preview, out of a stack file that only its operator can decrypt.
 *
 * @param project name of the project that is previewed
 * @throws Error when the text is no stack file, or holds a secret that no placeholder fits
 */
export function withPlaceholders(stackFile: string, project: string): PlainStack {
  const parsed = fileSchema.safeParse(parse(stackFile));
  if (!parsed.success) throw new Error("The stack file has no `config`.");
  const entries = Object.entries(asConfigOf(project, parsed.data.config));
  const isEncrypted = ([, value]: [string, unknown]) => encrypted.safeParse(value).success;
  const config = Object.fromEntries(entries.filter((entry) => !isEncrypted(entry)));
  const secret = Object.fromEntries(entries.filter(isEncrypted));
  const own = Object.keys(settingsOfProject(secret, project));
  const others = Object.keys(secret).filter((key) => !key.startsWith(`${project}:`));
  const values = settingsOfProject(config, project);
  const isAlicloud = (values["target"] ?? "alicloud") === "alicloud";
  const secrets = Object.fromEntries([...own, ...others].map((key) => [key, placeholder(key, values)]));
  return { file: stringify({ config }), isAlicloud, secrets };
}

/**
 * A random value that a setting takes, by its key without the project's name.
 *
 * @param values of the stack file
 */
export function placeholder(key: string, values: Readonly<Record<string, unknown>>): string {
  const table = new Map<string, Setting>(Object.entries(settingsTable));
  const setting = table.get(key);
  if (setting?.placeholder) return setting.placeholder(values);
  // Of an unknown key the program itself says that it is none.
  const fitting = shapes
    .map((make) => make())
    .find((text) => setting === undefined || setting.schema.safeParse(text).success);
  if (fitting === undefined)
    throw new Error(`There is no placeholder for the secret ${key}: add its shape to ${__filename}.`);
  return fitting;
}

const random = () => randomBytes(16).toString("hex");

/** What secrets look like, the most common first. */
const shapes: readonly (() => string)[] = [
  random,
  () =>
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "sec1", format: "pem" }).toString(),
  () => `https://hooks.example.com/${random()}`,
  () => `socks5://placeholder:${random()}@proxy.example.com:1080`,
  () => Buffer.from(JSON.stringify({ a: random(), t: random(), s: random() })).toString("base64"),
];
