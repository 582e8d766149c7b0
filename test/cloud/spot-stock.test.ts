import { Account } from "@cloudcode/alicloud-emulator/testing/account";
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

/** Something that a person does in the console, which is not bound by the rights of the stack's key. */
async function inConsole<T>(act: (console: Account) => Promise<T>): Promise<T> {
  const { rules } = home.emulator;
  const { policy } = rules;
  rules.policy = undefined;
  const result = await act(new Account(home.emulator));
  await home.emulator.idle();
  rules.policy = policy;
  return result;
}

test("where the disk's zone has no stock at all, heal's words lead over a snapshot to another zone, with all files", async () => {
  home.stack.configure({ spotFallback: undefined });
  await home.reclaim();
  const { id, zoneId } = home.dataDisk();
  home.emulator.fail({ kind: "soldOut", zone: zoneId });
  const { code, said } = await home.heal();
  expect([code, said]).toEqual([
    1,
    expect.stringContaining(
      `${id} is in zone ${zoneId}, which it cannot leave, and no machine for it can be had there now`,
    ),
  ]);

  expect(said).toContain(`in the console create a snapshot of ${id}, with the tag project: cloudcode`);
  const tag = { "Tag.1.Key": "project", "Tag.1.Value": "cloudcode" };
  const snapshot = await inConsole((account) =>
    account.text("ecs", "CreateSnapshot", "SnapshotId", { DiskId: id, ...tag }),
  );
  expect(said).toContain(`pulumi destroy --exclude-protected, then delete ${id} in the console`);
  const destroy = () => home.stack.pulumi(["destroy", "--exclude-protected", "--yes"]);
  await destroy();
  await inConsole((account) => account.ask("ecs", "DeleteDisk", { DiskId: id }));
  expect(said).toContain("pulumi refresh && pulumi destroy --exclude-protected, which lets the zone go");
  await home.stack.pulumi(["refresh", "--yes", "--skip-preview"]);
  await destroy();
  const [, zone = ""] =
    /pulumi config set restoreFromSnapshot s-… && pulumi config set zones '\["([^"]+)"\]' && pulumi up/.exec(said) ??
    [];
  home.stack.configure({ restoreFromSnapshot: snapshot, zones: [zone] });
  await home.up();
  expect(home.dataDisk()).toMatchObject({ zoneId: zone });
  expect(zone).not.toBe(zoneId);
  await inConsole((account) => account.ask("ecs", "DeleteSnapshot", { SnapshotId: snapshot }));
  await home.noteAccess();
  await home.expectWhole();
});
