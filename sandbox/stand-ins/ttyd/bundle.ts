import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

/** Writes the stand-in as one executable file, for a machine that has Node. */
export async function bundleTerminal(outFile: string): Promise<void> {
  await build({
    entryPoints: [join(__dirname, "ttyd.ts")],
    outfile: outFile,
    bundle: true,
    platform: "node",
    target: "node20",
    banner: { js: "#!/usr/bin/env node" },
    logLevel: "error",
  });
  await chmod(outFile, 0o755);
}
