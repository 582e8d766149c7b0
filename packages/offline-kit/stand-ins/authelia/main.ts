// Stand-in for Authelia 4.39.20: the command line.
import { parentPort, workerData } from "node:worker_threads";
import { accountCommand } from "./account-command";
import { configPaths, loadConfig } from "./config/load";
import type { Problems } from "./config/section";
import { serve } from "./serve";
import type { Argon2Job } from "./users/hash";
import { runArgon2 } from "./users/hash";

interface Arguments {
  readonly words: readonly string[];
  readonly config: string | undefined;
}

function parseArguments(argv: readonly string[]): Arguments {
  const words: string[] = [];
  const configs: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const [name, inline] = (argv[i] ?? "").split(/=(.*)/s);
    if (name === "--config" || name === "-c") configs.push(inline ?? argv[++i] ?? "");
    else words.push(argv[i] ?? "");
  }
  return { words, config: configs.length === 0 ? undefined : configs.join(",") };
}

/** The real one's words; a warning is no failure. */
function report(problems: Problems): string {
  const list = (title: string, lines: readonly string[]): string =>
    lines.length === 0
      ? ""
      : `Configuration parsed and loaded with ${title}:\n\n${lines.map((line) => `\t - ${line}\n`).join("")}\n`;
  const text = list("errors", problems.errors) + list("warnings", problems.warnings);
  return text === "" ? "Configuration parsed and loaded successfully without errors.\n\n" : text;
}

async function run(argv: readonly string[]): Promise<number> {
  const { words, config: flag } = parseArguments(argv);
  const command = words.join(" ");
  if (command === "--version" || command === "-v") {
    process.stdout.write("authelia version v4.39.20\n");
    return 0;
  }
  const loaded = loadConfig(configPaths(flag, process.env), process.env);
  if (command === "config validate" || command === "validate-config") {
    process.stdout.write(report(loaded.problems));
    if (loaded.problems.errors.length === 0) return 0;
    process.stderr.write("Error: configuration validation failed\n");
    return 1;
  }
  if (command === "") return serve(loaded.config, loaded.problems, __filename);
  if (words[0] === "storage" && loaded.problems.errors.length === 0)
    return accountCommand(words.slice(1), loaded.config);
  process.stderr.write(
    loaded.problems.errors.length > 0
      ? report(loaded.problems)
      : `Error: unknown command "${command}" for "authelia"\n`,
  );
  return 1;
}

if (parentPort) {
  const port = parentPort;
  void runArgon2(workerData as Argon2Job).then((digest) => {
    port.postMessage(digest);
    // Stays, with its memory, until it is ended.
    port.on("message", () => undefined);
  });
} else {
  run(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    },
  );
}
