import argon2 from "argon2";

const memoryKiB = 65_536;
const passes = 3;
const lanes = 4;

/**
 * Authelia's hash of a password: argon2id in PHC form, the same at every run for the same salt
 * (https://www.authelia.com/reference/guides/passwords/#argon2).
 *
 * @param salt base64 of 16 bytes
 */
export async function hashPassword(password: string, salt: string): Promise<string> {
  const saltBytes = Buffer.from(salt, "base64");
  const hash = await argon2.hash(password, {
    type: argon2.argon2id,
    memoryCost: memoryKiB,
    timeCost: passes,
    parallelism: lanes,
    salt: saltBytes,
    raw: true,
  });
  // Composed here because the library's own text orders the parameters unlike PHC, which strict readers refuse.
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${unpadded(saltBytes)}$${unpadded(hash)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
