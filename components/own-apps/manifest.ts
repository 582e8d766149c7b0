import { parseDocument, visit } from "yaml";
import { z } from "zod";
import { label, oneLine, subdomain } from "../settings/checks";
import { nearest } from "../settings/nearest";

/** A fault of one file of an App. */
export interface Fault {
  /** File, as it stands in the App's folder. */
  readonly file: string;
  /** Place in it, such as `services.web.ports`; empty: the whole file. */
  readonly key: string;
  /** Completes the sentence "KEY …". */
  readonly fault: string;
}

const line = oneLine.refine((value) => value === value.trim() && value.length <= 120, {
  error: "is longer than 120 characters, or begins or ends with a space",
});
const path = z
  .string("is not a string")
  .regex(/^\/[\w.~@/-]*\*?$/, "is not a path such as /api/*, with an asterisk at its end alone")
  .refine((value) => !value.includes("*") || value.endsWith("/*"), { error: "has an asterisk that is not behind a /" });
const variableName = z.string().regex(/^[A-Z][A-Z0-9_]*$/, "is not a name such as DB_PASSWORD");
const scalar = z.union([z.string(), z.number(), z.boolean()], "is neither a text, a number, true nor false");
const mebibytes = z.int("is not a whole number of MiB").min(16, "is below 16 MiB").max(262144, "is above 262144 MiB");
const words = z
  .string("is not a string")
  .regex(/^[\w./=:@%+,-]+( [\w./=:@%+,-]+)*$/, "is not a program and plain words");

/** What cloudcode must know of an App that its compose file does not say. */
export const manifestSchema = z.strictObject(
  {
    title: line,
    summary: z
      .union([line.transform((text) => ({ en: text, zh: text })), z.strictObject({ en: line, zh: line })])
      .optional(),
    subdomain: subdomain.optional(),
    service: z.string("is not a string").optional(),
    port: z.int("is not a port").min(1, "is below 1").max(65535, "is above 65535"),
    policy: z
      .enum(["two_factor", "one_factor", "bypass"], "is none of two_factor, one_factor, bypass")
      .default("two_factor"),
    paths: z
      .array(
        z.discriminatedUnion(
          "policy",
          [
            z.strictObject({ path, policy: z.literal("bypass"), crossOrigin: z.boolean().default(false) }),
            z.strictObject({ path, policy: z.enum(["two_factor", "one_factor", "deny"]) }),
          ],
          "is none of two_factor, one_factor, bypass, deny",
        ),
        "is not a list",
      )
      .default([]),
    health: path.refine((value) => !value.includes("*"), { error: "has an asterisk" }).optional(),
    memory: z
      .union([mebibytes, z.record(z.string(), mebibytes)], "is neither a number of MiB nor one for each service")
      .default(512),
    volumes: z.record(z.string(), label, "does not name a volume for each path").default({}),
    environment: z.record(variableName, scalar, "is not a table of names and values").default({}),
    secrets: z.array(variableName, "is not a list of names").default([]),
    login: z.strictObject({ username: line, secret: variableName }).optional(),
    dumps: z
      .record(z.string(), z.strictObject({ volume: label, dump: words, load: words, flush: words.default("true") }))
      .default({}),
    onlyOnce: z.boolean("is neither true nor false").default(false),
    drill: z
      .strictObject({ without: z.array(z.string("is not a string"), "is not a list of services") })
      .default({ without: [] }),
  },
  "is not a table of keys",
);

/** A checked app.yaml. */
export type Manifest = z.infer<typeof manifestSchema>;

/** A parsed file, or its faults. */
export type Checked<T> = { readonly value: T } | { readonly faults: readonly Fault[] };

/**
 * A YAML file as plain data. Aliases may not make it grow without bound. A whole number that JavaScript cannot hold, such as the id of a chat,
 * stays the text that it is.
 */
export function yamlFile(file: string, text: string): Checked<unknown> {
  const document = parseDocument(text, { uniqueKeys: true, merge: true });
  if (document.errors.length > 0)
    return {
      faults: document.errors.map(({ message }) => ({
        file,
        key: "",
        fault: `is not YAML: ${message.split("\n")[0] ?? ""}`,
      })),
    };
  visit(document, {
    Scalar(_key, node) {
      if (Number.isInteger(node.value) && !Number.isSafeInteger(node.value)) node.value = node.source;
    },
  });
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) as unknown };
  } catch (error) {
    return { faults: [{ file, key: "", fault: `is not YAML: ${(error as Error).message}` }] };
  }
}

/** @param file its name, for the faults */
export function readManifest(file: string, text: string): Checked<Manifest> {
  const data = yamlFile(file, text);
  if ("faults" in data) return data;
  const parsed = manifestSchema.safeParse(data.value, { reportInput: true });
  if (parsed.success) return { value: parsed.data };
  return { faults: parsed.error.issues.flatMap((issue) => faultsOf(file, issue)) };
}

const keys = Object.keys(manifestSchema.shape);

function faultsOf(file: string, issue: z.core.$ZodIssue): Fault[] {
  if (issue.code === "unrecognized_keys" && issue.path.length === 0)
    return issue.keys.map((unknown) => ({
      file,
      key: unknown,
      fault: `is not a key of app.yaml; the nearest is ${nearest(unknown, keys)}`,
    }));
  const missing = issue.code === "invalid_type" && issue.input === undefined;
  return [{ file, key: placeOf(issue.path), fault: missing ? "is missing" : issue.message }];
}

/** Such as `paths[0].policy`. */
export function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((step, depth) => (typeof step === "number" ? `[${step}]` : `${depth > 0 ? "." : ""}${String(step)}`))
    .join("");
}
