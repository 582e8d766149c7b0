import { type CloudAccount, type CloudWorld, face, keptThing, portalAnswers } from "../world";

/** Off saves the machine's price and loses nothing. */
export function power(world: CloudWorld, account: CloudAccount): void {
  let before: object;

  test("stopped: the machine is off and unpaid, its address stays, and up says so", async () => {
    before = await face(world);
    world.sandbox.configure({ power: "stopped" });
    expect(await world.up()).toContain("The machine is stopped");
    expect((await account().one("instances")).status).toBe("Stopped");
    await account().one("eips");
  });

  test("while it is stopped, an up with other settings touches no host and does not fail", async () => {
    world.sandbox.configure({ timeZone: "Asia/Singapore", opencodeEnabled: "true" });
    expect(await world.up()).not.toMatch(/command:remote/);
    world.sandbox.configure({ opencodeEnabled: "false" });
    await world.up();
    await world.sandbox.pulumi(["preview", "--expect-no-changes"]);
  });

  test("running again, everything is back with the settings of meanwhile, and up has seen it healthy", async () => {
    world.sandbox.configure({ power: "running" });
    await world.up();
    expect(await portalAnswers(world)).toBe(200);
    expect(await world.onHost("docker ps --filter health=unhealthy --format '{{.Names}}'")).toBe("");
    expect(await world.onHost(`docker exec ${await world.container("auth", "authelia")} sh -c 'echo $TZ'`)).toBe(
      "Asia/Singapore",
    );
    expect(await keptThing(world)).toBe("precious");
    expect(await face(world)).toEqual(before);
    await world.sandbox.pulumi(["preview", "--expect-no-changes"]);
  });
}
