import { isIP } from "node:net";
import { generate } from "selfsigned";

/** PEM texts of a key and of its certificate. */
export interface SelfSigned {
  readonly key: string;
  readonly certificate: string;
}

/**
 * A key and a certificate that signs itself, for servers of tests and as an authority that nobody trusts.
 *
 * @param names DNS names and IP addresses, the first also as its common name
 * @param days how long it is valid from now on
 */
export function selfSigned(names: readonly [string, ...string[]], days = 2): SelfSigned {
  const altNames = names.map((name) => (isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name }));
  const { private: key, cert } = generate([{ name: "commonName", value: names[0] }], {
    algorithm: "sha256",
    keySize: 2048,
    days,
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames },
    ],
  });
  return { key, certificate: cert };
}
