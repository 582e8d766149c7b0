import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

/** A stand-in that is a program of one file. */
export type Program = "ttyd" | "cloudflared" | "cli-proxy-api" | "liteboxd";

/** Writes the stand-in as one executable file, for a machine that has Node. */
export async function bundleProgram(program: Program, outFile: string): Promise<void> {
  await build({
    entryPoints: [join(__dirname, program, "main.ts")],
    outfile: outFile,
    bundle: true,
    platform: "node",
    target: "node20",
    mainFields: ["module", "main"],
    banner: { js: "#!/usr/bin/env -S node --optimize-for-size --max-semi-space-size=1" },
    logLevel: "error",
  });
  await chmod(outFile, 0o755);
}
