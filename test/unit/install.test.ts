import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../support/project-root";

const templates = join(projectRoot, "stack-templates", "host");
const source = readFileSync(join(templates, "install.sh"), "utf8");

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
  cpSync(join(templates, "look"), join(folder, "look"), { recursive: true });
  writeFileSync(
    join(folder, "settings.sh"),
    `packages=${packages}\napt_repository=x\nswap_mib=0\nntp_server=\nssh_port=22\nssh_cidrs=\ndata_disk=\ndaemon_json={}\n`,
  );
  mkdirSync(join(folder, "root", "etc"), { recursive: true });
  writeFileSync(join(folder, "root", "etc", "os-release"), system);
  const env = { PATH: `${bin}:${process.env["PATH"] ?? ""}`, LOOK_ROOT: join(folder, "root") };
  const { status, stdout } = spawnSync("sh", [join(folder, "install.sh")], { encoding: "utf8", env });
  return { status, said: stdout };
}

/** What was called that does more than to tell of itself. */
const changes = () =>
  readFileSync(join(folder, "touched"), "utf8")
    .split("\n")
    .filter(
      (call) =>
        !/^$|^systemctl (show|is-active|list-\S+) |^docker (info|ps|compose version|service ls)|^dockerd --version/.test(
          call,
        ),
    )
    .filter(
      (call) =>
        !/^dpkg --(audit|get-selections|print-architecture)$|^sshd -t$|^apt-get .*( check|-c \S+ update)$/.test(call),
    );

const nothingChanged = () => {
  expect(changes()).toEqual([]);
  for (const path of ["var", "opt", "etc"]) expect(existsSync(join(folder, path))).toBe(false);
};

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
    expect(said).toContain(
      `  system: this machine runs ${shown}; cloudcode supports Ubuntu 22.04 and 24.04, Debian 12 and 13\n    fix: `,
    );
    expect(status).toBe(1);
    nothingChanged();
  });

  it("Debian 12 is refused where its own packages were asked for, since they hold no Compose v2", () => {
    const { status, said } = install('ID=debian\nVERSION_ID="12"\n', "distribution");
    expect(said).toContain(
      "  system: Debian 12 has no Compose v2 of its own\n    fix: pulumi config set dockerPackages docker-ce\n",
    );
    expect(status).toBe(1);
    nothingChanged();
  });
});

describe("a supported system", () => {
  it.each([
    ['ID=ubuntu\nVERSION_ID="24.04"\n', "distribution"],
    ['ID=ubuntu\nVERSION_ID="22.04"\n', "docker-ce"],
    ['ID=debian\nVERSION_ID="12"\n', "docker-ce"],
    ['ID=debian\nVERSION_ID="13"\n', "distribution"],
  ])("is not what is in the way: %j", (system, packages) => {
    const { status, said } = install(system, packages);
    expect(said).toMatch(/^cloudcode: \d+ things are in the way on this machine; nothing of it was changed:\n/);
    expect(said).not.toContain("  system:");
    expect(said).toContain("\n  apt-broken: ");
    expect(status).toBe(1);
    nothingChanged();
  });
});
