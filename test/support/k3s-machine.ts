import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { projectRoot } from "./project-root";

const templates = join(projectRoot, "stack-templates", "lwsandbox", "host");

/** k3s that knows only `kubectl`, and answers as a cluster that is ready, with a token in $MACHINE/token. */
const fakeK3s = `#!/bin/sh
echo "k3s $*" >>"$MACHINE/calls"
[ ! -e "$MACHINE/broken" ] || exit 1
case "$*" in
  *"data.token"*) base64 -w0 <"$MACHINE/token" ;;
  *"ca"*crt*) printf Y2E= ;;
  *podCIDR*) printf 10.42.0.0/24 ;;
  "kubectl --kubeconfig"*" apply -f -") cat >"$MACHINE/applied" ;;
esac
`;

interface Ended {
  readonly status: number | null;
  /** The last line of standard error. */
  readonly said: string;
  readonly printed: string;
}

/** A machine in a folder: the real ready.sh and gone.sh of lwsandbox with other folders, on tools that only record. */
export class K3sMachine {
  readonly folder = mkdtempSync(join(tmpdir(), "k3s-"));
  readonly mirror = join(this.folder, "mirror");
  private readonly bin = join(this.folder, "bin");
  private readonly scripts = join(this.folder, "host");
  private sums: readonly [string, string] = ["", ""];

  constructor() {
    for (const path of ["bin", "host", "mirror", "stack", "units", "cgroups/kubepods"]) {
      mkdirSync(join(this.folder, path), { recursive: true });
    }
    this.publish(fakeK3s, "images ".repeat(10_000));
    writeFileSync(join(this.folder, "token"), "token-1");
    writeFileSync(join(this.folder, "cgroups/kubepods/cgroup.procs"), "");
    this.install("docker", this.recorder("docker", `[ "$1 $2" != "volume inspect" ] || echo "$MACHINE/volume"`));
    this.install("iptables", this.recorder("iptables"));
    for (const name of ["ip", "journalctl", "umount"]) this.install(name, this.recorder(name));
    this.install(
      "systemctl",
      this.recorder(
        "systemctl",
        'case "$*" in "is-active"*) [ -e "$MACHINE/active" ] ;; "restart"*) touch "$MACHINE/active" ;; "disable"*) rm -f "$MACHINE/active" ;; esac',
      ),
    );
    this.install("sleep", "#!/bin/sh\n");
    for (const name of [
      "config.yaml",
      "registries.yaml",
      "firewall",
      "run.sh",
      "cluster.yaml",
      "cloudcode-k3s.service",
    ])
      this.write(name, `${name}\n`);
  }

  /** Puts these two files where k3s is downloaded from, and pins them. */
  publish(binary: string, images: string): void {
    this.sums = [binary, images].map((text) => createHash("sha256").update(text).digest("hex")) as [string, string];
    writeFileSync(join(this.mirror, "k3s"), binary);
    writeFileSync(join(this.mirror, "k3s-airgap-images-amd64.tar.zst"), images);
  }

  /** Puts a program on the PATH of the machine. */
  install(name: string, text: string): void {
    const file = join(this.bin, name);
    writeFileSync(file, text);
    chmodSync(file, 0o755);
  }

  /** Text of a file that the release brings. */
  write(name: string, text: string): void {
    writeFileSync(join(this.scripts, name), text);
  }

  /** Path below the machine's own folders: `k3s/…`, `data/…`, `units/…`, `stack/…`. */
  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  text(...parts: readonly string[]): string {
    return readFileSync(this.path(...parts), "utf8");
  }

  put(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  ready(url = `file://${this.mirror}`, more = "workers=\nnode_address=\n"): Ended {
    this.settings(url, more);
    return this.run("ready.sh", this.path("stack"));
  }

  /** Makes it a worker that joins with a token. */
  agent(words: readonly string[], token: string): Ended {
    this.settings(`file://${this.mirror}`, "workers=yes\nnode_address=\n");
    this.write("secrets", `${token}\n`);
    return this.run("agent.sh", ...words);
  }

  worker(...words: readonly string[]): Ended {
    return this.run("worker.sh", ...words);
  }

  private settings(url: string, more: string): void {
    this.write(
      "settings.sh",
      `version=v1\nurl=${url}\nbinary_sha256=${this.sums[0]}\nimages_sha256=${this.sums[1]}\napi_address=10.44.0.1\n${more}`,
    );
  }

  gone(word: "keep-data" | "delete-data"): Ended {
    return this.run("gone.sh", word);
  }

  /** Calls of the tools since the last look. */
  calls(): string[] {
    const file = this.path("calls");
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").trim().split("\n");
    rmSync(file);
    return lines.map((line) => line.replaceAll(this.folder, ""));
  }

  destroy(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private recorder(name: string, then = ""): string {
    return `#!/bin/sh\necho "${name} $*" >>"$MACHINE/calls"\n${then}\n`;
  }

  private run(script: string, ...words: readonly string[]): Ended {
    for (const name of ["k3s.sh", "gone.sh", "worker.sh"]) this.bring(name);
    this.bring(script);
    const env = { PATH: `${this.bin}:${process.env["PATH"] ?? ""}`, MACHINE: this.folder };
    const { status, stdout, stderr } = spawnSync("sh", [join(this.scripts, script), ...words], {
      encoding: "utf8",
      env,
    });
    return { status, said: stderr.trim().split("\n").at(-1) ?? "", printed: stdout };
  }

  private bring(script: string): void {
    let text = readFileSync(join(templates, script), "utf8");
    for (const [from, to] of [
      ["/opt/cloudcode/k3s", "k3s"],
      ["/opt/cloudcode/bin", "bin-of-a-host"],
      ["/var/lib/rancher/k3s", "data"],
      ["/etc/systemd/system", "units"],
      ["/sys/fs/cgroup", "cgroups"],
      ["/var/lib/kubelet", "kubelet"],
      ["/var/lib/cni", "cni"],
      ["/etc/rancher/node", "node"],
      ["/proc/mounts", "mounts"],
      ["/run/k3s", "run/k3s"],
      ["/run/flannel", "run/flannel"],
    ] as const) {
      text = text.replaceAll(from, this.path(to));
    }
    writeFileSync(join(this.scripts, script), text.replace("wait_seconds=300", "wait_seconds=4"));
  }
}
