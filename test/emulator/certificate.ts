import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** A key and a certificate for 127.0.0.1 that signs itself, in PATH.key and PATH.crt; those that are there are kept. */
export function makeCertificate(path: string): { key: string; certificate: string } {
  const files = { key: `${path}.key`, certificate: `${path}.crt` };
  if (existsSync(files.key) && existsSync(files.certificate)) return files;
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const names = ["-subj", "/CN=Alibaba Cloud emulator", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  const output = ["-keyout", files.key, "-out", files.certificate];
  execFileSync("openssl", ["req", "-x509", "-days", "3650", ...curve, ...names, ...output], { stdio: "ignore" });
  return files;
}
