import { keyPair } from "./keys";

export const project = "cloudcode";

/** `type base64` of a host key that no machine has. */
export const hostKey = keyPair().public;
export const privateKey = keyPair().private;

/** Settings by their keys, as Pulumi gives them. */
export type Configuration = Readonly<Record<string, string>>;

/** The least a stack on an existing host must configure. */
export const minimal: Configuration = {
  target: "existing",
  hostAddress: "203.0.113.7",
  hostPrivateKey: privateKey,
  hostKey,
};

/** The least a stack on Alibaba Cloud must configure. */
export const minimalAlicloud: Configuration = { sshCidrs: '["198.51.100.4/32"]' };
