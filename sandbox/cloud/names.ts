import { join } from "node:path";
import { folderOf } from "../folder";

/** The label that every container of one sandbox's cloud has. */
export const labelOf = (name: string) => `cloudcode.cloud=${name}`;

/** The container of an instance. */
export const containerOf = (name: string, instance: string) => `cloudcode-${name}-${instance}`;

/**
 * The network behind a machine's default route. It sorts before the public one, which is how Docker chooses the gateway
 * of a container in several networks.
 */
export const privateNetworkOf = (name: string) => `cloudcode-${name}`;

/** The network whose addresses are the public ones. */
export const publicNetworkOf = (name: string) => `cloudcode-${name}-public`;

/** Where disks, snapshots and what is known of machines and addresses are kept. */
export const cloudFolderOf = (name: string) => join(folderOf(name), "cloud");

/** A disk's serial number as a virtio device shows it. */
export const serialOf = (disk: string) => disk.replace(/^d-/, "");
