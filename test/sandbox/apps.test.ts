import { openSandbox, removeSandbox } from "../../sandbox/sandbox";
import { AppsWorld } from "./apps/world";
import { casecheck } from "./scenarios/apps-casecheck";
import { changes } from "./scenarios/apps-changes";
import { elsewhere } from "./scenarios/apps-elsewhere";
import { donation } from "./scenarios/apps-donation";
import { appGates } from "./scenarios/apps-gate";
import { appsUp } from "./scenarios/apps-up";
import { secretsHidden } from "./scenarios/apps-secrets";
import { tgSigner } from "./scenarios/apps-tg-signer";
import { nextDoor } from "./scenarios/next-door";
import { together } from "./scenarios/apps-together";
import { appWalls } from "./scenarios/apps-walls";
import { say } from "../../cli/say";

// One host with the Apps that are off by default, one story; the first `up` builds their images, the last one OpenCode's.
jest.setTimeout(20 * 60_000);

const name = process.env["CLOUDCODE_SANDBOX"] ?? "apps";
// For work on one scenario: CLOUDCODE_KEEP=1 npm run test:apps -- -t 'the first up|the gates'
const keep = process.env["CLOUDCODE_KEEP"] !== undefined;
const world = new AppsWorld();

beforeAll(async () => {
  if (!keep) await removeSandbox(name, say);
  world.sandbox = await openSandbox(name, say, { allApps: true });
  await world.startOutside();
});

afterAll(async () => {
  world.stopOutside();
  if (!keep) await removeSandbox(name, say);
});

describe("the first up", () => {
  appsUp(world);
});
describe("the gates", () => {
  appGates(world);
});
describe("TG Signer", () => {
  tgSigner(world);
});
describe("the donation site", () => {
  donation(world);
});
describe("CaseCheck", () => {
  casecheck(world);
});
describe("a page next door", () => {
  nextDoor(world, [
    ["tg", "/login"],
    ["donate", "/bind"],
    ["models", "/v0/management/auth-files"],
    ["casecheck", "/v1/activities"],
  ]);
});
describe("secrets", () => {
  secretsHidden(world);
});
describe("walls", () => {
  appWalls(world);
});
describe("changes", () => {
  changes(world);
});
describe("all Apps together", () => {
  together(world);
});
describe("on another machine", () => {
  elsewhere(world, name, say);
});
