import { stopHost } from "../../../sandbox/host/host";
import type { Say } from "../../../cli/run";
import { openSandbox } from "../../../sandbox/sandbox";
import type { AppsWorld } from "./world";

interface Move {
  /** Of the new stack. */
  readonly stack: string;
  /** Of the operator's, given again. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Keys of configuration that stay behind. @default none */
  readonly notTaken?: RegExp;
  /** Makes the new machine ready. @default nothing is done */
  readonly prepare?: () => Promise<unknown>;
}

/**
 * Destroys the stack with its machine, and brings the same configuration up as another stack on a machine that never saw it, whose
 * generated secrets are others. Returns the former stack's name.
 */
export async function moveAway(world: AppsWorld, name: string, say: Say, move: Move): Promise<string> {
  const output = ["stack", "output", "backupPassword", "--show-secrets"];
  const { stdout: backupPassword } = await world.sandbox.pulumi(output);
  const former = { stack: world.sandbox.stack, config: world.config() };
  await world.sandbox.pulumi(["destroy", "--yes", "--skip-preview", "--exclude-protected"]);
  await stopHost(name);
  world.sandbox = await openSandbox(name, say, { allApps: true, stack: move.stack });
  await move.prepare?.();
  const made = world.config();
  const isSecret = (value: unknown) => typeof value === "object" && value !== null && "secure" in value;
  const taken = Object.entries(former.config)
    .filter(([key, value]) => !(key in made) && !isSecret(value) && move.notTaken?.test(key) !== true)
    .map(([key, value]) => [key.replace(/^cloudcode:/, ""), value] as const);
  world.sandbox.configure(Object.fromEntries(taken));
  await world.setSecrets({ ...move.secrets, backupPassword: backupPassword.trim() });
  await world.up();
  return former.stack;
}
