import type { JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** What the engine sends instead of values that are not known yet, one marker for each type of value. */
const UNKNOWNS: ReadonlySet<string> = new Set([
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** A property that must be encrypted in state and hidden in previews. */
export class Secret {
  constructor(readonly value: Value) {}
}

/** A property whose value comes only with the update. */
export class Unknown {
  constructor(readonly marker = "04da6b54-80e4-46f7-96ec-b56ff0331ba9") {}
}

export interface ValueMap {
  readonly [name: string]: Value;
}

/** A resource property as the engine and the provider exchange it. */
export type Value = null | boolean | number | string | Secret | Unknown | readonly Value[] | ValueMap;

/** True for plain objects, i.e. neither list nor secret nor unknown. */
export function isMap(value: Value | undefined): value is ValueMap {
  return (
    typeof value === "object" &&
    value !== null &&
    !isList(value) &&
    !(value instanceof Secret) &&
    !(value instanceof Unknown)
  );
}

/** Array.isArray narrows readonly arrays badly. */
export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function decodeValue(raw: unknown): Value {
  if (typeof raw === "boolean" || typeof raw === "number") return raw;
  if (typeof raw === "string") return UNKNOWNS.has(raw) ? new Unknown(raw) : raw;
  if (Array.isArray(raw)) return raw.map(decodeValue);
  if (!isObject(raw)) return null;
  if (raw[SIGNATURE] === SECRET) return new Secret(decodeValue(raw["value"]));
  return decodeMap(raw);
}

function decodeMap(raw: Record<string, unknown>): ValueMap {
  const map: Record<string, Value> = {};
  for (const [name, item] of Object.entries(raw)) {
    const value = decodeValue(item);
    if (value !== null) map[name] = value;
  }
  return map;
}

/** Reads the properties of a request; a null property counts as absent, as in the real providers. */
export function fromStruct(struct: Struct | undefined): ValueMap {
  return struct ? decodeMap(struct.toJavaScript()) : {};
}

function encodeValue(value: Value): JavaScriptValue {
  if (value instanceof Secret) return { [SIGNATURE]: SECRET, value: encodeValue(value.value) };
  if (value instanceof Unknown) return value.marker;
  if (isList(value)) return value.map(encodeValue);
  return isMap(value) ? encodeMap(value) : value;
}

function encodeMap(map: ValueMap): Record<string, JavaScriptValue> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, encodeValue(value)]));
}

/** Writes the properties of a response. */
export function toStruct(map: ValueMap): Struct {
  return Struct.fromJavaScript(encodeMap(map));
}

/** The value without its secret marks, at every depth. */
export function reveal(value: Value): Value {
  if (value instanceof Secret) return reveal(value.value);
  if (isList(value)) return value.map(reveal);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, reveal(item)])) : value;
}

/** The string that a property holds, secret or not. */
export function text(value: Value | undefined): string | undefined {
  const plain = value === undefined ? undefined : reveal(value);
  return typeof plain === "string" ? plain : undefined;
}

/** True when some part of the value is not known yet. */
export function hasUnknown(value: Value | undefined): boolean {
  if (value instanceof Unknown) return true;
  if (value instanceof Secret) return hasUnknown(value.value);
  if (isList(value)) return value.some(hasUnknown);
  return isMap(value) && Object.values(value).some(hasUnknown);
}

/** Deep equality in which a secret never equals a plain value, as in the engine. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a instanceof Secret || b instanceof Secret) {
    return a instanceof Secret && b instanceof Secret && sameValue(a.value, b.value);
  }
  if (a instanceof Unknown || b instanceof Unknown) return a instanceof Unknown && b instanceof Unknown;
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, index) => sameValue(item, b[index]));
  if (isMap(a)) {
    return isMap(b) && [...Object.keys(a), ...Object.keys(b)].every((name) => sameValue(a[name], b[name]));
  }
  return a === b;
}
