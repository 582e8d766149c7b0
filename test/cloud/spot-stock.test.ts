import { SpotHome, healed } from "./spot-home";

// A spot machine that was taken back where no other can be had, and each way out.
jest.setTimeout(40 * 60_000);

let home: SpotHome;
beforeAll(async () => {
  home = await SpotHome.open("spot-stock-test");
});
afterAll(() => home.close());
afterEach(() => {
  home.calm();
  home.expectAllowed();
});

describe("with spotFallback, where no spot machine can be had", () => {
  test("a pay-as-you-go machine stands in", async () => {
    home.stack.configure({ spotFallback: "true" });
    await home.reclaim();
    home.emulator.fail({ kind: "soldOut", market: "spot" });
    expect(await home.heal()).toEqual(healed);
    await home.expectWhole("NoSpot");
    expect((await home.heal("--spot")).said).toContain("no spot machine can be had yet");
  });

  test("the spot machine that is to come after it is taken back, too: the same heal takes the next", async () => {
    const gone = home.reclaimAt("attachDisk");
    expect([await home.heal("--spot"), gone.length]).toEqual([healed, 1]);
    await home.expectWhole();
  });
});
