import { typeAndBase64 } from "../../components/settings/checks";
import { utils } from "ssh2";
import { newKeyPair } from "../../sandbox/host/keys";

/** A key pair in OpenSSH's formats, the public half as `type base64`. */
export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/** A new key pair that works; ssh2's generator makes some that do not. */
export function keyPair(type: "ed25519" | "ecdsa" | "rsa" = "ed25519"): KeyPair {
  const pair = generate(type);
  if (utils.parseKey(pair.private) instanceof Error) return keyPair(type);
  return { private: pair.private, public: typeAndBase64(pair.public) };
}

function generate(type: "ed25519" | "ecdsa" | "rsa"): KeyPair {
  if (type === "ed25519") {
    const { privateKey, publicKey } = newKeyPair();
    return { private: privateKey, public: publicKey };
  }
  return type === "rsa"
    ? utils.generateKeyPairSync(type, { bits: 2048 })
    : utils.generateKeyPairSync(type, { bits: 256 });
}
