import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
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
import { type ReleasePlan, planText } from "../../components/stack/plan";
import { projectRoot } from "./project-root";

const templates = join(projectRoot, "stack-templates", "host");
const support = join(projectRoot, "test", "support");

/** What `docker compose config` says of the stack: `@own@` is the folder of the release. */
const compose = {
  services: {
    web: {
      image: "example/web:1",
      command: null,
      container_name: "the-living",
      privileged: true,
      environment: { WORD: "a$$b" },
      ports: [{ target: 80, published: "80" }],
      restart: "unless-stopped",
      mem_limit: "4294967296",
      depends_on: { tunnel: { condition: "service_healthy" }, seed: { condition: "service_completed_successfully" } },
      networks: { edge: { aliases: ["app-web"] }, inside: null },
      volumes: [
        { type: "volume", source: "data", target: "/data", volume: { nocopy: true } },
        { type: "bind", source: "@own@/files/f1/app.conf", target: "/app.conf" },
        { type: "bind", source: "/var/run/docker.sock", target: "/docker.sock" },
      ],
    },
    seed: { image: "example/web:1", network_mode: "none", mem_limit: "67108864" },
    tunnel: { image: "example/tunnel:1", networks: { edge: null } },
    database: {
      image: "example/postgres:1",
      mem_limit: "268435456",
      volumes: [{ type: "volume", source: "database", target: "/db" }],
    },
  },
  networks: { edge: { name: "cloudcode-edge-app", external: true }, inside: { internal: true } },
  volumes: { data: { name: "cloudcode-app_data" }, database: { name: "cloudcode-app_database" } },
};

const plan: ReleasePlan = {
  networks: ["cloudcode-edge-app"],
  healthTimeout: 60,
  dumps: [
    {
      service: "database",
      volume: "database",
      dump: "pg_dumpall --all",
      load: "psql --quiet",
      flush: "psql checkpoint",
    },
  ],
  drill: {
    needs: [{ volume: "data", path: "key" }],
    asks: [{ service: "web", about: "passkeys", command: "web list" }],
    without: ["tunnel"],
  },
  dataFormat: { number: 2, volumes: ["data"] },
};

/** The living stack answers as before; in a drill what was loaded is dumped again. */
const onExec = `case $1 in
  *psql*) cat >"$FAKE_DOCKER/loaded" ;;
  *cloudcode-drill-*pg_dumpall*) cat "$FAKE_DOCKER/loaded" ;;
  *pg_dumpall*) cat "$FAKE_DOCKER/dump" ;;
  *cloudcode-drill-*web\\ list) cat "$FAKE_DOCKER/passkeys-then" 2>/dev/null || echo laptop ;;
  *web\\ list) echo laptop ;;
esac
`;

/** A home in a folder with one stack, its backups, and the real cloudcode-backup. */
export class DrillHost {
  readonly folder = mkdtempSync(join(tmpdir(), "drill-"));
  readonly fake = join(this.folder, "fake");
  readonly data = join(this.fake, "volumes/cloudcode-app_data/_data");

  constructor() {
    for (const name of ["bin", "backup", "logs", "fake/containers", "fake/networks", "fake/snapshots", "stacks"])
      mkdirSync(join(this.folder, name), { recursive: true });
    const settings = `repository=s3:https://example.com/b\nimage=example/restic:1\nhost=home\nkeep_daily=7\nkeep_weekly=5\nkeep_monthly=6\ndrill_schedule='*-*-01 05:00:00'\n`;
    writeFileSync(join(this.folder, "backup/settings.sh"), settings);
    for (const name of readdirSync(templates).filter((one) => /^(cloudcode-backup|backup-.*\.sh|drill\.jq)$/.test(one)))
      this.program(name, readFileSync(join(templates, name), "utf8"));
    cpSync(join(templates, "volumes"), join(this.folder, "bin/volumes"), { recursive: true });
    this.program("docker", readFileSync(join(support, "fake-drill.sh"), "utf8"));
    this.program("fake-worker.py", readFileSync(join(support, "fake-worker.py"), "utf8"));
    // A view is a copy here.
    this.program("mount", '#!/bin/sh\n[ "$1" != --bind ] || cp -a "$2/." "$3"\n');
    this.program("umount", '#!/bin/sh\n[ -n "$(ls -A "$1" 2>/dev/null)" ] && find "$1" -mindepth 1 -delete\n');
    this.say("on-up", "exit 0\n");
    this.say("on-exec", onExec);
    this.say("compose.json", JSON.stringify(compose));
    this.say("dump", "SET x;\nCOPY public.users (id) FROM stdin;\n1\n2\n3\n\\.\n");
    this.memory(4096);
    this.stack("app", plan);
  }

  program(name: string, text: string): void {
    writeFileSync(join(this.folder, "bin", name), text);
    chmodSync(join(this.folder, "bin", name), 0o755);
  }

  /** A file of the docker that is none. */
  say(name: string, text: string): void {
    writeFileSync(join(this.fake, name), text);
  }

  memory(mib: number): void {
    writeFileSync(join(this.folder, "meminfo"), `MemTotal: 1 kB\nMemAvailable: ${mib * 1024} kB\n`);
  }

  /** A running stack, whose data is a key, ten files, and a database of two rows. */
  stack(name: string, its: ReleasePlan): void {
    const stack = join(this.folder, "stacks", name);
    for (const path of ["releases/r1", "files/f1"]) mkdirSync(join(stack, path), { recursive: true });
    writeFileSync(join(stack, "releases/r1/compose.yaml"), "services: {}\n");
    writeFileSync(join(stack, "releases/r1/plan"), planText(its));
    writeFileSync(join(stack, "files/f1/app.conf"), "configured");
    symlinkSync("r1", join(stack, "releases/current"));
    const data = join(this.fake, `volumes/cloudcode-${name}_data/_data`);
    mkdirSync(join(data, "folder"), { recursive: true });
    mkdirSync(join(this.fake, `volumes/cloudcode-${name}_database/_data`), { recursive: true });
    writeFileSync(join(data, "key"), "secret");
    for (let n = 0; n < 10; n++) writeFileSync(join(data, "folder", String(n)), `file ${n}`);
    this.sql(join(data, "app.db"), "create table words (word); insert into words values ('a'), ('b')");
  }

  sql(path: string, words: string): void {
    const script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.commit()";
    const { status, stderr } = spawnSync("python3", ["-c", script, path, words], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  }

  get environment(): Record<string, string> {
    return {
      PATH: `${this.folder}/bin:${process.env["PATH"] ?? ""}`,
      FAKE_DOCKER: this.fake,
      CLOUDCODE_ROOT: this.folder,
      CLOUDCODE_LOGS: join(this.folder, "logs"),
      CLOUDCODE_MEMINFO: join(this.folder, "meminfo"),
    };
  }

  run(...words: readonly string[]): { readonly status: number | null; readonly said: readonly string[] } {
    const program = join(this.folder, "bin/cloudcode-backup");
    const { status, stdout } = spawnSync(program, words, { encoding: "utf8", env: this.environment });
    return { status, said: stdout.trim().split("\n") };
  }

  /** Folder of what is in the newest backup. */
  get newest(): string {
    const snapshots = join(this.fake, "snapshots");
    return join(snapshots, readdirSync(snapshots).sort().at(-1) ?? "");
  }

  /** State and words of the last drill of all. */
  result(): { readonly state: string | undefined; readonly words: string | undefined } {
    const [, , state, words] = readFileSync(join(this.folder, "backup/drill"), "utf8").trimEnd().split("\t");
    return { state, words };
  }

  calls(): readonly string[] {
    return readFileSync(join(this.fake, "calls"), "utf8").trim().split("\n");
  }

  /** All that a drill may have left. */
  left(): readonly string[] {
    const of = (folder: string) =>
      existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }).sort() : [];
    return [
      ...of(join(this.fake, "containers")),
      ...of(join(this.fake, "networks")),
      ...of(join(this.fake, "volumes")).filter((name) => name.includes("drill")),
      ...of(join(this.fake, "cloudcode-backup")).filter((name) => /^(drill|restore)/.test(name)),
    ];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
