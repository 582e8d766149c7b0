import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shellWord } from "../../../components/stack/escape";
import { run } from "../../../cli/run";
import { enrolByCode } from "./enrol";
import { credentials, inPortal } from "../portal-api";
import { type World, eventually, failureOf, secrets, username } from "../world";
import { ops, opsCommand, opsStatus, reds } from "./run";

/** Set by the last test, and valid from then on. */
export const opsPassword = "set by npm run ops, öh";

/** What an operator does that is no state. */
export function acts(world: World): void {
  const status = () => opsStatus(world);

  test("status looks at everything, and nothing is red but the public DNS that a sandbox does not have", async () => {
    const checks = await status();
    expect(reds(checks).filter((name) => name !== "dns" && name !== "updates")).toEqual([]);
    const names = checks.map(({ name }) => name);
    for (const name of ["reachable", "host key", "clock", "memory", "docker", "portal", "k3s", "other ports"])
      expect(names).toContain(name);
    for (const kind of ["release", "container", "image", "certificate", "sign-in", "disk", "port"])
      expect(names.some((name) => name.startsWith(`${kind} `))).toBe(true);
  });

  test("status tells a stopped container, an App without login, and a machine with another host key, each with a fix", async () => {
    await world.onHost("docker stop cloudcode-auth-sessions-1");
    const stopped = (await status()).find(({ name }) => name === "container auth/sessions");
    await world.onHost("docker start cloudcode-auth-sessions-1");
    expect(stopped).toMatchObject({ state: "red", fix: "read its last log lines: npm run ops -- logs auth" });
    expect(
      await eventually(60, async () => (await world.onHost("docker ps --filter health=healthy")).includes("sessions")),
    ).toBe(true);
    await world.onHost("mv /etc/ssh/ssh_host_ed25519_key /root/; mv /etc/ssh/ssh_host_ed25519_key.pub /root/");
    await world.onHost("ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh");
    const forged = (await status()).find(({ name }) => name === "host key");
    const words = await failureOf(ops(world, ["history"]));
    await world.onHost("mv /root/ssh_host_ed25519_key* /etc/ssh/; systemctl restart ssh");
    expect(forged).toMatchObject({ state: "red" });
    expect(words).toContain("Host key verification failed");
  });

  test("status names what is on the host of stacks that the program does not have, and nobody else's", async () => {
    const container = (project: string, folder: string) =>
      world.onHost(`docker run --detach --name ${project}-x --entrypoint sleep --label com.docker.compose.project=${project} \
        --label com.docker.compose.service=x --label com.docker.compose.project.working_dir=${folder} \
        "$(docker inspect --format '{{.Config.Image}}' cloudcode-edge-caddy-1)" 600`);
    await container("cloudcode-stray", "/opt/cloudcode/stacks/stray");
    await container("cloudcode-web", "/srv/cloudcode-web");
    await world.onHost(`docker volume create --label com.docker.compose.project=cloudcode-kept cloudcode-kept_data
      mkdir /opt/cloudcode/stacks/half`);
    const checks = await status();
    await world.onHost(`docker rm --force cloudcode-stray-x cloudcode-web-x; docker volume rm cloudcode-kept_data
      /opt/cloudcode/bin/cloudcode-host remove half keep-data`);
    const projects = checks.filter(({ name }) => name.startsWith("project "));
    expect(projects.map(({ name, state }) => `${name} ${state}`)).toEqual([
      "project half red",
      "project kept none",
      "project stray red",
    ]);
    expect(checks.filter(({ name }) => name.includes("cloudcode-web") || name.includes("web/"))).toEqual([]);
    expect((await status()).filter(({ name }) => name.startsWith("project "))).toEqual([]);
  });

  test("ssh gives a shell on a terminal, and runs a command with its exit code, output and input", async () => {
    expect(await ops(world, ["ssh", "echo $((6 * 7)); id -un"])).toEqual({ stdout: "42\nroot\n", stderr: "" });
    expect((await ops(world, ["ssh", "--", "sort", "-r"], { input: "a\nb\n" })).stdout).toBe("b\na\n");
    await expect(ops(world, ["ssh", "exit", "7"])).rejects.toThrow("exit code 7");
    // script gives it a terminal, where ssh asks the host for one.
    const { program, args, cwd, env } = await opsCommand(world, ["ssh"]);
    const line = [program, ...args].map(shellWord).join(" ");
    const typed = "tty; hostname; exit 3\n";
    const words = await failureOf(run("script", ["-qec", line, "/dev/null"], { cwd, env, input: typed }));
    expect(words).toMatch(/\/dev\/pts\/\d+/);
    expect(words).toContain(await world.onHost("hostname"));
  });

  test("open prints the address of an App, and a QR code of it", async () => {
    const { stdout } = await ops(world, ["open", "opencode", "--qr"]);
    expect(stdout).toContain("█▀");
    expect(stdout.trim().split("\n").at(-1)).toBe(`https://code.${world.domain}`);
    expect(await failureOf(ops(world, ["open", "mail"]))).toContain("this stack has no App mail; it has OpenCode");
  });

  test("otp waits for the newest code, with which a passkey is enrolled; devices lists it", async () => {
    await enrolByCode(world, "laptop");
    const { stdout } = await ops(world, ["devices"]);
    const [, kid = ""] = /^\d+ +(\S+) +laptop$/m.exec(stdout) ?? [];
    expect(kid).not.toBe("");
    expect(await failureOf(ops(world, ["devices", "remove", `${kid}x`]))).toContain(`no passkey with the KID ${kid}x`);
    await ops(world, ["devices", "remove", kid]);
    expect((await ops(world, ["devices"])).stdout).toMatch(new RegExp(`^${username} has no passkey\\.$`, "m"));
  });

  test("unban lets an address in again after too many wrong passwords, and says so where it is not banned", async () => {
    await inPortal(world, async (call) => {
      const shutOut = async () => {
        for (let i = 0; i < 5; i++) await call("POST", "/api/firstfactor", credentials("wrong wrong wrong"));
        expect(await call("POST", "/api/firstfactor", credentials(secrets.adminPassword))).toBe(401);
      };
      const opened = () => call("POST", "/api/firstfactor", credentials(secrets.adminPassword));
      expect((await ops(world, ["unban"])).stdout).toBe("Nobody is banned.\n");
      await shutOut();
      const { stdout } = await ops(world, ["unban", "--list"]);
      const [, address = ""] = /^([\d.]+) until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/m.exec(stdout) ?? [];
      const words = await failureOf(ops(world, ["unban", "192.0.2.200"]));
      expect(words).toContain(`192.0.2.200 is not banned; banned: ${address}`);
      expect((await ops(world, ["unban", address])).stdout).toBe(`${address} can sign in again.\n`);
      expect(await opened()).toBe(200);
      await shutOut();
      await ops(world, ["unban"]);
      expect(await opened()).toBe(200);
    });
  });

  test("password sets a new one; neither it nor its hash is on a command line, and later deploys keep it", async () => {
    const changed = ops(world, ["password"], { input: `${opsPassword}\n` });
    let seen = "";
    const ended = changed.then(() => true);
    while (!(await Promise.race([ended, new Promise<false>((resolve) => setTimeout(resolve, 100, false))])))
      seen += execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
    expect((await changed).stdout).toContain(`The password of ${username} is changed`);
    expect(seen).not.toContain(opsPassword);
    expect(seen).not.toContain("$argon2id");
    const accepted = async (password: string) => {
      let answer = 0;
      await inPortal(world, async (call) => {
        answer = await call("POST", "/api/firstfactor", credentials(password));
      });
      return answer === 200;
    };
    expect(await eventually(30, () => accepted(opsPassword))).toBe(true);
    // From here on as an SSH user with sudo, which must do as well as root.
    world.sandbox.configure({
      timeZone: "Asia/Shanghai",
      hostUser: "admin",
      automaticUpdates: undefined,
      updateRebootTime: "04:30",
    });
    await world.up();
    expect(await accepted(opsPassword)).toBe(true);
    expect(await failureOf(ops(world, ["password"], { input: "short" }))).toContain("is shorter than 12 characters");
    // The folder is Authelia's own: root must follow no link there.
    const mounted = "$(docker volume inspect --format '{{.Mountpoint}}' cloudcode-auth_config)";
    await world.onHost("echo kept >/root/victim; chmod 644 /root/victim");
    await world.onHost(
      `docker exec ${await world.container("auth", "authelia")} ln -s /root/victim /config/users.yml.password`,
    );
    await ops(world, ["password"], { input: `${opsPassword}\n` });
    expect(await world.onHost("cat /root/victim; rm /root/victim")).toBe("kept");
    expect(await world.onHost(`stat -c '%F %u %a' "${mounted}/users.yml"; ls "${mounted}"`)).toMatch(
      /^regular file 8000 600\n(?!.*password)/s,
    );
    expect(await eventually(30, () => accepted(opsPassword))).toBe(true);
  });

  test("the host installs its security updates by itself, and reboots for them at the time given", async () => {
    const setting = (name: string) => world.onHost(`eval "$(apt-config shell value ${name})"; echo "$value"`);
    expect(await setting("APT::Periodic::Unattended-Upgrade")).toBe("1");
    expect(await setting("Unattended-Upgrade::Automatic-Reboot")).toBe("true");
    expect(await setting("Unattended-Upgrade::Automatic-Reboot-Time")).toBe("04:30");
    expect(await world.onHost("systemctl is-active apt-daily.timer apt-daily-upgrade.timer")).toBe("active\nactive");
    const words = await world.onHost("unattended-upgrade --dry-run --verbose 2>&1");
    expect(words).toMatch(/Allowed origins are: .*(security|Debian)/i);
  });

  test("rollback returns to the release before at once; the next preview shows the difference, and up heals it", async () => {
    const memory = () => world.onHost("docker inspect --format '{{.HostConfig.Memory}}' cloudcode-opencode-server-1");
    const before = await memory();
    world.sandbox.configure({ opencodeMemoryMiB: "1250" });
    await world.up();
    expect(await memory()).toBe(String(1250 * 2 ** 20));
    const { stdout } = await ops(world, ["rollback", "opencode"]);
    expect(stdout).toMatch(/release (\w+) of opencode is running and replaces (\w+)/);
    expect(await memory()).toBe(before);
    const checks = await status();
    expect(reds(checks).filter((name) => name !== "dns" && name !== "updates")).toEqual([]);
    expect(checks.find(({ name }) => name === "release opencode")?.seen).toContain("after ops rollback");
    const preview = await world.sandbox.pulumi(["preview", "--diff"]);
    expect(preview.stdout).toMatch(/\+-command:local:Command: \(replace\)\n.*\n? *\[urn=\S+::opencode-release\]/);
    await failureOf(world.sandbox.pulumi(["preview", "--expect-no-changes"]));
    await world.up();
    expect(await memory()).toBe(String(1250 * 2 ** 20));
    await world.sandbox.pulumi(["preview", "--expect-no-changes"]);
  });

  test("stop is for a person: a reboot of Docker does not end it, no check is red, start and restart wait until it is healthy", async () => {
    const running = () => world.onHost("docker ps --filter name=cloudcode-opencode- --format '{{.Names}} {{.Status}}'");
    expect((await ops(world, ["stop", "opencode"])).stdout).toContain("opencode is stopped");
    await world.onHost("systemctl stop docker.socket docker; systemctl start docker");
    expect(await running()).toBe("");
    const checks = await status();
    expect(reds(checks).filter((name) => name !== "dns" && name !== "updates")).toEqual([]);
    const stopped = checks.find(({ name }) => name === "container opencode/server");
    expect(stopped?.state).toBe("none");
    expect(stopped?.seen).toMatch(
      /^stopped since \S+Z by \S+@\S+ from [\d.]+; npm run ops -- start opencode starts it$/,
    );
    await ops(world, ["start", "opencode", "server"]);
    expect(await running()).toMatch(/^cloudcode-opencode-server-1 Up .*\(healthy\)$/);
    expect((await ops(world, ["restart", "opencode"])).stdout).toContain("opencode has restarted and is healthy");
    expect((await running()).split("\n")).toHaveLength(1);
    expect(await failureOf(ops(world, ["restart", "opencode", "terminal"]))).toContain("is stopped since");
    await ops(world, ["start", "opencode"]);
    expect((await running()).split("\n")).toHaveLength(2);
    expect(await failureOf(ops(world, ["stop", "opencode", "data"]))).toContain(
      "opencode has no service data; it has server, terminal",
    );
    await world.sandbox.pulumi(["preview", "--expect-no-changes"]);
  });

  test("history names every change, who made it and what came of it", async () => {
    const { stdout } = await ops(world, ["history", "-n", "8"]);
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(8);
    expect(lines[0]).toMatch(/^\S+Z {2}opencode +rollback +\w+ +running +\S+@\S+ from [\d.]+$/);
    expect(lines[1]).toMatch(/^\S+Z {2}opencode +apply +\w+ +running +pulumi from [\d.]+$/);
    for (const [index, words] of [
      [2, "stop +\\w+ +stopped"],
      [3, "start +\\w+ +server running"],
      [4, "restart +\\w+ +running"],
      [5, "restart +\\w+ +refused"],
      [6, "start +\\w+ +running"],
      [7, "stop +\\w+ +refused"],
    ] as const)
      expect(lines[index]).toMatch(new RegExp(`^\\S+Z {2}opencode +${words} +\\S+@\\S+ from [\\d.]+$`));
  });

  test("history names who signed in; the access log shows requests without what is secret, and is in no backup", async () => {
    await inPortal(world, async (call) => {
      for (const password of [secrets.adminPassword, opsPassword])
        await call("POST", "/api/firstfactor", credentials(password));
      await call("POST", "/api/nothing?token=of-the-test", {});
    });
    const signedIn = (await ops(world, ["history", "-n", "1"])).stdout;
    expect(signedIn).toMatch(/^\S+Z {2}auth {2}sign-in +password accepted {2}from [\d.]+\n$/);
    const { stdout } = await ops(world, ["logs", "edge", "--access", "-n", "5"]);
    expect(stdout).toMatch(
      new RegExp(`  POST auth\\.${world.domain.replaceAll(".", "\\.")}/api/nothing…  \\d+ ms$`, "m"),
    );
    expect(stdout).not.toContain("of-the-test");
    const traffic = JSON.parse((await ops(world, ["status", "--traffic", "--json"])).stdout) as { requests: number };
    expect(traffic.requests).toBeGreaterThan(2);
    const kept = await world.onHost(". /opt/cloudcode/bin/backup-volumes.sh; volumes edge");
    expect(kept.split("\n").map((line) => line.split(" ")[0])).toEqual(["config", "data"]);
  });

  test("the stack's key is in no file while a command runs, and its agent ends with it, even by a signal", async () => {
    const key = world.sandbox.loginKey.privateKey.split("\n")[2] ?? "";
    const find = () =>
      run("sh", ["-c", 'grep -rlF "$1" /tmp /dev/shm /run --exclude-dir=.sandbox 2>/dev/null || true', "sh", key]).then(
        ({ stdout }) => stdout,
      );
    const place = mkdtempSync(join(tmpdir(), "ops-test-"));
    const agents = async () =>
      Number((await run("sh", ["-c", 'pgrep -fc "^ssh-agent -D -a $1/" || true', "sh", place])).stdout);
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const { program, args, cwd, env } = await opsCommand(world, ["logs", "edge", "-f"]);
      const child = spawn(program, args, { cwd, env: { ...process.env, ...env, TMPDIR: place }, stdio: "ignore" });
      expect(await eventually(30, async () => (await agents()) === 1)).toBe(true);
      expect(await find()).toBe("");
      child.kill(signal);
      expect(await eventually(5, async () => (await agents()) === 0)).toBe(true);
    }
    rmSync(place, { recursive: true });
  });

  test("an SSH user with sudo has a shell of its own, and root's rights where a command needs them", async () => {
    expect((await ops(world, ["ssh", "id -un"])).stdout.trim()).toBe("admin");
    expect((await ops(world, ["exec", "auth/authelia", "id", "-u"])).stdout.trim()).toBe("8000");
    expect(reds(await status()).filter((name) => name !== "dns" && name !== "updates")).toEqual([]);
  });
}
