// What an emulated ECS instance, public address and disk really are: a systemd container with cloud-init, an address of a
// second docker network, and a loop device.
import { join } from "node:path";
import type { MachineRequest, Machines } from "@cloudcode/alicloud-emulator/machine";
import { cacheDir } from "../../cli/cache";
import { ensureNetwork } from "../host/network";
import { run } from "../../cli/run";
import { Addresses, lowestFree } from "./addresses";
import { bind, dropContainer, isRunning, makeContainer, showDisks, unbind, whileFrozen } from "./container";
import { Disks } from "./disks";
import { cloudImage } from "./image";
import { cloudFolderOf, containerOf, privateNetworkOf, publicNetworkOf } from "./names";
import { Records } from "./records";
import { Turns } from "./turns";
import type { Subnet } from "../host/network";
import type { Say } from "../../cli/run";

/** The two networks of a sandbox's cloud. `host` of the public one is the first address that a stack gets. */
export interface CloudNetworks {
  readonly privateNetwork: Subnet;
  readonly publicNetwork: Subnet;
}

/** Makes the networks, or finds them. */
export async function ensureCloudNetworks(name: string): Promise<CloudNetworks> {
  return {
    privateNetwork: await ensureNetwork(privateNetworkOf(name), name),
    publicNetwork: await ensureNetwork(publicNetworkOf(name), `${name}-public`),
  };
}

/**
 * Machines on this computer's Docker, as `alicloud-emulator --machines` asks for them. What they are made of outlives this
 * process, see `removeCloud` in remove.ts.
 *
 * @param name names everything that belongs to this sandbox; its files are in the sandbox's folder
 * @param say gets a line about what takes time
 */
export function machinesOf(name: string, say: Say = () => undefined): Machines {
  return new DockerMachines(name, say);
}

class DockerMachines implements Machines {
  readonly #records: Records;
  readonly #addresses: Addresses;
  readonly #disks: Disks;
  readonly #turns = new Turns();

  constructor(
    private readonly name: string,
    private readonly say: Say,
  ) {
    const folder = cloudFolderOf(name);
    this.#records = new Records(join(folder, "machines"));
    this.#addresses = new Addresses(join(folder, "addresses"));
    this.#disks = new Disks(folder);
  }

  async create(request: MachineRequest): Promise<{ privateAddress: string }> {
    const { privateNetwork } = await ensureCloudNetworks(this.name);
    const taken = this.#records.all().map((record) => record.privateAddress);
    const privateAddress = lowestFree(privateNetwork.gateway, taken);
    this.#records.put({ request, privateAddress, publicAddresses: [], disks: [] });
    await this.#turns.take(request.id, async () => {
      await makeContainer(this.name, await this.#image(), this.#records.get(request.id));
      await this.#boot(request.id);
    });
    return { privateAddress };
  }

  start(id: string): Promise<void> {
    return this.#turns.take(id, () => this.#boot(id));
  }

  async stop(id: string, force: boolean): Promise<void> {
    const container = this.#container(id);
    await this.#turns.take(id, async () => {
      if (await isRunning(container)) await run("docker", force ? ["kill", container] : ["stop", container]);
    });
  }

  async remove(id: string): Promise<void> {
    await this.#turns.take(id, async () => {
      await dropContainer(this.#container(id));
      for (const disk of this.#records.get(id).disks) await this.#disks.disconnect(disk.id);
      this.#records.remove(id);
    });
  }

  async reimage(id: string): Promise<void> {
    await this.#turns.take(id, async () => {
      const running = await isRunning(this.#container(id));
      await dropContainer(this.#container(id));
      await makeContainer(this.name, await this.#image(), this.#records.get(id));
      if (running) await this.#boot(id);
    });
  }

  async createDisk(id: string, sizeGiB: number, fromSnapshot?: string): Promise<void> {
    await this.#turns.take(id, () => this.#disks.create(id, sizeGiB, fromSnapshot));
  }

  async resizeDisk(id: string, sizeGiB: number): Promise<void> {
    await this.#turns.take(id, () => this.#disks.resize(id, sizeGiB));
  }

  attachDisk(id: string, machine: string): Promise<{ device: string }> {
    return this.#turns.take(machine, async () => {
      const { disks } = this.#records.get(machine);
      const device = freeDevice(disks.map((disk) => disk.device));
      await showDisks(this.name, this.#records.change(machine, { disks: [...disks, { id, device }] }), this.#disks);
      return { device };
    });
  }

  async detachDisk(id: string, machine: string): Promise<void> {
    await this.#turns.take(machine, async () => {
      const disks = this.#records.get(machine).disks.filter((disk) => disk.id !== id);
      await showDisks(this.name, this.#records.change(machine, { disks }), this.#disks);
      await this.#disks.disconnect(id);
    });
  }

  async removeDisk(id: string): Promise<void> {
    await this.#turns.take(id, () => this.#disks.remove(id));
  }

  async createSnapshot(id: string, disk: string): Promise<void> {
    const copy = () => this.#turns.take(disk, () => this.#disks.snapshot(id, disk));
    const owner = this.#records.all().find(({ disks }) => disks.some((one) => one.id === disk));
    if (owner === undefined) {
      await copy();
      return;
    }
    const machine = owner.request.id;
    const device = owner.disks.find((one) => one.id === disk)?.device ?? "";
    await this.#turns.take(machine, () => whileFrozen(this.#container(machine), device, copy));
  }

  removeSnapshot(id: string): Promise<void> {
    this.#disks.removeSnapshot(id);
    return Promise.resolve();
  }

  async allocateAddress(): Promise<string> {
    const { publicNetwork } = await ensureCloudNetworks(this.name);
    return this.#addresses.allocate(publicNetwork.gateway);
  }

  releaseAddress(address: string): Promise<void> {
    this.#addresses.release(address);
    return Promise.resolve();
  }

  async bindAddress(address: string, machine: string): Promise<void> {
    await this.#turns.take(machine, async () => {
      const { publicAddresses } = this.#records.get(machine);
      await bind(this.name, machine, address);
      this.#records.change(machine, { publicAddresses: [...publicAddresses, address] });
    });
  }

  async unbindAddress(address: string, machine: string): Promise<void> {
    await this.#turns.take(machine, async () => {
      const publicAddresses = this.#records.get(machine).publicAddresses.filter((one) => one !== address);
      await unbind(this.name, machine);
      this.#records.change(machine, { publicAddresses });
    });
  }

  #container(id: string): string {
    return containerOf(this.name, id);
  }

  #image(): Promise<string> {
    return cloudImage({ cacheDir, say: this.say });
  }

  /** Disks are shown before the start: systemd finds what fstab mounts. */
  async #boot(id: string): Promise<void> {
    await showDisks(this.name, this.#records.get(id), this.#disks);
    await run("docker", ["start", this.#container(id)]);
  }
}

/** `/dev/vda` is the system disk. */
function freeDevice(taken: readonly string[]): string {
  const device = Array.from("bcdefghijklmnopq", (letter) => `/dev/vd${letter}`).find((one) => !taken.includes(one));
  if (device === undefined) throw new Error("A machine has 16 data disks at most.");
  return device;
}
