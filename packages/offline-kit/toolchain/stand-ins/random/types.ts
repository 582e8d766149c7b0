import { randomBytes } from "node:crypto";
import { generatedType } from "../plugin/generated";
import type { CheckFailure, ResourceType } from "../plugin/provider";
import type { ValueMap } from "../plugin/values";
import { reveal, Secret, text, Unknown } from "../plugin/values";
import type { StringRecipe } from "./generate";
import { bcryptHash, randomString } from "./generate";

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

/** As the real plugin's bridge puts what Terraform's provider found. */
function invalid(resource: string, words: string): CheckFailure {
  const reason = `Invalid Attribute Value. Attribute length ${words}. Examine values at '${resource}.length'.`;
  return { property: "", reason };
}

function validateLength(inputs: ValueMap, resource: string): CheckFailure[] {
  const { length } = inputs;
  if (length === undefined || length instanceof Unknown || numberOf(inputs, "length") >= 1) return [];
  return [invalid(resource, `value must be at least 1, got: ${numberOf(inputs, "length")}`)];
}

function validateString(inputs: ValueMap, resource: string): CheckFailure[] {
  const recipe = stringRecipe(inputs);
  const least = recipe.minLower + recipe.minUpper + recipe.minNumeric + recipe.minSpecial;
  const failures = validateLength(inputs, resource);
  const { length } = inputs;
  if (length === undefined || length instanceof Unknown || recipe.length >= least) return failures;
  return [
    ...failures,
    invalid(
      resource,
      `value must be at least sum of min_upper + min_lower + min_numeric + min_special, got: ${recipe.length}`,
    ),
  ];
}

const STRING_LENGTH =
  "The length of the string desired. The minimum value for length is 1 and, length must also be >= " +
  "(`min_upper` + `min_lower` + `min_numeric` + `min_special`).";
const STRING_INPUTS = ["keepers", "overrideSpecial", ...Object.keys(STRING_DEFAULTS)];

/** Resource types by token. */
export const randomTypes: Readonly<Record<string, ResourceType>> = {
  "random:index/randomPassword:RandomPassword": generatedType({
    required: "length",
    about: STRING_LENGTH,
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
  "random:index/randomString:RandomString": generatedType({
    required: "length",
    about: STRING_LENGTH,
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
  "random:index/randomBytes:RandomBytes": generatedType({
    required: "length",
    about: "The number of bytes requested. The minimum value for length is 1.",
    optional: ["keepers"],
    computed: ["base64", "hex"],
    idIsOutput: false,
    defaults: {},
    validate: validateLength,
    make: (inputs) => {
      const bytes = randomBytes(numberOf(inputs, "length"));
      const base64 = bytes.toString("base64");
      const outputs = { ...inputs, base64: new Secret(base64), hex: new Secret(bytes.toString("hex")) };
      return Promise.resolve({ id: base64, outputs });
    },
  }),
  "random:index/randomId:RandomId": generatedType({
    required: "byteLength",
    about: "The number of random bytes to produce. The minimum value is 1, which produces eight bits of randomness.",
    optional: ["keepers", "prefix"],
    computed: ["b64Std", "b64Url", "dec", "hex"],
    defaults: {},
    validate: () => [],
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
