import { bcrypt } from "hash-wasm";

/**
 * 2^6 rounds, since every stranger may have Caddy check a password: two hundred take less than a second, with bcrypt's usual 2^10 half a
 * minute, in which nobody else is served. More would protect nothing: the hash is where the password itself is typed, and a guess
 * over the network is slow. Not argon2id, which takes memory for each.
 */
const cost = 6;

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

const base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** What an `Authorization` header must be to be worth a check. */
export interface LoginHeader {
  /** Regular expression of how it begins: with this user. */
  readonly pattern: string;
  /** Most letters it has with a password that bcrypt reads whole. */
  readonly length: number;
}

/**
 * For any other user Caddy would check a hash of 2^14 rounds instead of none, and it remembers up to a thousand passwords of up to
 * 1 MB each (caddyserver/caddy, modules/caddyhttp/caddyauth).
 */
export function loginHeader(username: string): LoginHeader {
  const user = Buffer.from(`${username}:`);
  const letters = user.toString("base64");
  // Each letter holds six bits; of the last one only the first bits may be the user's.
  const whole = Math.floor((user.length * 8) / 6);
  const free = (whole + 1) * 6 - user.length * 8;
  const first = base64Letters.indexOf(letters.charAt(whole));
  const last = free === 6 ? "" : `[${base64Letters.slice(first, first + 2 ** free)}]`;
  return {
    pattern: `^(?i:basic) ${letters.slice(0, whole).replaceAll("+", "[+]")}${last}`,
    length: "Basic ".length + Math.ceil((user.length + maxPasswordBytes) / 3) * 4,
  };
}
