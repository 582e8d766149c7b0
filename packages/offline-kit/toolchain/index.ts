import { mkdir, realpath } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { provideAlicloudPlugin } from "./alicloud";
import { buildPulumi } from "./build";
import { placeStandIns, packageVersion } from "./bundle";
import { withLock } from "./lock";
import { downloadOfficial, findOfficial, officialFolder, pulumiVersion } from "../../../cli/official-pulumi";
import { isExecutable } from "../../../cli/path";

export interface PreparedPulumi {
  /** What must be added to the environment of the CLI. */
  readonly env: Record<string, string>;
  /** The CLI's path. */
  readonly pulumi: string;
  /** `built` means that plugins and language host are this repository's stand-ins. */
  readonly origin: "official" | "built";
}

export interface PrepareOptions {
  /** A folder that outlives the sandbox; several checkouts may share it. */
  readonly cacheDir: string;
  /** Told what takes time. */
  readonly say: (line: string) => void;
  /** Also provide the Alibaba Cloud plugin, which takes minutes and 5 GB of memory where it has to be built. */
  readonly alicloud?: boolean;
}

function environment(pulumi: string, more: Record<string, string> = {}): Record<string, string> {
  const path = [dirname(pulumi), process.env["PATH"] ?? ""].join(delimiter);
  return { PATH: path, PULUMI_SKIP_UPDATE_CHECK: "true", ...more };
}

function homeIn(cacheDir: string): string {
  return join(cacheDir, "pulumi-home");
}

async function prepareBuilt(cacheDir: string, pulumi: string): Promise<PreparedPulumi> {
  const home = homeIn(cacheDir);
  const plugin = (name: string): { folder: string; program: string; version: string; in: string } => {
    const version = packageVersion(`@pulumi/${name}`);
    const folder = join(home, "plugins", `resource-${name}-v${version}`);
    return { folder: name, program: `pulumi-resource-${name}`, version, in: folder };
  };
  // The engine warns about a language host that lies anywhere but next to the CLI.
  const host = {
    folder: "nodejs",
    program: "pulumi-language-nodejs",
    version: pulumiVersion.slice(1),
    in: dirname(pulumi),
  };
  await placeStandIns(cacheDir, [host, plugin("command"), plugin("random"), plugin("tls")]);
  // What no stand-in covers cannot be downloaded either, so the engine should say so at once.
  const env = environment(pulumi, { PULUMI_HOME: home, PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" });
  return { env, pulumi, origin: "built" };
}

async function prepareEngine(cacheDir: string, say: (line: string) => void): Promise<PreparedPulumi> {
  const installed = await findOfficial(process.env["PATH"] ?? "");
  if (installed !== undefined)
    return { env: { PULUMI_SKIP_UPDATE_CHECK: "true" }, pulumi: installed, origin: "official" };

  const officialDir = officialFolder(cacheDir);
  const downloaded = join(officialDir, "pulumi");
  const built = join(cacheDir, `pulumi-${pulumiVersion}`, "pulumi");
  const ready = async (): Promise<PreparedPulumi | undefined> => {
    if (await isExecutable(downloaded)) return { env: environment(downloaded), pulumi: downloaded, origin: "official" };
    return (await isExecutable(built)) ? prepareBuilt(cacheDir, built) : undefined;
  };

  const waiting = (): void => {
    say("Waiting for another process that is preparing the Pulumi CLI.");
  };
  return (
    (await ready()) ??
    withLock(join(cacheDir, "pulumi.lock"), waiting, async () => {
      const meanwhile = await ready();
      if (meanwhile) return meanwhile;
      if ((await downloadOfficial(pulumiVersion, officialDir, say)) === undefined) {
        await buildPulumi(pulumiVersion, built, say);
      }
      const prepared = await ready();
      if (!prepared) throw new Error(`The Pulumi CLI is missing from ${cacheDir} although preparing it succeeded.`);
      return prepared;
    })
  );
}

/** Finds, downloads or builds the Pulumi engine, in this order, with everything a TypeScript program needs to run. */
export async function preparePulumi(options: PrepareOptions): Promise<PreparedPulumi> {
  await mkdir(options.cacheDir, { recursive: true });
  // The engine compares resolved paths.
  const cacheDir = await realpath(options.cacheDir);
  const prepared = await prepareEngine(cacheDir, options.say);
  if (options.alicloud === true && prepared.origin === "built") {
    await provideAlicloudPlugin(cacheDir, homeIn(cacheDir), options.say);
  }
  return prepared;
}
