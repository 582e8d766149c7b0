import { isolation } from "./isolation";
import { outerResolver } from "./outer";
import { run } from "../../cli/run";
import { tarOf } from "./tar";
import type { Output, RunOptions } from "../../cli/run";
import type { TarFile } from "./tar";

/** A container in which systemd runs as on a machine of its own. */
export interface SystemdContainer {
  readonly container: string;
  readonly image: string;
  readonly hostName: string;
  /** A docker network with a subnet of its own. */
  readonly network: string;
  readonly address: string;
  /**
   * All that runs in it gets no more memory than this.
   * @default no limit
   */
  readonly memoryMiB?: number;
  /** More `docker create` options. */
  readonly options: readonly string[];
  /** What is put over the image's files. */
  readonly files: readonly TarFile[];
}

/** Creates the container, which is not started yet. */
export async function createContainer(args: SystemdContainer): Promise<void> {
  const memory = `${args.memoryMiB ?? 0}m`;
  await run("docker", [
    "create",
    "--name",
    args.container,
    "--hostname",
    args.hostName,
    "--network",
    args.network,
    "--ip",
    args.address,
    "--stop-timeout",
    "60",
    "--tmpfs",
    "/run",
    "--tmpfs",
    "/run/lock",
    "--env",
    "container=docker",
    ...(args.memoryMiB === undefined ? [] : ["--memory", memory, "--memory-swap", memory]),
    ...args.options,
    ...(await isolation(args.image)),
    args.image,
  ]);
  const resolver = outerResolver();
  await putFiles(args.container, [
    ...args.files,
    ...(resolver === undefined ? [] : [{ path: "etc/sandbox/resolv.conf", mode: 0o644, text: resolver }]),
  ]);
}

/** Writes files into a container, running or not. */
export async function putFiles(container: string, files: readonly TarFile[]): Promise<void> {
  if (files.length > 0) await run("docker", ["cp", "-", `${container}:/`], { input: await tarOf(files) });
}

/** Runs a command as root in a container that runs. */
export function containerExec(
  container: string,
  command: readonly string[],
  options: RunOptions = {},
): Promise<Output> {
  const interactive = options.input === undefined ? [] : ["--interactive"];
  return run("docker", ["exec", ...interactive, container, ...command], options);
}
