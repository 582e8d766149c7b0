// Stand-in for Authelia 4.39.20: gathers the configuration from its file and AUTHELIA_*_FILE secrets, the only I/O of config/.
import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { complaintsOf } from "./complaints";
import type { Config } from "./schema";
import { schema } from "./schema";

export type Environment = Readonly<Record<string, string | undefined>>;
export type Tree = Readonly<Record<string, unknown>>;
/** With errors there is no configuration. */
export interface Loaded {
  readonly config: Config | undefined;
  readonly errors: readonly string[];
}

const secretKeys = [
  "identity_validation.reset_password.jwt_secret",
  "notifier.smtp.password",
  "session.secret",
  "storage.encryption_key",
];

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function loadConfig(path: string, env: Environment): Loaded {
  const errors: string[] = [];
  const parsed = parseFile(path);
  if (typeof parsed === "string") errors.push(parsed);
  const tree = withSecrets(typeof parsed === "string" ? {} : parsed, env, errors);
  const result = schema.safeParse(tree);
  if (result.error) errors.push(...result.error.issues.flatMap((issue) => complaintsOf(issue, tree)));
  const [cookie] = result.data?.session.cookies ?? [];
  return { config: result.data && cookie && errors.length === 0 ? { ...result.data, cookie } : undefined, errors };
}

function parseFile(path: string): Tree | string {
  const where = `failed to load configuration from file path(${path}) source:`;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return `${where} ${error instanceof Error ? error.message : String(error)}`;
  }
  const tree = parseYaml(text, where);
  return typeof tree === "string" ? tree : (withoutNulls(tree) as Tree);
}

/** Strict: duplicate keys, a second document, unknown tags and anything the parser warns of are faults. */
export function parseYaml(text: string, where: string): Tree | string {
  const document = parseDocument(text, { uniqueKeys: true, strict: true });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault) return `${where} yaml: ${fault.message}`;
  const value: unknown = document.toJS();
  if (value === null) return {};
  return isTree(value) ? value : `${where} yaml: the document is not a mapping`;
}

/** A key without a value is as good as no key. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isTree(value)) return value;
  const given = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(given.map(([key, inner]) => [key, withoutNulls(inner)]));
}

function withSecrets(tree: Tree, env: Environment, errors: string[]): Tree {
  let result = tree;
  for (const [name, value] of Object.entries(env)) {
    if (!/^(?:X_)?AUTHELIA_/.test(name) || name === "X_AUTHELIA_CONFIG" || value === undefined) continue;
    const key = secretKeys.find((one) => name === `AUTHELIA_${one.replaceAll(".", "_").toUpperCase()}_FILE`);
    if (key === undefined) errors.push(`configuration environment variable not expected: ${name}`);
    else if (lookUp(tree, key) !== undefined)
      errors.push(
        `secrets: error loading secret into key '${key}': it's already defined in other configuration sources`,
      );
    else
      try {
        result = assign(result, key.split("."), readFileSync(value, "utf8").replace(/\n+$/, ""));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        errors.push(`secrets: error loading secret path ${value} into key '${key}': ${reason}`);
      }
  }
  return result;
}

function lookUp(tree: Tree, key: string): unknown {
  return key.split(".").reduce<unknown>((value, part) => (isTree(value) ? value[part] : undefined), tree);
}

function assign(tree: Tree, [head = "", ...rest]: readonly string[], value: string): Tree {
  const current = tree[head];
  return { ...tree, [head]: rest.length === 0 ? value : assign(isTree(current) ? current : {}, rest, value) };
}
