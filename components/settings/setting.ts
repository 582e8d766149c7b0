import type { Output } from "@pulumi/pulumi";
import { z } from "zod";
import { json } from "./checks";

/** One configuration key: what docs/settings.md says, what an error quotes, what the parser holds a value to. */
export interface Setting<T = unknown> {
  readonly type: "string" | "integer" | "number" | "boolean" | "array" | "object";
  readonly description: string;
  /** A valid value, as typed behind `pulumi config set KEY`. */
  readonly example: string;
  readonly default?: T;
  readonly secret?: true;
  /**
   * Of a secret that belongs to other settings: a random one that goes with them, for a preview without the real one.
   *
   * @param values of the stack file, as they stand there
   */
  readonly placeholder?: (values: Readonly<Record<string, unknown>>) => string;
  readonly schema: z.ZodType<T>;
}

/** A section of the configuration: its settings by key. */
export type Section = Readonly<Record<string, Setting>>;

/** The values of a section as the rules see them: as given, as defaulted, or undefined. */
export type PlainValues<S extends Section> = {
  readonly [K in keyof S]: S[K] extends { schema: z.ZodType<infer T> } ? T | undefined : never;
};

/** The values of a section as the program sees them: secrets are Pulumi secrets, what has a default is there. */
export type Values<S extends Section> = {
  readonly [K in keyof S]: S[K] extends { secret: true }
    ? Output<string> | undefined
    : S[K] extends { schema: z.ZodType<infer T>; default: unknown }
      ? T
      : S[K] extends { schema: z.ZodType<infer T> }
        ? T | undefined
        : never;
};

type Words = Pick<Setting, "description" | "example" | "placeholder">;
interface WithDefault<T> extends Words {
  readonly default: T;
}
interface Defaulted<T> extends Setting<T> {
  readonly default: T;
}

/** A setting of any shape; the others of this file are short forms of it. */
function setting<T>(type: Setting["type"], schema: z.ZodType<T>, words: WithDefault<T>): Defaulted<T>;
function setting<T>(type: Setting["type"], schema: z.ZodType<T>, words: Words): Setting<T>;
function setting<T>(type: Setting["type"], schema: z.ZodType<T>, words: Words): Setting<T> {
  return { type, schema, ...words };
}

export function text<T extends string>(schema: z.ZodType<T>, words: WithDefault<T>): Defaulted<T>;
export function text<T extends string>(schema: z.ZodType<T>, words: Words): Setting<T>;
export function text<T extends string>(schema: z.ZodType<T>, words: Words): Setting<T> {
  return setting("string", schema, words);
}

/** A text that the stack file must hold encrypted, and that is a Pulumi secret from the start. */
export function secret(schema: z.ZodType<string>, words: Words): Setting<string> & { readonly secret: true } {
  return { ...setting("string", schema, words), secret: true };
}

export function bool(words: WithDefault<boolean>): Defaulted<boolean> {
  const error = "is neither true nor false";
  const schema = z.stringbool({ truthy: ["true"], falsy: ["false"], case: "sensitive", error });
  return setting("boolean", schema, words);
}

/** A whole number between two bounds, both included. */
export function integer(min: number, max: number, words: WithDefault<number>): Defaulted<number>;
export function integer(min: number, max: number, words: Words): Setting<number>;
export function integer(min: number, max: number, words: Words): Setting<number> {
  const digits = /^(0|-?[1-9]\d{0,14})$/;
  return setting("integer", decimal(digits, "is not a whole number", min, max), words);
}

/** A number between two bounds, both included. */
export function number(min: number, max: number, words: WithDefault<number>): Defaulted<number>;
export function number(min: number, max: number, words: Words): Setting<number>;
export function number(min: number, max: number, words: Words): Setting<number> {
  const digits = /^-?(0|[1-9]\d{0,14})(\.\d{1,9})?$/;
  return setting("number", decimal(digits, "is not a number", min, max), words);
}

/** A number in the one form that every reader reads alike: no 0x10, 1e3, 007 or 5.0. */
function decimal(pattern: RegExp, fault: string, min: number, max: number): z.ZodType<number> {
  return z
    .string(fault)
    .regex(pattern, fault)
    .transform(Number)
    .pipe(z.number().min(min, `is below ${min}`).max(max, `is above ${max}`));
}

/** A list of texts, none of them twice; Pulumi keeps it as JSON. */
export function list(item: z.ZodType<string>, words: WithDefault<readonly string[]>): Defaulted<readonly string[]> {
  return setting<readonly string[]>("array", json(texts(item)), words);
}

/** The same with one of them at least. */
export function someOf(item: z.ZodType<string>, words: WithDefault<readonly string[]>): Defaulted<readonly string[]> {
  return setting<readonly string[]>("array", json(texts(item).min(1, "is empty: list at least one")), words);
}

/** A list that has nothing twice. */
export const eachOnce = <T extends z.ZodType<readonly (string | number)[]>>(items: T, message = "is listed twice") =>
  items.superRefine((values, context) => {
    values.forEach((value, index) => {
      if (values.indexOf(value) < index) context.addIssue({ code: "custom", path: [index], message });
    });
  });

const texts = (item: z.ZodType<string>) => eachOnce(z.array(item, "is not a list"));

/** A list of whole numbers between two bounds, none of them twice; Pulumi keeps it as JSON. */
export function integers(
  min: number,
  max: number,
  words: WithDefault<readonly number[]>,
): Defaulted<readonly number[]> {
  const one = z.int("is not a whole number").min(min, `is below ${min}`).max(max, `is above ${max}`);
  return setting<readonly number[]>("array", json(eachOnce(z.array(one, "is not a list"))), words);
}

/** A list of more than texts; Pulumi keeps it as JSON. */
export function array<T>(schema: z.ZodType<readonly T[]>, words: WithDefault<readonly T[]>): Defaulted<readonly T[]> {
  return setting("array", json(schema), words);
}

/** An object; Pulumi keeps it as JSON. */
export function object<T>(schema: z.ZodType<T>, words: WithDefault<T>): Defaulted<T> {
  return setting("object", json(schema), words);
}

/** One of a few words. */
export function choice<const T extends string>(
  words: readonly [T, ...T[]],
  fault: string,
  rest: WithDefault<T>,
): Defaulted<T> {
  return setting("string", z.enum(words, fault), rest);
}
