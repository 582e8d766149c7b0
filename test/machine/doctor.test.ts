import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheDir } from "../../cli/cache";
import { CommandError, run } from "../../cli/run";
import { say } from "../../cli/say";
import { type PreparedPulumi, preparePulumi } from "@cloudcode/offline-kit/toolchain";
import { keyPair } from "../support/keys";
import { projectRoot } from "../support/project-root";
import { Machine, chosenSystems } from "./machine";

// `ops doctor --host` as an operator types it, with the real CLI, for a stack that was never up. The first run builds the CLI.
jest.setTimeout(30 * 60_000);

let engine: PreparedPulumi;
let machine: Machine;
let folder: string;
let env: Record<string, string>;

const pulumi = (args: readonly string[], input?: string) =>
  run(engine.pulumi, [...args, "--cwd", folder, "--non-interactive"], {
    env,
    ...(input === undefined ? {} : { input }),
  });

async function doctor(): Promise<{ readonly code: "fine" | "red"; readonly said: string }> {
  const args = ["--import", "tsx", "ops/main.ts", "-C", folder, "doctor", "--host"];
  const options = { cwd: projectRoot, env: { ...env, NO_COLOR: "1" } };
  return run(process.execPath, args, options).then(
    ({ stdout, stderr }) => ({ code: "fine", said: stdout + stderr }),
    (error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      return { code: "red", said: error.output.stdout + error.output.stderr };
    },
  );
}

beforeAll(async () => {
  engine = await preparePulumi({ cacheDir, say });
  machine = await Machine.start(chosenSystems.at(-1) ?? "debian 13", "doctor");
  folder = mkdtempSync(join(tmpdir(), "doctor-"));
  cpSync(join(projectRoot, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
  env = { ...engine.env, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "x" };
  await pulumi(["stack", "init", "look"]);
  const { public: hostKey } = machine.hostKey;
  for (const [key, value] of [
    ["target", "existing"],
    ["hostAddress", machine.address],
    ["hostKey", hostKey],
    ["hostUser", "admin"],
  ] as const)
    await pulumi(["config", "set", key, value]);
  await pulumi(["config", "set", "--secret", "hostPrivateKey"], machine.login.private);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await machine.remove();
});

/** All files but the records of a login itself. */
const files = async () => {
  const { stdout } = await machine.run(
    "find / -xdev -path /var/log -prune -o -path /run -o -printf '%p %s %T@ %C@ %m %u\\n' | sort; find /run /tmp /dev/shm -xdev -type f | grep -v -E '^/run/(log|systemd|user|sudo|utmp)'; ps -eo args= | grep -v -E '^(\\[|ps |find |sort|sh -c|grep|sshd|\\(sd-pam|/usr/lib/systemd|/lib/systemd)'",
  );
  return stdout;
};

it("looks at the machine before the first up, by the address, user and key of the configuration, and changes nothing", async () => {
  await doctor();
  const before = await files();
  const { code, said } = await doctor();
  expect(said).toMatch(new RegExp(`^ok +reach +admin@${machine.address} port 22\n`));
  expect(said).not.toMatch(/RED/);
  expect(code).toBe("fine");
  expect(await files()).toBe(before);
});

it("finds what is in the way, with an exit code, whatever the login shell is", async () => {
  await machine.run(`mkdir -p /etc/docker /etc/dokploy && echo '{"userns-remap": "default"}' >/etc/docker/daemon.json`);
  await pulumi(["config", "set", "--path", "sshCidrs[0]", "2001:db8::/32"]);
  for (const shell of ["/bin/bash", "/bin/dash"]) {
    await machine.run(`usermod --shell ${shell} admin`);
    const { code, said } = await doctor();
    expect(said).toMatch(/RED +daemon-userns .*\n +-> take userns-remap out of/);
    expect(said).toMatch(/warn +panel +Dokploy is installed here/);
    expect(said).toMatch(
      /RED +ssh-cidrs +sshCidrs does not contain 10\.213\.\d+\.1, .*\n +-> pulumi config set --path 'sshCidrs\[1\]'/,
    );
    expect(code).toBe("red");
  }
});

it("looks at the workers, too, each under its name", async () => {
  const worker = await Machine.start(chosenSystems.at(-1) ?? "debian 13", "worker");
  try {
    await worker.run(`echo '${machine.login.public}' >>/home/admin/.ssh/authorized_keys`);
    await pulumi(["config", "set", "lwsandboxEnabled", "true"]);
    await pulumi(["config", "set", "--path", "lwsandboxWorkerHosts[0]", `${worker.address} ${worker.hostKey.public}`]);
    const { said } = await doctor();
    expect(said).toMatch(/^RED +daemon-userns/m);
    expect(said).toMatch(new RegExp(`^ok +worker-\\S+ reach +admin@${worker.address} port 22$`, "m"));
    expect(said).toMatch(/^(ok +worker-\S+ machine|RED +worker-\S+ memory)/m);
    expect(said).not.toMatch(/worker-\S+ daemon-userns/);
  } finally {
    for (const key of ["lwsandboxEnabled", "lwsandboxWorkerHosts"]) await pulumi(["config", "rm", key]);
    await worker.remove();
  }
});

it("says in one line why the machine was not reached, and what to do", async () => {
  await machine.run("rm /etc/sudoers.d/admin");
  expect((await doctor()).said).toMatch(
    /RED +reach +Root: .*sudo: .*password.*\n +-> on the machine, as root: echo 'USER ALL=/,
  );
  await pulumi(["config", "set", "hostKey", keyPair().public]);
  expect((await doctor()).said).toMatch(/RED +reach +.*Host key verification failed.*\n +-> compare hostKey with/);
  await pulumi(["config", "set", "hostPort", "1"]);
  expect((await doctor()).said).toMatch(/RED +reach +.*Connection refused.*\n +-> is the machine on/);
});

it("tells every problem of the settings before it goes anywhere", async () => {
  await pulumi(["config", "set", "hostUser", "no such user"]);
  await pulumi(["config", "rm", "hostAddress"]);
  const { said } = await doctor();
  expect(said).toMatch(/RED +settings/);
  expect(said).toContain("hostUser");
  expect(said).toContain("hostAddress");
});

it("has nothing to look at where the machine is yet to be made", async () => {
  for (const key of ["target", "sshCidrs", "hostAddress", "hostPrivateKey", "hostKey", "hostUser", "hostPort"])
    await pulumi(["config", "rm", key]);
  await pulumi(["config", "set", "--path", "sshCidrs[0]", "203.0.113.0/24"]);
  expect(await doctor()).toMatchObject({
    code: "fine",
    said: expect.stringMatching(/^- +machine +there is none yet/) as unknown,
  });
});
