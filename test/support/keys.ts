import { utils } from "ssh2";

/** A key pair in OpenSSH's formats, the public half as `type base64`. */
export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/** A new key pair that works: one of some 300 ed25519 keys of ssh2's generator is malformed, and no SSH can read it. */
export function keyPair(type: "ed25519" | "ecdsa" | "rsa" = "ed25519"): KeyPair {
  const pair = generate(type);
  if (utils.parseKey(pair.private) instanceof Error) return keyPair(type);
  return { private: pair.private, public: pair.public.split(" ").slice(0, 2).join(" ") };
}

function generate(type: "ed25519" | "ecdsa" | "rsa"): KeyPair {
  if (type === "ed25519") return utils.generateKeyPairSync(type);
  return type === "rsa"
    ? utils.generateKeyPairSync(type, { bits: 2048 })
    : utils.generateKeyPairSync(type, { bits: 256 });
}
