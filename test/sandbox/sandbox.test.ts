import { openSandbox, removeSandbox } from "../../sandbox/sandbox";
import { certificates } from "./scenarios/certificates";
import { commands } from "./scenarios/commands";
import { data } from "./scenarios/data";
import { destroy } from "./scenarios/destroy";
import { faults } from "./scenarios/faults";
import { firstUp } from "./scenarios/first-up";
import { flood } from "./scenarios/flood";
import { gate } from "./scenarios/gate";
import { login } from "./scenarios/login";
import { commandsNextDoor, nextDoor } from "./scenarios/next-door";
import { noChange } from "./scenarios/no-change";
import { ownApp } from "./scenarios/own-app";
import { people } from "./scenarios/people";
import { refusals } from "./scenarios/refusals";
import { releases } from "./scenarios/releases";
import { space } from "./scenarios/space";
import { streams } from "./scenarios/streams";
import { walls } from "./scenarios/walls";
import { World } from "./world";
import { say } from "../../cli/say";

// One host, one stack, one story: each scenario finds what the ones before it left. The slowest step builds OpenCode's image.
jest.setTimeout(20 * 60_000);

const name = process.env["CLOUDCODE_SANDBOX"] ?? "test";
// For work on one scenario: CLOUDCODE_KEEP=1 npm run test:sandbox -- -t faults
const keep = process.env["CLOUDCODE_KEEP"] !== undefined;
const world = new World();

beforeAll(async () => {
  if (!keep) await removeSandbox(name, say);
  world.sandbox = await openSandbox(name, say);
});

afterAll(async () => {
  if (!keep) await removeSandbox(name, say);
});

describe("wrong input", () => {
  refusals(world);
});
describe("the first up", () => {
  firstUp(world);
});
describe("what fills the disk", () => {
  space(world);
});
describe("an up without a change", () => {
  noChange(world);
});
describe("the sandbox's own commands", () => {
  commands(world);
});
describe("signing in", () => {
  login(world);
});
describe("the gate", () => {
  gate(world);
});
describe("a page next door", () => {
  nextDoor(world, [
    ["code", "/session"],
    ["code", "/terminal/"],
  ]);
  commandsNextDoor(world);
});
describe("an App of one's own", () => {
  ownApp(world);
});
describe("guesses at the login", () => {
  flood(world);
});
describe("streams", () => {
  streams(world);
});
describe("releases", () => {
  releases(world);
});
describe("faults", () => {
  faults(world);
});
describe("walls", () => {
  walls(world);
});
describe("certificates", () => {
  certificates(world);
});
describe("data", () => {
  data(world);
});
// Behind all that need the operator's session, which ends here.
describe("people", () => {
  people(world);
});
describe("destroy", () => {
  destroy(world);
});
