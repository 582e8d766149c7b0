import { join } from "node:path";
import { typeAndBase64 } from "../components/settings/checks";
import { cacheDir } from "../cli/cache";
import { folderOf } from "./folder";
import { type SshKeyPair, hostExec, startHost } from "./host/host";
import { newKeyPair } from "./host/keys";
import type { Say } from "../cli/run";
import type { Ground } from "./sandbox";
import { once } from "./stack";

export interface ExistingGround extends Ground {
  /** Login key of the host. */
  readonly loginKey: SshKeyPair;
  readonly hostKey: SshKeyPair;
}

/** A host that is there before the first `up`, as the target `existing` wants it. */
export async function openExisting(name: string, say: Say): Promise<ExistingGround> {
  const folder = folderOf(name);
  const loginKey = keyPair(join(folder, "login-key.json"));
  const hostKey = keyPair(join(folder, "host-key.json"));
  const host = await startHost({ name, cacheDir, authorizedKey: loginKey.publicKey, hostKeyPair: hostKey, say });
  return {
    host,
    loginKey,
    hostKey,
    env: {},
    settings: { hostAddress: host.address, hostKey: typeAndBase64(hostKey.publicKey) },
    secrets: { hostPrivateKey: loginKey.privateKey },
    exec: (command, options) => hostExec(name, command, options),
  };
}

function keyPair(file: string): SshKeyPair {
  return JSON.parse(once(file, () => JSON.stringify(newKeyPair()))) as SshKeyPair;
}
