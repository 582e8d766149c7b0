import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type ModelServer, modelBase } from "../routes";
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
  /** What a model costs, in USD for a million tokens; OpenCode takes one without a price for free. */
  readonly prices?: Readonly<Record<string, ModelPrice>> | undefined;
}

/** USD for a million tokens. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
}

export const model = z.string("is not a string").regex(/^[\w.:/@+-]{1,128}$/, "is not the name of a model");

const usd = z.number("is not a number").min(0, "is below 0").max(1e6, "is above 1000000");
const price: z.ZodType<ModelPrice> = z.strictObject(
  { input: usd, output: usd, cacheRead: usd.optional(), cacheWrite: usd.optional() },
  "is not an object with input, output, cacheRead and cacheWrite",
);

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
      prices: z.record(z.string(), price, "is not an object of prices by the model").optional(),
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
    for (const name of Object.keys(chosen.prices ?? {}))
      if (!models.includes(name)) add("prices", "has the price of a model that is not one of its models");
  });

export const providers: z.ZodType<readonly Provider[]> = z.array(provider, "is not a list");

/** Names of OpenCode's own, which other settings are for. */
const taken = ["openai", "anthropic"];
/** Name of the donation site's model proxy. */
export const donationName = "donation";

/** Adds the donation site's model proxy to the providers; its first model is the default where no other one is. @param address of the proxy, without a path */
export function withDonation(
  list: readonly Provider[],
  address: string,
  models: readonly string[],
): readonly Provider[] {
  if (models.length === 0) return list;
  const first = list.some((one) => one.default !== undefined) ? undefined : models[0];
  const provider = { name: donationName, kind: "openai-compatible", baseUrl: `${address}/v1`, models } as const;
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

/** What is wrong with a limit of their costs. @param keys texts by the setting that they come from */
export function limitProblems(
  list: readonly Provider[],
  keys: Readonly<Record<string, string | undefined>>,
): Problem[] {
  return [
    ...list.flatMap(({ models, prices = {} }, index) =>
      models.flatMap((name) =>
        when(
          prices[name] === undefined,
          "opencodeProviders",
          `[${index}].prices has no price of ${name}, which opencodeMonthlyLimitUsd would count as free: give one, 0 where it is free`,
        ),
      ),
    ),
    // Caddy's configuration has them.
    ...Object.entries(keys).flatMap(([key, text]) =>
      when(
        /[`{}\\]/.test(text ?? ""),
        key,
        "has a brace, a backtick or a backslash, which Caddy cannot send for OpenCode",
      ),
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

/** Addresses of the servers that OpenCode knows itself. */
const addresses = { anthropic: "https://api.anthropic.com/v1", openai: "https://api.openai.com/v1" } as const;

/** The servers behind the edge: those that OpenCode knows itself, by the file of their key, and those of the list. */
export function modelServers(
  builtIn: readonly ("ANTHROPIC_API_KEY" | "OPENAI_API_KEY")[],
  openaiBaseUrl: string | undefined,
  list: readonly Provider[],
): ModelServer[] {
  const known = builtIn.map((secret): ModelServer =>
    secret === "ANTHROPIC_API_KEY"
      ? { name: "anthropic", base: addresses.anthropic, login: "x-api-key", secret }
      : { name: "openai", base: openaiBaseUrl ?? addresses.openai, login: "bearer", secret },
  );
  const own = list.map(({ name, kind, baseUrl }): ModelServer => {
    const anthropic = kind.startsWith("anthropic");
    const base = baseUrl ?? (anthropic ? addresses.anthropic : addresses.openai);
    return { name, base, login: anthropic ? "x-api-key" : "bearer", secret: `provider-${name}` };
  });
  return [...known, ...own];
}

/** The part of OpenCode's configuration that is written here. */
export interface OpenCodeConfig {
  readonly provider: Readonly<Record<string, TemplateValues & { readonly options?: TemplateValues }>>;
  readonly model: string | undefined;
  readonly small_model: string | undefined;
}

/** The configuration that sends every call of these servers to the edge. @param alias the edge's name */
export function throughEdge(config: OpenCodeConfig, alias: string, servers: readonly ModelServer[]): OpenCodeConfig {
  const providers = servers.map(({ name }) => {
    const former = config.provider[name] ?? {};
    return [name, { ...former, options: { ...former.options, baseURL: modelBase(alias, name) } }] as const;
  });
  return { ...config, provider: { ...config.provider, ...Object.fromEntries(providers) } };
}

/** Where a provider's key is in the containers. */
export const keyFile = (name: string) => `/run/secrets/provider-${name}`;

/**
 * OpenCode's configuration of providers. In the shape of its first major, which the second reads as well
 * (https://opencode.ai/docs/providers); keys stay in files of their own.
 */
export function openCodeConfig(list: readonly Provider[], openaiBaseUrl: string | undefined): OpenCodeConfig {
  const chosen = (field: "default" | "small") => {
    const owner = list.find((one) => one[field] !== undefined);
    return owner === undefined ? undefined : `${owner.name}/${owner[field] ?? ""}`;
  };
  const own = list.map(
    ({ name, kind, baseUrl, models, prices = {} }): [string, TemplateValues & { options: TemplateValues }] => [
      name,
      {
        npm: libraries[kind],
        name,
        options: { ...(baseUrl !== undefined && { baseURL: baseUrl }), apiKey: `{file:${keyFile(name)}}` },
        models: Object.fromEntries(models.map((id) => [id, { name: id, ...costOf(prices[id]) }])),
      },
    ],
  );
  return {
    provider: {
      ...(openaiBaseUrl !== undefined && { openai: { options: { baseURL: openaiBaseUrl } } }),
      ...Object.fromEntries(own),
    },
    model: chosen("default"),
    small_model: chosen("small"),
  };
}

/** A price as OpenCode writes it (https://opencode.ai/config.json, `provider.*.models.*.cost`). */
function costOf(price: ModelPrice | undefined): TemplateValues {
  if (price === undefined) return {};
  const { input, output, cacheRead, cacheWrite } = price;
  return {
    cost: {
      input,
      output,
      ...(cacheRead !== undefined && { cache_read: cacheRead }),
      ...(cacheWrite !== undefined && { cache_write: cacheWrite }),
    },
  };
}
