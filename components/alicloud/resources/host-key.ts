import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { typeAndBase64 } from "../../settings/checks";
import { userData } from "./user-data";

/** The key by which a machine proves who it is, known before the machine is there. */
export function hostKey(
  name: string,
  opts: pulumi.CustomResourceOptions,
): {
  /** `type base64`. */
  readonly pinned: pulumi.Output<string>;
  /** What gives it to the machine. */
  readonly userData: pulumi.Output<string>;
} {
  const key = new tls.PrivateKey(name, { algorithm: "ED25519" }, opts);
  return {
    pinned: key.publicKeyOpenssh.apply(typeAndBase64),
    userData: pulumi
      .all([key.privateKeyOpenssh, key.publicKeyOpenssh])
      .apply(([privateKey, publicKey]) => userData({ privateKey, publicKey })),
  };
}
