import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { shellWord } from "./stack/escape";

const file = "bin/cloudcode-hook.cjs";

/**
 * The local command line of a hook of bin/cloudcode-hook.cjs. Its path begins at the folder that Pulumi runs in, so that state holds
 * no path of this machine: `bin/` in this project, `node_modules/cloudcode/bin/` in one that has it as a package. State keeps
 * this line: see there.
 */
export function hookCommand(name: string): string {
  // The folder may hold links to the program: what Node makes of those would name a place outside of it.
  const path =
    [`node_modules/cloudcode/${file}`, file].find((one) => existsSync(one)) ??
    relative(process.cwd(), join(__dirname, "..", file));
  return `node ${shellWord(path)} ${name}`;
}
