import * as check from "../checks";
import { someOf, text, integer } from "../setting";

export const certificateSettings = {
  acmeEmail: text(check.publicEmail, {
    description:
      "Contact address for the certificate authorities: ZeroSSL requires one and sends mail to it, Let's Encrypt refuses addresses at example.com. Default: adminEmail, else hostmaster@domain.",
    example: "you@mail.example.com",
  }),
  acmeDirectories: someOf(check.httpsUrl, {
    description:
      "ACME directories of certificate authorities, in the order in which they are tried; Caddy's internal authority is always the last resort.",
    example: "'[\"https://acme-v02.api.letsencrypt.org/directory\"]'",
    default: ["https://acme-v02.api.letsencrypt.org/directory", "https://acme.zerossl.com/v2/DV90"],
  }),
  acmeTrustedRoot: text(check.certificate, {
    description: "PEM root certificate of the ACME servers themselves, for a private certificate authority.",
    example: '-- "$(cat ca.pem)"',
  }),
  fallbackCertificateMinutes: integer(2, 10080, {
    description:
      "Lifetime of a certificate from the internal authority, in minutes; after two thirds of it the public authorities are tried again.",
    example: "60",
    default: 60,
  }),
};
