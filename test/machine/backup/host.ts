import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../../../cli/cache";
import { type System, baseImage } from "../../../sandbox/host/base";
import { buildImage } from "../../../sandbox/host/build";
import { CommandError, type Output, run } from "../../../cli/run";
import { say } from "../../../cli/say";
import { tarOf } from "../../../sandbox/host/tar";
import { resticRecipe } from "../../../sandbox/images/recipes";
import { projectRoot } from "../../support/project-root";
import { Machine } from "../machine";

const templates = join(projectRoot, "stack-templates", "host");
const here = join(__dirname);

/** Docker's name for the plugin of a machine whose stacks have no containers. */
const compose = `#!/bin/sh
[ "$1" != docker-cli-plugin-metadata ] || echo '{"SchemaVersion":"0.1.0","Vendor":"test","Version":"v2.0.0"}'
`;

/** One file or folder of a workspace; see make.py. Paths are hex, since names hold any byte. */
export interface Entry {
  readonly path: string;
  readonly kind: string;
  readonly owner: number;
  readonly mode: number;
  /** Nanoseconds since 1970. */
  readonly time: number;
  readonly to?: string;
  readonly data?: string;
  readonly size?: number;
  readonly names?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** A machine with Docker, the real cloudcode-backup, the real restic, and a repository in a folder. */
export class BackupHost {
  /** Variables of cloudcode-backup, as words of env. */
  environment = "";

  private constructor(readonly machine: Machine) {}

  /** @param stacks their names; each has a volume `data` */
  static async start(system: System, stacks: readonly string[]): Promise<BackupHost> {
    const machine = await Machine.start(system, "backup");
    await machine.install("docker.io", ...(system === "debian 13" ? ["docker-cli"] : []), "jq", "python3", "sqlite3");
    const image = await buildImage(resticRecipe(await baseImage({ cacheDir, say })), say);
    const archive = `/tmp/${machine.name}.tar`;
    await run("docker", ["save", "--output", archive, image]);
    await run("docker", ["cp", archive, `cloudcode-${machine.name}:/root/restic.tar`]);
    await run("rm", [archive]);
    const settings = { repository: "/backups", image, host: "home", keep_daily: 7, keep_weekly: 5, keep_monthly: 6 };
    const file = (path: string, text: string, mode = 0o644) => ({ path, mode, text });
    const host = new BackupHost(machine);
    await host.put([
      file("opt/cloudcode/bin/cloudcode-backup", readFileSync(join(templates, "cloudcode-backup"), "utf8"), 0o755),
      ...[
        ...readdirSync(templates).filter((n) => n.startsWith("backup-")),
        ...readdirSync(join(templates, "volumes")).map((n) => `volumes/${n}`),
      ]
        .filter((name) => /\.(sh|py)$/.test(name))
        .map((name) => file(`opt/cloudcode/bin/${name}`, readFileSync(join(templates, name), "utf8"))),
      file(
        "opt/cloudcode/backup/settings.sh",
        Object.entries(settings)
          .map(([k, v]) => `${k}=${v}\n`)
          .join(""),
      ),
      file("opt/cloudcode/backup/env", "SECRET_OF_THE_STORE=hidden-in-the-environment\n", 0o600),
      file("opt/cloudcode/backup/password", "hidden-password\n", 0o600),
      file("usr/local/lib/docker/cli-plugins/docker-compose", compose, 0o755),
      ...["make.py", "look.py", "write.py"].map((name) => file(`root/${name}`, readFileSync(join(here, name), "utf8"))),
      ...stacks.flatMap((stack) => [
        file(`opt/cloudcode/stacks/${stack}/releases/r1/compose.yaml`, "services: {}\n"),
        file(`opt/cloudcode/stacks/${stack}/releases/r1/plan`, "timeout 60\n"),
      ]),
    ]);
    await machine.run(`systemctl start docker && docker load --quiet --input /root/restic.tar && rm /root/restic.tar`);
    for (const stack of stacks) {
      const label = (key: string, value: string) => `--label com.docker.compose.${key}=${value}`;
      await machine.run(`ln -s r1 /opt/cloudcode/stacks/${stack}/releases/current
        docker volume create ${label("project", `cloudcode-${stack}`)} ${label("volume", "data")} cloudcode-${stack}_data`);
    }
    return host;
  }

  private async put(files: Parameters<typeof tarOf>[0]): Promise<void> {
    await this.machine.run("tar -xC /", { input: await tarOf(files) });
  }

  /** Folder of a stack's volume on the machine. */
  volume(stack: string): string {
    return `/var/lib/docker/volumes/cloudcode-${stack}_data/_data`;
  }

  /** Fills a stack's volume with these alone. */
  async fill(stack: string, entries: readonly Entry[]): Promise<void> {
    const folder = this.volume(stack);
    await this.machine.run(`find ${folder} -mindepth 1 -delete; exec python3 /root/make.py ${folder}`, {
      input: JSON.stringify(entries),
    });
  }

  /** All that a stack's volume has, as look.py says. */
  async look(stack: string): Promise<string[]> {
    const { stdout } = await this.machine.run(`exec python3 /root/look.py ${this.volume(stack)}`);
    return stdout.trim().split("\n");
  }

  async backup(...words: readonly string[]): Promise<{ readonly code: number; readonly said: readonly string[] }> {
    const line = `exec env ${this.environment} /opt/cloudcode/bin/cloudcode-backup ${words.join(" ")}`;
    const { code, output } = await this.machine.run(line).then(
      (done: Output) => ({ code: 0, output: done }),
      (error: unknown) => {
        if (!(error instanceof CommandError)) throw error;
        return { code: 1, output: error.output };
      },
    );
    return { code, said: output.stdout.trim().split("\n") };
  }

  /** Id of the newest snapshot of a stack. */
  async newest(stack: string): Promise<string> {
    const { said } = await this.backup("snapshots");
    const all = JSON.parse(said.join("\n")) as readonly { id: string; tags: readonly string[] }[];
    return all.filter(({ tags }) => tags.includes(`app=${stack}`)).at(-1)?.id ?? "";
  }

  /** A shell line that is restic at the repository. */
  restic(words: string): string {
    return `. /opt/cloudcode/backup/settings.sh; docker run --rm --interactive --hostname elsewhere --env RESTIC_PASSWORD=hidden-password \\
      --volume /backups:/backups --entrypoint restic "$image" --repo /backups ${words}`;
  }
}
