import { underLoad } from "../load";
import { type World, secrets } from "../world";

/** A change touches what it is about, and a bad one takes nothing down. */
export function releases(world: World): void {
  const noSuchProgram = { valkey: "docker.io/library/caddy:2.11.7-alpine" };
  const images = () => world.config()["cloudcode:images"] as Record<string, string>;

  test("a change to one App touches that App only, in one SSH connection, and shows in the preview which file changes", async () => {
    const before = await world.containers();
    world.sandbox.configure({ opencodeMemoryMiB: "1536" });
    const { stdout } = await world.sandbox.pulumi(["preview", "--diff"]);
    expect(stdout).toMatch(/~ create/);
    expect(stdout).toContain("compose.yaml");
    for (const secret of Object.values(secrets)) expect(stdout).not.toContain(secret);
    let words = "";
    expect(await world.sshConnections(async () => (words = await world.up()))).toBe(1);
    expect(words).toMatch(/~ 1 updated/);
    const after = await world.containers();
    expect(after["cloudcode-opencode-server"]).not.toBe(before["cloudcode-opencode-server"]);
    for (const kept of ["cloudcode-opencode-terminal", "cloudcode-auth-authelia", "cloudcode-edge-caddy"]) {
      expect({ [kept]: after[kept] }).toEqual({ [kept]: before[kept] });
    }
  });

  test("an App that cannot run twice is replaced without a lost request", async () => {
    const before = await world.containers();
    const { lost } = await underLoad(world, { subdomain: "code", path: "/" }, async () => {
      world.sandbox.configure({ opencodeMemoryMiB: "1550" });
      await world.up();
    });
    expect((await world.containers())["cloudcode-opencode-server"]).not.toBe(before["cloudcode-opencode-server"]);
    expect(lost).toEqual([]);
  });

  test("an SSH user with sudo does as well as root, and what runs keeps running", async () => {
    const before = await world.containers();
    for (const hostUser of ["admin", undefined]) {
      world.sandbox.configure({ hostUser });
      await world.up();
      expect(await world.containers()).toEqual(before);
    }
  });

  test("a release that does not become healthy is rolled back, and the error holds its last words", async () => {
    const good = images();
    const before = await world.onHost("readlink /opt/cloudcode/stacks/auth/releases/current");
    world.sandbox.configure({ images: { ...good, ...noSuchProgram } });
    const words = await world.upFails();
    world.sandbox.configure({ images: good });
    expect(words).toMatch(/release \w+ of auth did not become healthy:/);
    expect(words).toContain("valkey-server");
    expect(words).toContain(`release ${before} is running again`);
    expect(await world.onHost("readlink /opt/cloudcode/stacks/auth/releases/current")).toBe(before);
    expect((await world.request("code", "/global/health", { headers: { cookie: world.cookie } })).status).toBe(200);
    await world.up();
  });

  test("an image that cannot be pulled is reported by name, and nothing is touched", async () => {
    const good = images();
    const before = await world.containers();
    world.sandbox.configure({ images: { ...good, caddy: "docker.io/library/caddy:0.0.0-none" } });
    const words = await world.upFails();
    world.sandbox.configure({ images: good });
    expect(words).toContain("docker.io/library/caddy:0.0.0-none could not be pulled");
    expect(await world.containers()).toEqual(before);
    await world.up();
  });

  test("the host keeps this release and the one before, and nothing older", async () => {
    const kept = await world.onHost(
      "cd /opt/cloudcode/stacks/opencode && ls releases | wc -l; cat previous; readlink releases/current; ls -d incoming.* 2>/dev/null || true",
    );
    const [count, previous, current, ...leftovers] = kept.split("\n");
    expect(count).toBe("3");
    expect(previous).not.toBe(current);
    expect(leftovers).toEqual([]);
    const unused = await world.onHost(
      "cd /opt/cloudcode/stacks/opencode && for f in files/*; do grep -qF ${f##*/} releases/*/compose.yaml || echo $f; done",
    );
    expect(unused).toBe("");
  });
}
