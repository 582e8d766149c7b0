import { typeAndBase64 } from "../../../components/settings/checks";
import { createConnection } from "node:net";
import { baseImage } from "../../../sandbox/host/base";
import { aptInstallStep, buildImage } from "../../../sandbox/host/build";
import { newKeyPair } from "../../../sandbox/host/keys";
import type { SshKeyPair } from "../../../sandbox/host/host";
import { removeService, startService } from "../../../sandbox/host/service";
import type { Say } from "../../../cli/run";

const port = 2222;

/** An SFTP server that outlives the host. */
export interface SftpStore {
  /** In restic's words. */
  readonly repository: string;
  readonly privateKey: string;
  /** `type base64`. */
  readonly hostKey: string;
}

/** Starts OpenSSH's server on the outer machine, at the sandbox's network. */
export async function startStore(name: string, address: string, cacheDir: string, say: Say): Promise<SftpStore> {
  const login: SshKeyPair = newKeyPair();
  const host: SshKeyPair = newKeyPair();
  const image = await buildImage(
    {
      name: "sftp",
      dockerfile: `FROM ${await baseImage({ cacheDir, say })}
RUN ${aptInstallStep(["openssh-server"])} && useradd --create-home --uid 1500 store && mkdir -p /run/sshd
COPY sshd_config host_key authorized_keys /store/
RUN chown -R store /store && chmod 600 /store/host_key && usermod --password '*' store
`,
      files: {
        sshd_config: `Port ${port}\nListenAddress ${address}\nHostKey /store/host_key\nAuthorizedKeysFile /store/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPidFile none\nSubsystem sftp internal-sftp\n`,
        host_key: `${host.privateKey.trimEnd()}\n`,
        authorized_keys: `${login.publicKey.trimEnd()}\n`,
      },
    },
    say,
  );
  await startService({
    container: containerOf(name),
    image,
    options: ["--user", "1500:1500"],
    command: ["/usr/sbin/sshd", "-D", "-e", "-f", "/store/sshd_config"],
    ready: () => answers(address),
  });
  return {
    repository: `sftp://store@${address}:${port}//home/store/backups`,
    privateKey: login.privateKey,
    hostKey: typeAndBase64(host.publicKey),
  };
}

export async function stopStore(name: string): Promise<void> {
  await removeService(containerOf(name));
}

const containerOf = (name: string) => `cloudcode-${name}-store`;

function answers(address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: address, port, timeout: 2000 });
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", reject);
    socket.once("timeout", () => {
      socket.destroy();
      resolve(false);
    });
  });
}
