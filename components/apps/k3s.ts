import { type Mirrors, k3sMirror } from "../mirrors";

/** A version of k3s, and the SHA-256 of its two files. */
export interface K3sRelease {
  readonly version: string;
  readonly binarySha256: string;
  readonly imagesSha256: string;
}

/**
 * The k3s that runs sandboxes, pinned; the sums are those of its release's sha256sum-amd64.txt. Other projects pin the same ones:
 * both https://github.com/yunionio/ocboot (lib/k3s.py), that of the images https://github.com/NixOS/nixpkgs too (k3s/1_34). Its
 * images come as one file, so that a host needs no registry for them (k3s-io/k3s#13086).
 */
export const k3sRelease: K3sRelease = {
  version: "v1.34.2+k3s1",
  binarySha256: "15811d34187e03fe29d0e46108c42cc33e62cec1b3d9d80f50944536ebcad40a",
  imagesSha256: "24359781bd775f513691e98031853d79eac53e265f7d72d1e7325df4f3b18eb0",
};

/** Where the files of a release of k3s are. */
export function k3sUrl(version: string, mirrors?: Mirrors): string {
  if (mirrors) return k3sMirror(mirrors, version);
  return `https://github.com/k3s-io/k3s/releases/download/${encodeURIComponent(version)}`;
}

/** Networks of the cluster; the first two are k3s's defaults (https://docs.k3s.io/cli/server#networking). */
export const k3sNetwork = {
  podNetwork: "10.42.0.0/16",
  serviceNetwork: "10.43.0.0/16",
  /** Docker network of the containers that may use the cluster. */
  controlSubnet: "10.44.0.0/24",
  /** The machine on that network, where k3s answers. */
  apiAddress: "10.44.0.1",
  /** Name of its bridge; the kernel takes 15 characters. */
  bridge: "cloudcode-k3s",
} as const;

/** The networks that nothing else of a stack may use. */
export const k3sSubnets = [k3sNetwork.podNetwork, k3sNetwork.serviceNetwork, k3sNetwork.controlSubnet];

/** On every machine of the cluster; stack-templates/lwsandbox/host puts its scripts there. */
export const k3sFolder = "/opt/cloudcode/k3s";

/** The API of the server, and WireGuard between the nodes (https://docs.k3s.io/installation/requirements#networking). */
export const k3sOpenings = { onHost: "TCP 6443", between: "UDP 51820" } as const;
