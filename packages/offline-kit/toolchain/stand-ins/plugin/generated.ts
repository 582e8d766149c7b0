import { findChanges, topLevel } from "./diff";
import type { CheckFailure, Created, ResourceType } from "./provider";
import type { Value, ValueMap } from "./values";
import { Unknown } from "./values";

/** A resource that lives in the state only: made once, and made again when an input changes. */
export interface Recipe {
  readonly required: string;
  /** What the real plugin says about the required input where it is missing. @default nothing */
  readonly about?: string;
  readonly optional: readonly string[];
  /** Outputs that exist only once the resource does. */
  readonly computed: readonly string[];
  /** Whether one of them is the id. @default true */
  readonly idIsOutput?: boolean;
  readonly defaults: ValueMap;
  /** Rules next to those on which inputs there are; the required one may be missing. The words name the resource. */
  readonly validate: (inputs: ValueMap, name: string) => readonly CheckFailure[];
  readonly make: (inputs: ValueMap) => Promise<Created>;
}

/** The resource type that a recipe describes. */
export function generatedType({
  required,
  about,
  optional,
  computed,
  idIsOutput = true,
  defaults,
  validate,
  make,
}: Recipe): ResourceType {
  const known = new Set<string>([required, ...optional]);
  const later = [...(idIsOutput ? ["id"] : []), ...computed];
  const unknowns = Object.fromEntries(later.map((name): [string, Value] => [name, new Unknown()]));

  return {
    check: (inputs, resource) => {
      const needed = `Missing required property '${required}'${about === undefined ? "" : `: ${about}`}`;
      const missing = inputs[required] === undefined ? [{ property: "", reason: needed }] : [];
      // Stricter than the real plugin, which passes over it: a misspelled input must not go unseen.
      const unexpected = Object.keys(inputs)
        .filter((name) => !known.has(name))
        .map((name) => ({ property: name, reason: `An argument named "${name}" is not expected here` }));
      return { inputs, failures: [...missing, ...unexpected, ...validate(inputs, resource)] };
    },
    diff: (oldInputs, inputs) => {
      // Writing a default down changes nothing.
      const changes = findChanges({ ...defaults, ...oldInputs }, { ...defaults, ...inputs });
      const replaces = new Set([...changes.keys()].filter((path) => known.has(topLevel(path))).sort());
      // The bridge of a provider of Terraform's plugin framework tells the engine only what asks for a new resource.
      return { changes, replaces, detailed: false };
    },
    preview: (inputs) => ({ ...defaults, ...inputs, ...unknowns }),
    create: (_name, inputs) => make(inputs),
    // Every input asks for a replacement, so an update can only be one of the marks around a value.
    update: (state, inputs) => Promise.resolve({ ...state, ...inputs }),
    delete: () => Promise.resolve(),
  };
}
