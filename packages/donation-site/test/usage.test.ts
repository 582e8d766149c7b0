import { setTimeout as sleep } from "node:timers/promises";
import { monthOf } from "../src/usage";
import { type World, openWorld } from "../testing/kit";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.stop());

const month = "2026-11";
const request = (timestamp: string, tokens: number, failed = false) => ({
  timestamp,
  failed,
  tokens: { total_tokens: tokens },
  api_key: "sk-of-a-client",
});
const counted = async (requests: number) => {
  for (let tries = 0; tries < 200 && world.service.store.usage(month).requests < requests; tries++) await sleep(20);
  return world.service.store.usage(month);
};

describe("what the model proxy answered", () => {
  test("is counted by month, failed requests too, and stays over a restart", async () => {
    world.proxy.used.push(
      request("2026-11-02T10:00:00.123456789Z", 1200),
      request("2026-11-03T10:00:00Z", 0, true),
      request("2026-10-15T10:00:00Z", 7),
    );
    world.restart();
    expect(await counted(2)).toEqual({ month, requests: 2, failed: 1, tokens: 1200 });
    world.proxy.used.push(request("2026-11-20T10:00:00+08:00", 300));
    world.restart();
    expect(await counted(3)).toEqual({ month, requests: 3, failed: 1, tokens: 1500 });
    expect(world.service.store.usage("2026-10")).toEqual({ month: "2026-10", requests: 1, failed: 0, tokens: 7 });
    expect(world.service.store.usage("2026-09")).toEqual({ month: "2026-09", requests: 0, failed: 0, tokens: 0 });
  });

  test("is read to its end, and no key of a client is written down or logged", async () => {
    world.proxy.used.push(...Array.from({ length: 1200 }, () => request("2026-11-02T10:00:00Z", 1)));
    world.restart();
    expect(await counted(1200)).toMatchObject({ requests: 1200, tokens: 1200 });
    expect(world.proxy.used).toEqual([]);
    expect(world.log.join("\n")).not.toContain("sk-of-a-client");
  });

  test("a proxy that does not answer is logged, and counted again when it does", async () => {
    world.proxy.fault = "all";
    world.proxy.used.push(request("2026-11-02T10:00:00Z", 5));
    world.restart();
    for (let tries = 0; tries < 200 && !world.log.join("").includes("usage cannot be read"); tries++) await sleep(20);
    expect(world.log.join("\n")).toContain("the model proxy's usage cannot be read");
    world.proxy.fault = "none";
    world.restart();
    expect(await counted(1)).toMatchObject({ requests: 1, tokens: 5 });
  });
});

test("a month is one of this machine's time zone", () => {
  expect(monthOf(new Date(2026, 0, 1, 0, 0))).toBe("2026-01");
  expect(monthOf(new Date(2026, 11, 31, 23, 59))).toBe("2026-12");
});
