import { failureOf } from "../../sandbox/world";
import { type CloudAccount, type CloudWorld, face, keptThing, portalAnswers } from "../world";

/** Machines come and go; data, address, keys and certificates stay. */
export function changes(world: CloudWorld, account: CloudAccount): void {
  test("with protectMachine, the cloud itself refuses to delete machine and address", async () => {
    const { id: machine } = await account().one("instances");
    world.sandbox.configure({ protectMachine: "true" });
    await world.up();
    await expect(account().byHand("ecs", "DeleteInstance", { InstanceId: machine, Force: "true" })).rejects.toThrow(
      /DeletionProtection/,
    );
    expect(await failureOf(world.sandbox.pulumi(["destroy", "--yes"]))).toMatch(/because it is protected/);
  });

  test("another instance type keeps even a protected machine, with its data, address, host key and certificates", async () => {
    const [before, { id }] = await Promise.all([face(world), account().one("instances")]);
    world.sandbox.configure({ instanceTypes: ["ecs.u1-c1m4.large"], budgetUsd: "60" });
    const words = await world.up();
    expect(words).toMatch(/alicloud:ecs:Instance host-instance updat/);
    expect(words).not.toMatch(/alicloud:\S+ \S+ replac/);
    expect((await account().one("instances")).id).toBe(id);
    expect(await keptThing(world)).toBe("precious");
    expect(await face(world)).toEqual(before);
    expect(await portalAnswers(world)).toBe(200);
  });

  test("what is sold out later moves nothing", async () => {
    await account().during({ kind: "soldOut" }, () => world.sandbox.pulumi(["preview", "--expect-no-changes"]));
  });

  test("a larger data disk grows in place", async () => {
    world.sandbox.configure({ dataDiskGiB: "24" });
    await world.up();
    expect(Number(await world.onHost("blockdev --getsize64 $(findmnt -no SOURCE /var/lib/docker)"))).toBe(24 * 2 ** 30);
  });

  test("another image makes a new machine with the same data, address, host key and certificates", async () => {
    const [before, { id }] = await Promise.all([face(world), account().one("instances")]);
    world.sandbox.configure({ hostImage: "ubuntu_24_04_x64_20G_alibase_20260912.vhd" });
    expect(await failureOf(world.sandbox.pulumi(["preview"]))).toMatch(/protect/);
    world.sandbox.configure({ protectMachine: undefined });
    await world.up();
    expect((await account().one("instances")).id).not.toBe(id);
    expect(await keptThing(world)).toBe("precious");
    expect(await face(world)).toEqual(before);
    expect(await portalAnswers(world)).toBe(200);
    expect(await world.onHost("docker ps --format '{{.Names}}' | sort")).toContain("cloudcode-edge-caddy-1");
    await world.sandbox.pulumi(["preview", "--expect-no-changes"]);
  });
}
