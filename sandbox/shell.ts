import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { shellWord } from "../components/stack/escape";
import { projectRoot } from "./folder";
import type { Sandbox } from "./sandbox";

/**
 * Runs a command, or a shell, in which `pulumi` and `npm run ops` are about the sandbox; gives its exit code.
 *
 * @param command empty: the person's own shell
 */
export async function runShell(sandbox: Sandbox, command: readonly string[]): Promise<number> {
  const env = { ...process.env, ...(await shellEnvironment(sandbox)) };
  const [program = process.env["SHELL"] ?? "/bin/sh", ...args] = command;
  const child = spawn(program, args, { cwd: projectRoot, env, stdio: "inherit" });
  // Ctrl-C is for what runs in it.
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => {
        resolve(code ?? 1);
      });
    });
  } finally {
    process.off("SIGINT", ignore);
  }
}

/** State, passphrase, plugins and stack of the sandbox, and trust in its authority. */
async function shellEnvironment(sandbox: Sandbox): Promise<Record<string, string>> {
  const { folder, engine, env, stack, stackFile } = sandbox;
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const wrapper = join(bin, "pulumi");
  writeFileSync(wrapper, pulumiWrapper(engine.pulumi, folder));
  chmodSync(wrapper, 0o755);
  const extra = env["NODE_EXTRA_CA_CERTS"] ?? process.env["NODE_EXTRA_CA_CERTS"];
  const trusted = join(folder, "trusted-shell.pem");
  const known = extra !== undefined && existsSync(extra) ? readFileSync(extra, "utf8").trimEnd() : "";
  writeFileSync(trusted, `${known}\n${await sandbox.acme.issuingRoot()}`);
  return {
    ...env,
    PATH: [bin, env["PATH"] ?? process.env["PATH"] ?? ""].join(delimiter),
    NODE_EXTRA_CA_CERTS: trusted,
    PULUMI_STACK: stack,
    // Every flag of the CLI can be given as a variable.
    PULUMI_OPTION_CONFIG_FILE: stackFile,
  };
}

/** `pulumi stack` takes no --config-file: next to the sandbox's own stack file it leaves the committed one alone. */
const pulumiWrapper = (pulumi: string, folder: string) => `#!/bin/sh
if [ "$1" = stack ]; then exec ${shellWord(pulumi)} "$@" --cwd ${shellWord(folder)}; fi
exec ${shellWord(pulumi)} "$@"
`;
