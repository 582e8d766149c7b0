import argon2 from "argon2";

/**
 * Authelia's hash of a password: argon2id, 64 MiB, 3 passes, 4 lanes, the same at every run for the same salt
 * (https://www.authelia.com/reference/guides/passwords/#argon2).
 *
 * @param salt base64 of 16 bytes
 */
export async function hashPassword(password: string, salt: string): Promise<string> {
  return argon2.hash(password, {
    type: argon2.argon2id,
    memoryCost: 65_536,
    timeCost: 3,
    parallelism: 4,
    salt: Buffer.from(salt, "base64"),
  });
}
