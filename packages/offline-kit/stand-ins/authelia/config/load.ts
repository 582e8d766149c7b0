// Stand-in for Authelia 4.39.20: gathers the configuration from files and AUTHELIA_*_FILE secrets, the only I/O of config/.
import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { readConfig } from "./read";
import type { Problems, Tree, Value } from "./section";
import { isTree } from "./section";
import type { GatewayConfig } from "./types";

export type Environment = Readonly<Record<string, string | undefined>>;

const secretKeys = [
  "identity_validation.reset_password.jwt_secret",
  "notifier.smtp.password",
  "session.redis.password",
  "session.secret",
  "storage.encryption_key",
];

export function configPaths(flag: string | undefined, env: Environment): string[] {
  const given = flag ?? env["X_AUTHELIA_CONFIG"];
  return (given === undefined || given === "" ? "configuration.yml" : given).split(",");
}

export function loadConfig(
  paths: readonly string[],
  env: Environment,
): { readonly config: GatewayConfig; readonly problems: Problems } {
  const found: string[] = [];
  let tree: Tree = {};
  for (const path of paths) {
    const parsed = parseFile(path);
    if (typeof parsed === "string") found.push(parsed);
    else tree = merge(tree, parsed);
  }
  if ((env["X_AUTHELIA_CONFIG_FILTERS"] ?? "") !== "")
    found.push("X_AUTHELIA_CONFIG_FILTERS: configuration filters are not supported by this stand-in");
  const warnings: string[] = [];
  tree = withSecrets(tree, env, found, warnings);
  const { config, problems } = readConfig(tree);
  return {
    config,
    problems: { errors: [...found, ...problems.errors], warnings: [...warnings, ...problems.warnings] },
  };
}

function parseFile(path: string): Tree | string {
  const where = `failed to load configuration from file path(${path}) source:`;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return `${where} ${error instanceof Error ? error.message : String(error)}`;
  }
  return parseYaml(text, where);
}

/** Strict: duplicate keys, a second document, unknown tags and anything the parser warns of are faults. */
export function parseYaml(text: string, where: string): Tree | string {
  const document = parseDocument(text, { uniqueKeys: true, strict: true });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault) return `${where} yaml: ${fault.message}`;
  const value = document.toJS() as Value;
  if (value === null) return {};
  return isTree(value) ? value : `${where} yaml: the document is not a mapping`;
}

function merge(base: Tree, over: Tree): Tree {
  const merged: Record<string, Value> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const current = merged[key];
    merged[key] = isTree(current) && isTree(value) ? merge(current, value) : value;
  }
  return merged;
}

function withSecrets(tree: Tree, env: Environment, errors: string[], warnings: string[]): Tree {
  let result = tree;
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith("AUTHELIA_") || value === undefined) continue;
    const key = secretKeys.find((candidate) => environmentName(candidate) === name);
    if (key === undefined) {
      if (name.endsWith("_FILE")) warnings.push(`configuration environment variable not expected: ${name}`);
      else errors.push(`${name}: this stand-in takes its configuration from files and AUTHELIA_*_FILE only`);
      continue;
    }
    if (lookUp(tree, key) !== undefined) {
      errors.push(
        `secrets: error loading secret into key '${key}': it's already defined in other configuration sources`,
      );
      continue;
    }
    try {
      result = assign(result, key.split("."), readFileSync(value, "utf8").replace(/\n+$/, ""));
    } catch (error) {
      errors.push(
        `secrets: error loading secret path ${value} into key '${key}': ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return result;
}

function environmentName(key: string): string {
  return `AUTHELIA_${key.replaceAll(".", "_").toUpperCase()}_FILE`;
}

function lookUp(tree: Tree, key: string): Value | undefined {
  let value: Value | undefined = tree;
  for (const part of key.split(".")) value = isTree(value) ? value[part] : undefined;
  return value ?? undefined;
}

function assign(tree: Tree, [head = "", ...rest]: readonly string[], value: string): Tree {
  const current = tree[head];
  return { ...tree, [head]: rest.length === 0 ? value : assign(isTree(current) ? current : {}, rest, value) };
}
