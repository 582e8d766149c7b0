import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../sandbox/folder";
import { ops } from "../../sandbox/ops/run";
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

  test("ops destroy names what goes, stays and costs and keeps the data disk; with --everything it proves that nothing is left", async () => {
    world.sandbox.configure({ deleteData: undefined, restoreFromSnapshot: undefined });
    await world.up();
    // The stack's folder as that of the project, where an operator runs it: destroy runs the hooks of resources there.
    for (const part of [
      "bin",
      "components",
      "index.ts",
      "node_modules",
      "package.json",
      "program.cjs",
      "stack-templates",
    ])
      symlinkSync(join(projectRoot, part), join(world.sandbox.folder, part));
    const before = await kinds();
    const { stdout: listed } = await ops(world, ["destroy", "--preview-only", "--json"]);
    const plan = JSON.parse(listed) as { goes: string[]; stays: string[]; costs: string };
    expect(plan.goes).toEqual(expect.arrayContaining([expect.stringMatching(/^machine /), "edge and its containers"]));
    const disk: unknown = expect.stringMatching(/^data disk of 2[04] GiB$/);
    expect(plan.stays).toEqual(expect.arrayContaining([disk, "key of Authelia's database"]));
    expect(plan.stays.filter((one) => one.includes("other"))).toEqual([]);
    expect(plan.costs).toMatch(/^at most \d+\.\d\d USD a month, with its snapshots$/);
    expect(await kinds()).toEqual(before);

    const { stdout: removed } = await ops(world, ["destroy", "--yes"]);
    expect(removed).toMatch(/Kept: .*data disk of 2[04] GiB/);
    expect(await kinds()).toEqual(["disks", "snapshots"]);

    const { stdout, stderr } = await ops(world, ["destroy", "--everything", "--yes"]);
    expect(stdout).toContain("Everything is removed, with all data. The state is empty");
    expect(stdout + stderr).toMatch(/nothing (else )?billed is left/);
    expect(await kinds()).toEqual(["snapshots"]);
    expect((await world.sandbox.pulumi(["config"])).stdout).not.toContain("deleteData");
  });

  test("no request was one that the real API would not know", async () => {
    expect(await account().violations()).toEqual([]);
  });
}
