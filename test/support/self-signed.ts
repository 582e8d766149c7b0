import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A key and a certificate that signs itself.
 *
 * @param names in OpenSSL's words, such as `DNS:*.example.com` or `IP:192.0.2.1`
 */
export function selfSigned(...names: readonly string[]): { readonly key: string; readonly certificate: string } {
  const folder = mkdtempSync(join(tmpdir(), "self-signed-"));
  const [key, certificate] = [join(folder, "tls.key"), join(folder, "tls.crt")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", "/CN=cloudcode test", "-addext", `subjectAltName=${names.join(",")}`];
  try {
    const output = ["-keyout", key, "-out", certificate];
    execFileSync("openssl", ["req", "-x509", "-days", "2", ...curve, ...subject, ...output], { stdio: "ignore" });
    return { key: readFileSync(key, "utf8"), certificate: readFileSync(certificate, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
