import * as check from "../checks";
import { someOf, text, integer } from "../setting";

export const certificateSettings = {
  acmeEmail: text(check.publicEmail, {
    description:
      "Contact given to the certificate authorities: ZeroSSL gives no account without one and writes to it, Let's Encrypt refuses one at example.com. Default: adminEmail, else hostmaster@domain.",
    example: "you@mail.example.com",
  }),
  acmeDirectories: someOf(check.httpsUrl, {
    description: "ACME authorities in the order they are asked; Caddy's internal authority is always the last resort.",
    example: "'[\"https://acme-v02.api.letsencrypt.org/directory\"]'",
    default: ["https://acme-v02.api.letsencrypt.org/directory", "https://acme.zerossl.com/v2/DV90"],
  }),
  acmeTrustedRoot: text(check.certificate, {
    description: "PEM certificate that signs the ACME servers themselves, for a private authority.",
    example: '-- "$(cat ca.pem)"',
  }),
  fallbackCertificateMinutes: integer(2, 10080, {
    description:
      "Life of a certificate of the internal authority, in minutes; at two thirds of it the public ones are asked again.",
    example: "60",
    default: 60,
  }),
};
