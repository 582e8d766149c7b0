import { ops, opsStatus, reds } from "../../sandbox/ops/run";
import { eventually, failureOf } from "../../sandbox/world";
import { type CloudAccount, type CloudWorld, domain, portalAnswers } from "../world";

/** No public DNS knows the zone of the emulated account, and an old base image has updates waiting. */
const expected = ["dns", "updates"];

/** What an operator does that is no state, on a machine that the program made. */
export function operations(world: CloudWorld, account: CloudAccount): void {
  test("status looks at the machine from inside and outside, and nothing is red", async () => {
    const checks = await opsStatus(world);
    expect(reds(checks).filter((name) => !expected.includes(name))).toEqual([]);
    const names = checks.map(({ name }) => name);
    for (const name of ["reachable", "host key", "portal", "release edge", "container auth/authelia", "port 443"])
      expect(names).toContain(name);
    expect(checks.find(({ name }) => name === "other ports")).toMatchObject({ state: "ok" });
  });

  test("ssh, exec, ps, logs, open and history work as on any machine", async () => {
    const printed = async (...words: readonly string[]) => (await ops(world, words)).stdout.trim();
    const onHost = await world.onHost("hostname");
    expect(await printed("ssh", "id -un; hostname")).toBe(`root\n${onHost}`);
    expect(await printed("exec", "auth/authelia", "id", "-u")).toBe("8000");
    const containers = await printed("ps");
    for (const name of ["edge", "auth"]) expect(containers).toContain(name);
    expect(await printed("logs", "edge", "-n", "5")).not.toBe("");
    expect(await printed("open", "--qr")).toMatch(new RegExp(`https://${domain}$`));
    expect(await printed("history")).toMatch(/edge +apply +\w+ +running +pulumi from [\d.]+/);
  });

  test("otp says where it looks, and that nobody asked for a code yet", async () => {
    expect(await failureOf(ops(world, ["otp", "--wait", "1"]))).toMatch(/no .*code/i);
  });

  test("a backup into a folder of the machine is made by hand, and listed", async () => {
    world.sandbox.configure({ backupRepository: "/var/backups/home" });
    await world.up();
    expect((await ops(world, ["backup"])).stdout.trim()).toMatch(/auth is backed up\nedge is backed up$/);
    expect((await ops(world, ["snapshots"])).stdout.trim()).toMatch(/ auth\n.* edge$/);
    expect((await opsStatus(world)).find(({ name }) => name === "backup")).toMatchObject({ state: "ok" });
  });

  test("a machine that somebody switched off in the console is reported, with the way to start it", async () => {
    const { id } = await account().one("instances");
    await account().byHand("ecs", "StopInstance", { InstanceId: id });
    const checks = await opsStatus(world);
    const reachable = checks.find(({ name }) => name === "reachable");
    expect(reachable?.state).toBe("red");
    expect(reachable?.fix).toContain("pulumi refresh && pulumi up");
    expect(reds(checks)).toContain("port 443");
    await world.sandbox.pulumi(["refresh", "--yes"]);
    await world.up();
    expect(await eventually(120, async () => (await portalAnswers(world)) === 200)).toBe(true);
  });

  test("switched off by its setting, nothing is red, and each command says how to switch it on", async () => {
    world.sandbox.configure({ power: "stopped" });
    await world.up();
    const { stdout } = await ops(world, ["status"]);
    expect(stdout).toContain("switched off; pulumi config set power running && pulumi up starts it");
    for (const words of [["ssh", "true"], ["ps"], ["history"]])
      expect(await failureOf(ops(world, words))).toContain("pulumi config set power running && pulumi up");
    world.sandbox.configure({ power: "running" });
    await world.up();
    expect(await eventually(120, async () => (await portalAnswers(world)) === 200)).toBe(true);
  });
}
