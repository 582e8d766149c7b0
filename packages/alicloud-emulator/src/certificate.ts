import { existsSync, writeFileSync } from "node:fs";
import { type SelfSigned, selfSigned } from "./self-signed";

/** One for all emulators of this process: tests start dozens, and making one takes longer than most of those. */
let made: SelfSigned | undefined;

/** A key and a certificate for 127.0.0.1 that signs itself, in PATH.key and PATH.crt; those that are there are kept. */
export function makeCertificate(path: string): { key: string; certificate: string } {
  const files = { key: `${path}.key`, certificate: `${path}.crt` };
  if (existsSync(files.key) && existsSync(files.certificate)) return files;
  made ??= selfSigned(["127.0.0.1", "localhost"], 3650);
  const { key, certificate } = made;
  writeFileSync(files.key, key, { mode: 0o600 });
  writeFileSync(files.certificate, certificate);
  return files;
}
