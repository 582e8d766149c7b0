import { readFileSync } from "node:fs";
import { createContainer, putFiles } from "../host/container";
import { run, succeeds } from "../../cli/run";
import { diskList } from "./image";
import { containerOf, labelOf, privateNetworkOf, publicNetworkOf, serialOf } from "./names";
import { seedFiles } from "./seed";
import type { Disks } from "./disks";
import type { MachineRecord } from "./records";

/** Makes the container of a machine, with the addresses of its record, but does not start it. */
export async function makeContainer(name: string, image: string, record: MachineRecord): Promise<void> {
  const { request, privateAddress, publicAddresses } = record;
  const { id: instanceId, memoryMiB, ...more } = request;
  const container = containerOf(name, instanceId);
  await createContainer({
    container,
    image,
    hostName: request.hostName,
    network: privateNetworkOf(name),
    address: privateAddress,
    memoryMiB,
    // After a reboot from inside, systemd's end counts as a failure.
    options: ["--label", labelOf(name), "--restart", "on-failure"],
    files: seedFiles({ instanceId, ...more }),
  });
  for (const address of publicAddresses) await bind(name, instanceId, address);
}

/** Removes the container if it is there: no orderly end, as nothing on it is kept. */
export async function dropContainer(container: string): Promise<void> {
  if (await succeeds("docker", ["container", "inspect", container]))
    await run("docker", ["rm", "--force", "--volumes", container]);
}

/** Gives the machine an address of the public network. */
export async function bind(name: string, instance: string, address: string): Promise<void> {
  await run("docker", ["network", "connect", "--ip", address, publicNetworkOf(name), containerOf(name, instance)]);
}

/** Takes the public network from the machine. */
export async function unbind(name: string, instance: string): Promise<void> {
  await run("docker", ["network", "disconnect", "--force", publicNetworkOf(name), containerOf(name, instance)]);
}

/** Tells the machine which disks it has: at once if it runs, otherwise at its start. */
export async function showDisks(name: string, record: MachineRecord, disks: Disks): Promise<void> {
  const container = containerOf(name, record.request.id);
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const lines: string[] = [];
  for (const { id, device } of record.disks) {
    const { major, minor } = await disks.connect(id);
    lines.push(`${boot} ${serialOf(id)} ${device} ${major} ${minor}\n`);
  }
  await putFiles(container, [{ path: diskList, mode: 0o644, text: lines.join("") }]);
  if (await isRunning(container)) await run("docker", ["exec", container, "sandbox-disks"]);
}

/** Whether the container runs; false if there is none. */
export async function isRunning(container: string): Promise<boolean> {
  const { stdout } = await run("docker", ["inspect", "--format", "{{.State.Running}}", container]).catch(() => ({
    stdout: "",
  }));
  return stdout.trim() === "true";
}

/** Runs the work while nothing is written to the device's file system, if it is mounted: a copy is consistent then. */
export async function whileFrozen(container: string, device: string, work: () => Promise<void>): Promise<void> {
  const inside = (...command: readonly string[]) => run("docker", ["exec", container, ...command]);
  const target = (await isRunning(container))
    ? await inside("findmnt", "-rn", "--first-only", "-o", "TARGET", "-S", device).then(
        ({ stdout }) => stdout.trim(),
        () => "",
      )
    : "";
  if (target === "") {
    await work();
    return;
  }
  await inside("fsfreeze", "--freeze", target);
  try {
    await work();
  } finally {
    await inside("fsfreeze", "--unfreeze", target);
  }
}
