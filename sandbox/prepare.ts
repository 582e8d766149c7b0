/** Run by `.ci/run` beside the other tests: builds what the cloud tests need, if the cache does not have it. */
import { cacheDir } from "../cli/cache";
import { preparePulumi } from "./toolchain";

preparePulumi({ cacheDir, say: (line) => process.stderr.write(`${line}\n`), alicloud: true }).catch(
  (error: unknown) => {
    // The test that needs it tries again, and fails with the same words.
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
