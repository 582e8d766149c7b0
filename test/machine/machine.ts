import { cacheDir } from "../../cli/cache";
import type { System } from "../../sandbox/host/base";
import { ensureDocker } from "../../sandbox/host/docker";
import { hostExec, startHost, stopHost } from "../../sandbox/host/host";
import { type Output, type RunOptions, until } from "../../cli/run";
import { say } from "../../cli/say";
import { keyPair } from "../support/keys";

/** Those of the supported systems that a run may leave out, as CLOUDCODE_SYSTEMS="debian 12,ubuntu 24.04" says. */
export const chosenSystems = (
  process.env["CLOUDCODE_SYSTEMS"] ?? "debian 12,debian 13,ubuntu 22.04,ubuntu 24.04"
).split(",") as System[];

/** A machine of one of the supported systems, as a container with systemd and sshd, that a test may bring into odd states. */
export class Machine {
  readonly login = keyPair();
  readonly hostKey = keyPair();

  private constructor(
    readonly name: string,
    readonly system: System,
  ) {}

  /** IPv4 address at which its sshd answers. */
  address = "";

  /** @param purpose tells machines of one system in different test files apart */
  static async start(system: System, purpose: string): Promise<Machine> {
    await ensureDocker(say);
    const machine = new Machine(`${purpose}-${system.replace(/[ .]/g, "-")}`, system);
    await machine.remove();
    const { address } = await startHost({
      name: machine.name,
      system,
      cacheDir,
      say,
      authorizedKey: machine.login.public,
      hostKeyPair: { privateKey: machine.hostKey.private, publicKey: machine.hostKey.public },
    });
    machine.address = address;
    await until(
      60,
      async () => (/^(running|degraded)$/m.test(await machine.words("systemctl is-system-running")) ? true : undefined),
      () => machine.words("systemctl --failed; systemctl list-jobs"),
    );
    return machine;
  }

  /** Runs a shell script as root. @throws CommandError where it fails */
  run(script: string, options: RunOptions = {}): Promise<Output> {
    return hostExec(this.name, ["sh", "-c", script], options);
  }

  /** What a script prints, whether it fails or not. */
  words(script: string): Promise<string> {
    return this.run(`{ ${script}\n} 2>&1 || true`).then(({ stdout }) => stdout.trim());
  }

  /** Installs packages of the system. */
  async install(...packages: readonly string[]): Promise<void> {
    const apt = "DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=60 -qq";
    await this.run(`${apt} update && ${apt} install -y --no-install-recommends ${packages.join(" ")} >/dev/null`);
  }

  remove(): Promise<void> {
    return stopHost(this.name);
  }
}
