/**
 * How a value becomes one token of a config language. Each function is the inverse of that language's own parser;
 * test/tools/escape.test.ts holds them to it with hostile strings.
 */

// Characters YAML calls non-printable, plus the ones editors and terminals swallow.
const notPrintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** A YAML double-quoted scalar; JSON's escapes are a subset of YAML 1.2's (https://yaml.org/spec/1.2.2/#57-escaped-characters). */
export function yamlScalar(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value).replace(notPrintable, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * A text as a compose file has it, where `$` starts an interpolation and `$$` is a literal one
 * (https://docs.docker.com/reference/compose-file/interpolation/).
 */
export function composeText(value: string): string {
  return value.replaceAll("$", "$$$$");
}

/** A YAML scalar inside a compose file. */
export function composeScalar(value: string | number | boolean): string {
  return yamlScalar(typeof value === "string" ? composeText(value) : value);
}

/**
 * The value of a line in a compose env file: single quotes take everything literally but a single quote, double quotes
 * take escapes (https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax).
 *
 * @throws Error for a NUL character, which no environment variable can hold.
 */
export function envValue(value: string): string {
  if (value.includes("\0")) throw new Error("an environment variable cannot hold a NUL character");
  if (!/['\\\r]/.test(value)) return `'${value}'`;
  const escaped = value
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("$", "\\$")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
  return `"${escaped}"`;
}

/**
 * One Caddyfile token, in backticks where possible (https://caddyserver.com/docs/caddyfile/concepts#tokens-and-quotes).
 *
 * @throws Error for braces, which Caddy reads as placeholders, and for texts that no quoting of Caddy can hold.
 */
export function caddyToken(value: string): string {
  if (/[{}\0\r]/.test(value)) throw new Error("a Caddyfile token cannot hold braces, NUL or carriage return");
  if (!value.includes("`")) return `\`${value}\``;
  if (/\\("|$)/.test(value))
    throw new Error("a Caddyfile token cannot hold both a backtick and a backslash before a quote");
  return `"${value.replaceAll('"', '\\"')}"`;
}

/**
 * What stands between the double quotes of a value in curl's configuration file (https://curl.se/docs/manpage.html#-K).
 *
 * @throws Error for a line end, which a value cannot hold
 */
export function curlQuoted(value: string): string {
  if (/[\r\n\0]/.test(value)) throw new Error("a value of curl's configuration cannot hold a line end");
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
}

/** One word of a POSIX shell command. */
export function shellWord(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}
