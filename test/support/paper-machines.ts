import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { MachineRequest, Machines } from "@cloudcode/alicloud-emulator/machine";
import { PaperHost } from "./paper-host";

const userDataSchema = z.looseObject({ ssh_keys: z.object({ ed25519_private: z.string() }) });

interface Machine {
  readonly host: PaperHost;
  readonly request: MachineRequest;
  address: string | undefined;
  running: boolean;
}

/** What happens to a machine. */
export type Moment = "create" | "attachDisk" | "bindAddress" | { readonly command: string };

/**
 * Machines on paper: each is a {@link PaperHost} at its public address, a loopback one, with the host key that its user data brings.
 * Disks and snapshots are folders.
 */
export class PaperMachines implements Machines {
  /** Ids of machines in the order they were made, those that are gone among them. */
  readonly made: string[] = [];
  /** Told what happens to a machine, before it is done; a command is not answered before it resolves. */
  seen: (id: string, what: Moment) => Promise<void> = () => Promise.resolve();
  readonly #machines = new Map<string, Machine>();
  readonly #disks = new Map<string, string | undefined>();
  readonly #addresses = new Set<string>();

  /** @param folder an empty one, for disks and snapshots */
  constructor(private readonly folder: string) {}

  host(id: string): PaperHost {
    return this.#machine(id).host;
  }

  /** Where the files of a disk are. */
  diskFolder(id: string): string {
    return join(this.folder, id);
  }

  /** The disks that a machine has now. */
  disksOf(machine: string): string[] {
    return [...this.#disks].flatMap(([disk, at]) => (at === machine ? [disk] : []));
  }

  async stopAll(): Promise<void> {
    for (const { host } of this.#machines.values()) await host.stop();
  }

  async create(request: MachineRequest): Promise<{ privateAddress: string }> {
    const host = new PaperHost((command) => this.seen(request.id, { command }));
    this.#machines.set(request.id, { host, request, address: undefined, running: true });
    this.made.push(request.id);
    await this.seen(request.id, "create");
    return { privateAddress: `172.31.0.${9 + this.made.length}` };
  }

  start(id: string): Promise<void> {
    this.#machine(id).running = true;
    return this.#listen(this.#machine(id));
  }

  stop(id: string): Promise<void> {
    const machine = this.#machine(id);
    machine.running = false;
    return machine.host.stop();
  }

  async remove(id: string): Promise<void> {
    await this.stop(id);
    this.#machines.delete(id);
    for (const disk of this.disksOf(id)) this.#disks.set(disk, undefined);
  }

  reimage(): Promise<void> {
    return Promise.reject(new Error("no machine on paper gets another image"));
  }

  createDisk(id: string, _sizeGiB: number, fromSnapshot?: string): Promise<void> {
    this.#disks.set(id, undefined);
    const source = fromSnapshot === undefined ? undefined : this.diskFolder(fromSnapshot);
    if (source === undefined) mkdirSync(this.diskFolder(id));
    else cpSync(source, this.diskFolder(id), { recursive: true });
    return Promise.resolve();
  }

  resizeDisk(): Promise<void> {
    return Promise.resolve();
  }

  async attachDisk(id: string, machine: string): Promise<{ device: string }> {
    await this.seen(machine, "attachDisk");
    this.#disks.set(id, this.#machine(machine).request.id);
    return { device: "/dev/vdb" };
  }

  detachDisk(id: string): Promise<void> {
    this.#disks.set(id, undefined);
    return Promise.resolve();
  }

  removeDisk(id: string): Promise<void> {
    this.#disks.delete(id);
    rmSync(this.diskFolder(id), { recursive: true, force: true });
    return Promise.resolve();
  }

  createSnapshot(id: string, disk: string): Promise<void> {
    if (existsSync(this.diskFolder(disk))) cpSync(this.diskFolder(disk), this.diskFolder(id), { recursive: true });
    return Promise.resolve();
  }

  removeSnapshot(id: string): Promise<void> {
    rmSync(this.diskFolder(id), { recursive: true, force: true });
    return Promise.resolve();
  }

  allocateAddress(): Promise<string> {
    let last = 1;
    while (this.#addresses.has(`127.66.0.${last}`)) last += 1;
    this.#addresses.add(`127.66.0.${last}`);
    return Promise.resolve(`127.66.0.${last}`);
  }

  releaseAddress(address: string): Promise<void> {
    this.#addresses.delete(address);
    return Promise.resolve();
  }

  async bindAddress(address: string, id: string): Promise<void> {
    await this.seen(id, "bindAddress");
    const machine = this.#machine(id);
    machine.address = address;
    await this.#listen(machine);
  }

  async unbindAddress(_address: string, id: string): Promise<void> {
    const machine = this.#machines.get(id);
    if (machine === undefined) return;
    machine.address = undefined;
    await machine.host.stop();
  }

  async #listen({ host, request, address, running }: Machine): Promise<void> {
    if (address === undefined || !running) return;
    const { ssh_keys: keys } = userDataSchema.parse(parse(request.userData));
    await host.start(keys.ed25519_private, request.publicKeys[0] ?? "", { port: 22, address });
  }

  #machine(id: string): Machine {
    const machine = this.#machines.get(id);
    if (machine === undefined) throw new Error(`there is no machine ${id}`);
    return machine;
  }
}
