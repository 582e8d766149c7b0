import { bcrypt } from "hash-wasm";

/**
 * 2^10 rounds, bcrypt's usual cost. Not argon2id: Caddy takes its memory for every guess of a stranger, and would be the
 * first to run out of it.
 */
const cost = 10;

/** Longest password bcrypt looks at, in bytes (https://pkg.go.dev/golang.org/x/crypto/bcrypt#pkg-variables). */
export const maxPasswordBytes = 72;

/**
 * Caddy's hash of a password, the same at every run for the same salt
 * (https://caddyserver.com/docs/caddyfile/directives/basic_auth).
 *
 * @param salt base64 of 16 bytes
 */
export async function hashBasicPassword(password: string, salt: string): Promise<string> {
  return bcrypt({ password, salt: Buffer.from(salt, "base64"), costFactor: cost, outputType: "encoded" });
}
