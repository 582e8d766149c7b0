import type { Command } from "commander";
import { renderAccess, showAccess, traffic } from "../commands/access-log";
import { snapshots } from "../commands/backup";
import { oneTimeCode } from "../commands/code";
import { endedAnswer, execute, listContainers, shell, showLogs } from "../commands/containers";
import { listDeviceKeys, deviceTable } from "../commands/device-keys";
import { listDevices, passkeysIn, removePasskey, removeTotp } from "../commands/gateway";
import { history, renderHistory } from "../commands/history";
import { notifierState, testNotifier } from "../commands/notify";
import { openApp, readAddress } from "../commands/open";
import { outdated } from "../commands/outdated";
import { doctor } from "../doctor/doctor";
import { answer, done } from "../shapes";
import { OpsError, type StackChoice } from "../stack";
import { type Check, renderChecks } from "../status/check";
import { status } from "../status/status";
import { type Tools, afterDashes, count } from "./tools";

/** Commands that look at a stack, or open something of it. */
export function addLooking(program: Command, { add, choice, json, give, print, say, colour }: Tools): void {
  /** A red check is a failure. */
  const report = (name: "status" | "doctor" | "outdated", checks: readonly Check[]) => {
    const red = checks.some(({ state }) => state === "red");
    give(answer(name, [...checks], renderChecks(checks, colour)), red ? 1 : 0);
  };
  add(program, "status", "check everything; each red line has a fix")
    .option("--traffic", "show who came to the edge lately instead, and what was refused", false)
    .action(async ({ traffic: asked }: { traffic: boolean }) => {
      if (asked) give(await traffic(choice()));
      else report("status", await status(choice()));
    });
  add(program, "doctor", "check this computer, the CLI, the backend and the secrets; change nothing")
    .option(
      "--host",
      "check the stack's machine instead, also before the first up: list everything that prevents an up",
      false,
    )
    .action(async ({ host }: { host: boolean }) => {
      // The settings' own code loads the SDK, and no other command needs it.
      const checks = host ? (await import("../doctor/machine")).doctorMachine : doctor;
      report("doctor", await checks(choice()));
    });
  add(program, "cost", "print what a month costs, the account's bill so far, and how long its balance lasts")
    .option("--region <ids...>", "print what a month costs in these regions instead; change nothing")
    .option("--allow", "let OpenCode's models answer again this month, above opencodeMonthlyLimitUsd", false)
    .action(async ({ region, allow }: { region?: string[]; allow: boolean }) => {
      // The cloud's SDK is slow to load, and few commands need it.
      const { allowModels, cost, costIn } = await import("../commands/cost");
      if (allow) give(await allowModels(choice()));
      else give(await (region === undefined ? cost(choice()) : costIn(choice(), region)));
    });
  add(program, "outdated", "compare the pinned images and sources with the newest ones").action(async () => {
    report("outdated", await outdated(choice()));
  });
  add(
    program,
    "otp [name]",
    "print the newest one-time code of the sign-in portal, the operator's or that of one of `people`; wait until there is one",
  )
    .option("--wait <seconds>", "how long", count, 120)
    .action(async (name: string | undefined, { wait }: { wait: number }) => {
      const { code, at } = await oneTimeCode(choice(), wait, say, name);
      give(answer("otp", { code, time: new Date(at).toISOString() }, code));
    });
  add(program, "logs <app>", "print the log of an App, of auth or of edge; with --json one object a line")
    .option("-f, --follow", "print new lines as they come", false)
    .option("-n, --lines <count>", "how many", count, 100)
    .option("--access", "of edge: the requests", false)
    .action(async (app: string, options: { follow: boolean; lines: number; access: boolean }) => {
      if (options.access) {
        if (app !== "edge") throw new OpsError("only edge has an access log: npm run ops -- logs edge --access");
        process.exitCode = await showAccess(choice(), options, (one) => {
          print(json() ? JSON.stringify(answer("logs", one, "").data) : renderAccess(one));
        });
        return;
      }
      process.exitCode = await showLogs(choice(), app, options, (line) => {
        print(json() ? JSON.stringify(answer("logs", line, "").data) : `${line.container.padEnd(14)} | ${line.text}`);
      });
    });
  add(program, "ssh [command...]", "open a shell on the host, or run a command there")
    .passThroughOptions()
    .action(async (words: string[]) => {
      const command = afterDashes(words);
      if (!json()) process.exitCode = await shell(choice(), command);
      else {
        const ended = await endedAnswer("ssh", (sinks) => shell(choice(), command, sinks));
        give(ended.answer, ended.exitCode);
      }
    });
  add(program, "exec <app> <command...>", "run a command in a container: APP or APP/SERVICE")
    .passThroughOptions()
    .action(async (app: string, words: string[]) => {
      const command = afterDashes(words);
      if (!json()) process.exitCode = await execute(choice(), app, command);
      else {
        const ended = await endedAnswer("exec", (sinks) => execute(choice(), app, command, sinks));
        give(ended.answer, ended.exitCode);
      }
    });
  add(program, "ps", "list the containers with their health, memory and disk").action(async () => {
    give(await listContainers(choice()));
  });
  add(program, "open [app]", "open the index page or an App in the browser")
    .option("--qr", "print a QR code for a phone instead", false)
    .action(async (app: string | undefined, { qr }: { qr: boolean }) => {
      const url = await readAddress(choice(), app);
      give(answer("open", { url }, json() ? url : await openApp(url, qr)));
    });
  const devices = program
    .command("devices")
    .description("list and remove second factors of the accounts; list keys of OpenCode's own clients");
  add(devices, "list", "list the passkeys, and the clients that have a key", true).action(async () => {
    give(await allDevices(choice()));
  });
  add(
    devices,
    "remove <kid> [name]",
    "remove a passkey by its KID, or `totp` for the authenticator app: the operator's, or that of one of `people`",
  ).action(async (kid: string, name: string | undefined) => {
    give(done(await (kid === "totp" ? removeTotp(choice(), name) : removePasskey(choice(), kid, name))));
  });
  const notify = program
    .command("notify")
    .description("news on the phone: each address, and what came of the last message");
  for (const [word, what, action] of [
    ["status", "which addresses fail since when, and how many messages wait", notifierState],
    ["test", "send a message to each address now", testNotifier],
  ] as const)
    add(notify, word, what, word === "status" ? true : undefined).action(async () => {
      const { answer: said, exitCode } = await action(choice());
      give(said, exitCode);
    });
  add(program, "history", "show who changed what on the host, who signed in, and when")
    .option("-n, --lines <count>", "how many", count, 30)
    .action(async ({ lines }: { lines: number }) => {
      const found = await history(choice(), lines);
      give(answer("history", found, renderHistory(found)));
    });
  add(program, "snapshots", "list the backups").action(async () => {
    give(await snapshots(choice()));
  });
}

/** The passkeys of the accounts, and the keys of OpenCode's own clients. */
export async function allDevices(choice: StackChoice) {
  const devices = await listDevices(choice);
  const keys = await listDeviceKeys(choice);
  const clients = keys.map(({ name, lastUsed }) => ({
    name,
    ...(lastUsed !== undefined && { lastUsed: new Date(lastUsed * 1000).toISOString() }),
  }));
  const passkeys = devices.flatMap(({ account, table }) =>
    passkeysIn(table).map((passkey) => ({ ...passkey, ...(devices.length > 1 && { account }) })),
  );
  const tables = devices.map(({ table }) => table).join("\n\n");
  return answer("devices list", { passkeys, clients }, `${tables}\n\n${deviceTable(keys)}`);
}
