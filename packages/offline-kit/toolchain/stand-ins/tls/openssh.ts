import { createHash, randomBytes } from "node:crypto";

const ALGORITHM = "ssh-ed25519";

function field(content: string | Buffer): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The wire form of an ed25519 public key of 32 bytes: https://www.rfc-editor.org/rfc/rfc8709#section-4 */
export function publicBlob(publicKey: Buffer): Buffer {
  return Buffer.concat([field(ALGORITHM), field(publicKey)]);
}

/** The line of an `authorized_keys` file, without comment. */
export function publicLine(publicKey: Buffer): string {
  return `${ALGORITHM} ${publicBlob(publicKey).toString("base64")}\n`;
}

/** Fingerprints as `ssh-keygen -l` shows them; the MD5 one without its prefix, as the real provider has it. */
export function fingerprints(publicKey: Buffer): { md5: string; sha256: string } {
  const digest = (algorithm: string): Buffer => createHash(algorithm).update(publicBlob(publicKey)).digest();
  const md5 = (digest("md5").toString("hex").match(/../g) ?? []).join(":");
  return { md5, sha256: `SHA256:${digest("sha256").toString("base64").replace(/=+$/, "")}` };
}

/** A private key without passphrase: https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.key */
export function privatePem(seed: Buffer, publicKey: Buffer): string {
  const check = randomBytes(4);
  const secret = Buffer.concat([
    check,
    check,
    publicBlob(publicKey),
    field(Buffer.concat([seed, publicKey])),
    field(""), // The comment.
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
  const count = Buffer.from([0, 0, 0, 1]);
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"), // The cipher.
    field("none"), // How its key is derived,
    field(""), // and from what.
    count,
    field(publicBlob(publicKey)),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = file.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}
