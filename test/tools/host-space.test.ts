// What fills the disk is said before it is full, and what nobody needs is removed: the real scripts of the host, on a docker that
// remembers images, containers and volumes in files.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { projectRoot } from "../support/project-root";

const templates = join(projectRoot, "stack-templates", "host");
const mib = 1024 * 1024;

/** Images are lines of ID and name, containers of name, working folder, ID of the image and the rest of what cloudcode-check asks. */
const docker = String.raw`#!/bin/sh
cd "$FAKE" || exit 1
printf '%s\n' "$*" >>calls
source_of() { printf '%s\n' "$call" | tr ' ' '\n' | sed -n "s#^type=bind,\"source=\\(.*\\)\",\"target=$1\".*#\\1#p"; }
call=$*
case $call in
  "info --format"*) [ ! -e stopped ] && echo "$FAKE/docker" ;;
  "version "*) [ ! -e stopped ] && echo 29.0.0 ;;
  "image ls --format"*) cut -d ' ' -f 2 images ;;
  "image ls --no-trunc"*) sed 's/:[^:]*$//' images ;;
  "image inspect --format {{.Id}} "*) awk -v name="${"$"}{call##* }" '$2 == name || $1 == name { print $1; found = 1 } END { exit !found }' images ;;
  "image rm "*)
    id=$(awk -v name="${"$"}{call##* }" '$2 == name { print $1 }' images)
    ! cut -d '|' -f 3 containers | grep -qxF "$id" || exit 1
    grep -v " ${"$"}{call##* }$" images >images.new; mv images.new images ;;
  "ps --all --format {{.Names}}|"*) cut -d '|' -f 1,2 containers ;;
  "ps --all --format {{.ID}} "*) awk -F '|' '{ print $1 " " $2 }' containers ;;
  "ps --all --quiet --no-trunc") cut -d '|' -f 1 containers ;;
  "inspect --format {{.Image}} "*) shift 3; for one; do sed -n "s/^$one|[^|]*|\\([^|]*\\).*/\\1/p" containers; done ;;
  "inspect --format {{index"*) cat facts ;;
  "compose "*" config --images") file=${"$"}{call#*--file }; grep -qs . "${"$"}{file%% *}" || exit 1; sed -n 's/^# image //p' "${"$"}{file%% *}" ;;
  "volume ls --filter label=com.docker.compose.project --format"*) ls volumes | sed 's/_.*//' ;;
  "volume ls --quiet "*) ls volumes | grep "^${"$"}{call##*project=}_" ;;
  "volume inspect "*) name=${"$"}{call##* }; echo "${"$"}{name#*_} $name $FAKE/volumes/$name" ;;
  "run "*" --entrypoint /usr/bin/nice "*)
    [ ! -e wrong ] || { cat wrong; exit; }
    view=$(mktemp -d)
    for name in $(ls volumes); do
      stack=${"$"}{name%_*} short=${"$"}{name#*_}
      from=$(source_of "/volumes/${"$"}{stack#cloudcode-}/$short")
      [ -z "$from" ] || { mkdir -p "$view/${"$"}{stack#cloudcode-}"; ln -s "$from" "$view/${"$"}{stack#cloudcode-}/$short"; }
    done
    perl "$(source_of /program)" "$view"
    rm -r "$view" ;;
esac
`;

/** Answers as Docker's API does to GET /system/df. */
const curl = `#!/bin/sh
case "$*" in *'system/df?type=image&type=build-cache') echo '{"LayersSize":${3 * 1024 * mib},"BuildCache":[{"Size":${512 * mib},"Shared":false},{"Size":9,"Shared":true}]}' ;; esac
`;

class SpaceHost {
  readonly folder = mkdtempSync(join(tmpdir(), "space-"));
  readonly root = join(this.folder, "root");
  readonly #fake = join(this.folder, "fake");
  /** Free space and size of Docker's disk, in KiB. */
  disk = { free: 20 * mib, size: 40 * mib };

  constructor() {
    for (const path of ["root/bin", "root/stacks", "root/space", "path", "fake/volumes", "fake/docker", "cgroup"])
      mkdirSync(join(this.folder, path), { recursive: true });
    for (const name of ["cloudcode-space", "cloudcode-check", "check-space.sh", "backup-volumes.sh", "measure.pl"])
      this.#program(join(this.root, "bin", name), readFileSync(join(templates, name), "utf8"));
    this.#program(join(this.folder, "path/docker"), docker);
    this.#program(join(this.folder, "path/curl"), curl);
    this.#program(
      join(this.folder, "path/systemctl"),
      `#!/bin/sh\necho "systemctl $*" >>'${this.#fake}/calls'\nexit 1\n`,
    );
    for (const name of ["apt-get", "apt-cache"]) this.#program(join(this.folder, "path", name), "#!/bin/sh\n");
    this.images({});
    this.containers([]);
    writeFileSync(join(this.#fake, "facts"), "");
  }

  #program(file: string, text: string): void {
    writeFileSync(file, text);
    chmodSync(file, 0o755);
  }

  environment(): NodeJS.ProcessEnv {
    const { free, size } = this.disk;
    const line = (place: string) => `/dev/x ${size} ${size - free} ${free} 50% ${place}`;
    this.#program(
      join(this.folder, "path/df"),
      `#!/bin/sh\necho Filesystem\ncase $1 in -Pi) echo '/dev/x 100 50 50 50% /' ;; *) echo '${line("/")}' ;; esac\n`,
    );
    return {
      PATH: `${join(this.folder, "path")}:${process.env["PATH"] ?? ""}`,
      FAKE: this.#fake,
      CLOUDCODE_ROOT: this.root,
      CLOUDCODE_SPACE_SEEN: this.seen,
      CLOUDCODE_UPDATES_SEEN: join(this.folder, "updates"),
      CLOUDCODE_MEMORY_SEEN: join(this.folder, "memory"),
      CLOUDCODE_PROC: join(this.folder, "proc"),
      CLOUDCODE_CGROUPS: join(this.folder, "cgroup"),
      CLOUDCODE_RETRY_SECONDS: "0",
    };
  }

  get seen(): string {
    return join(this.folder, "seen");
  }

  /** ID by name. */
  images(all: Readonly<Record<string, string>>): void {
    writeFileSync(
      join(this.#fake, "images"),
      Object.entries(all)
        .map(([name, id]) => `${id} ${name}\n`)
        .join(""),
    );
  }

  imagesLeft(): string[] {
    return readFileSync(join(this.#fake, "images"), "utf8")
      .split("\n")
      .flatMap((line) => line.split(" ")[1] ?? []);
  }

  containers(all: readonly (readonly [name: string, folder: string, image: string])[]): void {
    writeFileSync(join(this.#fake, "containers"), all.map((one) => `${one.join("|")}\n`).join(""));
  }

  release(stack: string, id: string, images: readonly string[], plan = ""): void {
    const folder = join(this.root, "stacks", stack, "releases", id);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "compose.yaml"), `services:\n${images.map((one) => `# image ${one}\n`).join("")}`);
    writeFileSync(join(folder, "plan"), plan);
    const current = join(this.root, "stacks", stack, "releases", "current");
    rmSync(current, { force: true });
    spawnSync("ln", ["-s", id, current]);
    writeFileSync(join(this.root, "stacks", `.${stack}.lock`), "");
  }

  /** A file of a volume, of this size in MiB. */
  file(volume: string, path: string | Buffer, size: number): void {
    const folder = join(this.#fake, "volumes", volume);
    const file = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(path)]);
    const parent = file.subarray(0, file.lastIndexOf("/"));
    mkdirSync(parent, { recursive: true });
    writeFileSync(file, Buffer.alloc(size * mib, 1));
  }

  /** In the place of what the container with the Apps' files prints. */
  says(text: string): void {
    writeFileSync(join(this.#fake, "wrong"), text);
  }

  ledger(names: readonly string[]): void {
    writeFileSync(join(this.root, "stacks/.images"), names.map((name) => `${name}\n`).join(""));
  }

  facts(...lines: readonly string[]): void {
    writeFileSync(join(this.#fake, "facts"), `${lines.join("\n")}\n`);
  }

  /** What the kernel says of the cgroup of process 42, in this version of cgroups. */
  cgroup(name: string, text: string, version: 1 | 2 = 2): void {
    mkdirSync(join(this.folder, "proc/42"), { recursive: true });
    writeFileSync(join(this.folder, "proc/42/cgroup"), version === 2 ? "0::/a/b\n" : "9:cpu:/\n4:memory:/a/b\n0::/\n");
    const file = join(this.folder, version === 2 ? "cgroup/a/b" : "cgroup/memory/a/b", name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  space(word: string): { status: number | null; said: string } {
    const { status, stdout, stderr } = spawnSync(join(this.root, "bin/cloudcode-space"), [word], {
      encoding: "utf8",
      env: this.environment(),
    });
    return { status, said: stdout + stderr };
  }

  /** Lines of cloudcode-check that begin so: state, what was seen, and what to do. */
  check(name: string): string[][] {
    const { stdout } = spawnSync("sh", [join(this.root, "bin/cloudcode-check"), "recent"], {
      encoding: "utf8",
      env: this.environment(),
    });
    return stdout
      .split("\n")
      .map((line) => line.split("\t"))
      .filter(([first = ""]) => first.startsWith(name))
      .map(([, ...rest]) => rest);
  }

  calls(): string[] {
    const file = join(this.#fake, "calls");
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").trim().split("\n");
    rmSync(file);
    return lines;
  }

  destroy(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

let host: SpaceHost;
beforeEach(() => {
  host = new SpaceHost();
});
afterEach(() => {
  host.destroy();
});

const stack = (name: string) => join(host.root, "stacks", name);

describe("what fills the disk", () => {
  it("is each App's data with its volumes and the largest folders in them, by name", () => {
    host.release("opencode", "r1", []);
    host.file("cloudcode-opencode_workspace", "shop/node_modules/big/file", 60);
    host.file("cloudcode-opencode_workspace", "notes/x", 1);
    host.file("cloudcode-opencode_home", ".cache/uv/archive", 70);
    host.file("cloudcode-casecheck_database", "base/1", 2);
    expect(host.space("measure")).toEqual({ status: 0, said: "" });
    expect(statSync(host.seen).mode & 0o777).toBe(0o600);
    expect(host.check("data opencode")).toEqual([
      [
        "ok",
        expect.stringMatching(
          /^13\d MiB: home 7\d MiB, workspace 6\d MiB; largest folders: home\/\.cache\/uv 70 MiB, workspace\/shop\/node_modules\/big 60 MiB$/,
        ),
        "",
      ],
    ]);
    expect(host.check("data casecheck")).toEqual([["ok", expect.stringMatching(/^2 MiB: database 2 MiB$/), ""]]);
    const [run = ""] = host.calls().filter((call) => call.startsWith("run "));
    for (const option of ["--network none", "--read-only", "--cap-drop ALL", "no-new-privileges:true"])
      expect(run).toContain(option);
    expect(run.match(/,readonly/g)?.length).toBe(5);
    expect(run).not.toContain("--name cloudcode-worker");
  });

  it("is said in signs that a terminal and a page can show, whatever a folder is called", () => {
    for (const name of ["a\nvolume\tauth\tx\t99999999", "\u001b[31mred", "\u202egnp", "$(touch x)", "项目"])
      host.file("cloudcode-opencode_workspace", `${name}/file`, 51);
    host.file("cloudcode-opencode_home", Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("/file")]), 51);
    host.file("cloudcode-opencode_home", `${"long".repeat(40)}/file`, 52);
    host.space("measure");
    const [[state, seen = ""] = []] = host.check("data opencode");
    expect(state).toBe("ok");
    expect(seen).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(seen).toMatch(
      /largest folders: home\/[long]+\.\.\.[long]+ 52 MiB, home\/\?\? 51 MiB, workspace\/\?\[31mred 51 MiB/,
    );
    expect(host.check("data ")).toHaveLength(1);
    expect(readFileSync(host.seen, "utf8")).not.toMatch(/^volume\tauth/m);
  });

  it("is believed only where a line is as it should be: the container has met the App's files", () => {
    host.file("cloudcode-opencode_home", "x", 1);
    host.says(
      "volume\topencode\thome\t5000000\nvolume\t$(x)\thome\t1\nimages\t7\nfolder\topencode\ta\u0007b\t9\nvolume\ta\tb\t1e9\n",
    );
    host.space("measure");
    expect(readFileSync(host.seen, "utf8").split("\n").slice(1)).toEqual([
      "volume\topencode\thome\t5000000",
      `images\t${3 * mib}`,
      `cache\t${mib / 2}`,
      "",
    ]);
  });

  it.each([
    ["", 20, 40, "ok", /^10\.0 GiB: home/],
    ["", 2.5, 40, "warn", /^2\.5 GiB are free, and it has 10\.0 GiB: home/],
    ["disk 20 opencodeDiskGiB", 1, 40, "ok", /^10\.0 GiB: home/],
    ["disk 12 opencodeDiskGiB", 20, 40, "warn", /^83 % of its budget of 12 GiB; 10\.0 GiB/],
    ["disk 10 opencodeDiskGiB", 20, 40, "red", /^more than its budget of 10 GiB; 10\.0 GiB/],
  ])("is judged by the budget %j, or by what is free: %d of %d GiB", (plan, free, size, state, seen) => {
    host.release("opencode", "r1", [], `network x\n${plan}\n`);
    host.file("cloudcode-opencode_home", "x", 1);
    host.says(`volume\topencode\thome\t${10 * mib + 5}\n`);
    host.disk = { free: free * mib, size: size * mib };
    host.space("measure");
    const [line] = host.check("data opencode");
    expect(line).toEqual([state, expect.stringMatching(seen), state === "ok" ? "" : expect.stringMatching(/^delete /)]);
    if (plan !== "" && state !== "ok") expect(line?.[2]).toMatch(/raise opencodeDiskGiB$/);
  });

  it.each([
    [10, "ok"],
    [5, "warn"],
    [2.5, "warn"],
    [0.9, "red"],
  ])("with %d of 40 GiB free the disk is %s, before it is full, and says what takes it", (free, state) => {
    host.file("cloudcode-opencode_home", "x", 1);
    host.says(`volume\topencode\thome\t${10 * mib}\n`);
    host.disk = { free: free * mib, size: 40 * mib };
    host.space("measure");
    const [[seen, , fix] = []] = host.check("disk /");
    expect(seen).toBe(state);
    if (state !== "ok") expect(fix).toContain("data of opencode 10.0 GiB, images 3.0 GiB, build cache 0.5 GiB");
  });

  it("is measured again after six hours, and when 1 GiB was taken, but not every few minutes", () => {
    const started = () => {
      host.calls();
      host.check("disk");
      return host.calls().includes("systemctl start --no-block cloudcode-space.service");
    };
    const aged = (minutes: number) => {
      const time = Date.now() / 1000 - minutes * 60;
      utimesSync(host.seen, time, time);
    };
    expect(started()).toBe(true);
    host.space("measure");
    expect(started()).toBe(false);
    host.disk = { ...host.disk, free: 18 * mib };
    expect(started()).toBe(false);
    aged(20);
    expect(started()).toBe(true);
    host.disk = { ...host.disk, free: 20 * mib };
    expect(started()).toBe(false);
    aged(400);
    expect(started()).toBe(true);
  });
});

describe("a container's memory", () => {
  const facts = (oom = "false") =>
    [
      "cloudcode-opencode",
      "server",
      "running",
      "healthy",
      "0",
      "0",
      oom,
      "unless-stopped",
      "2026-11-25T14:03:00Z",
      "0123456789ab",
      "42",
      String(2048 * mib),
      "id",
      "image",
    ].join("|");
  const use = (used: number, kills = 0) => {
    host.cgroup("memory.current", String((used + 100) * mib));
    host.cgroup("memory.stat", `anon 1\ninactive_file ${100 * mib}\n`);
    host.cgroup("memory.events", `low 0\noom 9\noom_kill ${kills}\n`);
  };
  const seen = () => host.check("container opencode/server")[0];
  beforeEach(() => {
    host.containers([["0123456789ab", stack("opencode"), "id"]]);
    host.facts(facts());
  });

  it("is held against its limit, with the most that was seen, and warns before it is full", () => {
    use(500);
    expect(seen()).toEqual(["ok", "healthy, 0 restarts, 500 of 2048 MiB of memory, 500 at most", ""]);
    use(1900);
    expect(seen()).toEqual([
      "warn",
      "healthy, 1900 of 2048 MiB of memory, 1900 at most",
      expect.stringContaining("MemoryMiB"),
    ]);
    use(300);
    expect(seen()).toEqual(["ok", "healthy, 0 restarts, 300 of 2048 MiB of memory, 1900 at most", ""]);
  });

  it("is red for a day after programs were killed because it ran out, and says how many", () => {
    use(500, 3);
    host.facts(facts("true"));
    const words = "500 of 2048 MiB of memory, 500 at most; 3 programs were killed because it ran out, the last";
    expect(seen()).toEqual([
      "red",
      `healthy, but it ran out of memory, ${words} 0 hours ago`,
      expect.stringContaining("MemoryMiB"),
    ]);
    const file = join(host.folder, "memory/0123456789ab");
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace(/\d+$/m, (time) => String(Number(time) - 90_000)),
    );
    expect(seen()).toEqual(["ok", `healthy, 0 restarts, ${words} 25 hours ago`, ""]);
    use(500, 4);
    expect(seen()?.[0]).toBe("red");
  });

  it("is read of cgroups of version 1, too", () => {
    host.cgroup("memory.usage_in_bytes", String(600 * mib), 1);
    host.cgroup("memory.stat", `inactive_file 1\ntotal_inactive_file ${100 * mib}\n`, 1);
    host.cgroup("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", 1);
    expect(seen()?.[1]).toBe(
      "healthy, but it ran out of memory, 500 of 2048 MiB of memory, 500 at most; 1 programs were killed because it ran out, the last 0 hours ago",
    );
  });

  it("is only Docker's word where cgroups have no files", () => {
    expect(seen()).toEqual(["ok", "healthy, 0 restarts", ""]);
    host.facts(facts("true"));
    expect(seen()?.[0]).toBe("red");
  });
});

describe("the removal of what nobody needs", () => {
  const old = "cloudcode/opencode:0123456789abcdef";
  beforeEach(() => {
    host.release("opencode", "r1", ["cloudcode/opencode:1111111111111111", "caddy:2.9"]);
    host.release("opencode", "r2", ["cloudcode/opencode:2222222222222222", "caddy:2.10"]);
    mkdirSync(join(host.root, "backup"));
    writeFileSync(join(host.root, "backup/settings.sh"), "image=restic/restic:0.18\n");
    host.images({
      "cloudcode/opencode:1111111111111111": "i1",
      "cloudcode/opencode:2222222222222222": "i2",
      "caddy:2.9": "i3",
      "caddy:2.10": "i4",
      [old]: "i5",
      "valkey/valkey:8": "i6",
      "restic/restic:0.17": "i7",
      "restic/restic:0.18": "i8",
      "cloudcode-empty:1": "i9",
    });
    host.ledger(["caddy:2.9", "caddy:2.10", "valkey/valkey:8", "restic/restic:0.17", "restic/restic:0.18", "gone:1"]);
    host.containers([["c1", stack("opencode"), "i2"]]);
  });
  const removed = () => host.calls().filter((call) => /^(image|volume|system|builder|container) (rm|prune)/.test(call));

  it("takes images that cloudcode brought and no release has, and a week-old build cache; no volume", () => {
    expect(host.space("prune").status).toBe(0);
    expect(removed()).toEqual([
      `image rm ${old}`,
      "image rm restic/restic:0.17",
      "image rm valkey/valkey:8",
      "builder prune --force --filter until=168h",
    ]);
    expect(host.imagesLeft()).toEqual([
      "cloudcode/opencode:1111111111111111",
      "cloudcode/opencode:2222222222222222",
      "caddy:2.9",
      "caddy:2.10",
      "restic/restic:0.18",
      "cloudcode-empty:1",
    ]);
    expect(readFileSync(join(host.root, "stacks/.images"), "utf8")).toBe("caddy:2.9\ncaddy:2.10\nrestic/restic:0.18\n");
    host.space("measure");
    expect(host.check("pruning")).toEqual([
      ["ok", "images take 3.0 GiB, build cache 512 MiB; old ones were removed 0 hours ago", ""],
    ]);
    host.calls();
    host.space("prune");
    expect(removed()).toEqual(["builder prune --force --filter until=168h"]);
  });

  it("leaves what is another's: images that cloudcode did not bring, those of their containers, and their build cache", () => {
    const before = host.imagesLeft();
    host.images({
      ...Object.fromEntries(before.map((name, index) => [name, `i${index + 1}`])),
      "postgres:16": "n1",
      "cloudcode/mine:latest": "n2",
    });
    // A neighbour runs what cloudcode pulled once.
    host.containers([
      ["c1", stack("opencode"), "i2"],
      ["theirs", "/srv/shop", "i6"],
    ]);
    host.space("prune");
    expect(removed()).toEqual([`image rm ${old}`, "image rm restic/restic:0.17"]);
    expect(host.imagesLeft()).toEqual(
      expect.arrayContaining(["postgres:16", "cloudcode/mine:latest", "valkey/valkey:8"]),
    );
    // An image alone is a neighbour, too.
    host.containers([["c1", stack("opencode"), "i2"]]);
    host.space("prune");
    expect(removed()).toEqual(["image rm valkey/valkey:8"]);
  });

  it("removes nothing while a release cannot be read, and is red then", () => {
    writeFileSync(join(stack("opencode"), "releases/r1/compose.yaml"), "");
    expect(host.space("prune").status).toBe(1);
    expect(removed()).toEqual([]);
    expect(host.check("pruning")[0]?.slice(0, 2)).toEqual([
      "red",
      expect.stringMatching(/^old images could not be removed, 0 hours ago; /),
    ]);
  });

  it("waits for a stack that is being changed, and leaves all as it is where that takes too long", () => {
    const lock = join(host.root, "stacks/.opencode.lock");
    const { status } = spawnSync("flock", [lock, "sh", "-c", `${join(host.root, "bin/cloudcode-space")} prune`], {
      encoding: "utf8",
      env: host.environment(),
    });
    expect([status, removed()]).toEqual([1, []]);
    expect(host.check("pruning")[0]?.[1]).toMatch(/^old images could not be removed: a stack was being changed, /);
  });

  it("is red when its timer has not run for three days", () => {
    writeFileSync(join(host.root, "space/last"), `${Math.floor(Date.now() / 1000) - 80 * 3600} ok\n`);
    expect(host.check("pruning")[0]?.[0]).toBe("red");
    rmSync(join(host.root, "space"), { recursive: true });
    expect(host.check("pruning")[0]?.[0]).toBe("none");
  });
});
