/** Run by `.ci/run` next to the other tests: builds what the cloud tests need, if the cache does not have it. */
import { cacheDir } from "../cli/cache";
import { exitWith } from "../cli/exit";
import { say } from "../cli/say";
import { preparePulumi } from "@cloudcode/offline-kit/toolchain";

async function main(): Promise<void> {
  await preparePulumi({ cacheDir, say, alicloud: true });
}

// The test that needs it tries again, and fails with the same words.
exitWith(main());
