import { createHash, generateKeyPairSync } from "node:crypto";
import { generatedType } from "../plugin/generated";
import type { ResourceType } from "../plugin/provider";
import type { ValueMap } from "../plugin/values";
import { Secret, text, Unknown } from "../plugin/values";
import { fingerprints, privatePem, publicLine } from "./openssh";

/** Those of the real provider. */
const algorithms: readonly string[] = ["RSA", "ECDSA", "ED25519"];

/** What the real provider keeps in state for every algorithm. */
const DEFAULTS: ValueMap = { ecdsaCurve: "P224", rsaBits: 2048 };

function ed25519Outputs(): ValueMap & { readonly id: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const pkcs8 = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const spki = publicKey.export({ type: "spki", format: "der" });
  // Both encodings of an ed25519 key end with its 32 bytes: https://www.rfc-editor.org/rfc/rfc8410
  const seed = privateKey.export({ type: "pkcs8", format: "der" }).subarray(-32);
  const point = spki.subarray(-32);
  const { md5, sha256 } = fingerprints(point);
  return {
    id: createHash("sha1").update(spki).digest("hex"),
    privateKeyOpenssh: new Secret(privatePem(seed, point)),
    privateKeyPem: new Secret(pkcs8),
    privateKeyPemPkcs8: new Secret(pkcs8),
    publicKeyFingerprintMd5: md5,
    publicKeyFingerprintSha256: sha256,
    publicKeyOpenssh: publicLine(point),
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}

/** Resource types by token. */
export const tlsTypes: Readonly<Record<string, ResourceType>> = {
  "tls:index/privateKey:PrivateKey": generatedType({
    required: "algorithm",
    about: `Name of the algorithm to use when generating the private key. Currently-supported values are: ${algorithms.map((name) => `\`${name}\``).join(", ")}. `,
    optional: ["ecdsaCurve", "rsaBits"],
    computed: [
      "privateKeyOpenssh",
      "privateKeyPem",
      "privateKeyPemPkcs8",
      "publicKeyFingerprintMd5",
      "publicKeyFingerprintSha256",
      "publicKeyOpenssh",
      "publicKeyPem",
    ],
    defaults: DEFAULTS,
    validate: ({ algorithm }, resource) => {
      if (algorithm === undefined || algorithm instanceof Unknown) return [];
      const name = text(algorithm) ?? "";
      if (name === "ED25519") return [];
      if (algorithms.includes(name)) {
        const reason = `The stand-in makes ED25519 keys only, got: "${name}"; the official plugin makes the others.`;
        return [{ property: "algorithm", reason }];
      }
      const known = algorithms.map((one) => `"${one}"`).join(" ");
      const fault = `Attribute algorithm value must be one of: [${known}], got: "${name}"`;
      return [
        { property: "", reason: `Invalid Attribute Value Match. ${fault}. Examine values at '${resource}.algorithm'.` },
      ];
    },
    make: (inputs) => {
      const key = ed25519Outputs();
      return Promise.resolve({
        id: key.id,
        outputs: { ...DEFAULTS, ...inputs, ...key, __meta: '{"schema_version":"0"}' },
      });
    },
  }),
};
