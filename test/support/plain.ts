import * as pulumi from "@pulumi/pulumi";

/** JSON, as the engine receives it. */
export type Plain = string | number | boolean | null | undefined | readonly Plain[] | { readonly [key: string]: Plain };

function isObject(value: Plain): value is { readonly [key: string]: Plain } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSecret(value: Plain): value is { readonly value: Plain } {
  return isObject(value) && value[pulumi.runtime.specialSigKey] === pulumi.runtime.specialSecretSig;
}

/** True when the value, or a part of it, is marked secret. */
export function holdsSecret(value: Plain): boolean {
  if (isSecret(value)) return true;
  if (Array.isArray(value)) return value.some(holdsSecret);
  return isObject(value) && Object.values(value).some(holdsSecret);
}

/** The value without the marks of secrets. */
export function withoutSecrets(value: Plain): Plain {
  if (isSecret(value)) return withoutSecrets(value.value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
  return value;
}

/** The value, which must be text. */
export function textOf(value: Plain): string {
  if (typeof value !== "string") throw new Error(`not a text: ${JSON.stringify(value)}`);
  return value;
}
