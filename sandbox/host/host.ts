import type { System } from "./base";
import { containerExec, createContainer } from "./container";
import { ensureNetwork, removeNetwork } from "./network";
import { hostImage } from "./recipe";
import { run, succeeds } from "../../cli/run";
import { sshAnswers } from "./ssh";
import type { Output, RunOptions, Say } from "../../cli/run";

/** A systemd machine with an SSH server, on the operator's own machine. */
export interface SandboxHost {
  readonly name: string;
  /** Its address on the docker network `cloudcode-NAME`, reachable from the outer machine. */
  readonly address: string;
  /** The outer machine's address on that network. */
  readonly gateway: string;
  readonly sshPort: 22;
}

/** An SSH key pair in OpenSSH's own formats. */
export interface SshKeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** What a host is made of. */
export interface HostArgs {
  /** Names everything that belongs to this sandbox. */
  readonly name: string;
  /** Where images' pieces are kept between runs. */
  readonly cacheDir: string;
  /** @default debian 13 */
  readonly system?: System;
  /** May log in as root and as `admin`, who may use sudo without a password. */
  readonly authorizedKey: string;
  /** The ed25519 key by which the SSH server proves who it is. */
  readonly hostKeyPair: SshKeyPair;
  /**
   * The host and all that runs in it get no more memory than this.
   * @default no limit
   */
  readonly memoryMiB?: number;
  readonly say: Say;
}

/** Starts the host, or finds it running, and returns once its SSH server answers. A host that exists keeps its keys. */
export async function startHost(args: HostArgs): Promise<SandboxHost> {
  const container = containerOf(args.name);
  const subnet = await ensureNetwork(container, args.name);
  const host: SandboxHost = { name: args.name, address: subnet.host, gateway: subnet.gateway, sshPort: 22 };
  if (!(await succeeds("docker", ["container", "inspect", container]))) await createHost(args, host);
  args.say(`Starting the host ${args.name} at ${host.address}`);
  await run("docker", ["start", container]);
  await sshAnswers(host.address, container);
  return host;
}

/** Restarts the whole host, as a power cycle that lets systemd shut down first. */
export async function rebootHost(name: string): Promise<void> {
  const container = containerOf(name);
  await run("docker", ["restart", "-t", "60", container]);
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  const { stdout } = await run("docker", ["inspect", "--format", format, container]);
  await sshAnswers(stdout.trim(), container);
}

/** Removes the host with its disk and its network; no harm if it is not there. */
export async function stopHost(name: string): Promise<void> {
  const container = containerOf(name);
  // No orderly end: the kernel frees all that ran inside along with the container's own namespaces.
  if (await succeeds("docker", ["container", "inspect", container])) {
    await run("docker", ["rm", "--force", "--volumes", container]);
  }
  if (await succeeds("docker", ["volume", "inspect", volumeOf(name)]))
    await run("docker", ["volume", "rm", volumeOf(name)]);
  await removeNetwork(container);
}

/** Runs a command as root in the host, past SSH. */
export function hostExec(name: string, command: readonly string[], options: RunOptions = {}): Promise<Output> {
  return containerExec(containerOf(name), command, options);
}

const containerOf = (name: string) => `cloudcode-${name}`;
const volumeOf = (name: string) => `cloudcode-${name}-docker`;

async function createHost(args: HostArgs, host: SandboxHost): Promise<void> {
  const { memoryMiB } = args;
  const container = containerOf(args.name);
  await createContainer({
    container,
    image: await hostImage(args),
    hostName: args.name,
    network: container,
    address: host.address,
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    options: [
      "--restart",
      "unless-stopped",
      // On the container's own overlay file system the Docker inside would fall back to copying whole layers, and containerd,
      // where Docker 29 keeps its images, could mount none at all.
      "--volume",
      `${volumeOf(args.name)}:/var/lib/docker`,
      "--volume",
      "/var/lib/containerd",
    ],
    files: [
      { path: "etc/ssh/ssh_host_ed25519_key", mode: 0o600, text: withNewline(args.hostKeyPair.privateKey) },
      { path: "etc/ssh/ssh_host_ed25519_key.pub", mode: 0o644, text: withNewline(args.hostKeyPair.publicKey) },
      { path: "root/.ssh/authorized_keys", mode: 0o600, text: withNewline(args.authorizedKey) },
      { path: "home/admin/.ssh/authorized_keys", mode: 0o600, text: withNewline(args.authorizedKey), owner: ADMIN },
    ],
  });
}

/** The user id that `useradd` gives to the image's first user. */
const ADMIN = 1000;

const withNewline = (text: string) => `${text.trimEnd()}\n`;
