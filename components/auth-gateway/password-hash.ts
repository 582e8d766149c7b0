import argon2 from "argon2";

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

/** The same password as an earlier release hashed it, by which a host knows that only the cost is another. */
export function earlierHash(password: string, salt: string): Promise<string> {
  return argon2id(password, salt, earlierCost);
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
