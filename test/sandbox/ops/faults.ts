import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectRoot } from "../../../sandbox/folder";
import { aptInstall } from "../../../sandbox/host/apt";
import { run } from "../../../cli/run";
import { say } from "../../../cli/say";
import { rebootHost } from "../../../sandbox/host/host";
import { credentials, inPortal } from "../portal-api";
import { type World, eventually } from "../world";
import { lockTold, ops, opsStatus, outputOf } from "./run";

/** For programs on the operator's machine, as no container has a clock of its own to be wrong. */
async function dayBehind(): Promise<Record<string, string>> {
  await aptInstall(["libfaketime"], say);
  const { stdout } = await run("dpkg", ["-L", "libfaketime"]);
  const library = /^.*\/libfaketime\.so\.1$/m.exec(stdout)?.[0];
  if (library === undefined) throw new Error(`the package libfaketime has no library: ${stdout}`);
  return { LD_PRELOAD: library, FAKETIME: "-1d" };
}

/** What goes wrong on the host or on the way: nothing is lost, and it is reported or heals. */
export function faults(world: World): void {
  let memory = 1300;
  const answers = async (subdomain: string) => [200, 302, 401].includes((await world.request(subdomain, "/")).status);
  const everythingAnswers = () =>
    eventually(180, async () => (await answers("")) && (await answers("code")) && (await answers("auth")));
  /** Waits on the host itself, since a small change is applied within a second. */
  const applying = async () => {
    const wait = "until pgrep -f '[c]loudcode-host apply opencode'; do sleep 0.1; done";
    return (await world.onHost(`timeout 300 sh -c "${wait}" || true`)) !== "";
  };
  const change = () => {
    world.sandbox.configure({ opencodeMemoryMiB: String(++memory) });
  };
  /** The limit that runs is the one that was last configured. */
  const expectHealed = async () => {
    await world.up("--suppress-outputs");
    const limit = await world.onHost("docker inspect --format '{{.HostConfig.Memory}}' cloudcode-opencode-server-1");
    expect(limit).toBe(String(memory * 2 ** 20));
    expect(await everythingAnswers()).toBe(true);
    await world.sandbox.pulumi(["preview", "--expect-no-changes"]);
  };
  /** Does this to the host in the middle of a change; whatever comes of that `up`, the next one heals. */
  const inTheMiddle = async (harm: () => Promise<unknown>) => {
    change();
    const first = world.up().catch((error: unknown) => error);
    const began = await applying();
    if (began) await harm();
    // Also where it failed: the next test must not meet this `up`.
    await first;
    expect(began).toBe(true);
  };

  test("Docker killed in the middle of a change", async () => {
    await inTheMiddle(() => world.onHost("systemctl kill --signal=KILL docker"));
    expect(
      await eventually(60, async () => (await world.onHost("docker version >/dev/null && echo up")) === "up"),
    ).toBe(true);
    await expectHealed();
  });

  test("an App whose first release is cut off by kill -9 is gone from the host once it is switched off", async () => {
    const { sandbox } = world;
    const onHost = () =>
      world.onHost(
        "docker ps --all --format '{{.Names}}' | grep opencode; ls /opt/cloudcode/stacks | grep opencode; true",
      );
    sandbox.configure({ opencodeEnabled: "false" });
    await world.up("--suppress-outputs");
    expect(await onHost()).toBe("");
    sandbox.configure({ opencodeEnabled: undefined });
    const place = ["--stack", sandbox.stack, "--cwd", projectRoot, "--config-file", sandbox.stackFile];
    const up = spawn(sandbox.engine.pulumi, ["up", "--yes", "--skip-preview", "--non-interactive", ...place], {
      env: { ...process.env, ...sandbox.env },
      stdio: "ignore",
      detached: true,
    });
    expect(await applying()).toBe(true);
    process.kill(-(up.pid ?? 0), "SIGKILL");
    await run(sandbox.engine.pulumi, ["cancel", "--yes", "--stack", sandbox.stack, "--cwd", sandbox.folder], {
      env: sandbox.env,
    });
    expect(await eventually(180, async () => (await onHost()).includes("cloudcode-opencode-server-1"))).toBe(true);
    sandbox.configure({ opencodeEnabled: "false" });
    await world.up("--suppress-outputs");
    expect(await onHost()).toBe("");
    sandbox.configure({ opencodeEnabled: undefined });
    change();
    await expectHealed();
  });

  test("the host rebooted in the middle of a change", async () => {
    await inTheMiddle(() => rebootHost(world.sandbox.name));
    expect(
      await eventually(120, async () => (await world.onHost("docker version >/dev/null && echo up")) === "up"),
    ).toBe(true);
    await expectHealed();
  });

  test("the network cut for a minute in the middle of a change", async () => {
    const rule = "INPUT -p tcp --dport 22 -j DROP";
    await inTheMiddle(async () => {
      await world.onHost(`iptables -w -I ${rule}`);
      await sleep(60_000);
      await world.onHost(`iptables -w -D ${rule}`);
    });
    await expectHealed();
  });

  test("a clock that is wrong by a day is reported, and a change goes through", async () => {
    const env = await dayBehind();
    expect((await opsStatus(world, { env })).find(({ name }) => name === "clock")).toMatchObject({
      state: "red",
      seen: expect.stringMatching(/^86(39|40)\d s ahead of this machine's$/) as string,
      fix: expect.stringContaining("ntpServer") as string,
    });
    change();
    await world.sandbox.pulumi(["up", "--yes"], { env });
    await expectHealed();
  });

  test("no inode left for a release: nothing is touched", async () => {
    const before = await world.containers();
    await world.onHost("mount -t tmpfs -o size=2g,nr_inodes=6 tmpfs /opt/cloudcode/stacks");
    change();
    const words = await world.upFails();
    await world.onHost("umount /opt/cloudcode/stacks");
    expect(words).toMatch(/did not arrive completely; nothing was touched|cannot write below/);
    expect(await world.containers()).toEqual(before);
    await expectHealed();
  });

  test("a damaged release is reported by status, and rollback and up bring it back whole", async () => {
    await world.onHost(": >/opt/cloudcode/stacks/opencode/releases/current/compose.yaml");
    const files = (await opsStatus(world)).find(({ name }) => name === "files opencode");
    expect(files).toMatchObject({ state: "red", fix: expect.stringContaining("rollback opencode") as string });
    await ops(world, ["rollback", "opencode"]);
    await expectHealed();
  });

  test("OpenCode out of memory: SSH, Caddy and Authelia live on", async () => {
    const before = await world.containers();
    const killed = await world.onHost("docker exec cloudcode-opencode-terminal-1 tail /dev/zero || echo $?");
    expect(killed).toBe("137");
    expect(await everythingAnswers()).toBe(true);
    expect(await world.containers()).toEqual(before);
  });

  test("a hundred wrong passwords ban their address, and unban opens again", async () => {
    await inPortal(world, async (call) => {
      const statuses = new Set<number>();
      for (let i = 0; i < 100; i++)
        statuses.add(await call("POST", "/api/firstfactor", credentials(`wrong wrong ${i}`)));
      expect([...statuses]).toEqual([401]);
    });
    expect((await ops(world, ["unban", "--list"])).stdout).toMatch(/^[\d.]+ until /m);
    await ops(world, ["unban"]);
    expect(await everythingAnswers()).toBe(true);
  });

  test("of twenty ups at once one wins, and the others say who holds the lock", async () => {
    change();
    const winner = world.up();
    const locks = join(world.sandbox.folder, "state", ".pulumi", "locks");
    const held = () =>
      Promise.resolve(readdirSync(locks, { recursive: true }).some((one) => String(one).endsWith(".json")));
    expect(await eventually(60, held)).toBe(true);
    const words = await Promise.all(Array.from({ length: 19 }, () => world.upFails()));
    await winner;
    for (const one of words)
      expect(one).toMatch(/the stack is currently locked by 1 lock\(s\)[^]*created by \S+ \(pid \d+\)/);
    await expectHealed();
  });

  test("of twenty ups at the very same moment at most one goes on, and the next one heals", async () => {
    change();
    // The CLI writes its lock, looks for others and takes its own back where there are: all may lose.
    const attempts = Array.from({ length: 20 }, () =>
      world.up().then(
        () => "",
        (error: unknown) => outputOf(error).stdout + outputOf(error).stderr,
      ),
    );
    const lost = (await Promise.all(attempts)).filter((words) => words !== "");
    expect(lost.length).toBeGreaterThanOrEqual(19);
    for (const words of lost) expect(words).toMatch(lockTold);
    await expectHealed();
  });

  test("a day's worth of log lines stays within its bound", async () => {
    await world.onHost(
      "docker exec cloudcode-opencode-terminal-1 sh -c 'yes this line is one of very many of a talkative container | head -c 300000000 >/proc/1/fd/1'",
    );
    const kib = await world.onHost(
      "du -sk /var/lib/docker/containers/$(docker inspect --format '{{.Id}}' cloudcode-opencode-terminal-1) | cut -f1",
    );
    expect(Number(kib)).toBeLessThan(35 * 1024);
    expect(await everythingAnswers()).toBe(true);
  });
}
