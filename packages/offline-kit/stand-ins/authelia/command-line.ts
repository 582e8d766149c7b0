// Stand-in for Authelia 4.39.20: the command line.
import { parseArgs } from "node:util";
import { accountCommand } from "./account-command";
import { loadConfig } from "./config/load";
import { serve } from "./server";

const options = {
  config: { type: "string", short: "c" },
  version: { type: "boolean", short: "v" },
  force: { type: "boolean" },
  all: { type: "boolean" },
  kid: { type: "string" },
  id: { type: "string" },
  secret: { type: "string" },
} as const;

/** The real one's words. */
function report(errors: readonly string[]): string {
  if (errors.length === 0) return "Configuration parsed and loaded successfully without errors.\n\n";
  return `Configuration parsed and loaded with errors:\n\n${errors.map((line) => `\t - ${line}\n`).join("")}\n`;
}

/** Resolves with the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const command = positionals.join(" ");
  if (values.version === true) {
    process.stdout.write("authelia version v4.39.20\n");
    return 0;
  }
  const { config, errors } = loadConfig(
    values.config ?? process.env["X_AUTHELIA_CONFIG"] ?? "configuration.yml",
    process.env,
  );
  if (command === "config validate") {
    process.stdout.write(report(errors));
    if (config) return 0;
    process.stderr.write("Error: configuration validation failed\n");
    return 1;
  }
  if (command === "") return serve(config, errors, __filename);
  if (config && positionals[0] === "storage") return accountCommand(positionals.slice(1), values, config);
  process.stderr.write(config ? `Error: unknown command "${command}" for "authelia"\n` : report(errors));
  return 1;
}
