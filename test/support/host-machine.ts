import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReleasePlan } from "../../components/stack/plan";
import { releasePayload } from "../../components/stack/payload";
import type { Release } from "../../components/stack/release";
import { projectRoot } from "./project-root";

const templates = join(projectRoot, "stack-templates", "host");

/** What a call of cloudcode-host left behind. */
export interface Outcome {
  readonly status: number | null;
  /** The lines of its standard output, where its own words are. */
  readonly said: readonly string[];
}

/** A machine in a folder: the real cloudcode-host as it is, given that folder and shorter waits, on a docker that only records. */
export class HostMachine {
  readonly folder = mkdtempSync(join(tmpdir(), "host-"));
  readonly stack = join(this.folder, "stacks", "app");
  readonly #fake = join(this.folder, "fake-docker");
  readonly #command = join(this.folder, "bin", "cloudcode-host");
  readonly #environment: Record<string, string>;
  #rules = 0;

  constructor() {
    mkdirSync(join(this.#fake, "rules"), { recursive: true });
    mkdirSync(join(this.folder, "bin"));
    for (const name of [
      "cloudcode-host",
      "start-first.sh",
      "newest-listener.pl",
      ...readdirSync(templates).filter((one) => /^(cloudcode-backup|(host|backup)-.*\.sh)$/.test(one)),
    ])
      this.install(name, readFileSync(join(templates, name), "utf8"));
    this.install("docker", readFileSync(join(__dirname, "fake-docker.sh"), "utf8"));
    this.memory(4096);
    this.#environment = {
      PATH: `${join(this.folder, "bin")}:${process.env["PATH"] ?? ""}`,
      FAKE_DOCKER: this.#fake,
      CLOUDCODE_ROOT: this.folder,
      CLOUDCODE_LOGS: join(this.folder, "logs"),
      CLOUDCODE_MEMINFO: join(this.folder, "meminfo"),
      CLOUDCODE_INTERFACES: join(this.folder, "interfaces"),
      CLOUDCODE_LOCK_SECONDS: "1",
    };
  }

  /**
   * From now on docker has volumes, whose files are in the folder that this gives by their names, and every start runs this script: its
   * argument is the release. Mounts and unmounts do nothing.
   */
  withVolumes(names: readonly string[], onUp: string): (name: string) => string {
    const folder = (name: string) => join(this.#fake, "volumes", `cloudcode-app_${name}`, "_data");
    for (const name of names) mkdirSync(folder(name), { recursive: true });
    this.install("fake-docker.sh", readFileSync(join(__dirname, "fake-docker.sh"), "utf8"));
    this.install("docker", readFileSync(join(__dirname, "fake-volumes.sh"), "utf8"));
    for (const name of ["mount", "umount"]) this.install(name, `#!/bin/sh\n[ ${name} = mount ]\n`);
    writeFileSync(join(this.#fake, "on-up"), onUp);
    return folder;
  }

  /** The root of Docker's files. */
  get dockerRoot(): string {
    return this.#fake;
  }

  /** Puts a program on the PATH of the machine. */
  install(name: string, text: string): void {
    const file = join(this.folder, "bin", name);
    writeFileSync(file, text);
    chmodSync(file, 0o755);
  }

  /** Gives the machine this memory, in MiB. */
  memory(mib: number): void {
    writeFileSync(join(this.folder, "meminfo"), `MemTotal: ${mib * 1024} kB\nMemFree: 1 kB\n`);
  }

  /** From now on docker answers calls that fit the shell pattern like this, until the file that this gives is removed. */
  answer(pattern: string, output: string, exitCode = 0): string {
    // The newest rule wins.
    const rule = join(this.#fake, "rules", String(1000 - this.#rules++).padStart(4, "0"));
    writeFileSync(rule, `${pattern}\n${exitCode}\n${output}`);
    return rule;
  }

  async apply(release: Release): Promise<Outcome> {
    return this.run(["apply", "app", release.id], await releasePayload(release));
  }

  remove(word: "keep-data" | "delete-data"): Outcome {
    return this.run(["remove", "app", word], "");
  }

  /** Runs the machine's real cloudcode-backup. */
  backup(...words: readonly string[]): Outcome {
    const program = join(this.folder, "bin", "cloudcode-backup");
    return outcome(spawnSync("sh", [program, ...words], { encoding: "utf8", env: this.#environment }));
  }

  run(args: readonly string[], input: string): Outcome {
    return outcome(spawnSync("sh", [this.#command, ...args], { input, encoding: "utf8", env: this.#environment }));
  }

  /** The same with files of at most this many KiB, so that unpacking ends as on a full disk. */
  runWithFileLimit(args: readonly string[], input: string, blocks: number): Outcome {
    const line = `ulimit -f ${blocks}; exec sh "$@"`;
    return outcome(
      spawnSync("sh", ["-c", line, "sh", this.#command, ...args], { input, encoding: "utf8", env: this.#environment }),
    );
  }

  /** Holds the stack's lock as a running change does; call the result to let it go. */
  async hold(): Promise<() => void> {
    mkdirSync(join(this.folder, "stacks"), { recursive: true });
    const lock = join(this.folder, "stacks", ".app.lock");
    const line = 'exec 9>"$1"; flock 9; echo held; exec sleep 60';
    const holder = spawn("sh", ["-c", line, "sh", lock], { stdio: ["ignore", "pipe", "ignore"] });
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    return () => holder.kill();
  }

  /** What docker was called for since the last look, project and file shortened to the release: `compose[r1] up …`. */
  calls(): string[] {
    const file = join(this.#fake, "calls");
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").trim().split("\n");
    rmSync(file);
    return lines.map((line) =>
      line.replace(
        /^compose --project-name cloudcode-app --project-directory \S+ --file \S+\/releases\/(\w+)\/compose\.yaml/,
        "compose[$1]",
      ),
    );
  }

  /** Name of the release that `current` points to. */
  current(): string | undefined {
    const link = join(this.stack, "releases", "current");
    return existsSync(link) ? readlinkSync(link) : undefined;
  }

  /** Names below the stack's folder. */
  list(path: string): string[] {
    const folder = join(this.stack, path);
    return existsSync(folder) ? readdirSync(folder).sort() : [];
  }

  destroy(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function outcome({ status, stdout }: SpawnSyncReturns<string>): Outcome {
  return { status, said: stdout.split("\n").filter((line) => line !== "") };
}

/** A release whose stack needs something of the machine: its scripts write down what is done, and `ready.sh` ends so. */
export function machineRelease(id: string, notes: string, exitCode = 0): Release {
  const plain = release(id);
  const script = (name: string, line: string) => ({
    path: `host/${name}`,
    mode: 0o500,
    owner: process.getuid?.() ?? 0,
    content: `#!/bin/sh\n${line}\n`,
  });
  const files = [
    script("ready.sh", `echo "ready ${id} $(basename "$1")" >>${notes}; echo ${id} says; exit ${exitCode}`),
    script("gone.sh", `echo "gone ${id} $1" >>${notes}`),
  ];
  return { ...plain, files: [...plain.files, ...files] };
}

/** A release by its name, of one compose file that mounts one file. */
export function release(id: string, plan: Partial<ReleasePlan> = {}, secrets: readonly string[] = []): Release {
  const mounted = `files/${id.padEnd(16, "0")}/app.conf`;
  const file = { mode: 0o400, owner: process.getuid?.() ?? 0 };
  return {
    id,
    digests: [],
    files: [
      { ...file, path: "compose.yaml", content: `# mounts ./${mounted}\n` },
      { ...file, path: mounted, content: id },
    ],
    plan: { networks: [], ...plan },
    secrets,
  };
}
