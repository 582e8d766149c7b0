import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, until } from "../../cli/run";

const GiB = 2 ** 30;

/** Disks and snapshots as sparse files. A disk that is attached to a machine is a loop device over its file. */
export class Disks {
  readonly #disks: string;
  readonly #snapshots: string;

  constructor(folder: string) {
    this.#disks = join(folder, "disks");
    this.#snapshots = join(folder, "snapshots");
    for (const one of [this.#disks, this.#snapshots]) mkdirSync(one, { recursive: true, mode: 0o700 });
  }

  /** A blank disk, or one with a snapshot's content, which may be smaller. */
  async create(id: string, sizeGiB: number, fromSnapshot?: string): Promise<void> {
    if (fromSnapshot === undefined) writeFileSync(this.#disk(id), "", { mode: 0o600 });
    else await copy(this.#snapshot(fromSnapshot), this.#disk(id));
    truncateSync(this.#disk(id), sizeGiB * GiB);
  }

  /** The new size also shows in a machine that has the disk. */
  async resize(id: string, sizeGiB: number): Promise<void> {
    truncateSync(this.#disk(id), sizeGiB * GiB);
    for (const device of await this.#devices(id)) await losetup("--set-capacity", device);
  }

  /** The numbers of the disk's loop device, which is made if there is none. */
  async connect(id: string): Promise<{ major: number; minor: number }> {
    const [existing] = await this.#devices(id);
    const device = existing ?? (await losetup("--find", "--show", this.#disk(id)));
    const [major, minor] = (await losetup("--noheadings", "--output", "MAJ:MIN", "--list", device)).split(":");
    return { major: Number(major), minor: Number(minor) };
  }

  /** Gives the loop device back; throws if something keeps the disk open that no machine has taken away. */
  async disconnect(id: string): Promise<void> {
    for (const device of await this.#devices(id)) await losetup("--detach", device);
    await until(
      20,
      async () => ((await this.#devices(id)).length === 0 ? true : undefined),
      () => Promise.resolve(`The disk ${id} was detached, but a program in the machine still uses it.`),
    );
  }

  async remove(id: string): Promise<void> {
    await this.disconnect(id);
    rmSync(this.#disk(id), { force: true });
  }

  snapshot(id: string, disk: string): Promise<void> {
    return copy(this.#disk(disk), this.#snapshot(id));
  }

  removeSnapshot(id: string): void {
    rmSync(this.#snapshot(id), { force: true });
  }

  all(): string[] {
    return readdirSync(this.#disks).map((file) => file.replace(/\.img$/, ""));
  }

  /** Without those of one sector, which a machine that lost the disk still has open (see image.ts). */
  async #devices(id: string): Promise<string[]> {
    if (!existsSync(this.#disk(id))) return [];
    const list = await losetup("--noheadings", "--raw", "--output", "NAME,SIZELIMIT", "--associated", this.#disk(id));
    return list
      .split("\n")
      .map((line) => line.split(" "))
      .flatMap(([device = "", limit]) => (device !== "" && limit === "0" ? [device] : []));
  }

  #disk(id: string): string {
    return join(this.#disks, `${id}.img`);
  }

  #snapshot(id: string): string {
    return join(this.#snapshots, `${id}.img`);
  }
}

async function losetup(...args: readonly string[]): Promise<string> {
  const { stdout } = await run("losetup", args).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Data disks of the sandbox's cloud are loop devices, which need root and /dev/loop-control: ${why}`,
    );
  });
  return stdout.trim().replace(/^ +/gm, "");
}

async function copy(from: string, to: string): Promise<void> {
  await run("cp", ["--sparse=always", "--reflink=auto", from, to]);
}
