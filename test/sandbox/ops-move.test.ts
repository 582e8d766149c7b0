import { move } from "./ops/move";
import { MoveWorld } from "./ops/move-world";

// Two hosts, and a home that moves from one to the other and back: npm run test:move
jest.setTimeout(30 * 60_000);

const name = `${process.env["CLOUDCODE_SANDBOX"] ?? "ops"}-move`;
const keep = process.env["CLOUDCODE_KEEP"] !== undefined;
const say = (line: string) => process.stderr.write(`${name}: ${line}\n`);
const world = new MoveWorld(name, say);

beforeAll(async () => {
  if (!keep) await world.remove();
  await world.open();
});
afterAll(async () => {
  world.stopOutside();
  if (!keep) await world.remove();
});

describe("a move", () => {
  move(world);
});
