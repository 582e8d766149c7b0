import { type AlicloudSandbox, openAlicloudSandbox, removeSandbox } from "../../sandbox/sandbox";
import { World } from "../sandbox/world";
import { ramPolicy } from "../support/ram-policy";
import { Account } from "./account";
import { changes } from "./scenarios/changes";
import { ending } from "./scenarios/ending";
import { faults } from "./scenarios/faults";
import { firstUp } from "./scenarios/first-up";
import { operations } from "./scenarios/operations";
import { power } from "./scenarios/power";
import { domain } from "./world";
import { say } from "../../cli/say";

// One account, one stack, one story: each scenario finds what the ones before it left. OpenCode is the sandbox tests' matter.
jest.setTimeout(15 * 60_000);

const name = process.env["CLOUDCODE_SANDBOX"] ?? "cloudtest";
// For work on one scenario: CLOUDCODE_KEEP=1 npm run test:cloud -- cloud.test -t power
const keep = process.env["CLOUDCODE_KEEP"] !== undefined;
const world = new World<AlicloudSandbox>();
let opened: Account | undefined;
const account = () => {
  if (!opened) throw new Error("the sandbox is not open yet");
  return opened;
};

beforeAll(async () => {
  if (!keep) await removeSandbox(name, say);
  const sandbox = await openAlicloudSandbox(name, say);
  world.sandbox = { ...sandbox, domain };
  sandbox.configure({ domain, opencodeEnabled: "false" });
  opened = new Account(sandbox.controlUrl);
  await opened.restrict(ramPolicy(domain));
});

afterAll(async () => {
  if (!keep) await removeSandbox(name, say);
});

describe("what goes wrong in an account", () => {
  faults(world, account);
});
describe("the first up", () => {
  firstUp(world, account);
});
describe("operations", () => {
  operations(world, account);
});
describe("power", () => {
  power(world, account);
});
describe("changes", () => {
  changes(world, account);
});
describe("the end", () => {
  ending(world, account);
});
