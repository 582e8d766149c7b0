import { ApiError, invalid } from "./errors";

/** What a value must look like: a pattern, or the list of words allowed. */
export type Format = RegExp | readonly string[];

/** The parameters of one action; `N` stands for the number of a list entry, as in `Tag.N.Key`. */
export interface Table {
  readonly required?: Readonly<Record<string, Format>>;
  readonly optional?: Readonly<Record<string, Format>>;
}

export const text = /^[\s\S]*$/;
export const whole = /^\d+$/;
export const decimal = /^\d+(\.\d+)?$/;
export const flag = ["true", "false", "True", "False"] as const;
export const cidr = /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/;
/** 2 to 128 characters, a letter first. */
export const name = /^\p{L}[\p{L}\p{N}._:-]{1,127}$/u;
export const region = /^[a-z]{2}-[a-z-]+(-\d)?$/;
/** An id such as `vpc-t4n…`. */
export const id = (prefix: string): RegExp => new RegExp(`^${prefix}-[a-z0-9]+$`);
/** A JSON list of strings. */
export const jsonList = /^\[("[^"]*"(,\s*"[^"]*")*)?\]$/;

export const page = { PageNumber: whole, PageSize: whole } as const;
export const tagFilter = { "Tag.N.Key": text, "Tag.N.Value": text } as const;
export const clientToken = { ClientToken: /^[\x20-\x7e]{1,64}$/ } as const;
export const resourceGroup = { ResourceGroupId: id("rg") } as const;

/** Part of every request: who asks, in which form, and which region. */
const common = new Set([
  "Action",
  "Version",
  "Format",
  "AccessKeyId",
  "SecurityToken",
  "RegionId",
  "regionId",
  "Signature",
  "SignatureMethod",
  "SignatureNonce",
  "SignatureVersion",
  "SignatureType",
  "Timestamp",
]);

const generic = (key: string): string =>
  key
    .split(".")
    .map((part) => (/^[1-9]\d*$/.test(part) ? "N" : part))
    .join(".");

/** An empty value is as good as none; the provider sends those. */
const fits = (format: Format, value: string): boolean =>
  value === "" || (format instanceof RegExp ? format.test(value) : format.includes(value));

/** The first fault of a request against the table of its action, or undefined. */
export function checkParameters(table: Table, values: ReadonlyMap<string, string>): ApiError | undefined {
  for (const key of Object.keys(table.required ?? {}))
    if (![...values].some(([given, value]) => generic(given) === key && value !== ""))
      return new ApiError(
        400,
        "MissingParameter",
        `The input parameter ${key} that is mandatory for processing this request is not supplied.`,
      );
  for (const [key, value] of values) {
    if (common.has(key)) continue;
    const format = table.required?.[generic(key)] ?? table.optional?.[generic(key)];
    if (!format)
      return new ApiError(400, "UnknownParameter.Emulator", `The emulator knows no parameter ${key} of this action.`);
    if (!fits(format, value)) return invalid("InvalidParameter", key, `has a value it cannot have: ${value}`);
  }
  return undefined;
}

/** The checked parameters of one request. */
export class Parameters {
  constructor(readonly values: ReadonlyMap<string, string>) {}

  /** Undefined if absent; an empty string was sent as such. */
  optional(key: string): string | undefined {
    return this.values.get(key);
  }

  /** The value, or `otherwise` (an empty string) if absent or empty. */
  text(key: string, otherwise = ""): string {
    const value = this.values.get(key);
    return value === undefined || value === "" ? otherwise : value;
  }

  number(key: string, otherwise: number): number {
    const value = this.text(key);
    return value === "" ? otherwise : Number(value);
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.text(key);
    return value === "" ? otherwise : value.toLowerCase() === "true";
  }

  /** The values of `Key.1`, `Key.2` … or of a plain `Key`. */
  list(key: string): string[] {
    const plain = this.text(key);
    return [...(plain === "" ? [] : [plain]), ...this.#numbers(key).map((number) => this.text(`${key}.${number}`))];
  }

  /** The objects of `Key.1.Field`, `Key.2.Field` … */
  objects(key: string): Parameters[] {
    return this.#numbers(key).map((number) => {
      const start = `${key}.${number}.`;
      const own = [...this.values].filter(([name]) => name.startsWith(start));
      return new Parameters(new Map(own.map(([name, value]) => [name.slice(start.length), value])));
    });
  }

  /** The strings of a JSON list; undefined if the parameter is absent. */
  jsonList(key: string): string[] | undefined {
    const value = this.text(key);
    if (value === "") return undefined;
    return [...value.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? "");
  }

  tags(key = "Tag"): Record<string, string> {
    return Object.fromEntries(this.objects(key).map((tag) => [tag.text("Key"), tag.text("Value")]));
  }

  #numbers(key: string): number[] {
    const found = [...this.values.keys()]
      .filter((name) => name.startsWith(`${key}.`))
      .map((name) => Number(name.slice(key.length + 1).split(".")[0]));
    return [...new Set(found.filter(Number.isInteger))].sort((a, b) => a - b);
  }
}
