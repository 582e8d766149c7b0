/** The machine that `Machines.create` makes. */
export interface MachineRequest {
  /** ECS instance id. */
  readonly id: string;
  readonly hostName: string;
  /** cloud-init user data as plain text; empty: none. */
  readonly userData: string;
  /** Keys for root, as lines of `authorized_keys`. */
  readonly publicKeys: readonly string[];
  readonly imageId: string;
  readonly memoryMiB: number;
}

/** What an emulated instance, public address and disk are in reality. Every method resolves when it is really so. */
export interface Machines {
  /** Creates and boots a machine with this user data. */
  create(machine: MachineRequest): Promise<{ privateAddress: string }>;
  start(id: string): Promise<void>;
  /** `force`: power cut; otherwise an orderly shutdown. */
  stop(id: string, force: boolean): Promise<void>;
  remove(id: string): Promise<void>;
  /** New system disk from the image: everything on the machine's root is gone. */
  reimage(id: string): Promise<void>;
  createDisk(id: string, sizeGiB: number, fromSnapshot?: string): Promise<void>;
  resizeDisk(id: string, sizeGiB: number): Promise<void>;
  /** The disk appears as /dev/vdX and /dev/disk/by-id/virtio-SERIAL, SERIAL = disk id without "d-", also after each later start. */
  attachDisk(id: string, machine: string): Promise<{ device: string }>;
  detachDisk(id: string, machine: string): Promise<void>;
  removeDisk(id: string): Promise<void>;
  createSnapshot(id: string, disk: string): Promise<void>;
  removeSnapshot(id: string): Promise<void>;
  /** A public address reserved for the stack, really routable from this machine. */
  allocateAddress(): Promise<string>;
  releaseAddress(address: string): Promise<void>;
  bindAddress(address: string, machine: string): Promise<void>;
  unbindAddress(address: string, machine: string): Promise<void>;
}
