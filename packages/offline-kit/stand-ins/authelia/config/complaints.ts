// Stand-in for Authelia 4.39.20: what zod found wrong, in the real one's words.
import type { z } from "zod";

type Issue = z.core.$ZodIssue;
type Path = Issue["path"];

const decoding = "error occurred during unmarshaling configuration: decoding failed due to the following error(s): ";

/** What a missing section or key is called where that is not "option 'x' is required". */
const missing: Readonly<Record<string, string>> = {
  "authentication_backend.file":
    "authentication_backend: you must ensure either the 'file' or 'ldap' authentication backend is configured",
  "storage.local": "storage: configuration for a 'local', 'mysql' or 'postgres' database must be provided",
  "session.secret": "session: option 'secret' is required when using the 'redis' provider",
  "access_control.rules":
    "access_control: 'default_policy' option 'deny' is invalid: when no rules are specified it must be 'two_factor' or 'one_factor'",
};

export function complaintsOf(issue: Issue, tree: unknown): string[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys")
    return issue.keys.map(
      (key) => `configuration key not expected: ${written([...path, key]).replace(/\[\d+\]/g, "[]")}`,
    );
  const value = valueAt(tree, path);
  const whole = missing[path.join(".")];
  if (value === undefined && whole !== undefined) return [whole];
  const key = path.findLast((part) => typeof part === "string") ?? "";
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  const message = value === undefined ? requirement(issue, key) : messageOf(issue);
  const front = message.startsWith("'{path}'") ? decoding : `${place(path, tree)}: `.replace(/^: /, "");
  const filled = { key, value: shown, path: written(path) };
  return [front + message.replace(/\{(key|value|path)\}/g, (_, name: keyof typeof filled) => filled[name])];
}

function requirement(issue: Issue, key: string): string {
  if (issue.code === "custom") return issue.message;
  return key === "policy" ? "option 'policy' must be present but it's absent" : `option '${key}' is required`;
}

function messageOf(issue: Issue): string {
  if (issue.code === "invalid_value")
    return `option '{key}' must be one of ${joinOr(issue.values)} but it's configured as '{value}'`;
  if (issue.code === "invalid_type") return `'{path}' expected type '${issue.expected}', got '{value}'`;
  if (issue.code === "invalid_union") return "'{path}' expected a text or a number, got '{value}'";
  if (issue.code === "too_big" && issue.origin === "array")
    return "option '{key}' has more than the one entry that this stand-in knows";
  if (issue.code === "too_big")
    return `option '{key}' is configured as '{value}' but must be less than or equal to '${String(issue.maximum)}'`;
  if (issue.code === "too_small" && issue.origin === "array") return "option '{key}' is required";
  if (issue.code === "too_small" && issue.origin !== "string")
    return `option '{key}' is configured as '{value}' but must be greater than or equal to '${String(issue.minimum)}'`;
  return issue.message;
}

function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], tree);
}

/** The section's name in front of a message: "server: timeouts", "access_control: rule #1 (domain 'x')". */
function place(path: Path, tree: unknown): string {
  const [, list, index] = path;
  const owner = typeof path.at(-1) === "number" ? path.slice(0, -2) : path.slice(0, -1);
  if (typeof index !== "number" || (list !== "cookies" && list !== "rules"))
    return owner.filter((part) => typeof part === "string").join(": ");
  const written = valueAt(tree, [...path.slice(0, 3), "domain"]);
  const domain = typeof written === "string" ? written : "";
  if (list === "cookies") return `session: domain config #${index + 1} (domain '${domain}')`;
  return `access_control: rule #${index + 1}${domain === "" ? "" : ` (domain '${domain}')`}`;
}

/** "session.cookies[0].domain" */
function written(path: Path): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

function joinOr(values: readonly unknown[]): string {
  const quoted = values.map((value) => `'${String(value)}'`);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")}, or ${quoted.at(-1) ?? ""}`;
}
