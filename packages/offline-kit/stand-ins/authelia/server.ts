// Stand-in for Authelia 4.39.20: starting the server: every check first, then the port.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { getRequestListener } from "@hono/node-server";
import type { Config } from "./config/schema";
import { createApp } from "./http/app";
import { createLog, reasonOf } from "./log";
import { createNotifier } from "./notifier";
import { Sessions } from "./state/sessions";
import { Store } from "./state/store";
import { UsersFile } from "./users/file";
import { createHasher, memoryLimit, runInWorker } from "./users/hash";

/** Resolves with the exit code: at once when a check fails, else after SIGTERM. */
export async function serve(
  config: Config | undefined,
  errors: readonly string[],
  workerFile: string,
): Promise<number> {
  const log = createLog(config?.log.level ?? "info");
  for (const error of errors) log("error", `Configuration: ${error}`);
  if (!config) {
    log("error", "Can't continue due to the errors loading the configuration");
    return 1;
  }
  log("info", "Authelia v4.39.20 (stand-in) is starting");
  const store = new Store(config.storage.local.path, config.storage.encryption_key);
  const sessions = new Sessions(config.session, config.cookie.domain);
  const notifier = createNotifier(config.notifier);
  let users: UsersFile;
  try {
    await checked("storage", () => {
      store.open();
    });
    users = await checked("user", () => new UsersFile(config.authentication_backend.file.path));
    await checked("notification", () => {
      notifier.check();
    });
    await checked("session", () => sessions.backend.check());
  } catch (error) {
    log("error", reasonOf(error));
    log("error", "Errors occurred performing startup checks");
    return 1;
  }
  users.watch((message) => {
    log("info", message);
  });
  const hasher = createHasher(runInWorker(workerFile, memoryLimit(process.env["GOMEMLIMIT"])));
  const app = createApp({ config, users, hasher, store, sessions, notifier, log });
  const { address, buffers, timeouts } = config.server;
  const answer = getRequestListener(app.fetch);
  const limits = {
    maxHeaderSize: buffers.read,
    keepAliveTimeout: timeouts.idle,
    headersTimeout: timeouts.read,
    connectionsCheckingInterval: 500,
  };
  const server = createServer(limits, (request, response) => {
    void answer(request, response);
  });
  // As the real one: a connection that never asks anything is an error in the log; one that was idle after an answer is not.
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const late = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
    const fields = { method: "GET", path: "/", status_code: late ? 408 : 400 };
    if (late) log("error", "Request timeout occurred while handling request from client.", fields);
    if (socket.writable)
      socket.end(
        `HTTP/1.1 ${fields.status_code} ${late ? "Request Timeout" : "Bad Request"}\r\nConnection: close\r\n\r\n`,
      );
    else socket.destroy();
  });
  if (address.host === "") server.listen(address.port);
  else server.listen(address.port, address.host);
  await once(server, "listening");
  const bound = server.address();
  const place = typeof bound === "object" && bound !== null ? `[${bound.address}]:${bound.port}` : "";
  log("info", "Startup complete");
  log("info", `Listening for non-TLS connections on '${place}' path '/'`, { server: "main" });
  await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  log("info", "Shutdown initiated");
  // As the real one: requests that have begun are answered, idle connections end at once and those that never asked after 5 s. The real
  // one waits for answers up to 10 s.
  const closed = once(server, "close");
  server.close();
  const ending = setInterval(() => {
    server.closeIdleConnections();
  }, 100);
  await Promise.race([closed, sleep(5_000, undefined, { ref: false })]);
  clearInterval(ending);
  server.closeAllConnections();
  await sessions.backend.close();
  return 0;
}

async function checked<T>(provider: string, check: () => T | Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    throw new Error(`Error occurred running a startup check: provider=${provider}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
