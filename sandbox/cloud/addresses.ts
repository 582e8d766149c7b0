import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The lowest address of a /24 that is not taken; `gateway` is its first one. */
export function lowestFree(gateway: string, taken: Iterable<string>): string {
  const used = new Set(taken);
  const prefix = gateway.replace(/\d+$/, "");
  for (let last = 2; last < 255; last += 1) if (!used.has(`${prefix}${last}`)) return `${prefix}${last}`;
  throw new Error(`All addresses of ${prefix}0/24 are taken.`);
}

/** Public addresses reserved for a stack: one empty file each, so that they outlive the process that reserved them. */
export class Addresses {
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  allocate(gateway: string): string {
    const address = lowestFree(gateway, readdirSync(this.folder));
    writeFileSync(join(this.folder, address), "");
    return address;
  }

  release(address: string): void {
    rmSync(join(this.folder, address), { force: true });
  }
}
