import { readFileSync } from "node:fs";
import { serve } from "@hono/node-server";
import { readConfig } from "./config";
import { newLog } from "./log";
import { startService } from "./service";
import { Store } from "./store";
import { monthOf } from "./usage";

/** A variable, or the contents of the file that NAME_FILE points to: a secret need not stand in an environment. */
function variable(name: string): string | undefined {
  const file = process.env[`${name}_FILE`];
  return file === undefined ? process.env[name] : readFileSync(file, "utf8");
}

const databasePath = process.env["DONATION_DATABASE"] ?? "donation.db";

/** `node main.js usage` prints what the model proxy answered this month, as JSON. */
function printUsage(): void {
  const store = new Store(databasePath);
  process.stdout.write(`${JSON.stringify(store.usage(monthOf(new Date())))}\n`);
  store.close();
}

function main(): void {
  const log = newLog();
  const environment = { ...process.env, NEW_API_ADMIN_TOKEN: variable("NEW_API_ADMIN_TOKEN") };
  const config = readConfig(variable("DONATION_CONFIG") ?? "", environment);
  const service = startService(config, databasePath, log);
  const server = serve({ fetch: service.app.fetch, port: 3000 });
  log.info({ event: "start", origin: config.origin }, "listening");

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      server.close(() => {
        void service.stop().finally(() => process.exit(0));
      });
    });
  }
}

if (process.argv[2] === "usage") printUsage();
else main();
