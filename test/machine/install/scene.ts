import { unpackAndRun } from "../../../components/stack/payload";
import { cacheDir } from "../../../cli/cache";
import type { System } from "../../../sandbox/host/base";
import { hostImage } from "../../../sandbox/host/recipe";
import { CommandError, type Output, run } from "../../../cli/run";
import { runProgram } from "../../support/program";
import { inputOf } from "../../support/releases";
import { Machine } from "../machine";

/** What an installation said and whether it came to its end. */
export interface Ended {
  readonly ok: boolean;
  readonly said: string;
  /** What `up` shows of a run that goes on. */
  readonly warned: string;
}

/** Addresses and ports of an SSH connection: client's, then server's. */
export const fromIpv4 = "198.51.100.9 50000 127.0.0.1 22";

/** A machine on which the real release of the host is installed, and a container of somebody else that must run on. */
export class Scene {
  private constructor(readonly machine: Machine) {}

  static async start(system: System): Promise<Scene> {
    const scene = new Scene(await Machine.start(system, "install"));
    await scene.machine.run(
      "ln -s /bin/true /usr/local/sbin/sysctl; printf '#!/bin/sh\\necho yes\\n' >/usr/local/bin/timedatectl; chmod +x /usr/local/bin/timedatectl",
    );
    if (system === "debian 12") await scene.bringEngine();
    return scene;
  }

  /** Debian 12 has no Engine that is new enough; one that came from somewhere else is used as it is. */
  private async bringEngine(): Promise<void> {
    await this.machine.install("runc", "iptables", "tini", "jq");
    const packages = "docker.io docker-cli docker-compose docker-buildx containerd";
    const unpack = `apt-get -qq update && cd /tmp && apt-get -qq download ${packages} >&2 && for deb in *.deb; do dpkg-deb -x "$deb" /engine; done && rm -rf /engine/usr/share && tar -C /engine -cz . | base64 -w0`;
    const image = await hostImage({ system: "debian 13", cacheDir, say: () => undefined });
    const { stdout } = await run("docker", ["run", "--rm", "--network", "host", image, "sh", "-c", unpack]);
    await this.machine.run(
      "base64 -d | tar -xz -C / --keep-directory-symlink && groupadd -r docker && systemctl daemon-reload && systemctl enable --now containerd docker",
      { input: stdout },
    );
  }

  /**
   * Runs what the program sends to the host.
   *
   * @param connection addresses and ports of the SSH connection by which it comes
   * @param first shell words before it, whose environment it gets
   */
  async install(
    settings: Readonly<Record<string, string>> = {},
    { connection = fromIpv4, first = "" }: { readonly connection?: string; readonly first?: string } = {},
  ): Promise<Ended> {
    const { command, payload } = await this.program(settings);
    return ended(this.machine.run(`export SSH_CONNECTION='${connection}'\n${first}\n${command}`, { input: payload }));
  }

  private readonly programs = new Map<string, ReturnType<Scene["render"]>>();

  private program(settings: Readonly<Record<string, string>>) {
    const key = JSON.stringify(settings);
    const known = this.programs.get(key) ?? this.render(settings);
    this.programs.set(key, known);
    return known;
  }

  private async render(settings: Readonly<Record<string, string>>) {
    const packages = this.machine.system === "debian 12" ? "docker-ce" : "distribution";
    const all = { dockerPackages: packages, swapMiB: "0", ...settings };
    const payload = inputOf(await runProgram(all), "docker-install");
    return { command: unpackAndRun("install.sh", ""), payload };
  }

  /** Starts another owner's container, which nobody would start again. */
  async neighbour(): Promise<string> {
    await this.machine.run(
      `docker rm -f neighbour 2>/dev/null; docker run -d --stop-timeout 1 --name neighbour still sleep 100000`,
    );
    return this.neighbours();
  }

  /** Process and time of start of that container; they are others as soon as it was stopped. */
  neighbours(): Promise<string> {
    return this.machine.words(
      "docker inspect --format '{{.State.Running}} {{.State.Pid}} {{.State.StartedAt}}' neighbour",
    );
  }

  /** Makes the image of that container, from one static program. */
  async makeImage(): Promise<void> {
    await this.machine.install("busybox-static");
    await this.machine.run(
      "mkdir -p /tmp/still/bin && cp /bin/busybox /tmp/still/bin/ && for name in sh sleep; do ln -sf busybox /tmp/still/bin/$name; done && tar -C /tmp/still -c . | docker import - still",
    );
  }

  /** Restarts Docker with this daemon.json (none: without one), as if cloudcode had never been here. */
  async daemon(json: object | undefined): Promise<void> {
    await this.machine.run(
      `rm -f /opt/cloudcode/host/daemon.json /etc/docker/daemon.json; docker rm -f neighbour >/dev/null 2>&1
       ${json === undefined ? "" : `echo '${JSON.stringify(json)}' >/etc/docker/daemon.json`}
       systemctl reset-failed docker; systemctl restart docker`,
    );
  }

  /** Digest, mode, owner and time of every file that an installation may change. */
  files(): Promise<string> {
    return this.machine.words(
      `find /etc/docker /etc/ssh /etc/apt /etc/fstab /etc/sysctl.d /etc/systemd /opt/cloudcode -not -path '*/host/lock' -not -path /opt/cloudcode/host -not -type d -printf '%p %M %U:%G %T@ %l ' -exec sh -c '[ -L "$1" ] && echo || sha256sum <"$1"' sh {} \\; | sort`,
    );
  }
}

function ended(running: Promise<Output>): Promise<Ended> {
  return running.then(
    ({ stdout, stderr }) => ({ ok: true, said: stdout, warned: stderr }),
    (error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      return { ok: false, said: error.output.stdout, warned: error.output.stderr };
    },
  );
}
