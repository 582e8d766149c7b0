import { spawnSync } from "node:child_process";
import { releaseLine } from "../../components/apps/opencode-release-line";
import { opencodeVersion } from "../../components/apps/opencode";
import type { Say } from "../../cli/run";
import { OpsError, type StackChoice, attached, placeOf, pulumi } from "../stack";
import { newestPackage } from "./outdated";

const key = "opencodeVersion";

/** How an update asks and tells. */
export interface UpdatePerson {
  readonly say: Say;
  readonly confirmed: (question: string) => Promise<boolean>;
  /** Asks no question. */
  readonly yes: boolean;
}

/**
 * Sets OpenCode's version, shows the preview, asks, and deploys. Whatever goes wrong, and a no, the setting is what it was; after a
 * deployment that failed, the former version is deployed again.
 *
 * @param version undefined: the newest of the major version that is set
 * @throws OpsError where the new version does not run in the end
 */
export async function update(
  choice: StackChoice,
  app: string,
  version: string | undefined,
  { say, confirmed, yes }: UpdatePerson,
): Promise<string> {
  if (app !== "opencode")
    throw new OpsError(
      `${app} has no version to set: this program pins its own parts, and a newer version of the program brings newer ones (npm run ops -- outdated compares); the image of an App of your own stands in its compose file`,
    );
  const former = await configured(choice);
  const wanted = version ?? (await newestPackage(releaseLine(former ?? opencodeVersion).package));
  if (wanted === (former ?? opencodeVersion)) return `OpenCode ${wanted} is the version that is set.`;
  const back = former === undefined ? ["config", "rm", key] : ["config", "set", key, former];
  // Also where a signal ends this process in the middle.
  const restore = () => {
    spawnSync("pulumi", [...back, ...placeOf(choice)], { stdio: ["ignore", "ignore", "inherit"] });
  };
  process.once("exit", restore);
  try {
    await pulumi(choice, ["config", "set", key, wanted]);
    say(`OpenCode ${former ?? opencodeVersion} -> ${wanted}`);
    if ((await attached(choice, ["preview", "--diff"])) !== 0)
      throw new OpsError("the preview failed; nothing was changed");
    if (!yes && !(await confirmed("Deploy this?"))) throw new OpsError("nothing was changed");
    if ((await attached(choice, up)) === 0) {
      process.off("exit", restore);
      return `OpenCode ${wanted} is running.`;
    }
  } catch (error) {
    process.off("exit", restore);
    restore();
    throw error;
  }
  process.off("exit", restore);
  restore();
  say(`OpenCode ${wanted} was not deployed; the former version is deployed again`);
  const whole = (await attached(choice, up)) === 0;
  throw new OpsError(
    whole
      ? `OpenCode ${wanted} could not be deployed; ${former ?? opencodeVersion} is set and running`
      : `OpenCode ${wanted} could not be deployed; ${former ?? opencodeVersion} is set, but pulumi up fails with it, too`,
  );
}

const up = ["up", "--yes", "--skip-preview"];

/** What the stack's configuration says; undefined: the program's default. */
async function configured(choice: StackChoice): Promise<string | undefined> {
  const config = JSON.parse(await pulumi(choice, ["config", "--json"])) as Record<string, { value?: string }>;
  return Object.entries(config).find(([name]) => name.endsWith(`:${key}`))?.[1].value;
}
