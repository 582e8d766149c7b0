import { setTimeout as sleep } from "node:timers/promises";
import { rebootHost } from "../../../sandbox/host/host";
import { type World, eventually, failureOf } from "../world";

/** What goes wrong in the middle heals with the next up. */
export function faults(world: World): void {
  const healthy = async () =>
    (await world.request("code", "/global/health", { headers: { cookie: world.cookie } })).status === 200;

  test("an SSH connection killed in the middle of a change: the change is finished on the host, and the next up heals the state", async () => {
    world.sandbox.configure({ opencodeMemoryMiB: "1600" });
    const failed = failureOf(world.sandbox.pulumi(["up", "--yes", "--skip-preview"]));
    expect(
      await eventually(
        60,
        async () => (await world.onHost("pgrep -f '[c]loudcode-host apply opencode' || true")) !== "",
      ),
    ).toBe(true);
    await world.onHost("pkill -f '[s]shd-session: root@notty' || pkill -f '[s]shd: root@notty'");
    await failed;
    await world.up();
    expect(await world.onHost("docker inspect --format '{{.HostConfig.Memory}}' cloudcode-opencode-server-1")).toBe(
      String(1600 * 2 ** 20),
    );
    expect(await healthy()).toBe(true);
    await world.sandbox.pulumi(["preview", "--expect-no-changes"]);
  });

  test("a full disk is reported in a sentence, and nothing is touched", async () => {
    const before = await world.containers();
    await world.onHost("mount -t tmpfs -o size=100m tmpfs /opt/cloudcode/stacks");
    world.sandbox.configure({ opencodeMemoryMiB: "1700" });
    const words = await world.upFails();
    await world.onHost("umount /opt/cloudcode/stacks");
    expect(words).toMatch(/the disk is full: \d+ MiB free, 512 MiB needed; nothing was touched/);
    expect(await world.containers()).toEqual(before);
    await world.up();
  });

  test("after a reboot of the host everything returns by itself, and nobody has to sign in again", async () => {
    await rebootHost(world.sandbox.name);
    expect(await eventually(120, healthy)).toBe(true);
    expect(await world.onHost("iptables -w -C DOCKER-USER -d 100.100.100.200/32 -j DROP && echo closed")).toBe(
      "closed",
    );
    await world.sandbox.pulumi(["preview", "--expect-no-changes"]);
  });

  test("a host that no longer answers: removing an App names the command that forgets it", async () => {
    await world.onHost("systemctl stop ssh.socket ssh.service 2>/dev/null; systemctl stop ssh; sleep 1");
    world.sandbox.configure({ opencodeEnabled: "false", hostWaitSeconds: "60" });
    const urn = await world.urnOf("opencode-removal");
    const target = ["--target", urn, "--target-dependents"];
    const words = await failureOf(world.sandbox.pulumi(["destroy", "--yes", "--skip-preview", ...target]));
    await world.onHost("systemctl start ssh");
    await sleep(1000);
    world.sandbox.configure({ opencodeEnabled: undefined });
    expect(words).toContain("accepted no connection within 60 s");
    expect(words).toContain(`pulumi state delete '${urn}'`);
    expect(await healthy()).toBe(true);
  });
}
