// Stand-in for CLIProxyAPI: its auth files, in a folder.
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AuthFiles } from "./management";

/** The `.json` files of a folder, by name. */
export class Folder implements AuthFiles {
  constructor(private readonly path: string) {}

  get(name: string): string | undefined {
    return this.#names().includes(name) ? readFileSync(join(this.path, name), "utf8") : undefined;
  }

  set(name: string, text: string): void {
    writeFileSync(join(this.path, name), text, { mode: 0o600 });
  }

  delete(name: string): boolean {
    if (!this.#names().includes(name)) return false;
    rmSync(join(this.path, name));
    return true;
  }

  *entries(): Generator<[string, string]> {
    for (const name of this.#names()) yield [name, readFileSync(join(this.path, name), "utf8")];
  }

  #names(): string[] {
    return readdirSync(this.path).filter((name) => name.endsWith(".json"));
  }
}
