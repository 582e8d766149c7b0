import { openSandbox, removeSandbox } from "../../sandbox/sandbox";
import { acts } from "./ops/acts";
import { backups } from "./ops/backups";
import { faults } from "./ops/faults";
import { state } from "./ops/state";
import { World, secrets, username } from "./world";

// A stack of its own, so that it can be run alone: npm run test:ops
jest.setTimeout(20 * 60_000);

const name = process.env["CLOUDCODE_SANDBOX"] ?? "ops";
const keep = process.env["CLOUDCODE_KEEP"] !== undefined;
const say = (line: string) => process.stderr.write(`${line}\n`);
const world = new World();

beforeAll(async () => {
  if (!keep) await removeSandbox(name, say);
  world.sandbox = await openSandbox(name, say);
  world.sandbox.configure({ adminUsername: username });
  for (const [key, value] of Object.entries(secrets))
    await world.sandbox.pulumi(["config", "set", "--secret", key], { input: value });
  await world.up();
});

afterAll(async () => {
  if (!keep) await removeSandbox(name, say);
});

describe("backups", () => {
  backups(world, name, say);
});
describe("state", () => {
  state(world, name, say);
});
describe("operations", () => {
  acts(world);
});
describe("faults", () => {
  faults(world);
});
