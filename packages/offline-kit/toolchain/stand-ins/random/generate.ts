import { randomBytes, randomInt } from "node:crypto";

/** Which characters a random string is made of. */
export interface StringRecipe {
  readonly length: number;
  readonly lower: boolean;
  readonly upper: boolean;
  readonly numeric: boolean;
  readonly special: boolean;
  readonly minLower: number;
  readonly minUpper: number;
  readonly minNumeric: number;
  readonly minSpecial: number;
  readonly overrideSpecial: string;
}

function pick(alphabet: readonly string[], count: number): string[] {
  if (alphabet.length === 0 && count > 0) throw new Error("the character set specified is empty");
  return Array.from({ length: Math.max(count, 0) }, () => alphabet[randomInt(alphabet.length)] ?? "");
}

function shuffle(items: string[]): string[] {
  return items
    .map((item) => ({ item, order: randomBytes(6).readUIntBE(0, 6) }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

/** Makes a random string that has at least the asked number of each kind of character. */
export function randomString(recipe: StringRecipe): string {
  const kinds = [
    { use: recipe.lower, least: recipe.minLower, alphabet: "abcdefghijklmnopqrstuvwxyz" },
    { use: recipe.upper, least: recipe.minUpper, alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
    { use: recipe.numeric, least: recipe.minNumeric, alphabet: "0123456789" },
    { use: recipe.special, least: recipe.minSpecial, alphabet: recipe.overrideSpecial || "!@#$%&*()-_=+[]{}<>:?" },
  ].map((kind) => ({ ...kind, alphabet: Array.from(kind.alphabet) }));
  const least = kinds.flatMap(({ alphabet, least: count }) => pick(alphabet, count));
  const all = kinds.filter(({ use }) => use).flatMap(({ alphabet }) => alphabet);
  return shuffle([...least, ...pick(all, recipe.length - least.length)]).join("");
}

/** bcrypt as the real provider uses it: cost 10, the first 72 bytes. */
export async function bcryptHash(secret: string): Promise<string> {
  const { bcrypt } = await import("hash-wasm");
  const password = Buffer.from(secret, "utf8").subarray(0, 72);
  return bcrypt({ password, salt: randomBytes(16), costFactor: 10, outputType: "encoded" });
}
