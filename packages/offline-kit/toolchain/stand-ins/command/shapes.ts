import type { CheckFailure } from "../plugin/provider";
import type { Value, ValueMap } from "../plugin/values";
import { isList, isMap, reveal, Unknown } from "../plugin/values";

type Type = "string" | "number" | "boolean" | "list" | "strings" | "map";

/** Inputs of command:local:Command; asset globs are left to the official plugin. */
export const fields: Readonly<Record<string, Type>> = {
  triggers: "list",
  create: "string",
  update: "string",
  delete: "string",
  stdin: "string",
  logging: "string",
  environment: "map",
  addPreviousOutputInEnv: "boolean",
  interpreter: "strings",
  dir: "string",
};

/** Under this the real provider tells a wrong input. */
const shapeName = "local.CommandInputs";
const goNames: Readonly<Record<Type, string>> = {
  string: "string",
  number: "float64",
  boolean: "bool",
  list: "[]interface {}",
  strings: "[]string",
  map: "map[string]string",
};

function typeOf(value: Value): Type {
  if (isList(value)) return "list";
  if (isMap(value)) return "map";
  return typeof value === "string" ? "string" : typeof value === "number" ? "number" : "boolean";
}

function faultOf(property: string, wanted: Type, given: Value): CheckFailure[] {
  const value = reveal(given);
  if (value instanceof Unknown) return [];
  if (wanted === "strings" && isList(value))
    return value.flatMap((item, index) => faultOf(`${property}[${index}]`, "string", item));
  if (wanted === "map" && isMap(value))
    return Object.entries(value).flatMap(([name, item]) => faultOf(`${property}[${name}] value`, "string", item));
  const got = typeOf(value);
  if (got === wanted) return [];
  const reason =
    wanted === "string" && got === "map"
      ? `An error occurred decoding 'CommandInputs.${property}': Cannot decode Object{} to type string; it isn't a struct, and no custom decoder exists`
      : `Field '${property}' on '${shapeName}' must be a '${goNames[wanted]}'; got '${goNames[got]}' instead`;
  return [{ property, reason }];
}

/** Checks inputs as the real provider does before anything is compared. */
export function conform(inputs: ValueMap): { inputs: ValueMap; failures: CheckFailure[] } {
  const failures = Object.entries(inputs).flatMap(([property, value]) => {
    const wanted = fields[property];
    if (wanted !== undefined) return faultOf(property, wanted, value);
    return [{ property, reason: `Unrecognized field '${property}' on '${shapeName}'` }];
  });
  return { inputs, failures };
}
