import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cacheDir } from "../../cli/cache";
import { projectName } from "../../cli/project";
import { trust } from "../cloud/trust";
import type { Say } from "../../cli/run";
import { Stack } from "../stack";
import { preparePulumi } from "@cloudcode/offline-kit/toolchain";
import { emulatorEnvironment, startEmulator } from "@cloudcode/alicloud-emulator";
import { type PlainStack, withPlaceholders } from "../../scripts/preview/placeholders";
import type { Titled } from "../../scripts/preview/report";
import { outcomeOf, previewCommand } from "../../scripts/preview/run";

export interface EmulatedOptions {
  /** The checkout whose program is previewed, with its packages installed. */
  readonly project: string;
  /** The stack file, relative to that folder. */
  readonly stackFile: string;
  /** Another checkout of the project, with its packages installed: what the change is compared with. */
  readonly base: string | undefined;
  readonly say: Say;
}

/** While a machine is stopped nothing is sent to it, so that a stack can be deployed to machines that exist on paper only. */
const asleep = { power: "stopped" };

/**
 * Previews a stack at an emulated cloud account of its own: as a new stack, and, where there is a base, as a change of what
 * the base deploys. No secret and no account is needed; what is made is removed, whatever happens.
 *
 * @throws Error when there is no preview to show: a stack file that cannot be read, a base that cannot be deployed
 */
export async function previewEmulated({ project, stackFile, base, say }: EmulatedOptions): Promise<Titled[]> {
  const folder = mkdtempSync(join(tmpdir(), "cloudcode-preview-"));
  const remove = () => {
    rmSync(folder, { recursive: true, force: true });
  };
  process.on("exit", remove);
  try {
    const engine = await preparePulumi({ cacheDir, say, alicloud: true });
    const emulator = await startEmulator({ stateFile: join(folder, "account") });
    try {
      const emulated = emulatorEnvironment(emulator);
      const env = { ...withoutAccount(), ...emulated, ...trust(folder, emulated) };
      // One for all, as the change takes over the state of the base.
      const passphrase = randomBytes(24).toString("base64url");
      const stackOf = async (name: string, project: string, plain: PlainStack, values: object) => {
        const own = join(folder, name);
        mkdirSync(join(own, "state"), { recursive: true });
        writeFileSync(join(own, "template.yaml"), plain.file);
        writeFileSync(join(own, "passphrase"), passphrase, { mode: 0o600 });
        const stack = new Stack(own, engine, env, { name: "example", project, template: join(own, "template.yaml") });
        await stack.create({ ...values }, plain.secrets);
        return stack;
      };

      const head = withPlaceholders(readFileSync(resolve(project, stackFile), "utf8"), projectName(project));
      say("Previewing a new stack");
      const fresh = await stackOf("new", project, head, {});
      const title = `A new stack of ${stackFile}`;
      const outcomes = [{ title, ...(await outcomeOf(fresh.pulumi(previewCommand))) }];
      if (base === undefined) return outcomes;

      say("Deploying the base to emulated machines, without real ones");
      const basePlain = baseStack(base, stackFile, head);
      if (!basePlain.isAlicloud)
        throw new Error("Only a stack whose target is alicloud can be compared with its base.");
      const deployed = await stackOf("base", base, basePlain, asleep);
      await deployed.pulumi(["up", "--yes", "--skip-preview"]);
      const { stdout: state } = await deployed.pulumi(["stack", "export"]);
      say("Previewing the change");
      // A placeholder is no change.
      const secrets = Object.entries(head.secrets).map(([key, value]) => [key, basePlain.secrets[key] ?? value]);
      const same = { ...head, secrets: Object.fromEntries(secrets) as Record<string, string> };
      const changed = await stackOf("change", project, same, head.isAlicloud ? asleep : {});
      await changed.pulumi(["stack", "import"], { input: state });
      const change = await outcomeOf(changed.pulumi(previewCommand));
      return [...outcomes, { title: "Changes on the cloud, for a stack that the base deployed", ...change }];
    } finally {
      await emulator.close();
    }
  } finally {
    remove();
    process.off("exit", remove);
  }
}

/** The base's own version of the stack file, where it has one. */
function baseStack(base: string, stackFile: string, head: PlainStack): PlainStack {
  const file = resolve(base, stackFile);
  return existsSync(file) ? withPlaceholders(readFileSync(file, "utf8"), projectName(base)) : head;
}

/** An operator's own account must not be asked, whatever variable names it. */
function withoutAccount(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) => /^(ALICLOUD|ALIBABA_CLOUD)_/.test(name));
  return Object.fromEntries(names.map((name) => [name, ""]));
}
