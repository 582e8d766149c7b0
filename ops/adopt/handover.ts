import { typeAndBase64 } from "../../components/settings/checks";
import { CommandError } from "../../cli/run";
import { Ssh } from "../ssh";
import { OpsError } from "../stack";

/** What is to hold of the machine from now on. */
export interface Keys {
  readonly loginPrivate: string;
  readonly loginPublic: string;
  readonly hostPrivate: string;
  readonly hostPublic: string;
}

/** Where the old Docker's data lies from then on, all volumes included; the new one's is on the data disk. */
export const oldDocker = "/var/lib/docker.before";

/**
 * Gives the machine the stack's keys, ends what the old CLI ran, and puts its data aside before the data disk is mounted over
 * it. It may be run again at any point. The keys come on standard input: the public login key, then the private host key.
 */
export const handoverScript = `set -eu
umask 077
IFS= read -r login
key=/etc/ssh/ssh_host_ed25519_key
cat >$key.new
ssh-keygen -y -f $key.new >$key.pub.new
chmod 644 $key.pub.new
if [ -d /var/lib/docker ] && [ ! -e "$1" ] && ! mountpoint -q /var/lib/docker; then
  running=$(docker ps -q)
  [ -z "$running" ] || docker stop -t 30 $running >/dev/null
  systemctl disable --now docker.socket docker 2>/dev/null || systemctl disable --now docker
  mv /var/lib/docker "$1"
fi
mkdir -p /root/.ssh
grep -qxF "$login" /root/.ssh/authorized_keys || printf '\\n%s\\n' "$login" >>/root/.ssh/authorized_keys
mv $key.pub.new $key.pub
mv $key.new $key
systemctl reload ssh || systemctl reload sshd`;

async function withSsh<T>(
  host: string,
  privateKey: string,
  hostKey: string,
  action: (ssh: Ssh) => Promise<T>,
): Promise<T> {
  const ssh = await Ssh.open({ host, port: 22, user: "root", privateKey, hostKey: typeAndBase64(hostKey) });
  try {
    return await action(ssh);
  } finally {
    ssh.close();
  }
}

/** Whether the machine has the stack's keys already. */
export async function isOurs(host: string, keys: Keys): Promise<boolean> {
  try {
    await withSsh(host, keys.loginPrivate, keys.hostPublic, (ssh) => ssh.script("true"));
    return true;
  } catch (error) {
    if (error instanceof OpsError && error.cause instanceof CommandError) return false;
    throw error;
  }
}

/** @param old the private key of the old CLI, and the host key that the operator read on the machine */
export async function handOver(
  host: string,
  old: { readonly privateKey: string; readonly hostKey: string },
  keys: Keys,
): Promise<void> {
  const input = `${keys.loginPublic.trim()}\n${keys.hostPrivate.trim()}\n`;
  await withSsh(host, old.privateKey, old.hostKey, (ssh) => ssh.script(handoverScript, [oldDocker], { input }));
  if (!(await isOurs(host, keys)))
    throw new OpsError(
      "the stack's keys are on the machine, but it does not accept them yet: run the same command again",
    );
}
