// Stand-in for Authelia 4.39.20: the program, and what runs in its threads.
import { parentPort, workerData } from "node:worker_threads";
import type { Argon2Job } from "./users/hash";
import { runArgon2 } from "./users/hash";

if (parentPort) {
  const port = parentPort;
  void runArgon2(workerData as Argon2Job).then((digest) => {
    port.postMessage(digest);
    // Stays, with its memory, until it is ended.
    port.on("message", () => undefined);
  });
} else {
  // Not at the top: a thread would load all of it, for some 20 MiB each.
  void import("./command-line")
    .then(({ run }) => run(process.argv.slice(2)))
    .catch((error: unknown) => {
      process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
      return 1;
    })
    .then((code) => {
      process.exitCode = code;
    });
}
