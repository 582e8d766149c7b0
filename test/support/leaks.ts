// What can be read or worked out from a state without its passphrase.
import { createHash, createHmac } from "node:crypto";
import { archived, tarOf } from "./releases";

/** A resource as it lies in the state. */
export interface StateResource {
  readonly name: string;
  readonly type: string;
  /** Every text of it that is not encrypted: id, URN, inputs, outputs. */
  readonly plain: readonly string[];
  /** Values of its encrypted outputs. */
  readonly secretOutputs: readonly string[];
  /** The release that its standard input holds. */
  readonly stdin: string | undefined;
}

/** Providers whose secret outputs are secrets in themselves; a command's are what a host said. */
const makersOfSecrets = /^(random|tls|alicloud|cloudflare):/;

/** A hash and its salt are one text, so a salt alone is no secret (https://www.rfc-editor.org/rfc/rfc9106#section-3.1). */
const isSalt = ({ type, name }: StateResource) => type.endsWith(":RandomBytes") && name.endsWith("-salt");

/** Hashes of passwords that the program made: who has one can try passwords against it. */
const passwordHash = /\$argon2id\$[\w$=,+/]+|\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}/g;

/** Shorter texts stand in a state by chance. */
const shortest = 8;

/** Forms in which a secret can be read off a text. */
function formsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret);
  const digest = (kind: string) => createHash(kind).update(secret);
  // Inside a longer text, base64 begins at one of three places.
  const within = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    return text.slice(Math.ceil((shift * 4) / 3), -4);
  });
  return {
    text: secret,
    JSON: JSON.stringify(secret).slice(1, -1),
    "JSON twice": JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    "URL encoding": encodeURIComponent(secret),
    "form encoding": new URLSearchParams({ x: secret }).toString().slice(2),
    hex: bytes.toString("hex"),
    base64: bytes.toString("base64").replace(/=+$/, ""),
    base64url: bytes.toString("base64url"),
    ...Object.fromEntries(within.map((text, shift) => [`base64 from byte ${shift}`, text])),
    ...Object.fromEntries(
      ["md5", "sha1", "sha256", "sha512"].flatMap((kind) => [
        [kind, digest(kind).digest("hex")],
        [`${kind} in base64`, digest(kind).digest("base64").replace(/=+$/, "")],
      ]),
    ),
  };
}

/** Secrets of many lines are looked for line by line: only the header of a key is known to all. */
function partsOf(secret: string): string[] {
  const parts = secret.includes("\n") ? [secret, ...secret.split("\n")] : [secret];
  return parts.filter((part) => part.length >= shortest && !part.startsWith("-----"));
}

interface Digested {
  readonly line: string;
  readonly text: string;
  /** How much of a digest the line shows. */
  readonly length: number;
}

/** The release on the standard input of a command, next to the connection; undefined where it sends none. */
export function payloadOf(stdin: string): string | undefined {
  return (JSON.parse(stdin) as { payload?: string }).payload;
}

/** Lines of a command that show a digest of a text that the command sends. */
async function digestedBy({ stdin, plain }: StateResource): Promise<Digested[]> {
  if (stdin === undefined) return [];
  const lines = plain.flatMap((text) => text.split("\n"));
  const files = await archived(tarOf(stdin));
  return files.flatMap(({ path: arrived, content, mode, uid: owner }) => {
    const path = arrived.replace(/^(release|files\/[0-9a-f]{16})\//, "");
    const line = lines.find((one) => /^# [0-9a-f]{8} /.test(one) && one.slice(11) === path);
    return line === undefined ? [] : [{ line, text: JSON.stringify({ path, content, owner, mode }), length: 8 }];
  });
}

function isDigestedWith(key: Buffer, { line, text, length }: Digested): boolean {
  const digest = createHmac("sha256", key).update(text).digest("hex").slice(0, length);
  return line.startsWith(`# ${digest} `);
}

/** Names of the texts of a state that are the key of its digests. */
export async function keysOfDigests(
  resources: readonly StateResource[],
  candidates: ReadonlySet<string>,
): Promise<{ readonly keys: readonly string[]; readonly digests: number }> {
  const digested = (await Promise.all(resources.map(digestedBy))).flat();
  // Many texts are the same bytes in one of these forms: none, where they are not hexadecimal.
  const tried = new Map<string, boolean>();
  const isKey = (bytes: Buffer) => {
    const name = bytes.toString("latin1");
    const known = tried.get(name) ?? digested.some((one) => isDigestedWith(bytes, one));
    tried.set(name, known);
    return known;
  };
  const long = [...candidates].filter(({ length }) => length >= 16 && length <= 512);
  const keys = long.filter((candidate) =>
    (["utf8", "base64", "hex"] as const).some((form) => isKey(Buffer.from(candidate, form))),
  );
  return { keys, digests: digested.length };
}

/** Secrets of a state: those of the operator, those that resources made, and the hashes of passwords on their way to a host. */
async function secretsOf(resources: readonly StateResource[], given: readonly string[]): Promise<string[]> {
  const made = resources.filter((one) => makersOfSecrets.test(one.type) && !isSalt(one));
  const sent = await Promise.all(
    resources.map(async ({ stdin }) => (stdin === undefined ? [] : archived(tarOf(stdin)))),
  );
  const hashes = sent.flat().flatMap(({ content }) => content.match(passwordHash) ?? []);
  return [...given, ...made.flatMap(({ secretOutputs }) => secretOutputs), ...hashes];
}

/**
 * Every secret that the plain half of a state shows in some form, or whose digests it gives the key to, as `FORM in NAME`.
 *
 * @param given secrets of the configuration
 * @throws Error where there is nothing to look for, or no digest to work out: then the answer would say nothing
 */
export async function leaks(resources: readonly StateResource[], given: readonly string[]): Promise<string[]> {
  const secrets = [...new Set((await secretsOf(resources, given)).flatMap(partsOf))];
  const plain = new Set(resources.flatMap((resource) => resource.plain));
  const { keys, digests } = await keysOfDigests(resources, plain);
  if (secrets.length === 0 || digests === 0) throw new Error("there is no secret or no digest in this state");
  const whole = resources.map(({ name, plain: texts }) => ({ name, text: texts.join("\0") }));
  const shown = secrets.flatMap((secret) => {
    const forms = Object.entries(formsOf(secret)).filter(([, text]) => text.length >= shortest);
    return whole.flatMap(({ name, text: all }) =>
      forms.flatMap(([form, text]) => (all.includes(text) ? [`${form} in ${name}`] : [])),
    );
  });
  return [...new Set([...shown, ...keys.map((key) => `key of the digests: ${key.slice(0, 4)}…`)])];
}
