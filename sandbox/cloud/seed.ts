import type { TarFile } from "../host/tar";

/** What a new machine knows about itself. */
export interface Seed {
  readonly instanceId: string;
  readonly hostName: string;
  /** Plain text; empty: none. */
  readonly userData: string;
  readonly publicKeys: readonly string[];
}

/** The files of cloud-init's NoCloud data source: https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html */
export function seedFiles({ instanceId, hostName, userData, publicKeys }: Seed): TarFile[] {
  const metaData = { "instance-id": instanceId, "local-hostname": hostName, "public-keys": publicKeys };
  const folder = "var/lib/cloud/seed/nocloud";
  return [
    { path: `${folder}/meta-data`, mode: 0o600, text: JSON.stringify(metaData) },
    { path: `${folder}/user-data`, mode: 0o600, text: userData },
  ];
}
