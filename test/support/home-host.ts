import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyPair } from "./keys";
import { projectRoot } from "./project-root";
import { type Answer, type Listening, sshHost } from "./ssh-host";

const templates = join(projectRoot, "stack-templates", "host");

/**
 * A host of several stacks in a folder, behind an SSH server: the real cloudcode-host and cloudcode-backup, on a docker that only plays
 * (fake-home.sh). What a client runs sees that folder as /opt/cloudcode.
 */
export class HomeHost {
  readonly folder = mkdtempSync(join(tmpdir(), "home-host-"));
  private readonly host = keyPair();
  private readonly login = keyPair();
  private server: Listening | undefined;

  /** @param name of its Pulumi stack @param store folder of the backups, which hosts share */
  constructor(
    readonly name: string,
    private readonly store: string,
    private readonly stacks: readonly string[],
  ) {
    for (const path of ["bin", "backup", "logs", "units", "docker/running"])
      mkdirSync(join(this.folder, path), { recursive: true });
    for (const one of readdirSync(templates).filter((file) => /^(cloudcode-(host|backup)|.*\.(sh|pl))$/.test(file)))
      this.program(one, readFileSync(join(templates, one), "utf8"));
    this.program("docker", readFileSync(join(__dirname, "fake-home.sh"), "utf8"));
    for (const one of ["mount", "umount"]) this.program(one, `#!/bin/sh\n[ ${one} = mount ]\n`);
    const settings = { repository: "s3:https://example.com/b", image: "example/restic:1", host: name };
    const keep = { keep_daily: 7, keep_weekly: 5, keep_monthly: 6 };
    this.write(
      "backup/settings.sh",
      Object.entries({ ...settings, ...keep })
        .map(([key, value]) => `${key}=${value}\n`)
        .join(""),
    );
    this.write("meminfo", "MemTotal: 4194304 kB\n");
    for (const stack of stacks) {
      this.write(`stacks/${stack}/releases/r1/compose.yaml`, "services: {}\n");
      this.write(`stacks/${stack}/releases/r1/plan`, "timeout 60\n");
      symlinkSync("r1", join(this.folder, `stacks/${stack}/releases/current`));
      this.data(stack, "");
    }
    this.write("stacks/edge/releases/r1/live/Caddyfile", "\ttry_files /moving\n");
  }

  async start(): Promise<void> {
    this.server = await sshHost(this.host.private, this.login.public, this.answer);
  }

  async stop(): Promise<void> {
    await this.server?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What the outputs of its stack say of the way to it. */
  get connection() {
    const [privateKey, hostKey] = [this.login.private, this.host.public];
    return { host: "127.0.0.1", port: this.server?.port ?? 0, user: "root", privateKey, hostKey };
  }

  /** As a release that has gone live leaves them. */
  runAll(): void {
    for (const stack of this.stacks) this.write(`docker/running/${stack}`, "");
  }

  /** As a release that was applied on standby leaves them. */
  standBy(): void {
    this.write("stacks/.standby", "yes\n");
    for (const stack of this.stacks) this.write(`stacks/${stack}/stopped/all`, "by standby\n");
  }

  get running(): string[] {
    return readdirSync(join(this.folder, "docker/running")).sort();
  }

  /** Writes what an App has, or reads it. */
  data(stack: string, text?: string): string {
    const path = `docker/volumes/cloudcode-${stack}_data/_data/db`;
    if (text !== undefined) this.write(path, text);
    return readFileSync(join(this.folder, path), "utf8");
  }

  has(path: string): boolean {
    return existsSync(join(this.folder, path));
  }

  write(path: string, text: string): void {
    const file = join(this.folder, path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, text);
  }

  private program(name: string, text: string): void {
    this.write(`bin/${name}`, text);
    chmodSync(join(this.folder, "bin", name), 0o755);
  }

  private readonly answer: Answer = (line, channel) => {
    const [, words = ""] = line.split("' sh ");
    const env = {
      CLOUDCODE_ROOT: this.folder,
      CLOUDCODE_LOGS: join(this.folder, "logs"),
      CLOUDCODE_MEMINFO: join(this.folder, "meminfo"),
      CLOUDCODE_UNITS: join(this.folder, "units"),
      FAKE_HOME: join(this.folder, "docker"),
      FAKE_STORE: this.store,
    };
    const pairs = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    const script = Buffer.from(words.replaceAll(/[' ]/g, ""), "base64")
      .toString()
      .replaceAll("/opt/cloudcode", this.folder)
      .replace(" PATH=", ` ${pairs.join(" ")} PATH=${this.folder}/bin:`);
    const child = spawn("sh", ["-c", script], { env: { PATH: process.env["PATH"] } });
    child.stdin.end();
    channel.resume();
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    child.once("close", (code) => {
      channel.exit(code ?? 1);
      channel.end();
    });
  };
}
