import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const schema = z.object({
  /** What the machine was created from, for the next time. */
  request: z.object({
    id: z.string(),
    hostName: z.string(),
    userData: z.string(),
    publicKeys: z.array(z.string()).readonly(),
    imageId: z.string(),
    memoryMiB: z.number(),
  }),
  privateAddress: z.string(),
  publicAddresses: z.array(z.string()).readonly(),
  disks: z.array(z.object({ id: z.string(), device: z.string() })).readonly(),
});

/** What is known of one machine beyond its container, which comes and goes. */
export type MachineRecord = z.infer<typeof schema>;

/** One file per machine in a folder: read and written in one go, so that parallel work on different machines is safe. */
export class Records {
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** Throws if there is no such machine. */
  get(id: string): MachineRecord {
    return schema.parse(JSON.parse(readFileSync(this.#file(id), "utf8")));
  }

  all(): MachineRecord[] {
    const files = readdirSync(this.folder).filter((file) => file.endsWith(".json"));
    return files.map((file) => this.get(file.slice(0, -".json".length)));
  }

  put(record: MachineRecord): void {
    const file = this.#file(record.request.id);
    writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  change(id: string, change: Partial<MachineRecord>): MachineRecord {
    const record = { ...this.get(id), ...change };
    this.put(record);
    return record;
  }

  remove(id: string): void {
    rmSync(this.#file(id), { force: true });
  }

  #file(id: string): string {
    return join(this.folder, `${id}.json`);
  }
}
