import type { Command } from "commander";
import { carryData } from "../adopt/carry-data";
import {
  type RestoreOptions,
  backup,
  backupAnswer,
  drill,
  drillAnswer,
  dropCopy,
  restore,
  resume,
} from "../commands/backup";
import { type DestroyOptions, destroy } from "../commands/destroy";
import { listBans, setPassword, unban } from "../commands/gateway";
import { rollback } from "../commands/history";
import { type MoveOptions, move } from "../commands/move";
import { setPower } from "../commands/power";
import { endGuest, listGuests, share } from "../commands/share";
import { update } from "../commands/update";
import { confirmed, newPassword } from "../prompt";
import { answer, done } from "../shapes";
import { StackLocked, lockedCode } from "../stack";
import { type Tools, count, pastTime, timeSpan } from "./tools";

/** Commands that change something of a stack which is no state. */
export function addActing(program: Command, { add, choice, json, give, say }: Tools): void {
  add(
    program,
    "password [name]",
    "set the operator's password, or that of one of `people`; only its hash leaves this machine",
  ).action(async (name: string | undefined) => {
    give(done(`The password of ${await setPassword(choice(), await newPassword(), name)} is changed.`));
  });
  add(
    program,
    "share [port]",
    "print a link that shows a dev server of OpenCode's workspace (opencodePreviews) to a guest for a time",
  )
    .option("--for <time>", "how long: 30m, 1h, 2d, at most 7d", timeSpan, 3600)
    .option("--list", "list the guests", false)
    .option("--end <id>", "end a guest's time at once; `all`: everybody's")
    .action(async (port: string | undefined, options: { for: number; list: boolean; end?: string }) => {
      if (options.end !== undefined) give(done(await endGuest(choice(), options.end)));
      else if (port === undefined || options.list) give(await listGuests(choice()));
      else give(await share(choice(), count(port), options.for));
    });
  add(
    program,
    "unban [who]",
    "lift the ban of an address or a user after too many wrong passwords (default: every ban)",
  )
    .option("-l, --list", "only list the bans", false)
    .action(async (who: string | undefined, { list }: { list: boolean }) => {
      give(list ? await listBans(choice()) : done(await unban(choice(), who)));
    });
  add(program, "rollback <app> [release]", "go back to the previous release, or to one that history lists").action(
    async (app: string, release: string | undefined) => {
      give(done(await rollback(choice(), app, release)));
    },
  );
  for (const [action, what] of [
    ["restart", "restart an App or one of its services, and wait until it is healthy"],
    ["stop", "stop an App or one of its services, until `start` or a new release of it"],
    ["start", "start what was stopped, and wait until it is healthy"],
  ] as const)
    add(program, `${action} <app> [service]`, what).action(async (app: string, service: string | undefined) => {
      give(done(await setPower(choice(), action, app, service)));
    });
  add(
    program,
    "update <app> [version]",
    "set OpenCode's version (default: the newest), show the preview, deploy; go back where that fails",
  )
    .option("-y, --yes", "do not ask after the preview", false)
    .action(async (app: string, version: string | undefined, { yes }: { yes: boolean }) => {
      give(done(await update(choice(), app, version, { say, confirmed, yes })));
    });
  add(program, "backup [app...]", "back up now: these stacks, or all").action(async (apps: string[]) => {
    if (!json()) process.exitCode = await backup(choice(), apps);
    else {
      const made = await backupAnswer(choice(), apps);
      give(made.answer, made.exitCode);
    }
  });
  add(
    program,
    "drill [app...]",
    "restore the newest backups next to what runs, without network, and say whether they work: these stacks, or all",
  ).action(async (apps: string[]) => {
    if (!json()) process.exitCode = await drill(choice(), apps);
    else {
      const made = await drillAnswer(choice(), apps);
      give(made.answer, made.exitCode);
    }
  });
  add(program, "restore", "replace data with that of a backup; the current data is backed up first")
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
      const restored = await restore(choice(), options, { say, confirmed });
      if (json()) give(answer("restore", { restored }, ""));
    });
  add(
    program,
    "move",
    "move the home to the host of another stack, and go back by itself where that fails; ends with 75 while another run of Pulumi is at work",
  )
    .requiredOption(
      "--to <stack>",
      "a stack with the same settings and another machine, made by pulumi stack init --copy-config-from",
    )
    .option("--back", "go back from a move that was cut off", false)
    .action(async (options: MoveOptions) => {
      try {
        give(await move(choice(), options, say));
      } catch (error) {
        if (!(error instanceof StackLocked)) throw error;
        give(done(`${error.message}. The move has stopped here; run it again when that run is done.`), lockedCode);
      }
    });
  add(program, "drop-copy <app>", "delete the data that was kept when the format of an App's data changed").action(
    async (app: string) => {
      give(done(await dropCopy(choice(), app)));
    },
  );
  add(program, "resume <app>", "start an App that `restore --to` has stopped here, once it is stopped there").action(
    async (app: string) => {
      give(done(await resume(choice(), app)));
    },
  );
  add(
    program,
    "heal",
    "make a machine in place of one that Alibaba Cloud took back: same data disk, public address and host key; ends with 75 while another run of Pulumi is at work",
  )
    .option("--spot", "also replace a pay-as-you-go machine that stands in for a spot one, before its 24 hours", false)
    .action(async (options: { spot: boolean }) => {
      // The cloud's SDK is slow to load.
      const { heal } = await import("../commands/heal");
      const { message, exitCode } = await heal(choice(), options, say);
      give(done(message), exitCode);
    });
  add(
    program,
    "destroy",
    "remove what the stack made; data stays (a data disk is billed): it says before what goes, what stays and what that costs",
  )
    .option(
      "--everything",
      "also delete data, backups in the stack's own bucket and what is protected, and prove it",
      false,
    )
    .option("--preview-only", "only print what would go, stay and cost", false)
    .option("-y, --yes", "do not ask", false)
    .action(async (options: DestroyOptions) => {
      give(await destroy(choice(), options, { say, confirmed }));
    });
  add(program, "import-state <file>", "adopt the resources of the old Go CLI, as listed in its state.json")
    .option("--host-key <key>", "the machine's host key: its /etc/ssh/ssh_host_ed25519_key.pub")
    .option("--dry-run", "only print what would be adopted and set", false)
    .action(async (file: string, options: { hostKey?: string; dryRun: boolean }) => {
      // The cloud's SDK is slow to load, and no other command needs it.
      const { importState } = await import("../commands/import-state");
      give(done(await importState(choice(), file, options, say)));
    });
  add(
    program,
    "import-data",
    "after import-state and pulumi up: copy the data of the old CLI's OpenCode into the new one",
  ).action(async () => {
    give(done(await carryData(choice())));
  });
}
