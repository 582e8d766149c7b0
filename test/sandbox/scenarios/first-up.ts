import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../../../cli/run";
import { type World, secrets, username } from "../world";

/** From a bare machine to a running home, with nothing secret left in sight. */
export function firstUp(world: World): void {
  let output = "";
  let processes = "";

  beforeAll(async () => {
    world.sandbox.configure({ adminUsername: username });
    await world.setSecrets(secrets);
    await holdAptLock(world, 20);
    const up = world.up("--diff");
    const ended = up.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([ended, sleep(300, false)]))) processes += await processList(world);
    output = await up;
  });

  test("one up brings up every container healthy", async () => {
    const states = await world.onHost("docker ps --all --format '{{.Names}} {{.Status}}'");
    const lines = states.split("\n");
    expect(
      lines
        .filter((line) => /\(healthy\)$/.test(line))
        .map((line) => line.split(" ")[0])
        .sort(),
    ).toEqual([
      "cloudcode-auth-authelia-1",
      "cloudcode-auth-sessions-1",
      "cloudcode-edge-caddy-1",
      "cloudcode-opencode-server-1",
      "cloudcode-opencode-terminal-1",
    ]);
    expect(lines.filter((line) => !line.endsWith("(healthy)"))).toEqual([
      expect.stringContaining("cloudcode-auth-seed-1 Exited (0)"),
    ]);
  });

  test("an apt lock that another program held was waited for", async () => {
    expect(await world.onHost("cat /tmp/apt-lock")).toBe("held and released");
    expect(await world.onHost("dpkg --audit")).toBe("");
  });

  test("its outputs tell the operator where to go", async () => {
    const { stdout } = await world.sandbox.pulumi(["stack", "output", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      url: `https://${world.domain}`,
      urls: { OpenCode: `https://code.${world.domain}` },
      adminUsername: username,
      adminPassword: "[secret]",
    });
  });

  test("the printed SSH command works as it stands, with a known_hosts file of its own", async () => {
    const { sandbox } = world;
    const { stdout } = await sandbox.pulumi(["stack", "output", "sshCommand"]);
    const [cwd, env] = [sandbox.folder, sandbox.env];
    const answer = await run("sh", ["-c", stdout], { input: "hostname\n", cwd, env });
    await run("sh", ["-c", "rm ~/.ssh/known_hosts_cloudcode-sandbox"]);
    // Behind the machine's greeting.
    expect(answer.stdout.trim().split("\n").at(-1)).toBe(sandbox.name);
  });

  test("the API key with all its odd characters reaches OpenCode whole", async () => {
    const value = await world.onHost(
      'docker exec cloudcode-opencode-server-1 sh -c \'tr "\\0" "\\n" < /proc/$(pgrep -o -f "opencode serve")/environ\' | sed -n \'s/^ANTHROPIC_API_KEY=//p\'',
    );
    expect(value).toBe(secrets.opencodeAnthropicApiKey);
  });

  test("no secret stands in the output of up, in plain state, or in a process list here or on the host", async () => {
    const state = await world.stateText();
    const file = readdirSync(`${world.sandbox.folder}/state`, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".json"))
      .map((name) => readFileSync(`${world.sandbox.folder}/state/${name}`, "utf8"))
      .join("");
    expect(processes).toContain("cloudcode-host apply");
    for (const [where, text] of Object.entries({ output, processes, state, file })) {
      for (const secret of [...Object.values(secrets), world.sandbox.loginKey.privateKey.split("\n")[2] ?? ""]) {
        expect({ where, shows: text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1)) }).toEqual({
          where,
          shows: false,
        });
      }
    }
  });

  test("none can be worked out of the state without its passphrase, nor the key of its digests", async () => {
    expect(await world.leaks([...Object.values(secrets), world.sandbox.loginKey.privateKey])).toEqual([]);
  });

  test("none stands in what engine and SDK tell somebody who looks for a fault", async () => {
    const { stdout, stderr } = await world.sandbox.pulumi(["preview", "--debug", "--logtostderr", "-v=9"]);
    const told = { debug: stdout + stderr };
    expect(told.debug).toContain("RegisterResource");
    expect(await world.leaks([...Object.values(secrets), world.sandbox.loginKey.privateKey], told)).toEqual([]);
  });

  test("secret files on the host are readable by their owner alone", async () => {
    const modes = await world.onHost(
      "find /opt/cloudcode/stacks \\( -path '*/secrets*' -o -name '*_API_KEY' -o -name operator.yml \\) -type f -printf '%m\\n' | sort -u",
    );
    expect(modes).toBe("400");
    // The machine's own first user has the uid of OpenCode's container.
    const read = await world.onHost(
      `key=$(find /opt/cloudcode/stacks -user admin -name '*_API_KEY' | head -n 1); [ -n "$key" ] && su admin -c "cat $key" 2>&1; true`,
    );
    expect(read).toMatch(/Permission denied/);
  });

  test("password login is off", async () => {
    expect(await world.onHost("sshd -T | grep -i '^passwordauthentication'")).toBe("passwordauthentication no");
  });
}

async function processList(world: World): Promise<string> {
  const here = await run("ps", ["-eo", "args"]).then(({ stdout }) => stdout);
  // The test's own look at the host would find itself.
  return here + (await world.onHost("ps -eo args").catch(() => ""));
}

/** Does to apt what unattended upgrades do in the first minutes of a machine (canonical/cloud-init#2908). */
async function holdAptLock(world: World, seconds: number): Promise<void> {
  const script = `use Fcntl; open(my $lock, ">", "/var/lib/dpkg/lock-frontend") or die;
my $all = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0); fcntl($lock, F_SETLK, $all) or die;
open(my $note, ">", "/tmp/apt-lock"); syswrite $note, "held"; sleep ${seconds}; syswrite $note, " and released";`;
  await world.onHost(`setsid perl -e '${script}' >/dev/null 2>&1 & until [ -s /tmp/apt-lock ]; do sleep 0.1; done`);
}
