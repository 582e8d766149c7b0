import { randomBytes } from "node:crypto";
import { findChanges, topLevel } from "../plugin/diff";
import type { CheckFailure, Created, ResourceType } from "../plugin/provider";
import type { Value, ValueMap } from "../plugin/values";
import { reveal, Secret, text, Unknown } from "../plugin/values";
import type { StringRecipe } from "./generate";
import { bcryptHash, randomString } from "./generate";

interface Recipe {
  readonly required: string;
  readonly optional: readonly string[];
  /** Outputs that exist only once the resource does. */
  readonly computed: readonly string[];
  readonly defaults: ValueMap;
  /** Rules that concern several inputs. */
  readonly validate?: (inputs: ValueMap) => CheckFailure[];
  readonly make: (inputs: ValueMap) => Promise<Created>;
}

const STRING_DEFAULTS: ValueMap = {
  lower: true,
  upper: true,
  number: true,
  numeric: true,
  special: true,
  minLower: 0,
  minUpper: 0,
  minNumeric: 0,
  minSpecial: 0,
};

function numberOf(inputs: ValueMap, name: string): number {
  const value = reveal(inputs[name] ?? 0);
  return typeof value === "number" ? value : 0;
}

function complete(inputs: ValueMap): ValueMap {
  // `number` is the old name of `numeric`: whichever is given decides both.
  const digits = inputs["numeric"] ?? inputs["number"] ?? true;
  return { ...STRING_DEFAULTS, ...inputs, number: digits, numeric: digits };
}

function stringRecipe(inputs: ValueMap): StringRecipe {
  const all = complete(inputs);
  const flag = (name: string): boolean => reveal(all[name] ?? true) === true;
  return {
    length: numberOf(all, "length"),
    lower: flag("lower"),
    upper: flag("upper"),
    numeric: flag("numeric"),
    special: flag("special"),
    minLower: numberOf(all, "minLower"),
    minUpper: numberOf(all, "minUpper"),
    minNumeric: numberOf(all, "minNumeric"),
    minSpecial: numberOf(all, "minSpecial"),
    overrideSpecial: text(all["overrideSpecial"]) ?? "",
  };
}

function validateString(inputs: ValueMap): CheckFailure[] {
  const recipe = stringRecipe(inputs);
  const least = recipe.minLower + recipe.minUpper + recipe.minNumeric + recipe.minSpecial;
  if (inputs["length"] instanceof Unknown || recipe.length >= least) return [];
  return [
    {
      property: "length",
      reason: `Attribute length value must be at least sum of min_upper + min_lower + min_numeric + min_special, got: ${recipe.length}`,
    },
  ];
}

const STRING_INPUTS = ["keepers", "overrideSpecial", ...Object.keys(STRING_DEFAULTS)];

/** Resource types by token. */
export const randomTypes: Readonly<Record<string, ResourceType>> = {
  "random:index/randomPassword:RandomPassword": randomType({
    required: "length",
    optional: STRING_INPUTS,
    computed: ["result", "bcryptHash"],
    defaults: STRING_DEFAULTS,
    validate: validateString,
    make: async (inputs) => {
      const result = randomString(stringRecipe(inputs));
      const hash = await bcryptHash(result);
      const outputs = { ...complete(inputs), result: new Secret(result), bcryptHash: new Secret(hash) };
      return { id: "none", outputs: { ...outputs, id: "none", __meta: '{"schema_version":"3"}' } };
    },
  }),
  "random:index/randomString:RandomString": randomType({
    required: "length",
    optional: STRING_INPUTS,
    computed: ["result"],
    defaults: STRING_DEFAULTS,
    validate: validateString,
    make: (inputs) => {
      const result = randomString(stringRecipe(inputs));
      const outputs = { ...complete(inputs), result, id: result, __meta: '{"schema_version":"2"}' };
      return Promise.resolve({ id: result, outputs });
    },
  }),
  "random:index/randomBytes:RandomBytes": randomType({
    required: "length",
    optional: ["keepers"],
    computed: ["base64", "hex"],
    defaults: {},
    make: (inputs) => {
      const bytes = randomBytes(numberOf(inputs, "length"));
      const base64 = bytes.toString("base64");
      const outputs = { ...inputs, base64: new Secret(base64), hex: new Secret(bytes.toString("hex")) };
      return Promise.resolve({ id: base64, outputs });
    },
  }),
  "random:index/randomId:RandomId": randomType({
    required: "byteLength",
    optional: ["keepers", "prefix"],
    computed: ["b64Std", "b64Url", "dec", "hex"],
    defaults: {},
    make: (inputs) => {
      const bytes = randomBytes(numberOf(inputs, "byteLength"));
      const hex = bytes.toString("hex");
      const named = (rest: string): string => `${text(inputs["prefix"]) ?? ""}${rest}`;
      const id = bytes.toString("base64url");
      const outputs = {
        ...inputs,
        id,
        b64Std: named(bytes.toString("base64")),
        b64Url: named(id),
        hex: named(hex),
        dec: named(BigInt(`0x${hex || "0"}`).toString()),
      };
      return Promise.resolve({ id, outputs });
    },
  }),
};

function randomType({ required, optional, computed, defaults, validate, make }: Recipe): ResourceType {
  const known = new Set<string>([required, ...optional]);
  const unknowns = Object.fromEntries(computed.map((name): [string, Value] => [name, new Unknown()]));

  return {
    check: (inputs) => {
      const failures: CheckFailure[] = [];
      const size = inputs[required];
      if (size === undefined) {
        failures.push({ property: required, reason: `Missing required property '${required}'` });
      } else if (!(size instanceof Unknown) && numberOf(inputs, required) < 1) {
        const reason = `Attribute ${required} value must be at least 1, got: ${numberOf(inputs, required)}`;
        failures.push({ property: required, reason });
      }
      for (const name of Object.keys(inputs)) {
        if (!known.has(name))
          failures.push({ property: name, reason: `An argument named "${name}" is not expected here` });
      }
      return { inputs, failures: [...failures, ...(validate?.(inputs) ?? [])] };
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
