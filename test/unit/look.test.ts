import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { hostValues } from "../../components/host/docker-engine";
import { inboundRules } from "../../components/host/network";
import { workerValues } from "../../components/workers/app-worker";
import { judgeLook, lookCommand, lookScript, workerLookScript } from "../../ops/doctor/look";
import { settingsOf } from "../support/settings";
import { removeShells, shells } from "../support/shells";

// What no container of ours can be brought into: the look reads a folder that stands for the machine, and asks programs that tell of it.
const files = {
  "etc/os-release": 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04 LTS"\n',
  "etc/resolv.conf": "nameserver 192.0.2.53\n",
  "proc/1/comm": "systemd\n",
  "proc/filesystems": "nodev\toverlay\n",
  "proc/meminfo": "MemTotal: 4000000 kB\n",
  "proc/mounts": "/dev/vda1 / ext4 rw,relatime 0 0\n",
  "proc/net/if_inet6": "",
  "proc/uptime": "5000.00 9000.00\n",
  "proc/sys/net/ipv4/ip_forward": "1\n",
  "sys/fs/cgroup/cgroup.controllers": "cpu memory pids\n",
  "usr/.keep": "",
  "opt/.keep": "",
  "tmp/.keep": "",
  "var/lib/.keep": "",
  "var/log/.keep": "",
};
const programs = {
  systemctl: "exit 0",
  "systemd-detect-virt": "echo none; exit 1",
  modprobe: "exit 0",
  timedatectl: "echo yes",
  uname: "case $1 in -m) echo x86_64 ;; *) echo 6.8.0-99-generic ;; esac",
  docker:
    'case "$*" in "compose version"*) echo 2.40.0 ;; "info --format {{.ServerVersion}}"*) echo 29.0.1 ;; *Swarm*) echo inactive ;; esac',
  dockerd: "echo Docker version 29.0.1, build x",
  "apt-get":
    'case "$*" in *update) d=$(sed -n "s/^Dir::State::Lists \\"\\(.*\\)\\";/\\1/p" "$2"); : >"$d/x_InRelease" ;; esac',
  dpkg: "exit 0",
  sshd: "exit 0",
  ip: "exit 0",
  jq: "exit 0",
  flock: "exit 0",
  iptables: "exit 0",
  curl: "exit 0",
  getent: "echo root:x:0:0::/root:/bin/bash",
  lsattr: 'shift; for file; do echo "--------------e------- $file"; done',
};
type Texts = Readonly<Record<string, string>>;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "look-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
afterAll(removeShells);

interface Odd {
  readonly files?: Texts;
  /** What links point to, by their path. */
  readonly links?: Texts;
  readonly programs?: Texts;
  readonly settings?: Texts;
  readonly env?: Texts;
  readonly memoryMiB?: number;
  readonly x86Apps?: readonly string[];
  readonly clock?: number;
  readonly shell?: ReturnType<typeof shells>[number];
  /** Whether the machine is a worker. @default it is the host */
  readonly worker?: boolean;
}

/** `STATE CODE: SENTENCE -> FIX` of what the look finds. */
function look(odd: Odd = {}): string[] {
  for (const [path, text] of Object.entries({ ...files, ...odd.files })) {
    mkdirSync(dirname(join(folder, "root", path)), { recursive: true });
    writeFileSync(join(folder, "root", path), text);
  }
  for (const [path, target] of Object.entries(odd.links ?? {})) {
    mkdirSync(dirname(join(folder, "root", path)), { recursive: true });
    symlinkSync(target, join(folder, "root", path));
  }
  mkdirSync(join(folder, "bin"), { recursive: true });
  for (const [name, text] of Object.entries({ ...programs, ...odd.programs })) {
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, "bin", name), 0o755);
  }
  const { docker, values } = settingsOf(odd.settings);
  const network = { inbound: inboundRules(22, values.sshCidrs), enforced: false };
  const input = odd.worker
    ? workerLookScript(workerValues(docker))
    : lookScript(hostValues(docker, { port: 22, network }, undefined), odd);
  const { command, path } = odd.shell ?? { command: ["sh"] as const, path: process.env["PATH"] ?? "" };
  const [program, ...words] = command;
  const { stdout, stderr } = spawnSync(program, [...words, "-c", lookCommand, "sh", String(odd.clock ?? "")], {
    input,
    encoding: "utf8",
    env: { PATH: `${join(folder, "bin")}:${path}`, LOOK_ROOT: join(folder, "root"), SSH_CONNECTION: "", ...odd.env },
  });
  expect(stderr).toBe("");
  return judgeLook(stdout).map(({ state, name, seen, fix }) => `${state} ${name}: ${seen} -> ${fix ?? ""}`);
}

const fine = ["ok machine: no problem was found -> "];
const client = (address: string, port = 22) => ({ SSH_CONNECTION: `${address} 50000 10.0.0.2 ${port}` });
const process1 = (pid: number, comm: string, more: Texts = {}): Texts => ({
  [`proc/${pid}/comm`]: `${comm}\n`,
  ...Object.fromEntries(Object.entries(more).map(([name, text]) => [`proc/${pid}/${name}`, text])),
});

/** A dockerd of root's. */
const dockerd = (cmdline: string, cgroup: string) =>
  process1(88, "dockerd", { status: "Uid:\t0\t0\t0\t0\n", cmdline, cgroup });

// busybox would run its own programs in place of those above, and no supported system has its shell.
const hostShells = shells().filter(({ name }) => name !== "busybox");
describe.each(hostShells.map((shell) => [shell.name, shell] as const))(
  "a machine that is as it should be, by %s",
  (_name, shell) => {
    it("has nothing in the way", () => {
      expect(look({ shell })).toEqual(fine);
    });

    it.each([
      ["systemd", "systemd", "1", "0::/init.scope\n"],
      ["its proxy", "systemd-socket-", "55", "0::/system.slice/cloudcode-moved-443.service\n"],
    ])("may pass its ports on to the host that its home moved to, by %s", (_which, comm, pid, cgroup) => {
      const at = (unit: string) => ({
        shell,
        files: {
          "proc/net/tcp": " sl local\n 1: 00000000:01BB 00000000:0000 0A 0:0 0:0 0 0 0 4711 2\n",
          ...process1(Number(pid), comm, { cgroup: cgroup.replace("cloudcode-moved-443", unit) }),
        },
        programs: { systemctl: `case $1 in list-sockets) echo "[::]:443 ${unit}.socket ${unit}.service" ;; esac` },
      });
      const links = { [`proc/${pid}/fd/7`]: "socket:[4711]", "proc/99/fd/1": "socket:[4712]" };
      expect(look({ ...at("cloudcode-moved-443"), links })).toEqual(fine);
      expect(look(at("pages"))).toEqual([expect.stringMatching(/^red ports: .*pages/)]);
    });

    it("lets the operator in from where they come, by IPv4 and IPv6", () => {
      const sshCidrs = '["198.51.100.0/24","2001:db8:1::/48"]';
      for (const address of ["198.51.100.7", "::ffff:198.51.100.7", "2001:db8:1:ffff::1", "2001:DB8:1::"])
        expect(look({ shell, settings: { sshCidrs }, env: client(address) })).toEqual(fine);
      for (const [address, cidr] of [
        ["198.51.101.7", "198.51.101.7/32"],
        ["2001:db8:2::1", "2001:db8:2::1/128"],
        ["::1", "::1/128"],
      ] as const)
        expect(look({ shell, settings: { sshCidrs }, env: client(address) })).toEqual([
          `red ssh-cidrs: sshCidrs does not contain ${address}, the address you connect from: it would lock you out -> pulumi config set --path 'sshCidrs[2]' ${cidr}`,
        ]);
    });
  },
);

describe("a worker", () => {
  const noDocker = { "etc/docker/daemon.json": '{"userns-remap": "default"}' };

  it("needs nothing of Docker", () => {
    expect(look({ files: noDocker })).toEqual([expect.stringMatching(/^red daemon-userns: /)]);
    expect(look({ files: noDocker, worker: true })).toEqual(fine);
  });

  it("is looked at as the host is, but for that", () => {
    const odd = { programs: { uname: "echo armv7l" }, worker: true };
    expect(look(odd)).toEqual([expect.stringMatching(/^red architecture: .*armv7l/)]);
  });
});

it.each<[string, Odd, RegExp]>([
  ["a processor of another kind", { programs: { uname: "echo armv7l" } }, /^red architecture: .*armv7l/],
  ["an ARM one", { programs: { uname: "echo aarch64" } }, /^warn architecture: .* images for all Apps but lwsandbox/],
  [
    "a system of 32 bits on a kernel of 64",
    { programs: { dpkg: "case $* in --print-architecture) echo i386 ;; esac" } },
    /^red architecture: .* its system is i386, .* -> install the same system for amd64 or arm64/,
  ],
  [
    "a kernel without what backups need",
    { programs: { uname: "case $1 in -m) echo x86_64 ;; *) echo 4.19.0-27-cloud-amd64 ;; esac" } },
    /^red kernel-old: the running kernel is 4\.19\.0-27-cloud-amd64; backups need 5\.10 or newer -> a kernel of the distribution/,
  ],
  [
    "an ARM one for an App that has no images for it",
    { programs: { uname: "echo aarch64" }, x86Apps: ["lwsandbox"] },
    /^red architecture: lwsandbox has images for x86-64 only, .* -> switch lwsandbox off \(pulumi config set lwsandboxEnabled false\)/,
  ],
  [
    "IPv6 alone",
    {
      programs: {
        ip: 'case $* in "-4 "*) echo "3: docker0 inet 172.17.0.1/16 scope global docker0" ;; *) echo "2: eth0 inet6 2001:db8::7/64 scope global" ;; esac',
      },
    },
    /^red ipv4: this machine has IPv6 alone, and Docker's networks are IPv4: .* -> an IPv4 address, also a private one behind NAT/,
  ],
  [
    "IPv6 alone next to a VPN",
    {
      programs: {
        ip: 'case $* in "-4 -o address"*) echo "3: tailscale0 inet 100.64.0.7/32 scope global tailscale0" ;; "-6 route"*) echo "default via fe80::1 dev eth0" ;; "-6 -o address"*) echo "2: eth0 inet6 2001:db8::7/64 scope global" ;; esac',
      },
    },
    /^red ipv4: this machine has IPv6 alone, /,
  ],
  ["another init", { files: { "proc/1/comm": "runit\n" } }, /^red systemd: .* its first process is runit -> /],
  [
    "WSL without systemd",
    { files: { "proc/1/comm": "init\n", "proc/version": "Linux 5.15 microsoft-standard-WSL2\n" } },
    /^red systemd: .* -> write \[boot\] systemd=true into \/etc\/wsl\.conf/,
  ],
  [
    "a kernel whose modules an update took",
    { files: { "lib/modules/6.8.0-100-generic/x": "" } },
    /^red kernel-modules: the running kernel 6\.8\.0-99-generic has no modules .* -> reboot$/,
  ],
  [
    "a kernel without overlay",
    { files: { "proc/filesystems": "ext4\n" }, programs: { modprobe: "exit 1" } },
    /^red kernel: .* has no overlay, bridge, veth, which/,
  ],
  ["no accounting of memory", { files: { "sys/fs/cgroup/cgroup.controllers": "cpu pids\n" } }, /^red cgroups: /],
  ["OpenVZ", { programs: { "systemd-detect-virt": "echo openvz" } }, /^red container: .*OpenVZ/],
  [
    "LXC that may not nest",
    { programs: { "systemd-detect-virt": "echo lxc", docker: "exit 1", dockerd: "exit 127", unshare: "exit 1" } },
    /^red container: this machine is a container \(lxc\).* -> let it nest: pct set ID --features nesting=1/,
  ],
  ["SELinux", { files: { "sys/fs/selinux/enforce": "1" } }, /^warn selinux: /],
  ["too little memory for an App", { memoryMiB: 7168 }, /^red memory: this machine has 3906 MiB .* need 7168/],
  [
    "memory for OpenCode alone",
    { files: { "proc/meminfo": "MemTotal: 1000000 kB\n" } },
    /^warn memory: this machine has 976 MiB .* -> .*, or OpenCode alone, with opencodeMemoryMiB 650$/,
  ],
  [
    "less memory than was tried",
    { files: { "proc/meminfo": "MemTotal: 500000 kB\n" } },
    /^warn memory: this machine has 488 MiB .* -> a machine with 2 GiB or more$/,
  ],
  [
    "a worker with little memory",
    { files: { "proc/meminfo": "MemTotal: 1000000 kB\n" }, worker: true },
    /^warn memory: this machine has 976 MiB .* -> a machine with 2 GiB or more$/,
  ],
  [
    "a clock beside the operator's",
    { clock: Math.round(Date.now() / 1000) + 90_000 },
    /^warn clock: .* is [89]\d{4} s behind yours/,
  ],
  ["a clock that nobody sets", { programs: { timedatectl: "echo no" } }, /^warn clock: .* is not synchronised/],
  ["no IPv6", { files: { "proc/sys/net/ipv6/conf/all/disable_ipv6": "1" } }, /^warn ipv6: /],
  [
    "Docker's data on NFS",
    { files: { "proc/mounts": "/dev/vda1 / ext4 rw 0 0\nnas:/x /var/lib nfs4 rw 0 0\n" } },
    /^red file-system: .* \/var\/lib nfs4/,
  ],
  [
    "a file that is immutable",
    {
      programs: { lsattr: 'for file; do case $file in */etc/fstab) echo "----i---------e------- $file" ;; esac; done' },
    },
    /^red immutable: \/etc\/fstab .* -> chattr -ia \/etc\/fstab$/,
  ],
  [
    "an apt that has been locked for an hour",
    {
      files: {
        "var/lib/dpkg/lock-frontend": "",
        ...process1(77, "apt get) (x", { stat: `77 (apt get) (x) S ${"1 ".repeat(18)}100 0\n` }),
      },
      programs: {
        stat: 'case "$*" in "-c %i"*lock-frontend) echo 4242 ;; *) exec /usr/bin/stat "$@" ;; esac',
        dockerd: "exit 127",
      },
    },
    /^$/,
  ],
  ["a snap of Docker", { files: { "snap/bin/docker": "" } }, /^red docker-snap: .* -> .*snap remove docker$/],
  [
    "Podman's docker",
    { programs: { docker: "exec podman\nexit 1" } },
    /^red podman: .* -> apt-get remove podman-docker/,
  ],
  [
    "a rootless Docker",
    { files: process1(88, "dockerd", { status: "Uid:\t1000\t1000\t1000\t1000\n", cmdline: "dockerd\0--rootless\0" }) },
    /^warn docker-rootless: /,
  ],
  [
    "a dockerd that nobody looks after",
    {
      files: dockerd("dockerd\0", "0::/user.slice\n"),
    },
    /^red docker-unit: a dockerd runs \(process 88\)/,
  ],
  [
    "another context of root's",
    { files: { "root/.docker/config.json": '{"auths": {}, "currentContext": "far\\u001b"}' } },
    /^red docker-host: root's docker has the context far\\u001b instead .* -> docker context use default$/,
  ],
  [
    "a service that is masked",
    { programs: { systemctl: 'case "$*" in "show -p LoadState --value docker") echo masked ;; esac' } },
    /^red docker-stopped: the service docker is masked -> systemctl unmask/,
  ],
  [
    "Docker's nftables backend where the kernel forwards nothing",
    { files: { "etc/docker/daemon.json": '{"firewall-backend":"nftables"}', "proc/sys/net/ipv4/ip_forward": "0\n" } },
    /^red forwarding: /,
  ],
  [
    "a daemon.json that is a list",
    { files: { "etc/docker/daemon.json": " [1]" } },
    /^red daemon-json: .*holds no JSON object/,
  ],
  [
    "WireGuard on UDP 443",
    { files: { "proc/net/udp": "  sl local\n 1: 00000000:01BB 00000000:0000 07 0:0 0:0 0 0 0 4711 2\n" } },
    /^red ports: the kernel itself holds udp port 443/,
  ],
  [
    "an ingress of Kubernetes",
    {
      programs: {
        systemctl:
          'case "$*" in "is-active k3s "*) printf "active\\ninactive\\ninactive\\ninactive\\n"; exit 3 ;; esac',
        "iptables-save": "echo '-A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 80,443 -j CNI-DN-1'",
      },
    },
    /^red ports: Kubernetes \(k3s\) serves port 80 or 443/,
  ],
  [
    "firewalld that lets nobody in",
    {
      programs: {
        systemctl: 'case "$*" in "show -p ActiveState --value firewalld") echo active ;; esac',
        "firewall-cmd": 'case "$*" in *default-zone) echo public ;; *get-target) echo default ;; *) exit 1 ;; esac',
      },
    },
    /^warn firewalld: firewalld is on and its zone public does not let http https in/,
  ],
  [
    "a table that drops what is forwarded",
    {
      files: { "sys/module/nf_tables/x": "" },
      programs: {
        nft: "printf 'table ip filter {\\n chain FORWARD {\\n type filter hook forward priority 0; policy drop;\\n}\\n}\\ntable inet mine {\\n chain f {\\n type filter hook forward priority 0; policy drop;\\n'",
      },
    },
    /^warn nftables: the nftables table inet mine drops/,
  ],
  [
    "a port that is led to another",
    { settings: { sshCidrs: '["198.51.100.0/24"]' }, env: client("198.51.100.7", 2222) },
    /^warn ssh-port: sshd answers at port 2222/,
  ],
  [
    "a name server that containers must not reach",
    {
      files: {
        "etc/resolv.conf": "nameserver 127.0.0.53\n",
        "run/systemd/resolve/resolv.conf": "nameserver 169.254.169.254\n",
      },
    },
    /^red name-servers: .*169\.254\.169\.254.* -> pulumi config set dockerDns/,
  ],
])("tells of %s", (name, odd, expected) => {
  if (name.startsWith("an apt")) {
    const locks = { "proc/locks": "1: POSIX  ADVISORY  WRITE 77 fe:01:4242 0 EOF\n" };
    expect(look({ ...odd, files: { ...odd.files, ...locks } })[0]).toMatch(
      /^red apt-locked: apt get\) \(x \(process 77\) has kept apt locked for 83 minutes -> /,
    );
    return;
  }
  expect(look(odd)).toEqual([expect.stringMatching(expected)]);
});

describe("what is in order", () => {
  it.each<[string, Odd]>([
    [
      "a name server of the metadata's where dockerDns is set",
      { files: { "etc/resolv.conf": "nameserver 169.254.169.254\n" }, settings: { dockerDns: '["1.1.1.1"]' } },
    ],
    [
      "a dockerd that only looks at a configuration",
      { files: dockerd("dockerd\0--validate\0--config-file\0/x\0", "0::/user.slice\n") },
    ],
    [
      "the service docker that has just been started again",
      { files: dockerd("dockerd\0", "0::/system.slice/docker.service\n") },
    ],
    ["an nftables backend", { files: { "etc/docker/daemon.json": '{"firewall-backend": "nftables"}' } }],
    [
      "log options of another owner",
      { files: { "etc/docker/daemon.json": '{"log-driver": "syslog", "log-opts": {"tag": "x"}}' } },
    ],
    ["an empty daemon.json", { files: { "etc/docker/daemon.json": "" } }],
    ["root in docker's default context", { files: { "root/.docker/config.json": '{"currentContext": "default"}' } }],
    [
      "a connection from port 443",
      { files: { "proc/net/tcp": "  sl\n 1: 0100007F:01BB 0100007F:C000 01 0:0 0:0 0 0 0 4711 2\n" } },
    ],
  ])("%s", (_name, odd) => {
    expect(look(odd)).toEqual(fine);
  });
});

describe("what the look printed", () => {
  const end = (count: number) => `look\tend\t${count}\n`;
  const one = "look\tblocks\tports\tnginx serves port 80\tsystemctl stop nginx\n";

  it("is read past the greeting of a login shell", () => {
    expect(judgeLook(`Welcome!\nlook at me\n${one}${end(1)}`)).toEqual([
      { name: "ports", state: "red", seen: "nginx serves port 80", fix: "systemctl stop nginx" },
    ]);
  });

  it.each([
    ["nothing", ""],
    ["no end", one],
    ["less than it counted", `${one}${end(2)}`],
    ["a line of another form", `look\tfine\tports\tx\ty\n${end(1)}`],
    ["a sequence for a terminal", `look\tblocks\tports\t\u001b[2J\ty\n${end(1)}`],
  ])("is red where it holds %s", (_what, text) => {
    expect(judgeLook(text)).toContainEqual(expect.objectContaining({ name: "look", state: "red" }));
    expect(JSON.stringify(judgeLook(text))).not.toContain("\\u001b");
  });
});
