import { createHash, randomBytes } from "node:crypto";

/** 32 random bytes, in base64url. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

/** What is stored of a token: it has too much entropy to need a salt or a slow hash. */
export function tokenHash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
