import type { CheckFailure } from "../plugin/provider";
import type { Value, ValueMap } from "../plugin/values";
import { isList, isMap, Secret, Unknown } from "../plugin/values";

type Scalar = "string" | "number" | "boolean" | "list" | "strings";

interface Field {
  readonly type: Scalar | Shape;
  readonly required?: true;
  readonly secret?: true;
  readonly default?: string | number;
}

/** The fields of an object, under the name that the real provider uses in its error texts. */
export interface Shape {
  readonly name: string;
  readonly fields: Readonly<Record<string, Field>>;
}

const optional = { string: { type: "string" }, number: { type: "number" }, list: { type: "list" } } as const;

const endpoint = {
  user: { type: "string", default: "root" },
  password: { type: "string", secret: true },
  host: { type: "string", required: true },
  port: { type: "number", default: 22 },
  privateKey: { type: "string", secret: true },
  privateKeyPassword: { type: "string", secret: true },
  agentSocketPath: optional.string,
  dialErrorLimit: { type: "number", default: 10 },
  perDialTimeout: { type: "number", default: 15 },
  hostKey: optional.string,
} as const;

const lifecycle = {
  triggers: optional.list,
  create: optional.string,
  update: optional.string,
  delete: optional.string,
  stdin: optional.string,
  logging: optional.string,
  environment: { type: "strings" },
  addPreviousOutputInEnv: { type: "boolean" },
} as const;

/** Inputs of command:remote:Command. */
export const remoteInputs: Shape = {
  name: "remote.CommandInputs",
  fields: {
    ...lifecycle,
    connection: { type: { name: "remote.Connection", fields: endpoint }, required: true, secret: true },
  },
};

/** Inputs of command:local:Command; asset globs are left to the official plugin. */
export const localInputs: Shape = {
  name: "local.CommandInputs",
  fields: { ...lifecycle, interpreter: optional.list, dir: optional.string },
};

const GO_NAMES: Readonly<Record<Scalar, string>> = {
  string: "string",
  number: "float64",
  boolean: "bool",
  list: "[]interface {}",
  strings: "map[string]string",
};

function scalarOf(value: Value): Scalar | undefined {
  if (isList(value)) return "list";
  if (isMap(value)) return "strings";
  return typeof value === "string" ? "string" : typeof value === "number" ? "number" : "boolean";
}

function typeName(value: Value): string {
  const scalar = scalarOf(value) ?? "string";
  return scalar === "strings" ? "map[string]interface {}" : GO_NAMES[scalar];
}

/** Checks, completes and marks inputs by their shape, as the real provider does before anything is compared. */
export function conform(shape: Shape, inputs: ValueMap): { inputs: ValueMap; failures: CheckFailure[] } {
  const failures: CheckFailure[] = [];
  const result: Record<string, Value> = { ...inputs };
  const fail = (property: string, reason: string): void => {
    failures.push({ property, reason });
  };

  const visit = ({ type }: Field, name: string, value: Value): Value => {
    if (value instanceof Secret) return new Secret(visit({ type }, name, value.value));
    if (value instanceof Unknown) return value;
    const wanted = typeof type === "string" ? type : "strings";
    if (scalarOf(value) !== wanted) {
      const expected = typeof type === "string" ? GO_NAMES[type] : type.name;
      fail(name, `Field '${name}' on '${shape.name}' must be a '${expected}'; got '${typeName(value)}' instead`);
    }
    if (typeof type === "string" || !isMap(value)) return value;
    const inner = conform(type, value);
    if (inner.failures.length > 0) {
      const reasons = inner.failures.map(({ property, reason }) => `\t${property}: ${reason}`).join("\n");
      const owner = shape.name.replace(/^.*\./, "");
      const count = `${inner.failures.length} failures decoding`;
      fail(name, `An error occurred decoding '${owner}.${name}': ${count}:\n${reasons}`);
    }
    return inner.inputs;
  };

  for (const [name, field] of Object.entries(shape.fields)) {
    const given = inputs[name];
    if (given === undefined) {
      if (field.default !== undefined) result[name] = field.default;
      if (field.required) fail(name, `Missing required field '${name}' on '${shape.name}'`);
      continue;
    }
    const value = visit(field, name, given);
    result[name] = field.secret && !(value instanceof Secret) ? new Secret(value) : value;
  }
  for (const name of Object.keys(inputs)) {
    if (!(name in shape.fields)) fail(name, `Unrecognized field '${name}' on '${shape.name}'`);
  }
  return { inputs: result, failures };
}
