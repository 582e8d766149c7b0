import { latencyProfiles } from "@cloudcode/alicloud-emulator/latency";
import type { Moment } from "../support/paper-machines";
import { SpotHome, healed } from "./spot-home";

// A spot machine that is taken back at each moment, and `npm run ops -- heal` after it.
jest.setTimeout(60 * 60_000);

let home: SpotHome;
beforeAll(async () => {
  home = await SpotHome.open("spot-test");
});
afterAll(() => home.close());
afterEach(() => {
  home.calm();
  home.expectAllowed();
});

test("idle: heal makes a machine with the same disk, address and host key, and all Apps", async () => {
  await home.reclaim();
  home.emulator.cloud.latencies = latencyProfiles.realistic;
  const said = await home.heal();
  home.emulator.cloud.latencies = latencyProfiles.fast;
  expect(said).toEqual(healed);
  await home.expectWhole();
});

test("in an up that applies an App: the up ends with an error, and heal puts everything right", async () => {
  home.stack.configure({ opencodeMemoryMiB: "1024" });
  await home.expectFailedUp({ command: "cloudcode-host apply opencode" });
  expect(await home.heal()).toEqual(healed);
  await home.expectWhole();
});

test.each<[string, Moment]>([
  ["as soon as it is bought", "create"],
  ["while it gets its disk", "attachDisk"],
  ["while it gets its address", "bindAddress"],
  ["at the first connection", { command: "" }],
])("in an up that buys the machine, %s", async (_when, moment) => {
  await home.reclaim();
  await home.stack.pulumi(["refresh", "--yes", "--skip-preview"]);
  await home.expectFailedUp(moment);
  expect(await home.heal()).toEqual(healed);
  await home.expectWhole();
});

test("in a heal, twice in a row: the same heal goes on with the third machine", async () => {
  await home.reclaim();
  const gone = home.reclaimAt("create", { command: "cloudcode-host apply auth" });
  expect([await home.heal(), gone.length]).toEqual([healed, 2]);
  await home.expectWhole();
});

test("in a heal, three times: it says so and ends, and the next one puts everything right", async () => {
  await home.reclaim();
  const gone = home.reclaimAt("attachDisk", { command: "" }, "bindAddress");
  const { code, said } = await home.heal();
  expect([code, gone.length]).toEqual([1, 3]);
  expect(said).toContain("each of 3 machines was taken back while it was set up: run heal again later");
  home.calm();
  await home.emulator.idle();
  expect(await home.heal()).toEqual(healed);
  await home.expectWhole();
});
