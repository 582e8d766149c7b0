import { existsSync, rmSync } from "node:fs";
import { removeNetwork } from "../host/network";
import { run } from "../../cli/run";
import { dropContainer } from "./container";
import { Disks } from "./disks";
import { cloudFolderOf, labelOf, publicNetworkOf } from "./names";

/** The containers of a sandbox's machines. */
export async function machineContainers(name: string, which: "all" | "running"): Promise<string[]> {
  const options = [...(which === "all" ? ["--all"] : []), "--filter", `label=${labelOf(name)}`];
  const { stdout } = await run("docker", ["ps", ...options, "--format", "{{.Names}}"]);
  return stdout.split("\n").filter((line) => line !== "");
}

/**
 * Removes machines, disks, snapshots, loop devices and the public network of a sandbox's cloud; no harm if there are none.
 * The private network is also a plain host's, and goes with `stopHost`.
 */
export async function removeCloud(name: string): Promise<void> {
  for (const container of await machineContainers(name, "all")) await dropContainer(container);
  const folder = cloudFolderOf(name);
  if (existsSync(folder)) {
    const disks = new Disks(folder);
    for (const disk of disks.all()) await disks.remove(disk);
    rmSync(folder, { recursive: true });
  }
  await removeNetwork(publicNetworkOf(name));
}
