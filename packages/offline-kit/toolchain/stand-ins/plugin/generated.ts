import { findChanges, topLevel } from "./diff";
import type { CheckFailure, Created, ResourceType } from "./provider";
import type { Value, ValueMap } from "./values";
import { Unknown } from "./values";

/** A resource that lives in the state only: made once, and made anew when an input changes. */
export interface Recipe {
  readonly required: string;
  readonly optional: readonly string[];
  /** Outputs that exist only once the resource does. */
  readonly computed: readonly string[];
  readonly defaults: ValueMap;
  /** Rules beside those on which inputs there are; the required one may be missing. */
  readonly validate: (inputs: ValueMap) => readonly CheckFailure[];
  readonly make: (inputs: ValueMap) => Promise<Created>;
}

/** The resource type that a recipe describes. */
export function generatedType({ required, optional, computed, defaults, validate, make }: Recipe): ResourceType {
  const known = new Set<string>([required, ...optional]);
  const unknowns = Object.fromEntries(computed.map((name): [string, Value] => [name, new Unknown()]));

  return {
    check: (inputs) => {
      const missing =
        inputs[required] === undefined
          ? [{ property: required, reason: `Missing required property '${required}'` }]
          : [];
      const unexpected = Object.keys(inputs)
        .filter((name) => !known.has(name))
        .map((name) => ({ property: name, reason: `An argument named "${name}" is not expected here` }));
      return { inputs, failures: [...missing, ...unexpected, ...validate(inputs)] };
    },
    diff: (oldInputs, inputs) => {
      // Writing a default down changes nothing.
      const changes = findChanges({ ...defaults, ...oldInputs }, { ...defaults, ...inputs });
      return { changes, replaces: new Set([...changes.keys()].filter((path) => known.has(topLevel(path)))) };
    },
    preview: (inputs) => ({ ...defaults, ...inputs, ...unknowns }),
    create: (_name, inputs) => make(inputs),
    // Every input asks for a replacement, so an update can only be one of the marks around a value.
    update: (state, inputs) => Promise.resolve({ ...state, ...inputs }),
    delete: () => Promise.resolve(),
  };
}
