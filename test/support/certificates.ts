import type { CertificateSettings } from "../../components/settings/settings";

/** Certificates of the public authorities, by ports 80 and 443. */
export const publicCertificates: CertificateSettings = {
  email: undefined,
  directories: [],
  trustedRoot: undefined,
  dns: undefined,
  fallbackMinutes: 3,
};
