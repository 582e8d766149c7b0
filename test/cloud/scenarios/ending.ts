import { failureOf } from "../../sandbox/world";
import { type CloudAccount, type CloudWorld, keptThing, portalAnswers } from "../world";

const destroy = ["destroy", "--yes", "--skip-preview"];

/** The end of a stack, and what it leaves. */
export function ending(world: CloudWorld, account: CloudAccount): void {
  const kinds = async () => (await account().inventory()).map(({ kind }) => kind).sort();
  let snapshot = "";

  test("destroy refuses to delete data and their key, and the next up brings back what it had taken down", async () => {
    const before = await kinds();
    const words = await failureOf(world.sandbox.pulumi(destroy));
    expect(words).toMatch(/cannot be deleted\s+because it is protected/);
    expect(words).toContain("nothing was touched");
    expect((await kinds()).filter((kind) => kind === "disks")).not.toEqual([]);
    expect(await kinds()).toEqual(before);
    expect(await portalAnswers(world)).toBe(200);
    await world.up();
    expect(await keptThing(world)).toBe("precious");
    expect(await portalAnswers(world)).toBe(200);
  });

  test("destroy --exclude-protected keeps the data disk and the keys, and up brings the same home back", async () => {
    await world.sandbox.pulumi([...destroy, "--exclude-protected"]);
    expect(await kinds()).toEqual(["disks"]);
    await world.up();
    expect(await keptThing(world)).toBe("precious");
    expect(await portalAnswers(world)).toBe(200);
  });

  test("with finalSnapshot, destroy leaves a snapshot, names it with its price, and nothing else", async () => {
    world.sandbox.configure({ deleteData: "true", finalSnapshot: "true" });
    await world.up();
    await account().passWeek();
    const { stdout, stderr } = await world.sandbox.pulumi(destroy);
    const words = stdout + stderr;
    snapshot = /final snapshot (s-\w+) of disk/.exec(words)?.[1] ?? "none was named";
    expect(words).toMatch(/USD a month/);
    expect(words).toContain("nothing else billed is left");
    expect(await account().inventory()).toMatchObject([{ kind: "snapshots", id: snapshot }]);
  });

  test("restoreFromSnapshot brings the data back to a new home", async () => {
    world.sandbox.configure({ restoreFromSnapshot: snapshot, finalSnapshot: undefined });
    await world.up();
    expect(await keptThing(world)).toBe("precious");
    expect(await portalAnswers(world)).toBe(200);
  });

  test("a machine deleted by hand does not hold up destroy, which proves that nothing billed is left", async () => {
    const { id } = await account().one("instances");
    await account().byHand("ecs", "DeleteInstance", { InstanceId: id, Force: "true" });
    const { stdout, stderr } = await world.sandbox.pulumi(destroy);
    expect(stdout + stderr).toMatch(/nothing (else )?billed is left/);
    expect(await kinds()).toEqual(["snapshots"]);
  });

  test("no request was one that the real API would not know", async () => {
    expect(await account().violations()).toEqual([]);
  });
}
