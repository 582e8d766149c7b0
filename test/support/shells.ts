import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A POSIX shell with its tools first on the PATH: the containers have busybox, hosts and machines of operators others. */
export interface Shell {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly path: string;
}

const tools = mkdtempSync(join(tmpdir(), "shells-"));
/** To be called when no shell is used any more. */
export function removeShells(): void {
  rmSync(tools, { recursive: true });
}

const path = process.env["PATH"] ?? "";
const found = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout.trim();

/** This machine's own shell, and every other one that it has. */
export function shells(): Shell[] {
  const own: Shell = { name: "sh", command: ["sh"], path };
  const ownAwk = realpathSync(found("awk"));
  const awks = ["mawk", "gawk", "original-awk"]
    .map((awk) => [awk, found(awk)] as const)
    .filter(([, program]) => program !== "" && realpathSync(program) !== ownAwk)
    .map(([awk, program]) => withAwk(awk, program));
  return [own, ...awks, ...(found("busybox") === "" ? [] : [busybox(found("busybox"))])];
}

function withAwk(name: string, program: string): Shell {
  const folder = mkdtempSync(join(tools, `${name}-`));
  symlinkSync(program, join(folder, "awk"));
  return { name: `sh with ${name}`, command: ["sh"], path: `${folder}:${path}` };
}

function busybox(program: string): Shell {
  const folder = mkdtempSync(join(tools, "busybox-"));
  const applets = execFileSync(program, ["--list"], { encoding: "utf8" }).trim().split("\n");
  for (const applet of applets) symlinkSync(program, join(folder, applet));
  return { name: "busybox", command: [program, "sh"], path: `${folder}:${path}` };
}
