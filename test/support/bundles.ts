import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where bin/load.cjs keeps what it compiles for the tests of one file: CLOUDCODE_BUNDLES of the processes that they start. */
export const bundles = mkdtempSync(join(tmpdir(), "bundles-"));

afterAll(() => {
  rmSync(bundles, { recursive: true });
});
