/**
 * Run by `node bin/cloudcode-hook.cjs refuse-destroy` when the guard is deleted, `{kept}` on standard input: fails where the destroy that
 * it is part of would stop half way.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { type Listed, refusal, wouldMeetProtected } from "./judge";

/** Undefined: the system does not tell, as on Windows. */
function listed(id: number): Listed | undefined {
  try {
    if (process.platform === "linux") {
      const words = readFileSync(`/proc/${id}/cmdline`, "utf8").split("\0");
      const [, parent] = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${id}/status`, "utf8")) ?? [];
      return { parent: Number(parent), words };
    }
    const said = execFileSync("ps", ["-ww", "-o", "ppid=", "-o", "args=", "-p", String(id)], { encoding: "utf8" });
    const [, parent, line = ""] = /^\s*(\d+)\s+(.*)/.exec(said) ?? [];
    return { parent: Number(parent), words: line.split(" ") };
  } catch {
    return undefined;
  }
}

function ancestorsOf(id: number): Listed[] {
  const found = id > 1 ? listed(id) : undefined;
  return found ? [found, ...ancestorsOf(found.parent)] : [];
}

async function main(): Promise<void> {
  const { kept } = z.object({ kept: z.array(z.string()).min(1) }).parse(JSON.parse(await text(process.stdin)));
  if (!wouldMeetProtected(ancestorsOf(process.ppid))) return;
  console.error(refusal(kept));
  process.exitCode = 1;
}

void main();
