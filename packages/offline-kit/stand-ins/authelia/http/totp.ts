// Stand-in for Authelia 4.39.20: one-time passwords (RFC 6238). Pure.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { TotpAlgorithm } from "../config/types";

export interface TotpSettings {
  readonly algorithm: TotpAlgorithm;
  readonly digits: number;
  readonly period: number;
  readonly secret: string;
}
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export function toBase32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet.charAt(Number.parseInt(five.padEnd(5, "0"), 2))).join("");
}

export function fromBase32(text: string): Buffer {
  const bits = Array.from(text.toUpperCase().replace(/=+$/, ""), (char) =>
    alphabet.indexOf(char).toString(2).padStart(5, "0"),
  ).join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

export function totpCode(settings: TotpSettings, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac(settings.algorithm.toLowerCase(), fromBase32(settings.secret)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** settings.digits).padStart(settings.digits, "0");
}

/** The step the code belongs to, looking `skew` periods back and ahead. */
export function matchingStep(settings: TotpSettings, code: string, skew: number, now: number): number | undefined {
  const current = Math.floor(now / 1000 / settings.period);
  const given = Buffer.from(code.trim());
  for (let distance = 0; distance <= skew; distance++)
    for (const step of distance === 0 ? [current] : [current + distance, current - distance]) {
      const expected = Buffer.from(totpCode(settings, step));
      if (given.length === expected.length && timingSafeEqual(given, expected)) return step;
    }
  return undefined;
}

export function otpauthUrl(settings: TotpSettings, issuer: string, username: string): string {
  const values = new URLSearchParams({
    algorithm: settings.algorithm,
    digits: String(settings.digits),
    issuer,
    period: String(settings.period),
    secret: settings.secret,
  });
  return `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(username)}?${values.toString().replaceAll("+", "%20")}`;
}
