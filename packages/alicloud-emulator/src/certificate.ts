import { existsSync, writeFileSync } from "node:fs";
import { generate } from "selfsigned";

/** A key and a certificate for 127.0.0.1 that signs itself, in PATH.key and PATH.crt; those that are there are kept. */
export function makeCertificate(path: string): { key: string; certificate: string } {
  const files = { key: `${path}.key`, certificate: `${path}.crt` };
  if (existsSync(files.key) && existsSync(files.certificate)) return files;
  const altNames = [
    { type: 7, ip: "127.0.0.1" },
    { type: 2, value: "localhost" },
  ];
  const { private: key, cert } = generate([{ name: "commonName", value: "127.0.0.1" }], {
    ...{ algorithm: "sha256", keySize: 2048, days: 3650 },
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames },
    ],
  });
  writeFileSync(files.key, key, { mode: 0o600 });
  writeFileSync(files.certificate, cert);
  return files;
}
