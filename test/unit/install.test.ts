import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../support/program";

const source = readFileSync(join(projectRoot, "stack-templates", "host", "install.sh"), "utf8");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "install-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs the real installer with its folders below a temporary one, and every tool it could change a machine with refused. */
function install(system: string, packages = "docker-ce"): { status: number | null; said: string } {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const name of [
    "apt-get",
    "systemctl",
    "docker",
    "dockerd",
    "curl",
    "cloud-init",
    "dpkg",
    "iptables",
    "swapon",
    "sshd",
  ]) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >>"${folder}/touched"\nexit 1\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const script = source.replace(
    /\/(var\/log\/cloudcode|opt\/cloudcode|etc\/docker|etc\/apt|etc\/ssh|etc\/systemd)/g,
    `${folder}/$1`,
  );
  writeFileSync(join(folder, "install.sh"), script);
  writeFileSync(
    join(folder, "settings.sh"),
    `packages=${packages}\napt_repository=x\nswap_mib=0\nntp_server=\nssh_port=22\nssh_cidrs=\n`,
  );
  writeFileSync(join(folder, "os-release"), system);
  const env = { PATH: `${bin}:${process.env["PATH"] ?? ""}`, OS_RELEASE: join(folder, "os-release") };
  const { status, stdout } = spawnSync("sh", [join(folder, "install.sh")], { encoding: "utf8", env });
  return { status, said: stdout.split("\n")[0] ?? "" };
}

const touched = () => spawnSync("cat", [join(folder, "touched")], { encoding: "utf8" }).stdout;

describe("a system that is not supported", () => {
  it.each([
    ["Ubuntu 20.04", 'ID=ubuntu\nVERSION_ID="20.04"\nPRETTY_NAME="Ubuntu 20.04.6 LTS"\n', "Ubuntu 20.04.6 LTS"],
    [
      "Debian 11",
      'ID=debian\nVERSION_ID="11"\nPRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\n',
      "Debian GNU/Linux 11 (bullseye)",
    ],
    [
      "Alibaba Cloud Linux",
      'ID="alinux"\nVERSION_ID="3"\nPRETTY_NAME="Alibaba Cloud Linux 3"\n',
      "Alibaba Cloud Linux 3",
    ],
    ["one without a pretty name", "ID=arch\nVERSION_ID=rolling\n", "arch rolling"],
    ["one without a version", 'ID=arch\nPRETTY_NAME="Arch Linux"\n', "Arch Linux"],
  ])("%s is refused in one sentence, and nothing is installed", (_name, system, shown) => {
    const { status, said } = install(system);
    expect(said).toBe(
      `cloudcode: this machine runs ${shown}; cloudcode supports Ubuntu 22.04 and 24.04, Debian 12 and 13`,
    );
    expect(status).toBe(1);
    expect(touched()).toBe("");
  });

  it("Debian 12 is refused where its own packages were asked for, since they hold no Compose v2", () => {
    const { status, said } = install('ID=debian\nVERSION_ID="12"\n', "distribution");
    expect(said).toBe("cloudcode: Debian 12 has no Compose v2 of its own: set dockerPackages to docker-ce");
    expect(status).toBe(1);
    expect(touched()).toBe("");
  });
});

describe("a supported system", () => {
  it.each([
    ['ID=ubuntu\nVERSION_ID="24.04"\n', "distribution"],
    ['ID=ubuntu\nVERSION_ID="22.04"\n', "docker-ce"],
    ['ID=debian\nVERSION_ID="12"\n', "docker-ce"],
    ['ID=debian\nVERSION_ID="13"\n', "distribution"],
  ])("goes on to wait for cloud-init, whose failure is told: %j", (system, packages) => {
    const { status, said } = install(system, packages);
    expect(said).toBe("cloudcode: cloud-init failed on this machine: see cloud-init status --long");
    expect(status).toBe(1);
    expect(touched()).toBe("cloud-init status --wait\n");
  });
});
