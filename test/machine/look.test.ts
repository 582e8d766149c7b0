import { hostValues } from "../../components/host/docker-engine";
import { inboundRules } from "../../components/host/network";
import { unpackAndRun } from "../../components/stack/payload";
import { judgeLook, lookCommand, lookScript } from "../../ops/doctor/look";
import type { Check } from "../../ops/status/check";
import { CommandError } from "../../cli/run";
import { hostKey } from "../support/minimal";
import { runProgram } from "../support/program";
import { inputOf } from "../support/releases";
import { settingsOf } from "../support/settings";
import { Machine, chosenSystems } from "./machine";
import { type OddState, dockerStates, states } from "./look/states";

// The first run on a machine makes an image of each system.
jest.setTimeout(15 * 60_000);

/** The look with the settings of the tests, and these. */
function script(more: Readonly<Record<string, string>>): string {
  const { docker, values } = settingsOf(more);
  const network = { inbound: inboundRules(22, values.sshCidrs), enforced: false };
  return lookScript(hostValues(docker, { port: 22, network }, undefined), {});
}

async function look(machine: Machine, more: Readonly<Record<string, string>> = {}): Promise<Check[]> {
  const { stdout } = await machine.run(lookCommand, { input: script(more) });
  return judgeLook(stdout);
}

/** Every file with its size, times, owner and mode, and every process, but for what a look into it is itself. */
const everything = (machine: Machine) =>
  machine
    .run(
      `find / /run /tmp /dev/shm -xdev -path /run/systemd/journal -prune -o -path /run -o -path /run/log -prune -o -printf '%p %s %T@ %C@ %m %u %g\\n' | sort -u
       ps -eo pid=,args= | grep -v -E 'ps -eo|find /|sort -u|sh -c|grep -v| \\['; cat /proc/modules /proc/mounts; iptables-save 2>/dev/null | grep -v '^#' || true`,
    )
    .then(({ stdout }) => stdout);

/** A machine that is a container has no IPv6 in this network: true, and nothing that a test brought about. */
const foundBesides = (checks: readonly Check[]) => checks.filter(({ name }) => name !== "ipv6" && name !== "machine");

/** The containers that run, a neighbour's first of all, and since when. */
const containers = "docker inspect --format '{{.Name}} {{.State.StartedAt}}' $(docker ps --quiet)";

async function tries(machine: Machine, state: OddState): Promise<void> {
  await machine.run(state.enter);
  try {
    const before = await machine.words(containers);
    const checks = await look(machine, state.settings);
    const seen = foundBesides(checks).map(
      (check) => `${check.state} ${check.name}: ${check.seen} -> ${check.fix ?? ""}`,
    );
    expect(seen.sort()).toEqual(state.found.map((pattern) => expect.stringMatching(pattern) as unknown));
    expect(await machine.words(containers)).toBe(before);
  } finally {
    await machine.run(state.leave);
  }
}

describe.each(chosenSystems)("a fresh %s", (system) => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await Machine.start(system, "look");
    // What the states below are made of.
    await machine.install("nginx-light", "fish", "ufw");
    await machine.run("systemctl disable --now nginx; systemctl reset-failed; apt-get clean");
  });
  afterAll(() => machine.remove());

  it("has nothing in the way, and the look leaves no trace of itself", async () => {
    await look(machine);
    const before = await everything(machine);
    expect(foundBesides(await look(machine))).toEqual([]);
    expect(await everything(machine)).toBe(before);
  });

  const here = states.filter(({ systems }) => systems?.includes(system) ?? true);
  it.each(here.map((state) => [state.name, state] as const))("tells of %s", (_name, state) => tries(machine, state));

  it("is as it was when all of that is over", async () => {
    expect(foundBesides(await look(machine))).toEqual([]);
  });

  it("tells all of it at once, in words and with a failure, before the installer makes its first folder", async () => {
    const two = states.filter(({ name }) => ["nginx on 80 and 443", "a daemon.json that is none"].includes(name));
    for (const { enter } of two) await machine.run(enter);
    const before = await everything(machine);
    const input = script({}).replace("export LOOK_FORMAT=lines", "export LOOK_FORMAT=words");
    const own = await machine.run(`(${lookCommand}) 2>/dev/null || echo "ends with $?"`, { input });
    expect(own.stdout).toMatch(/^cloudcode: \d things are in the way on this machine; nothing of it was changed:\n/);
    expect(own.stdout).toMatch(/ {2}ports: nginx[^\n]*\n {4}fix: systemctl disable --now nginx.service\n/);
    expect(own.stdout).toMatch(/ {2}daemon-json: [^\n]*\n {4}fix: /);
    expect(own.stdout).toMatch(/ends with 1\n$/);
    expect(await everything(machine)).toBe(before);
    for (const { leave } of two) await machine.run(leave);
  });
});

/** What the program sends to a worker before k3s. */
async function prepareWorker(machine: Machine): Promise<{ readonly ok: boolean; readonly said: string }> {
  const lwsandboxWorkerHosts = JSON.stringify([`203.0.113.8 ${hostKey}`]);
  const run = await runProgram({ lwsandboxEnabled: "true", lwsandboxWorkerHosts });
  const input = inputOf(run, "worker-203-0-113-8-upkeep");
  return machine.run(unpackAndRun("upkeep.sh", ""), { input }).then(
    ({ stdout }) => ({ ok: true, said: stdout }),
    (error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      return { ok: false, said: error.output.stdout };
    },
  );
}

describe.each(chosenSystems)("a worker on %s", (system) => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await Machine.start(system, "look-worker");
  });
  afterAll(() => machine.remove());

  it("is looked at before anything of it is touched, and told all that is in the way at once", async () => {
    const odd = states.filter(({ name }) =>
      ["a package that is installed by half", "a file system that is mounted read-only"].includes(name),
    );
    // The release itself is unpacked there, and goes again.
    const files = async () => (await everything(machine)).replace(/^\/tmp .*\n/m, "");
    for (const { enter } of odd) await machine.run(enter);
    const before = await files();
    const { ok, said } = await prepareWorker(machine);
    const after = await files();
    for (const { leave } of odd) await machine.run(leave);
    expect(ok).toBe(false);
    expect(said).toMatch(/^cloudcode: \d things are in the way on this machine; nothing of it was changed:\n/);
    expect(said).toMatch(/ {2}dpkg: these packages are installed by half: half\n/);
    expect(said).toMatch(/ {2}read-only: \/opt cannot be written/);
    expect(after).toBe(before);
  });

  it("is prepared where nothing is in the way; ports and Docker of its own are none of ours", async () => {
    await machine.run(`systemd-run --quiet --unit pages perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(80, INADDR_ANY)); listen(S, 1); sleep 600'
      mkdir -p /etc/docker && echo none >/etc/docker/daemon.json`);
    expect(await prepareWorker(machine)).toEqual({ ok: true, said: "cloudcode: updates are set\n" });
    expect(await machine.words("ls /etc/apt/apt.conf.d/60cloudcode-updates")).toMatch(/updates$/);
    expect(await prepareWorker(machine)).toMatchObject({ ok: true });
  });
});

// A loop, since `each` takes no empty list: a run may have no Debian.
for (const system of chosenSystems.filter((name) => name.startsWith("debian")))
  describe(`${system} with the distribution's Docker`, () => {
    let machine: Machine;
    const packages = system === "debian 12" ? ["docker.io"] : ["docker.io", "docker-cli", "docker-compose"];
    beforeAll(async () => {
      machine = await Machine.start(system, "look-docker");
      await machine.install("busybox-static", "jq", "curl", ...packages);
      await machine.run(`systemctl start docker
      mkdir -p /tmp/image/bin && cp /bin/busybox /tmp/image/bin/ && tar -C /tmp/image -c . | docker import - tiny
      docker tag tiny traefik:v3
      docker run --detach --restart unless-stopped --name neighbour tiny /bin/busybox sleep 1000000`);
    });
    afterAll(() => machine.remove());

    const here = dockerStates.filter(({ systems }) => systems?.includes(system) ?? true);
    it.each(here.map((state) => [state.name, state] as const))("tells of %s", (_name, state) => tries(machine, state));
  });
