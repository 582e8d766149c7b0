import { faults } from "./ops/faults";
import { opsStack } from "./ops/stack";

// What goes wrong on the host or on the way to it, on a host of its own next to the one of ops.test.ts: npm run test:ops
jest.setTimeout(20 * 60_000);

const { world } = opsStack("-faults");

describe("faults", () => {
  faults(world);
});
