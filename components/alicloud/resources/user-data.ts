import { stringify } from "yaml";

/**
 * What the machine does at its first boot, and nothing else: take the host key that the stack pins. All further work is
 * convergent and goes over SSH (aliyun/terraform-provider-alicloud#1973, #4721).
 * https://cloudinit.readthedocs.io/en/latest/reference/modules.html#ssh
 */
export function userData(hostKey: { readonly privateKey: string; readonly publicKey: string }): string {
  const config = {
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey.trim() },
    disable_root: false,
    ssh_pwauth: false,
  };
  return `#cloud-config\n${stringify(config)}`;
}
