// The code an authenticator app would show (RFC 6238, SHA-1, six digits), written apart from the stand-in that checks it.
import { createHmac } from "node:crypto";

export const period = 30_000;

export function currentStep(): number {
  return Math.floor(Date.now() / period);
}

export function codeAt(secret: string, step: number): string {
  const message = Buffer.alloc(8);
  message.writeUInt32BE(step % 2 ** 32, 4);
  message.writeUInt32BE(Math.floor(step / 2 ** 32), 0);
  const mac = createHmac("sha1", fromBase32(secret)).update(message).digest();
  const start = mac.readUInt8(19) % 16;
  return String((mac.readUInt32BE(start) % 2 ** 31) % 1_000_000).padStart(6, "0");
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let [held, bits] = [0, 0];
  for (const char of text) {
    held = (held * 32 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(char)) % 2 ** 16;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push(Math.floor(held / 2 ** bits) % 256);
  }
  return Buffer.from(bytes);
}

const used = new Map<string, number>();

/** A code is good once. The server takes the next period's code too, so waiting is only needed for the third in a minute. */
export async function nextCode(secret: string): Promise<string> {
  const now = currentStep();
  const step = Math.max(now, (used.get(secret) ?? 0) + 1);
  used.set(secret, step);
  if (step > now + 1) await new Promise((resolve) => setTimeout(resolve, (step - 1) * period - Date.now() + 500));
  return codeAt(secret, step);
}
