import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { packageVersion, pointTo } from "./bundle";
import { buildGo, requireGo } from "./go";
import { withLock } from "./lock";
import { isExecutable } from "../../../cli/path";

const MODULE = join(__dirname, "alicloud-provider");
const PROGRAM = "pulumi-resource-alicloud";
const GIGABYTE = 1e9;
/** The Terraform provider is one package of some 4000 files: compiling it peaks at 4.3 GB. */
const NEEDED_MEMORY = 5 * GIGABYTE;

function sourceHash(): string {
  const hash = createHash("sha256");
  const entries = readdirSync(MODULE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of entries.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash.update(file.slice(MODULE.length)).update("\0").update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Fails where the compiler would be killed, or would stall the machine, some minutes later. `available` is in bytes. */
export function requireMemory(available: number): void {
  if (available >= NEEDED_MEMORY) return;
  const gigabytes = (bytes: number): string => `${(bytes / GIGABYTE).toFixed(1)} GB`;
  throw new Error(
    `Building ${PROGRAM} needs ${gigabytes(NEEDED_MEMORY)} of free memory, and there are ${gigabytes(available)}. ` +
      "Stop what else is running here, or install the official Pulumi CLI, and try again.",
  );
}

async function build(target: string, version: string, say: (line: string) => void): Promise<void> {
  const program = {
    name: `plugin ${PROGRAM}`,
    module: MODULE,
    package: ".",
    stamps: [`main.version=${version}`],
    // Go's default of 100 takes as long and 6.5 GB; 10 takes 3.9 GB and two thirds longer.
    env: { GOGC: "25" },
    instead: "the official Pulumi CLI, which downloads its plugins itself",
  };
  await requireGo(program);
  requireMemory(process.availableMemory());
  say(
    `Building ${PROGRAM} ${version} from the Terraform provider's Go module. Once only: 6 to 16 minutes, 4.5 GB of memory and 3 GB of disk.`,
  );
  const started = Date.now();
  await buildGo(program, target);
  say(`Built ${PROGRAM} in ${Math.round((Date.now() - started) / 1000)} s.`);
}

/**
 * Builds the Alibaba Cloud plugin unless this version of it is in the cache, and puts it where the engine looks for it.
 * @param home the engine's PULUMI_HOME
 */
export async function provideAlicloudPlugin(
  cacheDir: string,
  home: string,
  say: (line: string) => void,
): Promise<void> {
  const version = packageVersion("@pulumi/alicloud");
  const built = join(cacheDir, PROGRAM, `${version}-${sourceHash()}`, PROGRAM);
  const waiting = (): void => {
    say(`Waiting for another process that is building ${PROGRAM}.`);
  };
  if (!(await isExecutable(built))) {
    await withLock(join(dirname(dirname(built)), "lock"), waiting, async () => {
      if (!(await isExecutable(built))) await build(built, version, say);
    });
  }
  await pointTo(built, join(home, "plugins", `resource-alicloud-v${version}`, PROGRAM));
}
