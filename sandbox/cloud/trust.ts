import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Variables that make processes trust the emulator's certificate next to what this machine trusts: SSL_CERT_FILE replaces
 * what a process trusts by itself, so the certificate is added to a copy of that.
 *
 * @param folder where the copies are put
 * @param environment the emulator's, see packages/alicloud-emulator/src/emulator.ts
 */
export function trust(folder: string, environment: Readonly<Record<string, string>>): Record<string, string> {
  const { SSL_CERT_FILE: own, NODE_EXTRA_CA_CERTS: extra } = process.env;
  const bundle = (file: string, parts: readonly (string | undefined)[]) => {
    const path = join(folder, file);
    const present = parts.filter((part) => part !== undefined).filter((part) => existsSync(part));
    writeFileSync(path, present.map((part) => `${readFileSync(part, "utf8").trimEnd()}\n`).join(""));
    return path;
  };
  const emulator = environment["SSL_CERT_FILE"];
  return {
    SSL_CERT_FILE: bundle("trusted.pem", [own ?? "/etc/ssl/certs/ca-certificates.crt", emulator]),
    NODE_EXTRA_CA_CERTS: bundle("trusted-extra.pem", [extra, emulator]),
  };
}
