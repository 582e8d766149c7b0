// Stand-in for Authelia 4.39.20: reads one mapping of the configuration and notes every problem by its full key.
import { parseDuration } from "./duration";

export type Value = string | number | boolean | null | readonly Value[] | Tree;
export interface Tree {
  readonly [key: string]: Value;
}
export interface Problems {
  readonly errors: string[];
  readonly warnings: string[];
}

export function isTree(value: Value | undefined): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Keys a section was never asked for are unknown keys, so what may be written is exactly what is read. */
export class Section {
  readonly #asked = new Set<string>();
  readonly #children: Section[] = [];

  constructor(
    readonly tree: Tree,
    readonly path: string,
    readonly problems: Problems,
  ) {}

  error(message: string): void {
    this.problems.errors.push(message);
  }

  has(key: string): boolean {
    return this.tree[key] !== undefined && this.tree[key] !== null;
  }

  keys(): string[] {
    return Object.keys(this.tree);
  }

  raw(key: string): Value {
    this.#asked.add(key);
    return this.tree[key] ?? null;
  }

  string(key: string, fallback = ""): string {
    const value = this.raw(key);
    if (value === null) return fallback;
    if (typeof value === "string") return value === "" ? fallback : value;
    this.#mismatch(key, "a string", value);
    return fallback;
  }

  oneOf<T extends string>(key: string, allowed: readonly T[], fallback: T, message?: string): T {
    const value = this.string(key, fallback);
    const found = allowed.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    const choices = joinOr(allowed);
    this.error(message ?? `${this.words()}option '${key}' must be one of ${choices} but it's configured as '${value}'`);
    return fallback;
  }

  boolean(key: string, fallback = false): boolean {
    const value = this.raw(key);
    if (value === null) return fallback;
    if (typeof value === "boolean") return value;
    this.#mismatch(key, "true or false", value);
    return fallback;
  }

  integer(key: string, fallback: number): number {
    const value = this.raw(key);
    if (value === null) return fallback;
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    this.#mismatch(key, "an integer", value);
    return fallback;
  }

  /** Milliseconds; zero and less fall back to the default, as in the real one. */
  duration(key: string, fallback: number): number {
    const value = this.raw(key);
    if (value === null) return fallback;
    const parsed = typeof value === "string" || typeof value === "number" ? parseDuration(value) : undefined;
    if (parsed === undefined) this.#mismatch(key, "a duration such as '5m' or '12 hours'", value);
    return parsed === undefined || parsed <= 0 ? fallback : parsed;
  }

  url(key: string): URL | undefined {
    const value = this.string(key);
    if (value === "") return undefined;
    if (URL.canParse(value)) return new URL(value);
    this.error(`${this.words()}option '${key}' is not absolute with a value of '${value}'`);
    return undefined;
  }

  /** A single string or a list of strings. */
  strings(key: string): string[] {
    const value = this.raw(key);
    if (value === null) return [];
    const list: readonly Value[] = Array.isArray(value) ? value : [value];
    return list.filter((item): item is string => {
      if (typeof item === "string") return true;
      this.#mismatch(key, "a list of strings", item);
      return false;
    });
  }

  integers(key: string): number[] {
    const value = this.raw(key);
    if (value === null) return [];
    if (Array.isArray(value) && value.every((item) => Number.isSafeInteger(item))) return value as number[];
    this.#mismatch(key, "a list of integers", value);
    return [];
  }

  /** An empty section when the key is absent. */
  section(key: string): Section {
    return this.optional(key) ?? this.#child({}, this.#full(key));
  }

  optional(key: string): Section | undefined {
    const value = this.raw(key);
    if (value === null) return undefined;
    if (isTree(value)) return this.#child(value, this.#full(key));
    this.#mismatch(key, "a mapping", value);
    return undefined;
  }

  sections(key: string): Section[] {
    const value = this.raw(key);
    if (value === null) return [];
    if (!Array.isArray(value)) {
      this.#mismatch(key, "a list", value);
      return [];
    }
    return (value as readonly Value[]).flatMap((item, index) => {
      if (isTree(item)) return [this.#child(item, `${this.#full(key)}[${index}]`)];
      this.#mismatch(key, "a list of mappings", item);
      return [];
    });
  }

  /** A mapping met inside a list this section has read as raw value. */
  nested(value: Tree, path: string): Section {
    return this.#child(value, path);
  }

  unknownKeys(): string[] {
    const own = this.keys().filter((key) => !this.#asked.has(key));
    return [...own.map((key) => this.#full(key)), ...this.#children.flatMap((child) => child.unknownKeys())];
  }

  /** "session: cookies: " of "session.cookies", the way the real messages begin. */
  words(): string {
    return this.path === "" ? "" : `${this.path.replaceAll(".", ": ")}: `;
  }

  #child(tree: Tree, path: string): Section {
    const child = new Section(tree, path, this.problems);
    this.#children.push(child);
    return child;
  }

  #full(key: string): string {
    return this.path === "" ? key : `${this.path}.${key}`;
  }

  #mismatch(key: string, expected: string, value: Value): void {
    this.error(`configuration key '${this.#full(key)}' must be ${expected} but it's ${JSON.stringify(value)}`);
  }
}

export function joinOr(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")}, or ${quoted.at(-1) ?? ""}`;
}
