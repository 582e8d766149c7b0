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

function hasType(value: Value, type: Scalar): boolean {
  if (type === "list") return isList(value);
  if (type === "strings") return isMap(value);
  return typeof value === type;
}

/** Checks, completes and marks inputs by their shape, as the real provider does before anything is compared. */
export function conform(shape: Shape, inputs: ValueMap, path = ""): { inputs: ValueMap; failures: CheckFailure[] } {
  const failures: CheckFailure[] = [];
  const result: Record<string, Value> = { ...inputs };

  const visit = (field: Field, name: string, value: Value): Value => {
    if (value instanceof Secret) return new Secret(visit(field, name, value.value));
    if (value instanceof Unknown) return value;
    if (typeof field.type === "string") {
      if (!hasType(value, field.type)) {
        failures.push({ property: path + name, reason: `Field '${name}' on '${shape.name}' must be a ${field.type}` });
      }
      return value;
    }
    if (!isMap(value)) {
      failures.push({ property: path + name, reason: `Field '${name}' on '${shape.name}' must be an object` });
      return value;
    }
    const inner = conform(field.type, value, `${path}${name}.`);
    failures.push(...inner.failures);
    return inner.inputs;
  };

  for (const [name, field] of Object.entries(shape.fields)) {
    const given = inputs[name];
    if (given === undefined) {
      if (field.default !== undefined) result[name] = field.default;
      if (field.required) {
        failures.push({ property: path + name, reason: `Missing required field '${name}' on '${shape.name}'` });
      }
      continue;
    }
    const value = visit(field, name, given);
    result[name] = field.secret && !(value instanceof Secret) ? new Secret(value) : value;
  }
  for (const name of Object.keys(inputs)) {
    if (!(name in shape.fields)) {
      failures.push({ property: path + name, reason: `Unrecognized field '${name}' on '${shape.name}'` });
    }
  }
  return { inputs: result, failures };
}
