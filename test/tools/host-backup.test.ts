import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../support/project-root";

let folder: string;
let rules: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backup-"));
  rules = 0;
  for (const name of ["fake/rules", "bin", "backup", "logs", "stacks/app/releases/r1"])
    mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "stacks/app/releases/r1/compose.yaml"), "services: {}\n");
  spawnSync("ln", ["-s", "r1", join(folder, "stacks/app/releases/current")]);
  install("docker", readFileSync(join(projectRoot, "test", "support", "fake-docker.sh"), "utf8"));
  for (const name of ["mount", "umount"]) install(name, `#!/bin/sh\n[ ${name} = mount ]\n`);
  const templates = join(projectRoot, "stack-templates", "host");
  for (const name of readdirSync(templates).filter((one) => /^(cloudcode-backup|backup-.*\.sh)$/.test(one)))
    install(name, readFileSync(join(templates, name), "utf8"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function install(name: string, text: string): void {
  writeFileSync(join(folder, "bin", name), text);
  chmodSync(join(folder, "bin", name), 0o755);
}

/** From now on docker answers calls that fit the shell pattern like this; the newest rule wins. */
function answer(pattern: string, output: string, exitCode = 0): void {
  const name = String(1000 - rules++).padStart(4, "0");
  writeFileSync(join(folder, "fake", "rules", name), `${pattern}\n${exitCode}\n${output}`);
}

function configure(repository: string): void {
  const words = { repository, image: "example/restic:1", host: "home", keep_daily: 7, keep_weekly: 5, keep_monthly: 6 };
  const lines = Object.entries(words).map(([key, value]) => `${key}=${value}`);
  writeFileSync(join(folder, "backup", "settings.sh"), `${lines.join("\n")}\n`);
  writeFileSync(join(folder, "backup", "password"), "hidden-password");
}

function run(...args: readonly string[]): { status: number | null; said: string; calls: string[] } {
  const env = {
    PATH: `${folder}/bin:${process.env["PATH"] ?? ""}`,
    FAKE_DOCKER: join(folder, "fake"),
    CLOUDCODE_ROOT: folder,
    CLOUDCODE_LOGS: join(folder, "logs"),
  };
  const { status, stdout } = spawnSync(join(folder, "bin", "cloudcode-backup"), args, { encoding: "utf8", env });
  const file = join(folder, "fake", "calls");
  const calls = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  return { status, said: stdout.trim(), calls: calls.filter((call) => call.includes(" --name cloudcode-restic ")) };
}

/** What restic was called with, without how. */
const words = (calls: readonly string[]) => calls.map((call) => call.replace(/^.*BatchMode=yes /, ""));

describe("a backup", () => {
  it("without a repository says how to have one", () => {
    expect(run("run")).toMatchObject({
      status: 1,
      said: "cloudcode: this stack has no backups: set backupRepository, then pulumi up",
    });
  });

  it("saves each stack under its name and the host's, then forgets what is old, and notes that it was whole", () => {
    configure("s3:https://example.com/bucket/home");
    const { status, said, calls } = run("run");
    expect([status, said]).toEqual([0, "app is backed up"]);
    const [config, unlock, backup, forget] = words(calls);
    expect([config, unlock]).toEqual(["cat config", "unlock"]);
    expect(backup).toBe("backup --quiet --json --host home --tag app=app /backup");
    expect(forget).toMatch(/^forget --quiet --host home .*--keep-daily 7 --keep-weekly 5 --keep-monthly 6 .*--prune$/);
    expect(readFileSync(join(folder, "backup", "last"), "utf8")).toMatch(/^\d+\tok\n$/);
  });

  it("gives restic no more rights than reading, and its password by a file", () => {
    configure("s3:https://example.com/bucket/home");
    const { calls } = run("run");
    for (const call of calls) {
      expect(call).toContain("--cap-drop ALL");
      expect(call).toContain("RESTIC_PASSWORD_FILE=/config/password");
      expect(call).not.toContain("hidden-password");
    }
    expect(calls[2]).toContain("--cap-add DAC_READ_SEARCH");
    expect(calls[2]).toContain('"target=/backup/stack",readonly');
  });

  it("waits for others who use the repository, and is the same machine to restic every time", () => {
    configure("s3:https://example.com/bucket/home");
    const [config = "", unlock = "", ...others] = run("run").calls;
    expect(config).toContain(" --no-lock ");
    for (const call of others) expect(call).toContain(" --retry-lock 2h ");
    const names = [config, unlock, ...others].map((call) => / --hostname (home-\S+) /.exec(call)?.[1]);
    expect(new Set(names).size).toBe(1);
    expect(names[0]).toBeDefined();
    // restic asks whether the process of a lock is there: who takes one must not have the number that `unlock` has.
    expect(unlock).toContain(" --entrypoint restic ");
    for (const call of others) expect(call).toContain(" --init --entrypoint sh ");
  });

  it("of one stack that fails keeps no other from its own, nor old snapshots from being removed", () => {
    configure("s3:https://example.com/bucket/home");
    for (const name of ["abc", "zoo"]) {
      mkdirSync(join(folder, "stacks", name, "releases/r1"), { recursive: true });
      writeFileSync(join(folder, "stacks", name, "releases/r1/compose.yaml"), "services: {}\n");
      spawnSync("ln", ["-s", "r1", join(folder, "stacks", name, "releases/current")]);
    }
    answer("run * --tag app=abc *", "", 1);
    const { status, said, calls } = run("run");
    expect([status, said.split("\n")]).toEqual([
      1,
      ["cloudcode: the backup of abc failed, and it runs on: ", "app is backed up", "zoo is backed up"],
    ]);
    expect(words(calls).at(-1)).toMatch(/^forget /);
    expect(readFileSync(join(folder, "backup", "last"), "utf8")).toMatch(/\tfailed\n$/);
  });

  it("before the machine goes is of each stack, waits for nobody, and leaves old snapshots for later", () => {
    configure("s3:https://example.com/bucket/home");
    const { status, said, calls } = run("rescue");
    expect([status, said]).toEqual([0, "app is backed up"]);
    expect(words(calls)).toEqual(["cat config", "unlock", "backup --quiet --json --host home --tag app=app /backup"]);
    expect(calls.at(-1)).toContain(" --retry-lock 30s ");
    answer("run * --tag app=app *", "", 1);
    expect(run("rescue").status).toBe(1);
  });

  it("that is whole is good, though old snapshots could not be removed", () => {
    configure("s3:https://example.com/bucket/home");
    answer("run * forget *", "unable to create lock in backend: repository is already locked\n", 11);
    const { status, said } = run("run");
    expect([status, said.split("\n")]).toEqual([
      0,
      [
        "app is backed up",
        "old snapshots could not be removed, which the next backup tries again: unable to create lock in backend: repository is already locked",
      ],
    ]);
    expect(readFileSync(join(folder, "backup", "last"), "utf8")).toMatch(/\tok\n$/);
    expect(readFileSync(join(folder, "backup", "warnings"), "utf8")).toContain("already locked");
  });

  const id = "9a76f415bcb8f4bea740a23baa496ebd985bdad15261f7c5cf0a85d84bc2abd1";
  const summary = JSON.stringify({ message_type: "summary", snapshot_id: id });
  const errorOf = (message: string) => JSON.stringify({ message_type: "error", error: { message }, item: "/backup/x" });

  it("that lacks a file is a failure, and one without a file that just went is none", () => {
    configure("s3:https://example.com/bucket/home");
    const said = (message: string) => {
      install(
        "restic-says",
        `#!/bin/sh\ncat <<'END'\n${summary}\nEND\ncat >&2 <<'END'\n${errorOf(message)}\nEND\nexit 3\n`,
      );
      const real = readFileSync(join(projectRoot, "test", "support", "fake-docker.sh"), "utf8");
      install(
        "docker",
        real.replace("call=$*\n", `call=$*\ncase $call in *"/backup") exec ${folder}/bin/restic-says ;; esac\n`),
      );
      return run("run");
    };
    expect(said("lstat /backup/volumes/data/a: no such file or directory")).toMatchObject({
      status: 0,
      said: "app is backed up",
    });
    expect(said("read /backup/volumes/data/a\u001b[31m\n: input/output error")).toMatchObject({
      status: 1,
      said: String.raw`cloudcode: the backup of app is made, but lacks: "read /backup/volumes/data/a\u001b[31m\n: input/output error"`,
    });
  });

  it("before an update names the snapshot that restic said, and is none where it said no such thing", () => {
    configure("s3:https://example.com/bucket/home");
    answer("run * backup *", `${summary}\n`);
    expect(run("keep", "app").said.split("\n")).toEqual(["app is backed up (before-update)", id]);
    answer("run * backup *", '{"message_type":"summary","snapshot_id":"sentence of somebody"}\n');
    expect(run("keep", "app")).toMatchObject({
      status: 1,
      said: "app is backed up (before-update)\ncloudcode: restic named no snapshot of app",
    });
  });

  it.each([10, 124])("makes the repository where there is none, as restic says with %d", (code) => {
    configure("s3:https://example.com/bucket/home");
    answer("run * cat config", "", code);
    const { said, calls } = run("run");
    expect(said.split("\n")[0]).toBe("the backup repository s3:https://example.com/bucket/home is made");
    expect(words(calls)[1]).toBe("init");
  });

  it.each(["run", "snapshots", "rescue"])("makes none in place of one that was there: %s", (verb) => {
    const place = join(folder, "backups");
    configure(place);
    expect(run("run").status).toBe(0);
    answer("run * cat config", "", 10);
    const { status, said, calls } = run(verb);
    expect([status, said]).toEqual([
      1,
      `cloudcode: the backup repository ${place} is gone, with all its backups: is its disk mounted, or was its bucket emptied? None was made in its place. If that is right, rm ${join(folder, "backup", "repository")} on the host lets npm run ops -- backup make a new one`,
    ]);
    expect(words(calls).at(-1)).toBe("cat config");
    // Another one is made as ever.
    configure(join(folder, "others"));
    expect(run("run").said.split("\n")[0]).toBe(`the backup repository ${join(folder, "others")} is made`);
  });

  it("tells why there is no repository and none can be made", () => {
    configure("s3:https://example.com/bucket/home");
    answer("run * cat config", "retrying\n", 124);
    answer("run * init", "retrying\nNoSuchBucket\n", 124);
    expect(run("run")).toMatchObject({
      status: 1,
      said: "cloudcode: the backup repository s3:https://example.com/bucket/home could not be made: retrying\nNoSuchBucket",
    });
  });

  it.each([
    [10, "there is no backup repository at /backups yet: npm run ops -- backup makes it"],
    [124, "the backup repository /backups does not answer within 60 s: retrying"],
  ])("is not made by who only looks (restic says %d)", (code, said) => {
    configure(join(folder, "backups"));
    answer("run * cat config", "retrying\n", code);
    const looked = run("snapshots");
    expect(looked).toMatchObject({
      status: 1,
      said: `cloudcode: ${said.replace("/backups", join(folder, "backups"))}`,
    });
    expect(words(looked.calls)).toEqual(["cat config"]);
  });

  it("tells why the repository cannot be opened, and notes that it failed", () => {
    configure("s3:https://example.com/bucket/home");
    answer("run * cat config", "Fatal: wrong password\n", 12);
    const { status, said } = run("run");
    expect([status, said]).toEqual([
      1,
      "cloudcode: the backup repository s3:https://example.com/bucket/home cannot be opened: Fatal: wrong password",
    ]);
    expect(readFileSync(join(folder, "backup", "last"), "utf8")).toMatch(/\tfailed\n$/);
  });

  it("of a stack that is not there is refused", () => {
    configure("s3:https://example.com/bucket/home");
    expect(run("run", "other").said).toBe("cloudcode: other does not run on this host");
  });
});

describe("a database that cannot be dumped", () => {
  beforeEach(() => {
    configure("s3:https://example.com/bucket/home");
    mkdirSync(join(folder, "volume"));
    writeFileSync(join(folder, "stacks/app/releases/r1/plan"), "timeout 60\ndump database data pg_dump --all\n");
    answer("volume ls *", "cloudcode-app_data\n");
    answer("volume inspect *", `data cloudcode-app_data ${folder}/volume\n`);
    answer("compose * exec -T database pg_dump --all", "", 1);
  });

  it("makes no backup", () => {
    const { status, said, calls } = run("run", "app");
    expect([status, said]).toEqual([
      1,
      "cloudcode: no backup of app was made, and it runs on: the dump of database failed",
    ]);
    // What is old goes all the same, on a night on which one stack fails.
    expect(words(calls).map((call) => call.split(" ")[0])).toEqual(["cat", "unlock", "forget"]);
  });

  it("does not stand in the way of a restore, which keeps its files as they are", () => {
    const { status, said, calls } = run("overwrite", "app", "1a2b");
    expect([status, said.split("\n")]).toEqual([
      0,
      [
        "app has a database that cannot be read, whose files are kept as they are: the dump of database failed",
        "app is backed up (before-restore)",
        "app runs with the data of snapshot 1a2b",
      ],
    ]);
    const [, , backup, restore] = words(calls);
    expect(backup).toBe("backup --quiet --json --host home --tag app=app,before-restore /backup");
    expect(calls[2]).toContain(`"source=${folder}/fake/cloudcode-backup/view","target=/backup/volumes",readonly`);
    expect(restore).toMatch(/^restore --quiet 1a2b:\/backup /);
  });
});

describe("a stack whose data goes to another host", () => {
  const mark = () => join(folder, "stacks/app/given");

  it("is stopped and taken from Docker, also where no backups are set any more, and starts again only by resume", () => {
    answer("ps *", "c1\nc2\n");
    expect(run("give", "app", "other")).toMatchObject({
      status: 0,
      said: "app is stopped here: its data goes to the stack other",
    });
    expect(readFileSync(mark(), "utf8")).toMatch(/^its data went to the stack other at \S+Z\n$/);
    const calls = () => readFileSync(join(folder, "fake", "calls"), "utf8").split("\n");
    expect(calls()).toEqual(expect.arrayContaining(["stop c1 c2", "rm --force c1 c2"]));
    expect(calls().filter((call) => call.includes(" up "))).toEqual([]);
    expect(run("resume", "app").said).toBe("app runs again");
    expect(calls().filter((call) => call.includes(" up "))).toHaveLength(1);
    expect(existsSync(mark())).toBe(false);
    expect(run("resume", "app").said).toBe("cloudcode: app was not given away");
    const history = readFileSync(join(folder, "stacks/.history"), "utf8").trim().split("\n");
    expect(history.map((line) => line.split("\t").slice(2))).toEqual([
      ["app", "give", "other", "stopped"],
      ["app", "resume", "", "running"],
    ]);
  });

  it("waits with its line in the history for one that cloudcode-host is about to write", async () => {
    const file = join(folder, "stacks/.history");
    const other = spawn("flock", [file, "sh", "-c", "echo held; sleep 2"], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => other.stdout.once("data", resolve));
    const held = Math.floor(Date.now() / 1000);
    run("give", "app", "other");
    const [time = ""] = readFileSync(file, "utf8").split("\t");
    expect(Date.parse(time) / 1000).toBeGreaterThan(held);
  });

  it("stays stopped when a restore that was to bring it back is cut off", () => {
    run("give", "app", "other");
    mkdirSync(join(folder, "fake", "cloudcode-backup"), { recursive: true });
    writeFileSync(join(folder, "fake", "cloudcode-backup", "journal"), "app\n");
    run("recover");
    expect(readFileSync(join(folder, "fake", "calls"), "utf8")).not.toContain(" up ");
  });
});

describe("a restore that was cut off", () => {
  it("is undone: what was put aside goes back, and the stack starts with it", () => {
    const volume = join(folder, "volume");
    mkdirSync(join(volume, "_data.before"), { recursive: true });
    mkdirSync(join(volume, "_data"));
    writeFileSync(join(volume, "_data.before", "kept"), "kept");
    mkdirSync(join(folder, "fake", "cloudcode-backup"));
    writeFileSync(join(folder, "fake", "cloudcode-backup", "journal"), `app\n${volume}/_data\n`);
    expect(run("recover").said).toBe("a restore of app was cut off; it runs with what it had");
    expect(readFileSync(join(volume, "_data", "kept"), "utf8")).toBe("kept");
    expect(existsSync(join(volume, "_data.before"))).toBe(false);
    expect(run("recover").said).toBe("");
  });

  it("before anything was put aside leaves the data where it is", () => {
    const volume = join(folder, "volume");
    mkdirSync(join(volume, "_data"), { recursive: true });
    writeFileSync(join(volume, "_data", "kept"), "kept");
    mkdirSync(join(folder, "fake", "cloudcode-backup"));
    writeFileSync(join(folder, "fake", "cloudcode-backup", "journal"), `app\n${volume}/_data\n`);
    run("recover");
    expect(readFileSync(join(volume, "_data", "kept"), "utf8")).toBe("kept");
  });

  it("while it removed what it had replaced keeps the restored data, and the rest of the old goes", () => {
    const volume = join(folder, "volume");
    for (const name of ["_data", "_data.before"]) mkdirSync(join(volume, name), { recursive: true });
    writeFileSync(join(volume, "_data", "restored"), "restored");
    mkdirSync(join(folder, "fake", "cloudcode-backup"));
    writeFileSync(join(folder, "fake", "cloudcode-backup", "done"), `app\n${volume}/_data\n`);
    expect(run("recover").said).toBe("");
    expect(readFileSync(join(volume, "_data", "restored"), "utf8")).toBe("restored");
    expect(existsSync(join(volume, "_data.before"))).toBe(false);
  });

  it("stops what the stack has on the machine besides Docker, and starts it again", () => {
    mkdirSync(join(folder, "stacks/app/machine"));
    for (const name of ["halt", "ready"])
      writeFileSync(join(folder, `stacks/app/machine/${name}.sh`), `echo ${name} $1 >>'${folder}/machine-calls'\n`);
    mkdirSync(join(folder, "fake", "cloudcode-backup"));
    writeFileSync(join(folder, "fake", "cloudcode-backup", "journal"), "app\n");
    run("recover");
    expect(readFileSync(join(folder, "machine-calls"), "utf8")).toBe(`halt\nready ${folder}/stacks/app\n`);
  });
});
