import argon2 from "argon2";
import { kept } from "./kept";

/** Cost of one check of a password: memory in KiB, passes over it, lanes. */
interface Argon2Cost {
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
}

/**
 * OWASP's second choice for argon2id (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id).
 * Authelia takes this memory for every guess of a stranger, all at once: its own default of 64 MiB ends a small container.
 */
export const argon2Cost: Argon2Cost = { memory: 19_456, passes: 2, lanes: 1 };

/** What hashes had before, and those of passwords changed in the portal since then still have. */
const earlierCost: Argon2Cost = { memory: 65_536, passes: 3, lanes: 4 };

/**
 * Authelia's hash of a password: argon2id in PHC form, the same at every run for the same salt
 * (https://www.authelia.com/reference/guides/passwords/#argon2).
 *
 * @param salt base64 of 16 bytes
 */
export function hashPassword(password: string, salt: string): Promise<string> {
  return argon2id(password, salt, argon2Cost);
}

/**
 * The operator's password as a release holds it: hashed as now, and as an earlier release did, by which a host knows that only the
 * cost changed. Both together take 0.2 s of processor time, so they are computed only when the password, its salt or a cost changes.
 *
 * @param salt base64 of 16 bytes
 * @param key secret of the stack that protects what is kept on the operator's machine
 */
export async function operatorHashes(
  password: string,
  salt: string,
  key: string,
): Promise<{ readonly current: string; readonly earlier: string }> {
  const [current, earlier] = await Promise.all([
    keptHash(password, salt, key),
    keptHash(password, salt, key, earlierCost),
  ]);
  return { current, earlier };
}

/** Authelia's hash of a password, computed only when the password, its salt or the cost changes. The parameters are those above. */
export function keptHash(password: string, salt: string, key: string, cost = argon2Cost): Promise<string> {
  return kept(key, ["argon2id", JSON.stringify(cost), password, salt], () => argon2id(password, salt, cost));
}

async function argon2id(password: string, salt: string, { memory, passes, lanes }: Argon2Cost): Promise<string> {
  const saltBytes = Buffer.from(salt, "base64");
  const hash = await argon2.hash(password, {
    type: argon2.argon2id,
    memoryCost: memory,
    timeCost: passes,
    parallelism: lanes,
    salt: saltBytes,
    raw: true,
  });
  // Composed here because the library's own text orders the parameters unlike PHC, which strict readers refuse.
  return `$argon2id$v=19$m=${memory},t=${passes},p=${lanes}$${unpadded(saltBytes)}$${unpadded(hash)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
