import { failureOf } from "../../sandbox/world";
import { type CloudAccount, type CloudWorld, counts, domain, keepSomething, portalAnswers } from "../world";

/** From what the faults left to a home that answers. */
export function firstUp(world: CloudWorld, account: CloudAccount): void {
  test("a preview opens no SSH connection, prices the stack and counts what up then does", async () => {
    await account().forgetCalls();
    const preview = await world.sandbox.pulumi(["preview"]);
    expect(preview.stdout + preview.stderr).toMatch(/about [\d.]+ USD a month running/);
    // What the cloud does in between is retried: throttled, out of order, without an answer.
    const wobbles = [
      { kind: "throttled", action: "A*", times: 2 },
      { kind: "serverError", action: "AttachDisk" },
      { kind: "lostAnswer", action: "AllocateEipAddress" },
    ];
    const up = await account().during(wobbles, () => world.up());
    expect(counts(up)).toEqual(counts(preview.stdout));
  });

  test("a second up changes nothing, touches no host and says so", async () => {
    expect(await world.sshConnections(() => world.sandbox.pulumi(["preview", "--expect-no-changes"]))).toBe(0);
    expect(await world.sshConnections(() => world.up())).toBe(0);
  });

  test("the portal answers at the domain, whose records are in Alibaba Cloud DNS", async () => {
    expect(await portalAnswers(world)).toBe(200);
    const { host } = world.sandbox;
    const records = (await account().inventory()).filter(({ kind }) => kind === "records").map(({ name }) => name);
    expect(records.sort()).toEqual([`*.home.example.com A ${host.address}`, `@.home.example.com A ${host.address}`]);
    const { stdout } = await world.sandbox.pulumi(["stack", "output", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ url: `https://${domain}` });
    expect(stdout).not.toContain("must point to");
  });

  test("everything is there once, tagged with project and stack", async () => {
    const tagged = (await account().inventory()).filter(({ kind }) => kind !== "records");
    const kinds = tagged.map(({ kind }) => kind).sort();
    // The machine's own disk and the data disk.
    expect(kinds).toEqual([
      "disks",
      "disks",
      "eips",
      "instances",
      "keyPairs",
      "policies",
      "securityGroups",
      "vpcs",
      "vswitches",
    ]);
    const untagged = tagged.filter(({ tags }) => tags["project"] !== "cloudcode" || tags["stack"] !== "sandbox");
    expect(untagged.map(({ kind }) => kind)).toEqual([]);
  });

  test("Docker's data is on the encrypted data disk, which a boot waits for", async () => {
    expect(await world.onHost("findmnt -no SOURCE /var/lib/docker")).toMatch(/^\/dev\/vd[b-z]$/);
    expect(await world.onHost("systemctl show -p Requires --value docker")).toContain("cloudcode-data-disk.service");
    await keepSomething(world);
  });

  test("no key of the machine stands in plain state", async () => {
    expect(await world.stateText()).not.toContain("PRIVATE KEY");
    expect(await world.leaks([])).toEqual([]);
  });

  test("two operators at once: one has to wait, nothing is made twice", async () => {
    world.sandbox.configure({ bandwidthMbps: "30" });
    const both = [world.up(), world.up()].map((up) =>
      up.then(
        () => "",
        (error: unknown) => String(error),
      ),
    );
    const failed = (await Promise.all(both)).filter((words) => words !== "");
    expect(failed.length).toBeLessThanOrEqual(1);
    for (const words of failed) expect(words).toMatch(/locked|conflict/i);
    await world.up();
    await account().one("instances");
    await account().one("eips");
  });

  test("a wrong key of the account is reported without showing it", async () => {
    const wrong = { ALICLOUD_SECRET_KEY: "not-the-secret", ALIBABA_CLOUD_ACCESS_KEY_SECRET: "not-the-secret" };
    world.sandbox.configure({ bandwidthMbps: "40" });
    const words = await failureOf(world.sandbox.pulumi(["up", "--yes", "--skip-preview"], { env: wrong }));
    expect(words).toMatch(/key/i);
    expect(words).not.toContain("not-the-secret");
    world.sandbox.configure({ bandwidthMbps: undefined });
    await world.up();
  });

  test("no request was one that the real API would not know", async () => {
    expect(await account().violations()).toEqual([]);
  });
}
