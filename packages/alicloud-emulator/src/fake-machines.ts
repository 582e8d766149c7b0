// A stand-in of real machines: it notes what it was told, so that tests of the API need no host.
import type { MachineRequest, Machines } from "./machine";

const devices = "bcdefghijklmnop";

/** Machines that exist on paper only; public addresses are 198.51.100.x (RFC 5737). */
export class FakeMachines implements Machines {
  /** What was done, in order, such as `attachDisk d-1 i-1`. */
  readonly done: string[] = [];
  readonly created: MachineRequest[] = [];
  readonly #attached = new Map<string, Set<string>>();
  readonly #addresses: Set<string>;

  /** `addresses`: those already allocated, by an emulator whose state was loaded. */
  constructor(addresses: Iterable<string> = []) {
    this.#addresses = new Set(addresses);
  }

  #note(...words: readonly string[]): Promise<void> {
    this.done.push(words.join(" "));
    return Promise.resolve();
  }

  async create(machine: MachineRequest): Promise<{ privateAddress: string }> {
    this.created.push(machine);
    await this.#note("create", machine.id);
    return { privateAddress: `172.31.0.${10 + this.created.length}` };
  }
  start(id: string): Promise<void> {
    return this.#note("start", id);
  }
  stop(id: string, force: boolean): Promise<void> {
    return this.#note(force ? "cut" : "stop", id);
  }
  remove(id: string): Promise<void> {
    return this.#note("remove", id);
  }
  reimage(id: string): Promise<void> {
    return this.#note("reimage", id);
  }
  createDisk(id: string, sizeGiB: number, fromSnapshot = "nothing"): Promise<void> {
    return this.#note("createDisk", id, String(sizeGiB), fromSnapshot);
  }
  resizeDisk(id: string, sizeGiB: number): Promise<void> {
    return this.#note("resizeDisk", id, String(sizeGiB));
  }
  async attachDisk(id: string, machine: string): Promise<{ device: string }> {
    await this.#note("attachDisk", id, machine);
    const disks = this.#attached.get(machine) ?? new Set();
    this.#attached.set(machine, disks.add(id));
    return { device: `/dev/vd${devices.charAt(disks.size - 1)}` };
  }
  detachDisk(id: string, machine: string): Promise<void> {
    this.#attached.get(machine)?.delete(id);
    return this.#note("detachDisk", id, machine);
  }
  removeDisk(id: string): Promise<void> {
    return this.#note("removeDisk", id);
  }
  createSnapshot(id: string, disk: string): Promise<void> {
    return this.#note("createSnapshot", id, disk);
  }
  removeSnapshot(id: string): Promise<void> {
    return this.#note("removeSnapshot", id);
  }
  async allocateAddress(): Promise<string> {
    let last = 1;
    while (this.#addresses.has(`198.51.100.${last}`)) last += 1;
    const address = `198.51.100.${last}`;
    this.#addresses.add(address);
    await this.#note("allocateAddress", address);
    return address;
  }
  releaseAddress(address: string): Promise<void> {
    this.#addresses.delete(address);
    return this.#note("releaseAddress", address);
  }
  bindAddress(address: string, machine: string): Promise<void> {
    return this.#note("bindAddress", address, machine);
  }
  unbindAddress(address: string, machine: string): Promise<void> {
    return this.#note("unbindAddress", address, machine);
  }
}
