import { type ParsedKey, utils } from "ssh2";
import { z } from "zod";

/** sshd refuses shorter ones (RequiredRSASize, https://man.openbsd.org/sshd_config). */
const leastRsaBits = 1024;

/**
 * A private key that ssh can use without asking, as the one text that every reader of it takes: ssh2 for the program, OpenSSH for
 * `npm run ops` and for restic. Byte order mark, Windows' line ends, blanks and what stands around the key are not part of it.
 */
export const privateKey = z
  .string("is not a string")
  .min(1, "is empty")
  .transform((value, context) => {
    const result = readPrivateKey(value);
    if ("text" in result) return result.text;
    context.addIssue({ code: "custom", message: result.fault });
    return z.NEVER;
  });

const armour = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[ \t]*[\r\n]([\s\S]*?)[\r\n][ \t]*-----END \1PRIVATE KEY-----/g;

function readPrivateKey(value: string): { readonly text: string } | { readonly fault: string } {
  if (value.includes("PuTTY-User-Key-File-"))
    return { fault: "is in PuTTY's format; puttygen KEY.ppk -O private-openssh -o COPY rewrites it in OpenSSH's" };
  if (!/-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]+-----END \1PRIVATE KEY-----/.test(value))
    return { fault: "is not a private key (it must begin with -----BEGIN … PRIVATE KEY-----)" };
  const blocks = [...value.matchAll(armour)];
  const [, kind = "", body = ""] = blocks[0] ?? [];
  const unreadable = { fault: "cannot be read; is it complete, with its line breaks?" };
  if (blocks.length === 0) return unreadable;
  if (blocks.length > 1) return { fault: "contains more than one key" };
  const passphrase = { fault: "has a passphrase; create a key without one for this stack" };
  if (kind === "ENCRYPTED " || /ENCRYPTED/.test(body)) return passphrase;
  const lines = body.split(/\s+/).filter(Boolean);
  if (!isBase64(lines.join(""))) return unreadable;
  const text = [`-----BEGIN ${kind}PRIVATE KEY-----`, ...lines, `-----END ${kind}PRIVATE KEY-----`, ""].join("\n");
  const parsed = utils.parseKey(text);
  if (parsed instanceof Error) {
    if (/encrypted/i.test(parsed.message)) return passphrase;
    return kind === ""
      ? { fault: "is in PKCS#8 format; ssh-keygen -p -N '' -f COPY rewrites a copy of it in OpenSSH's own format" }
      : unreadable;
  }
  if (parsed.type === "ssh-dss")
    return {
      fault: "is a DSA key, which SSH servers no longer accept; ssh-keygen -t ed25519 creates one that they accept",
    };
  if (parsed.type === "ssh-rsa" && rsaBits(parsed.getPublicSSH()) < leastRsaBits)
    return { fault: `is an RSA key of less than ${leastRsaBits} bits, which SSH servers no longer accept` };
  return belongsTogether(parsed, lines.join(""), kind) ? { text } : unreadable;
}

/** ssh2 skips what is no base64 and stops at its end, OpenSSH and Go refuse such a key. */
function isBase64(text: string): boolean {
  return Buffer.from(text, "base64").toString("base64") === text;
}

/** Where the public half begins in OpenSSH's own format without a passphrase (openssh-portable, PROTOCOL.key). */
const publicHalfAt = 15 + 8 + 8 + 4 + 4 + 4;

/** OpenSSH refuses a key whose two halves do not belong together, ssh2 looks at neither. */
function belongsTogether(key: ParsedKey, body: string, kind: string): boolean {
  const proof = Buffer.from("cloudcode");
  const signature: Buffer | Error = key.sign(proof);
  const verified: unknown = signature instanceof Error ? signature : key.verify(proof, signature);
  if (verified !== true || kind !== "OPENSSH ") return verified === true;
  const shown = key.getPublicSSH();
  return Buffer.from(body, "base64")
    .subarray(publicHalfAt, publicHalfAt + shown.length)
    .equals(shown);
}

/** Length of the modulus, the third field (RFC 4253, 6.6), which begins with a zero byte. */
function rsaBits(blob: Buffer): number {
  const exponent = 4 + blob.readUInt32BE(0);
  const modulus = exponent + 4 + blob.readUInt32BE(exponent);
  return (blob.readUInt32BE(modulus) - 1) * 8;
}
