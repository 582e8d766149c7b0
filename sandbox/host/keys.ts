import { utils } from "ssh2";
import type { SshKeyPair } from "./host";

/** A new ed25519 key pair that works: one of some 300 of ssh2's is malformed, and no SSH can read it. */
export function newKeyPair(): SshKeyPair {
  const { private: privateKey, public: publicKey } = utils.generateKeyPairSync("ed25519");
  return utils.parseKey(privateKey) instanceof Error ? newKeyPair() : { privateKey, publicKey };
}
