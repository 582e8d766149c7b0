/** Run by `npm run ops -- COMMAND`: what an operator does with a stack that is no state. */
import { Command, InvalidArgumentError } from "commander";
import { carryData } from "./adopt/carry-data";
import { type RestoreOptions, backup, dropCopy, renderSnapshots, restore, resume, snapshots } from "./commands/backup";
import { oneTimeCode } from "./commands/code";
import { execute, listContainers, shell, showLogs } from "./commands/containers";
import { listBans, listDevices, removePasskey, removeTotp, setPassword, unban } from "./commands/gateway";
import { history, renderHistory, rollback } from "./commands/history";
import { notifierState, testNotifier } from "./commands/notify";
import { openApp } from "./commands/open";
import { setPower } from "./commands/power";
import { update } from "./commands/update";
import { listDeviceKeys } from "./commands/device-keys";
import { outdated } from "./commands/outdated";
import { endGuest, listGuests, secondsOf, share } from "./commands/share";
import { doctor } from "./doctor/doctor";
import { confirmed, newPassword } from "./prompt";
import { OpsError, type StackChoice } from "./stack";
import { type Check, renderChecks } from "./status/check";
import { status } from "./status/status";

const say = (line: string) => {
  process.stderr.write(`${line}\n`);
};
const print = (text: string) => {
  process.stdout.write(`${text}\n`);
};
const colour = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError("not a whole number above 0.");
  return Number(text);
}

/** Prints checks; a red one is a failure. */
function report(checks: readonly Check[], json?: true): void {
  print(json ? JSON.stringify(checks, undefined, 2) : renderChecks(checks, colour));
  if (checks.some(({ state }) => state === "red")) process.exitCode = 1;
}

function pastTime(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError("not a time.");
  return time;
}

function timeSpan(text: string): number {
  const seconds = secondsOf(text);
  if (seconds === undefined) throw new InvalidArgumentError("not a time such as 30m, 1h or 2d, up to 7d.");
  return seconds;
}

/** With passThroughOptions the `--` before a command's own words is left to it. */
function afterDashes(words: readonly string[]): readonly string[] {
  return words[0] === "--" ? words.slice(1) : words;
}

/** Which stack: said before or after the command. */
function withChoice(command: Command): Command {
  return command
    .option("-s, --stack <name>", "the Pulumi stack (default: the selected one)")
    .option("-C, --cwd <folder>", "folder in which the Pulumi CLI runs (default: the project)");
}

/** Every command with its arguments and options. */
export function opsCommands(): Command {
  const program = withChoice(new Command("ops"))
    .description("Operates a stack of cloudcode: npm run ops -- COMMAND")
    .enablePositionalOptions()
    .showHelpAfterError();
  let chosen: StackChoice = {};
  program.hook("preAction", (_program, command) => {
    // The nearer to the command, the stronger.
    chosen = { ...command.optsWithGlobals(), ...command.opts() };
  });
  const choice = () => chosen;

  program
    .command("status")
    .description("check everything; each red line has a fix")
    .option("--json", "print one JSON object for each check")
    .action(async ({ json }: { json?: true }) => {
      report(await status(choice()), json);
    });
  program
    .command("doctor")
    .description("check this computer, the CLI, the backend and the secrets; change nothing")
    .option(
      "--host",
      "check the stack's machine instead, also before the first up: list everything that prevents an up",
      false,
    )
    .action(async ({ host }: { host: boolean }) => {
      // The settings' own code loads the SDK, and no other command needs it.
      const checks = host ? (await import("./doctor/machine")).doctorMachine : doctor;
      report(await checks(choice()));
    });
  program
    .command("cost")
    .description("print what a month costs, the account's bill so far, and how long its balance lasts")
    .option("--region <ids...>", "print what a month costs in these regions instead; change nothing")
    .action(async ({ region }: { region?: string[] }) => {
      // The cloud's SDK is slow to load, and few commands need it.
      const { cost, costIn } = await import("./commands/cost");
      print(await (region === undefined ? cost(choice()) : costIn(choice(), region)));
    });
  program
    .command("outdated")
    .description("compare the pinned images and sources with the newest ones")
    .action(async () => {
      report(await outdated(choice()));
    });
  program
    .command("otp")
    .description("print the newest one-time code of the sign-in portal; wait until there is one")
    .option("--wait <seconds>", "how long", count, 120)
    .action(async ({ wait }: { wait: number }) => {
      print(await oneTimeCode(choice(), wait, say));
    });
  program
    .command("logs <app>")
    .description("print the log of an App, of auth or of edge")
    .option("-f, --follow", "print new lines as they come", false)
    .option("-n, --lines <count>", "how many", count, 100)
    .action(async (app: string, options: { follow: boolean; lines: number }) => {
      process.exitCode = await showLogs(choice(), app, options);
    });
  program
    .command("ssh [command...]")
    .description("open a shell on the host, or run a command there")
    .passThroughOptions()
    .action(async (command: string[]) => {
      process.exitCode = await shell(choice(), afterDashes(command));
    });
  program
    .command("exec <app> <command...>")
    .description("run a command in a container: APP or APP/SERVICE")
    .passThroughOptions()
    .action(async (app: string, command: string[]) => {
      process.exitCode = await execute(choice(), app, afterDashes(command));
    });
  program
    .command("ps")
    .description("list the containers with their health, memory and disk")
    .action(async () => {
      process.exitCode = await listContainers(choice());
    });
  program
    .command("open [app]")
    .description("open the index page or an App in the browser")
    .option("--qr", "print a QR code for a phone instead", false)
    .action(async (app: string | undefined, { qr }: { qr: boolean }) => {
      print(await openApp(choice(), app, qr));
    });
  program
    .command("password")
    .description("set the operator's password; only its hash leaves this machine")
    .action(async () => {
      print(`The password of ${await setPassword(choice(), await newPassword())} is changed.`);
    });
  const devices = program
    .command("devices")
    .description("list and remove second factors of the operator; list keys of OpenCode's own clients");
  devices
    .command("list", { isDefault: true })
    .description("list the passkeys, and the clients that have a key")
    .action(async () => {
      print(`${await listDevices(choice())}\n\n${await listDeviceKeys(choice())}`);
    });
  devices
    .command("remove <kid>")
    .description("remove a passkey by its KID, or `totp` for the authenticator app")
    .action(async (kid: string) => {
      print(await (kid === "totp" ? removeTotp(choice()) : removePasskey(choice(), kid)));
    });
  const notify = program
    .command("notify")
    .description("news on the phone: each address, and what came of the last message");
  notify
    .command("status", { isDefault: true })
    .description("which addresses fail since when, and how many messages wait")
    .action(async () => {
      process.exitCode = await notifierState(choice());
    });
  notify
    .command("test")
    .description("send a message to each address now")
    .action(async () => {
      process.exitCode = await testNotifier(choice());
    });
  program
    .command("share [port]")
    .description(
      "print a link that shows a dev server of OpenCode's workspace (opencodePreviews) to a guest for a time",
    )
    .option("--for <time>", "how long: 30m, 1h, 2d, at most 7d", timeSpan, 3600)
    .option("--list", "list the guests", false)
    .option("--end <id>", "end a guest's time at once; `all`: everybody's")
    .action(async (port: string | undefined, options: { for: number; list: boolean; end?: string }) => {
      if (options.end !== undefined) print(await endGuest(choice(), options.end));
      else if (port === undefined || options.list) print(await listGuests(choice()));
      else print(await share(choice(), count(port), options.for));
    });
  program
    .command("unban [who]")
    .description("lift the ban of an address or a user after too many wrong passwords (default: every ban)")
    .option("-l, --list", "only list the bans", false)
    .action(async (who: string | undefined, { list }: { list: boolean }) => {
      print(await (list ? listBans(choice()) : unban(choice(), who)));
    });
  program
    .command("history")
    .description("show who changed what on the host, and when")
    .option("-n, --lines <count>", "how many", count, 30)
    .action(async ({ lines }: { lines: number }) => {
      print(renderHistory(await history(choice(), lines)));
    });
  program
    .command("rollback <app> [release]")
    .description("go back to the previous release, or to one that history lists")
    .action(async (app: string, release: string | undefined) => {
      print(await rollback(choice(), app, release));
    });
  for (const [action, what] of [
    ["restart", "restart an App or one of its services, and wait until it is healthy"],
    ["stop", "stop an App or one of its services, until `start`, `restart` or a new release of it"],
    ["start", "start what was stopped, and wait until it is healthy"],
  ] as const)
    program
      .command(`${action} <app> [service]`)
      .description(what)
      .action(async (app: string, service: string | undefined) => {
        print(await setPower(choice(), action, app, service));
      });
  program
    .command("update <app> [version]")
    .description("set OpenCode's version (default: the newest), show the preview, deploy; go back where that fails")
    .option("-y, --yes", "do not ask after the preview", false)
    .action(async (app: string, version: string | undefined, { yes }: { yes: boolean }) => {
      print(await update(choice(), app, version, { say, confirmed, yes }));
    });
  program
    .command("backup [app...]")
    .description("back up now: these stacks, or all")
    .action(async (apps: string[]) => {
      process.exitCode = await backup(choice(), apps);
    });
  program
    .command("snapshots")
    .description("list the backups")
    .action(async () => {
      print(renderSnapshots(await snapshots(choice())));
    });
  program
    .command("restore")
    .description("replace data with that of a backup; the current data is backed up first")
    .option("--app <app>", "only this stack (default: all)")
    .option(
      "--at <time>",
      "the newest backup up to this time, such as 2026-11-25T15:00 (default: the newest)",
      pastTime,
    )
    .option("--to <stack>", "to the host of another stack, which has the same backupRepository and backupPassword")
    .option("--force", "also replace newer data", false)
    .option("--former-is-off", "with --to: the former host does not answer and will never start its Apps again", false)
    .action(async (options: RestoreOptions) => {
      await restore(choice(), options, { say, confirmed });
    });
  program
    .command("drop-copy <app>")
    .description("delete the data that was kept when the format of an App's data changed")
    .action(async (app: string) => {
      print(await dropCopy(choice(), app));
    });
  program
    .command("resume <app>")
    .description("start an App that `restore --to` has stopped here, once it is stopped there")
    .action(async (app: string) => {
      print(await resume(choice(), app));
    });
  program
    .command("import-state <file>")
    .description("adopt the resources of the old Go CLI, as listed in its state.json")
    .option("--host-key <key>", "the machine's host key: its /etc/ssh/ssh_host_ed25519_key.pub")
    .option("--dry-run", "only print what would be adopted and set", false)
    .action(async (file: string, options: { hostKey?: string; dryRun: boolean }) => {
      // The cloud's SDK is slow to load, and no other command needs it.
      const { importState } = await import("./commands/import-state");
      print(await importState(choice(), file, options, say));
    });
  program
    .command("import-data")
    .description("after import-state and pulumi up: copy the data of the old CLI's OpenCode into the new one")
    .action(async () => {
      print(await carryData(choice()));
    });
  for (const command of program.commands) [command, ...command.commands].forEach(withChoice);
  return program;
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

  opsCommands()
    .parseAsync()
    .catch((error: unknown) => {
      say(
        error instanceof OpsError
          ? error.message
          : error instanceof Error
            ? (error.stack ?? error.message)
            : String(error),
      );
      process.exitCode = 1;
    });
}

if (require.main === module) main();
