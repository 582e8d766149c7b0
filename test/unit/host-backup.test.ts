import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../support/program";

let folder: string;
let rules: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backup-"));
  rules = 0;
  for (const name of ["fake/rules", "bin", "config", "logs", "stacks/app/releases/r1"])
    mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "stacks/app/releases/r1/compose.yaml"), "services: {}\n");
  spawnSync("ln", ["-s", "r1", join(folder, "stacks/app/releases/current")]);
  install("docker", readFileSync(join(projectRoot, "test", "support", "fake-docker.sh"), "utf8"));
  const source = readFileSync(join(projectRoot, "stack-templates", "host", "cloudcode-backup"), "utf8");
  install(
    "cloudcode-backup",
    source
      .replace("stacks=/opt/cloudcode/stacks", `stacks=${folder}/stacks`)
      .replace("config=/opt/cloudcode/backup", `config=${folder}/config`)
      .replace("logs=/var/log/cloudcode", `logs=${folder}/logs`),
  );
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
  writeFileSync(join(folder, "config", "settings.sh"), `${lines.join("\n")}\n`);
  writeFileSync(join(folder, "config", "password"), "hidden-password");
}

function run(...args: readonly string[]): { status: number | null; said: string; calls: string[] } {
  const env = { PATH: `${folder}/bin:${process.env["PATH"] ?? ""}`, FAKE_DOCKER: join(folder, "fake") };
  const { status, stdout } = spawnSync(join(folder, "bin", "cloudcode-backup"), args, { encoding: "utf8", env });
  const file = join(folder, "fake", "calls");
  const calls = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  return { status, said: stdout.trim(), calls: calls.filter((call) => call.includes(" --entrypoint restic ")) };
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
    expect(backup).toMatch(/^backup --quiet --host home --tag app=app --exclude .* \/backup$/);
    expect(forget).toMatch(/^forget --quiet --host home .*--keep-daily 7 --keep-weekly 5 --keep-monthly 6 .*--prune$/);
    expect(readFileSync(join(folder, "config", "last"), "utf8")).toMatch(/^\d+\tok\n$/);
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

  it.each([10, 124])("makes the repository where there is none, as restic says with %d", (code) => {
    configure("s3:https://example.com/bucket/home");
    answer("run * cat config", "", code);
    const { said, calls } = run("run");
    expect(said.split("\n")[0]).toBe("the backup repository s3:https://example.com/bucket/home is made");
    expect(words(calls)[1]).toBe("init");
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
    expect(readFileSync(join(folder, "config", "last"), "utf8")).toMatch(/\tfailed\n$/);
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
    expect(words(calls)).toEqual(["cat config", "unlock"]);
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
    expect(backup).toBe("backup --quiet --host home --tag app=app,before-restore /backup");
    expect(calls[2]).toContain(`"source=${folder}/volume","target=/backup/volumes/data",readonly`);
    expect(restore).toMatch(/^restore --quiet 1a2b:\/backup /);
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
