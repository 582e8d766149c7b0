import { openSandbox, removeSandbox } from "../../../sandbox/sandbox";
import type { Say } from "../../../cli/run";
import { World, secrets, username } from "../world";

export interface OpsStack {
  readonly world: World;
  readonly name: string;
  readonly say: Say;
}

/**
 * A host and a stack of one test file's own, made before its tests and removed after them. For work on one scenario:
 * CLOUDCODE_KEEP=1 CLOUDCODE_SANDBOX=NAME npm run test:ops -- test/sandbox/FILE -t 'words'
 *
 * @param suffix of the sandbox's name, since the files run side by side
 */
export function opsStack(suffix = ""): OpsStack {
  const name = `${process.env["CLOUDCODE_SANDBOX"] ?? "ops"}${suffix}`;
  const keep = process.env["CLOUDCODE_KEEP"] !== undefined;
  const say = (line: string) => process.stderr.write(`${name}: ${line}\n`);
  const world = new World();

  beforeAll(async () => {
    if (!keep) await removeSandbox(name, say);
    world.sandbox = await openSandbox(name, say);
    world.sandbox.configure({ adminUsername: username });
    await world.setSecrets(secrets);
    await world.up();
  });
  afterAll(async () => {
    if (!keep) await removeSandbox(name, say);
  });
  return { world, name, say };
}
