import * as check from "../checks";
import { acmeDnsCredentials, acmeDnsProvider, dnsProviders } from "../../reverse-proxy/acme-dns";
import { bool, secret, someOf, text, integer } from "../setting";

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
  acmeDns: text(acmeDnsProvider, {
    description: `DNS provider of the domain, by which certificates are issued (the ACME challenge DNS-01), so that no port has to be open to the internet: ${dnsProviders.join(", ")}; or the Go module of another one of https://github.com/caddy-dns with its version. Caddy is then built on the host, with this module. Default: certificate authorities connect to ports 80 and 443.`,
    example: "cloudflare",
  }),
  acmeDnsCredentials: secret(acmeDnsCredentials, {
    description:
      "Credentials of acmeDns: its token, or a JSON object if it needs several values (docs/domain.md lists them). Default: domainToken, if that is for the same provider.",
    example: '\'{"api_key":"pk1_0123456789","api_secret_key":"sk1_0123456789"}\'',
  }),
  acmeWildcard: bool({
    description: "One certificate for *.domain in place of one for each App; only with acmeDns.",
    example: "true",
    default: false,
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
