import { setTimeout as sleep } from "node:timers/promises";
import { underLoad } from "../load";
import { ops } from "../ops/run";
import { type World, secrets } from "../world";

/** A change touches what it is about, and a bad one takes nothing down. */
export function releases(world: World): void {
  const noSuchProgram = { valkey: "docker.io/library/caddy:2.11.7-alpine" };
  const images = () => world.config()["cloudcode:images"] as Record<string, string>;
  const routeAt = (opencodeSubdomain: string | undefined) => async () => {
    world.sandbox.configure({ opencodeSubdomain });
    await world.up();
  };

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

  test("a changed Route replaces Authelia start-first: no request is lost and nobody is signed out", async () => {
    const before = await world.containers();
    // Docker itself remembers the last 256 events only.
    await world.onHost(
      `setsid docker events --filter label=com.docker.compose.project=cloudcode-auth --format '{{.Action}} {{index .Actor.Attributes "com.docker.compose.service"}} {{printf "%.12s" .Actor.ID}}' </dev/null >/root/events 2>&1 & echo $! >/root/events-process`,
    );
    const { sent, lost, slowest } = await underLoad(world, { subdomain: "", path: "/" }, routeAt("dev"));
    process.stderr.write(`a Route changed under load: ${sent} requests, slowest ${slowest.toFixed(1)} s\n`);
    expect(lost).toEqual([]);
    const after = await world.containers();
    expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual(["cloudcode-auth-authelia"]);
    const events = await world.onHost(
      "kill $(cat /root/events-process); cat /root/events; rm /root/events /root/events-process",
    );
    const [former = "", latter = ""] = [before, after].map((one) => one["cloudcode-auth-authelia"]);
    const at = (event: string) => events.split("\n").findLastIndex((line) => line.startsWith(event));
    const healthy = at(`health_status: healthy authelia ${latter}`);
    const stopped = at(`die authelia ${former}`);
    expect([healthy, stopped, at("start seed")].every((index) => index >= 0)).toBe(true);
    expect(healthy).toBeLessThan(stopped);
    // Which has the new one read once more what the old one changed last.
    expect(at("start seed")).toBeGreaterThan(stopped);
  });

  test("of two Authelia containers, which a killed run leaves, commands find one and the next change ends with one", async () => {
    const stack = "/opt/cloudcode/stacks/auth";
    await world.onHost(
      `docker compose --project-name cloudcode-auth --project-directory ${stack} --file ${stack}/releases/current/compose.yaml up --detach --wait --no-recreate --no-build --scale authelia=2 authelia`,
    );
    await expect(world.container("auth", "authelia")).rejects.toThrow(/authelia-\d+\n/);
    // Other tests' guesses may have banned this machine.
    await ops(world, ["unban"]);
    expect((await ops(world, ["unban"])).stdout).toContain("Nobody is banned.");
    expect((await ops(world, ["devices"])).stdout).toMatch(/passkey|phone/);
    const { lost } = await underLoad(world, { subdomain: "", path: "/" }, routeAt(undefined));
    expect(lost).toEqual([]);
    await world.container("auth", "authelia");
    expect((await ops(world, ["unban"])).stdout).toContain("Nobody is banned.");
  });

  test("where the new Authelia does not start, the old one never stops to serve", async () => {
    const before = await world.containers();
    const key = "$(docker volume inspect --format '{{.Mountpoint}}' cloudcode-auth_config)/encryption-key";
    // Authelia reads it when it starts.
    await world.onHost(`cp -p ${key} /root/kept-key && echo not-the-key-of-this-database >${key}`);
    const state = { over: false };
    world.sandbox.configure({ opencodeSubdomain: "dev" });
    const failing = world.upFails().finally(() => (state.over = true));
    const statuses = new Set<number>();
    while (!state.over) {
      statuses.add((await world.request("", "/", { headers: { cookie: world.cookie } })).status);
      await sleep(100);
    }
    await world.onHost(`cat /root/kept-key >${key}; rm /root/kept-key`);
    const words = await failing;
    expect(words).toMatch(/release \w+ of auth did not become healthy:/);
    expect(words).toContain("encryption key does not appear to be valid");
    expect(words).toMatch(/release \w+ is running again/);
    expect([...statuses]).toEqual([200]);
    expect((await world.containers())["cloudcode-auth-authelia"]).toBe(before["cloudcode-auth-authelia"]);
    await world.container("auth", "authelia");
    await routeAt(undefined)();
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
