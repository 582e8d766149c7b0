// Stand-in for Authelia 4.39.20: starting the server: every check first, then the port.
import { once } from "node:events";
import type { Problems } from "./config/section";
import type { GatewayConfig } from "./config/types";
import type { Gateway } from "./gateway";
import { createLog } from "./log";
import { createNotifier } from "./notifier";
import { createGatewayServer } from "./server";
import { createSessionStore } from "./state/sessions";
import { Store } from "./state/store";
import { UsersFile } from "./users/file";
import { createHasher, memoryLimit, runInWorker } from "./users/hash";

/** Resolves with the exit code: at once when a check fails, else after SIGTERM. */
export async function serve(config: GatewayConfig, problems: Problems, workerFile: string): Promise<number> {
  const log = createLog(config.log);
  for (const warning of problems.warnings) log("warn", `Configuration: ${warning}`);
  for (const error of problems.errors) log("error", `Configuration: ${error}`);
  if (problems.errors.length > 0) {
    log("error", "Can't continue due to the errors loading the configuration");
    return 1;
  }
  log("info", "Authelia v4.39.20 (stand-in) is starting");
  const store = new Store(config.storage.path, config.storage.encryptionKey);
  const sessions = createSessionStore(config.session);
  const notifier = createNotifier(config.notifier);
  let users: UsersFile;
  try {
    await checked("storage", () => {
      store.open();
    });
    users = await checked("user", () => new UsersFile(config.backend));
    await checked("notification", () => {
      notifier.check();
    });
    await checked("session", () => sessions.check());
  } catch (error) {
    log("error", error instanceof Error ? error.message : String(error));
    log("error", "Errors occurred performing startup checks");
    return 1;
  }
  users.watch((message) => {
    log("info", message);
  });
  const gateway: Gateway = {
    config,
    users,
    hasher: createHasher(runInWorker(workerFile, memoryLimit(process.env["GOMEMLIMIT"]))),
    store,
    sessions,
    notifier,
    log,
    now: Date.now,
  };
  const server = createGatewayServer(gateway);
  const { host, port, basePath } = config.server;
  if (host === "") server.listen(port);
  else server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? `[${address.address}]:${address.port}` : String(port);
  log("info", "Startup complete");
  log("info", `Listening for non-TLS connections on '${bound}' path '${basePath}/'`, { server: "main" });
  await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  log("info", "Shutdown initiated");
  server.close();
  server.closeAllConnections();
  await sessions.close();
  return 0;
}

async function checked<T>(provider: string, check: () => T | Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Error occurred running a startup check: provider=${provider}: ${reason}`, { cause: error });
  }
}
