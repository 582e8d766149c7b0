import { acts } from "./ops/acts";
import { alerts } from "./ops/alerts";
import { backups } from "./ops/backups";
import { drills } from "./ops/drills";
import { formats } from "./ops/formats";
import { news } from "./ops/news";
import { secretsProvider } from "./ops/secrets-provider";
import { opsStack } from "./ops/stack";
import { state } from "./ops/state";

// What an operator does; the most valuable part first: npm run test:ops
jest.setTimeout(20 * 60_000);

const { world, name, say } = opsStack();

describe("backups", () => {
  backups(world, name, say);
  formats(world);
});
describe("drills", () => {
  drills(world);
});
describe("operations", () => {
  acts(world);
});
describe("alerts", () => {
  alerts(world);
});
describe("news", () => {
  news(world);
});
describe("state", () => {
  state(world, name, say);
});
describe("secrets", () => {
  secretsProvider(world, name, say);
});
