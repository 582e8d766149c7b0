import { createCipheriv, createDecipheriv, createHmac, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const cacheFolder = () =>
  join(process.env["CLOUDCODE_BUNDLES"] ?? join(__dirname, "../../node_modules/.cache/cloudcode"), "kept");
const algorithm = "aes-256-gcm";
const tagBytes = 16;
/** Each key encrypts one value only, so that the nonce need not differ. */
const nonce = Buffer.alloc(12);

/**
 * The value of a slow function of secrets: computed when its input is new, otherwise read from a cache on the operator's machine,
 * which can be deleted at any time. Without the key a file of it tells neither the value nor whether an input was guessed.
 *
 * @param key a strong secret of the stack, at least 32 bytes long
 * @param input all that the value depends on, the version of the function included
 * @param folder of the cache @default below node_modules/.cache, or where CLOUDCODE_BUNDLES says
 */
export async function kept(
  key: string,
  input: readonly string[],
  compute: () => Promise<string>,
  folder = cacheFolder(),
): Promise<string> {
  const derived = (use: string) =>
    createHmac("sha256", key)
      .update(JSON.stringify([use, ...input]))
      .digest();
  const file = join(folder, derived("name").toString("hex"));
  const cipherKey = derived("value");
  const before = read(file, cipherKey);
  if (before !== undefined) return before;
  const value = await compute();
  write(folder, file, cipherKey, value);
  return value;
}

function read(file: string, key: Buffer): string | undefined {
  try {
    const bytes = readFileSync(file);
    const decipher = createDecipheriv(algorithm, key, nonce).setAuthTag(bytes.subarray(0, tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(tagBytes)), decipher.final()]).toString();
  } catch {
    // Not there, or damaged.
    return undefined;
  }
}

function write(folder: string, file: string, key: Buffer, value: string): void {
  const cipher = createCipheriv(algorithm, key, nonce);
  const encrypted = Buffer.concat([cipher.update(value), cipher.final()]);
  const temporary = `${file}.${randomUUID()}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, Buffer.concat([cipher.getAuthTag(), encrypted]), { mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    // A checkout that cannot be written to costs the time of computing at each run.
  }
}
