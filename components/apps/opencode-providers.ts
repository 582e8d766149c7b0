import { randomUUID } from "node:crypto";
import { z } from "zod";
import * as check from "../settings/checks";
import { type Problem, when } from "../settings/problem";
import type { TemplateValues } from "../stack/template";

/** Libraries by which both majors of OpenCode speak a protocol; each is part of its program. */
const libraries = {
  openai: "@ai-sdk/openai",
  "openai-compatible": "@ai-sdk/openai-compatible",
  anthropic: "@ai-sdk/anthropic",
  "anthropic-compatible": "@ai-sdk/anthropic",
} as const;

const kinds = ["openai", "openai-compatible", "anthropic", "anthropic-compatible"] as const;

/** One more provider of models. */
export interface Provider {
  readonly name: string;
  readonly kind: (typeof kinds)[number];
  readonly baseUrl?: string | undefined;
  readonly models: readonly string[];
  /** The model that OpenCode begins with, one of `models`. */
  readonly default?: string | undefined;
  /** The model of small work, such as titles, likewise. */
  readonly small?: string | undefined;
}

export const model = z.string("is not a string").regex(/^[\w.:/@+-]{1,128}$/, "is not the name of a model");

const provider: z.ZodType<Provider> = z
  .strictObject(
    {
      name: z.string("is not a string").regex(/^[a-z][a-z0-9-]{0,31}$/, {
        error: "is not 1 to 32 lower-case letters, digits and -, starting with a letter",
      }),
      kind: z.enum(kinds, `is not one of ${kinds.join(", ")}`),
      baseUrl: check.secretBase.optional(),
      models: z.array(model, "is not a list").min(1, "is empty: list at least one"),
      default: model.optional(),
      small: model.optional(),
    },
    "is not an object with name, kind, baseUrl and models",
  )
  .superRefine(({ kind, baseUrl, models, ...chosen }, context) => {
    const add = (path: string, message: string) => {
      context.addIssue({ code: "custom", path: [path], message });
    };
    if (baseUrl === undefined && kind.endsWith("-compatible"))
      add("baseUrl", "is missing: a compatible server needs an address");
    for (const key of ["default", "small"] as const)
      if (chosen[key] !== undefined && !models.includes(chosen[key])) add(key, "is not one of its models");
  });

export const providers: z.ZodType<readonly Provider[]> = z.array(provider, "is not a list");

/** Names of OpenCode's own, which other settings are for. */
const taken = ["openai", "anthropic"];
/** Name of the donation site's model proxy. */
export const donationName = "donation";

/** Adds the donation site's model proxy to the providers; its first model is the default where no other one is. @param host its name */
export function withDonation(list: readonly Provider[], host: string, models: readonly string[]): readonly Provider[] {
  if (models.length === 0) return list;
  const first = list.some((one) => one.default !== undefined) ? undefined : models[0];
  const provider = { name: donationName, kind: "openai-compatible", baseUrl: `https://${host}/v1`, models } as const;
  return [...list, { ...provider, default: first }];
}

/** What is wrong between the providers, and with their keys. */
export function providerProblems(list: readonly Provider[], keys: string | undefined): Problem[] {
  const key = "opencodeProviders";
  const names = list.map(({ name }) => name);
  const known = keysOf(keys ?? "{}");
  const rivals = (field: "default" | "small") => list.filter((one) => one[field] !== undefined).length > 1;
  return [
    ...names.flatMap((name, index) => [
      ...when(names.indexOf(name) < index, key, `[${index}] has the same name as another one`),
      ...when(taken.includes(name), key, `[${index}] has a name that OpenCode itself uses: ${taken.join(", ")}`),
      ...when(known[name] === undefined, "opencodeProviderKeys", `has no key for the provider [${index}]`),
    ]),
    ...(["default", "small"] as const).flatMap((field) => when(rivals(field), key, `has more than one ${field} model`)),
    ...when(
      Object.keys(known).some((name) => !names.includes(name)),
      "opencodeProviderKeys",
      "has a key for a provider that is not in opencodeProviders",
    ),
  ];
}

const keysSchema = z.record(z.string(), check.accessToken, "is not an object of keys by the provider's name");

/** The secret setting of the keys: JSON, checked, and left as it is. */
export const providerKeys: z.ZodType<string> = z.string("is not a string").superRefine((value, context) => {
  const parsed = check.json(keysSchema).safeParse(value);
  for (const { message, path } of parsed.error?.issues ?? []) context.addIssue({ code: "custom", path, message });
});

/** Keys by the provider's name. @param text what {@link providerKeys} has accepted */
export function keysOf(text: string): Readonly<Record<string, string>> {
  return check.json(keysSchema).safeParse(text).data ?? {};
}

/** Random keys for what a stack file names. @param given its `opencodeProviders`, which may be wrong */
export function placeholderKeys(given: unknown): string {
  const named = check.json(z.array(z.looseObject({ name: z.string() }))).safeParse(given);
  return JSON.stringify(Object.fromEntries((named.data ?? []).map(({ name }) => [name, randomUUID()])));
}

/** Where a provider's key is in the containers. */
export const keyFile = (name: string) => `/run/secrets/provider-${name}`;

/**
 * OpenCode's configuration of providers. In the shape of its first major, which the second reads as well
 * (https://opencode.ai/docs/providers); keys stay in files of their own.
 */
export function openCodeConfig(list: readonly Provider[], openaiBaseUrl: string | undefined): TemplateValues {
  const chosen = (field: "default" | "small") => {
    const owner = list.find((one) => one[field] !== undefined);
    return owner === undefined ? undefined : `${owner.name}/${owner[field] ?? ""}`;
  };
  const own = list.map(({ name, kind, baseUrl, models }): [string, TemplateValues] => [
    name,
    {
      npm: libraries[kind],
      name,
      options: { ...(baseUrl !== undefined && { baseURL: baseUrl }), apiKey: `{file:${keyFile(name)}}` },
      models: Object.fromEntries(models.map((id) => [id, { name: id }])),
    },
  ]);
  return {
    provider: {
      ...(openaiBaseUrl !== undefined && { openai: { options: { baseURL: openaiBaseUrl } } }),
      ...Object.fromEntries(own),
    },
    model: chosen("default"),
    small_model: chosen("small"),
  };
}
