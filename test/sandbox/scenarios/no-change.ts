import type { World } from "../world";

/** Declarative to the bottom: without a change nothing happens. */
export function noChange(world: World): void {
  test("a second up changes nothing, opens no SSH connection and leaves every container", async () => {
    const before = await world.containers();
    let words = "";
    const connections = await world.sshConnections(async () => (words = await world.up("--expect-no-changes")));
    expect(words).toMatch(/Resources:\s+\d+ unchanged/);
    expect(connections).toBe(0);
    expect(await world.containers()).toEqual(before);
  });

  test("two previews in a row are empty", async () => {
    for (let run = 0; run < 2; run++) await world.sandbox.pulumi(["preview", "--expect-no-changes"]);
    expect(await world.stateText()).toContain("cloudcode:index:ComposeStack");
  });

  test("installing the host once more changes nothing on it", async () => {
    const before = await world.onHost("cat /etc/docker/daemon.json; systemctl show docker -p ActiveEnterTimestamp");
    await world.up("--target-replace", await world.urnOf("docker-install"));
    expect(await world.onHost("cat /etc/docker/daemon.json; systemctl show docker -p ActiveEnterTimestamp")).toBe(
      before,
    );
  });
}
