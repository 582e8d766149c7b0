/** Run by `npm run ops -- COMMAND`: what an operator does with a stack that is no state. */
import { Command } from "commander";
import { say } from "../cli/say";
import { addActing } from "./program/act";
import { addLooking } from "./program/look";
import type { Tools } from "./program/tools";
import { OpsError, type StackChoice } from "./stack";

/** Exit code of words that no command takes, as in most shells' own commands. */
const wrongUsage = 2;

const print = (text: string) => {
  process.stdout.write(`${text}\n`);
};

/** Which stack: said before or after the command. */
function withChoice(command: Command): Command {
  return command
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .option("-C, --cwd <folder>", "folder in which the Pulumi CLI runs (default: the project)");
}

/** Every command with its arguments and options. */
export function opsCommands(): Command {
  return commands().program;
}

function commands(): { readonly program: Command; readonly json: () => boolean } {
  let chosen: StackChoice & { readonly json?: true } = {};
  const tools: Tools = {
    add: (parent, spec, description, isDefault) =>
      parent
        .command(spec, isDefault && { isDefault })
        .description(description)
        .option("--json", "print JSON instead"),
    choice: () => chosen,
    json: () => chosen.json ?? false,
    give({ data, text }, exitCode = 0) {
      print(tools.json() ? JSON.stringify(data, undefined, 2) : text);
      if (exitCode !== 0) process.exitCode = exitCode;
    },
    print,
    say,
    colour: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
  };
  const program = withChoice(new Command("ops"))
    .description("Operates a stack of cloudcode: npm run ops -- COMMAND")
    .enablePositionalOptions()
    .option("--json", "print JSON instead")
    .showHelpAfterError()
    .exitOverride(({ exitCode, message }) => {
      // Wrong words are found before it is known which command they are for.
      if (exitCode !== 0 && process.argv.includes("--json")) print(JSON.stringify({ error: message }, undefined, 2));
      process.exit(exitCode === 0 ? 0 : wrongUsage);
    });
  program.hook("preAction", (_program, command) => {
    // The nearer to the command, the stronger.
    chosen = { ...command.optsWithGlobals(), ...command.opts() };
  });
  addLooking(program, tools);
  addActing(program, tools);
  program
    .command("mcp")
    .description("serve an agent over the Model Context Protocol on standard input and output")
    .action(async () => {
      // The SDK is slow to load, and no other command needs it.
      const { serve } = await import("./mcp/server");
      await serve(chosen);
    });
  for (const command of program.commands) [command, ...command.commands].forEach(withChoice);
  return { program, json: tools.json };
}

/** Runs the command of the process's arguments. */
export function main(): void {
  // An end by a signal still takes the key's agent along.
  for (const [signal, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
    ["SIGHUP", 1],
  ] as const)
    process.once(signal, () => process.exit(128 + number));
  // Who reads has enough, as head in logs -f | head: Node ignores that signal, 13.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(128 + 13);
  });

  const { program, json } = commands();
  program.parseAsync().catch((error: unknown) => {
    const words =
      error instanceof OpsError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
    say(words);
    if (json()) print(JSON.stringify({ error: words }, undefined, 2));
    process.exitCode = 1;
  });
}

if (require.main === module) main();
