import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { configurations } from "../support/configurations";
import { hostScripts } from "../support/host-scripts";
import { type ProgramRun, runAlicloud, runProgram } from "../support/program";
import { projectRoot } from "../support/project-root";
import { type ArrivedFile, type UnpackedStack, arrivedFiles, unpack } from "../support/releases";

describe.each(configurations)("with %s", (_name, settings) => {
  let stack: UnpackedStack;
  let image: ReadonlyMap<string, ArrivedFile>;
  beforeAll(async () => {
    const run = await runProgram(settings);
    stack = unpack(run, "docker-install");
    image = await arrivedFiles(run, "opencode-release");
  });
  afterAll(() => {
    stack.remove();
  });

  it("a shell reads the host's settings as they were set", () => {
    const names = ["packages", "apt_repository", "swap_mib", "ntp_server", "ssh_port", "ssh_cidrs"];
    const script = `set -eu; . ./settings.sh; for name in ${names.join(" ")}; do eval "printf '%s\\n' \\"\\$$name\\""; done`;
    const cwd = join(stack.folder, "releases", "this");
    expect(execFileSync("sh", ["-c", script], { cwd, encoding: "utf8", env: {} }).split("\n").slice(0, -1)).toEqual([
      settings["dockerPackages"] ?? "docker-ce",
      settings["dockerAptRepository"] ?? "https://download.docker.com/linux",
      settings["swapMiB"] ?? "2048",
      settings["ntpServer"] ?? "",
      settings["hostPort"] ?? "22",
      (JSON.parse(settings["sshCidrs"] ?? "[]") as string[]).join(" "),
    ]);
  });

  it("Docker's daemon turns logs over, keeps containers alive, and has what was set of mirrors and name servers", () => {
    const given = (key: string) => (settings[key] === undefined ? undefined : (JSON.parse(settings[key]) as unknown));
    expect(JSON.parse(stack.text("daemon.json"))).toEqual({
      "log-driver": "local",
      "log-opts": { "max-size": "10m", "max-file": "3" },
      "live-restore": true,
      "default-address-pools": [{ base: "10.201.0.0/16", size: 24 }],
      ...(given("dockerDns") !== undefined && { dns: given("dockerDns") }),
      ...(given("registryMirrors") !== undefined && { "registry-mirrors": given("registryMirrors") }),
    });
  });

  it("the OpenCode image is built from pinned images of the same registry", () => {
    const lines = image.get("image/Dockerfile")?.content.split("\n") ?? [];
    const registry = settings["imageRegistry"] ?? "docker.io";
    const from = lines.filter((line) => line.startsWith("FROM ")).map((line) => line.split(" ")[1]);
    expect(from).toEqual([
      expect.stringMatching(new RegExp(`^${registry}/tsl0922/ttyd:[\\w.-]+@sha256:[0-9a-f]{64}$`)),
      expect.stringMatching(new RegExp(`^${registry}/library/debian:[\\w.-]+@sha256:[0-9a-f]{64}$`)),
    ]);
    expect(lines.join("\n")).toMatch(/opencode-ai@\d+\.\d+\.\d+/);
  });
});

describe("who keeps SSH to sshCidrs", () => {
  const sshCidrs = '["198.51.100.0/24"]';
  const rendered = async (run: Promise<ProgramRun>) =>
    (await arrivedFiles(await run, "docker-install")).get("settings.sh")?.content;

  it("is an existing machine itself", async () => {
    expect(await rendered(runProgram({ sshCidrs }))).toContain("ssh_cidrs=198.51.100.0/24");
  });

  it("is the security group on Alibaba Cloud, alone: a rule of the machine could lock the operator out for good", async () => {
    expect(await rendered(runAlicloud({ sshCidrs }))).toContain("ssh_cidrs=''");
  });
});

describe("every shell script", () => {
  it("is found by this test", () => {
    expect(hostScripts.map((path) => path.split("/").at(-1)).sort()).toEqual([
      "1-begin.sh",
      "2-system.sh",
      "3-storage.sh",
      "4-packages.sh",
      "5-docker.sh",
      "6-network.sh",
      "7-access.sh",
      "7-mirrors.sh",
      "8-end.sh",
      "admit.sh",
      "agent.sh",
      "apt.sh",
      "backup-drill-stack.sh",
      "backup-drill.sh",
      "backup-format.sh",
      "backup-move.sh",
      "backup-restic.sh",
      "backup-restore.sh",
      "backup-save.sh",
      "backup-swap.sh",
      "backup-volumes.sh",
      "backup.sh",
      "check-space.sh",
      "cloudcode-alert",
      "cloudcode-backup",
      "cloudcode-check",
      "cloudcode-guest",
      "cloudcode-host",
      "cloudcode-name",
      "cloudcode-news",
      "cloudcode-notify",
      "cloudcode-page",
      "cloudcode-space",
      "cloudcode-spot",
      "docker.sh",
      "dump-mysql.sh",
      "dump-postgres.sh",
      "entrypoint.sh",
      "entrypoint.sh",
      "entrypoint.sh",
      "firewall",
      "firewall",
      "gone.sh",
      "gone.sh",
      "halt.sh",
      "host-apply.sh",
      "host-compose.sh",
      "host-format.sh",
      "host-live.sh",
      "host-power.sh",
      "host-remove.sh",
      "host-words.sh",
      "install.sh",
      "k3s.sh",
      "machine.sh",
      "name.sh",
      "operations.sh",
      "prepare.sh",
      "profile.sh",
      "ready.sh",
      "run.sh",
      "seed.sh",
      "skeleton.sh",
      "ssh.sh",
      "start-first.sh",
      "start.sh",
      "terminal.sh",
      "transaction.sh",
      "updates.sh",
      "upkeep.sh",
      "wall.sh",
      "worker.sh",
    ]);
  });

  it("of cloudcode-host and cloudcode-backup are all installed with them, and are small", () => {
    const file = (name: string) => readFileSync(join(projectRoot, "stack-templates", "host", name), "utf8");
    const [, installed = ""] = /^ +parts="(.*)"$/m.exec(file("operations.sh")) ?? [];
    const programs = ["cloudcode-host", "cloudcode-backup"];
    const parts = programs.flatMap((name) =>
      [...file(name).matchAll(/^\. "\$bin\/(.+)"$/gm)].map(([, part = ""]) => part),
    );
    expect(parts.length).toBeGreaterThan(8);
    expect(parts.filter((part) => !installed.split(" ").includes(part))).toEqual([]);
    for (const name of [...programs, ...parts])
      expect([name, file(name).split("\n").length < 150]).toEqual([name, true]);
  });

  it.each(hostScripts)("%s can be parsed by sh", (path) => {
    expect(spawnSync("sh", ["-n", path], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });
});
