import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

const NEEDS = "1.26.6";

/** A program to build from its Go module, whose sums are pinned in this repository. */
export interface GoProgram {
  /** What messages call it. */
  readonly name: string;
  /** The folder with the go.mod. */
  readonly module: string;
  /** The package to build: a path relative to the module, or an import path. */
  readonly package: string;
  /** Link-time values of variables, e.g. `main.version=1.0.0`. */
  readonly stamps: readonly string[];
  /** More environment for the compiler. */
  readonly env?: Readonly<Record<string, string>>;
  /** What else helps where there is no Go: the end of `Install Go …, or …`. */
  readonly instead: string;
}

interface Finished {
  readonly code: number | null;
  readonly output: string;
}

function go(module: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn("go", args, {
      cwd: module,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const collect = (data: Buffer): void => {
      output += data.toString("utf8");
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, output: output.trim() });
    });
  });
}

/** Fails with the way out when there is no Go compiler that could build the program. */
export async function requireGo(program: GoProgram): Promise<void> {
  const advice = `Install Go ${NEEDS} or newer, or ${program.instead}, and try again.`;
  const cannot = `The official ${program.name} cannot be downloaded here, and building it needs Go ${NEEDS} or newer`;
  let found: Finished;
  try {
    found = await go(program.module, ["version"]);
  } catch {
    throw new Error(`${cannot}, but there is no \`go\` on PATH. ${advice}`);
  }
  // The go.mod names the least version, so an older Go either fetches a newer one or says why it cannot.
  if (found.code !== 0) throw new Error(`${cannot}: ${found.output} ${advice}`);
}

/** Builds a program without debug information; `target` appears only when it is complete. */
export async function buildGo(program: GoProgram, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.partial-${randomUUID()}`;
  const link = ["-s", "-w", ...program.stamps.map((stamp) => `-X ${stamp}`)].join(" ");
  const args = ["build", "-mod=readonly", "-trimpath", "-ldflags", link, "-o", temporary, program.package];
  try {
    const build = await go(program.module, args, { CGO_ENABLED: "0", GOWORK: "off", ...program.env });
    if (build.code !== 0) {
      const tail = build.output.split("\n").slice(-15).join("\n");
      throw new Error(`Building the ${program.name} failed. Go's last lines:\n${tail}`);
    }
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}
