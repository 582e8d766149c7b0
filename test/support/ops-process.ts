import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { bundles } from "./bundles";
import { projectRoot } from "./project-root";

/** What the Pulumi CLI would print of a stack. */
export interface PrintedStack {
  readonly outputs: object;
  /** The settings under `cloudcode:`. */
  readonly config?: Readonly<Record<string, { readonly value: string; readonly secret?: boolean }>>;
}

/** Runs `npm run ops -- ARGS` in a process of its own, with a Pulumi CLI that prints this stack. */
export async function runOps(
  args: readonly string[],
  { outputs, config = {} }: PrintedStack,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), "ops-process-"));
  const prefixed = Object.fromEntries(Object.entries(config).map(([key, value]) => [`cloudcode:${key}`, value]));
  const printed = JSON.stringify({ stack: outputs, config: prefixed });
  const cli = join(folder, "bin/pulumi");
  mkdirSync(join(folder, "bin"));
  writeFileSync(cli, `#!${process.execPath}\nconsole.log(JSON.stringify(${printed}[process.argv[2]]));\n`);
  chmodSync(cli, 0o755);
  const child = spawn(process.execPath, ["ops/bin.mjs", ...args], {
    cwd: projectRoot,
    env: {
      PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter),
      HOME: folder,
      CLOUDCODE_BUNDLES: bundles,
      ...env,
    },
  });
  try {
    const code = new Promise<number | null>((resolve) => child.once("close", resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await code, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(join(bundles, "prices"), { recursive: true, force: true });
  }
}

/** The outputs that every stack has. */
export const stackOutputs = {
  url: "https://home.example.com",
  urls: {},
  operations: {
    connection: { host: "203.0.113.7", port: 22, user: "root", privateKey: "k", hostKey: "ssh-ed25519 AAAA" },
    awake: true,
    domain: "home.example.com",
    publicAddress: "203.0.113.7",
    operator: "admin",
    stacks: ["auth", "edge"],
    sites: [],
  },
};
