import { existsSync, rmSync } from "node:fs";
import { removeNetwork } from "../host/network";
import { run } from "../host/run";
import { dropContainer } from "./container";
import { Disks } from "./disks";
import { cloudFolderOf, labelOf, privateNetworkOf, publicNetworkOf } from "./names";

/** The containers of a sandbox's machines. */
export async function machineContainers(name: string, which: "all" | "running"): Promise<string[]> {
  const options = [...(which === "all" ? ["--all"] : []), "--filter", `label=${labelOf(name)}`];
  const { stdout } = await run("docker", ["ps", ...options, "--format", "{{.Names}}"]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** Removes machines, disks, snapshots, loop devices and networks of a sandbox's cloud; no harm if there are none. */
export async function removeCloud(name: string): Promise<void> {
  for (const container of await machineContainers(name, "all")) await dropContainer(container);
  const folder = cloudFolderOf(name);
  if (existsSync(folder)) {
    const disks = new Disks(folder);
    for (const disk of disks.all()) await disks.remove(disk);
    rmSync(folder, { recursive: true });
  }
  for (const network of [publicNetworkOf(name), privateNetworkOf(name)]) await removeNetwork(network);
}
