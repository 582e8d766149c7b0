import { rmSync } from "node:fs";
import { join } from "node:path";

/** Made by prepared.cjs. */
const { TEST_BUNDLES: folder, JEST_WORKER_ID: worker } = process.env;
if (folder === undefined || worker === undefined) throw new Error("only the unit tests have a folder for bundles");

/**
 * Where bin/load.cjs keeps what it compiles: CLOUDCODE_BUNDLES of the processes that tests start. Each worker of Jest has one, and runs a
 * file at a time: prices are kept there, too.
 */
export const bundles = join(folder, worker);

// Prices are kept by the port of the emulator, and the next test may get the same port.
afterEach(() => {
  rmSync(join(bundles, "prices"), { recursive: true, force: true });
});
