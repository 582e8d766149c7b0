import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { HostMachine, release } from "../support/host-machine";

/** What the App's versions do with its data: each starts with data of its own format alone, and 2 migrates that of 1. */
const app = (data: string, workspace: string) => `
read -r format <${data}/db || { echo "$1" >${data}/db; exit 0; }
case $1-$format in
  old*-1* | new*-2*) ;;
  new*-1*) sed -i 's/^1/2/' ${data}/db; echo migrated >>${data}/db ;;
  bad*) sed -i 's/^1/2/' ${data}/db; echo broken >>${data}/db; echo "by $1" >>${workspace}/log; exit 1 ;;
  *) exit 1 ;;
esac
echo "ran $1" >>${data}/db`;

let host: HostMachine;
let data: string;
let workspace: string;
beforeEach(async () => {
  host = new HostMachine();
  const folder = host.withVolumes(["data", "workspace"], "");
  [data, workspace] = [folder("data"), folder("workspace")];
  host.withVolumes([], app(data, workspace));
  writeFileSync(join(data, "db"), "1\n");
  // An earlier release, whose plan knows no formats.
  await host.apply(release("old1"));
  write("first");
  host.calls();
});
afterEach(() => {
  host.destroy();
});

const of = (number: number) => ({ dataFormat: { number, volumes: ["data"] } });
const apply = (id: string, number: number) => host.apply(release(id, of(number)));
const rollback = (...words: string[]) => host.run(["rollback", "app", ...words], "");
const db = () => readFileSync(join(data, "db"), "utf8").trim().split("\n");
const write = (word: string) => {
  for (const folder of [data, workspace]) writeFileSync(join(folder, "db"), `${word}\n`, { flag: "a" });
};
const own = () => join(host.dockerRoot, "cloudcode-formats", "app");
const read = (path: string) => readFileSync(join(own(), path), "utf8").trim();
const kept = () => (existsSync(join(own(), "kept")) ? read("kept/format") : "none");
const stops = () => host.calls().filter((call) => /^stop(?!.* cloudcode-restic$)| up /.test(call));

describe("a release whose data has another format", () => {
  it("starts on the earlier data, of which a copy is kept, with its owner, modes, times and links", async () => {
    chmodSync(join(data, "db"), 0o640);
    symlinkSync("/etc/passwd", join(data, "link"));
    const before = statSync(join(data, "db"));
    host.answer("ps --quiet *", "c1\n");
    const { status, said } = await apply("new1", 2);
    expect([status, said]).toEqual([
      0,
      [
        "the data of app has format 1, and a copy of it is kept on the host, 1 MiB; format 2 comes next",
        "release new1 of app is running",
      ],
    ]);
    expect(db()).toEqual(["2", "ran old1", "first", "migrated", "ran new1"]);
    expect([read("format"), kept(), read("kept/release")]).toEqual(["2", "1", "old1"]);
    expect(readdirSync(join(own(), "kept/volumes"))).toEqual(["data"]);
    const copy = statSync(join(own(), "kept/volumes/data/db"));
    expect([copy.mode, copy.uid, copy.mtimeMs]).toEqual([before.mode, before.uid, before.mtimeMs]);
    expect(statSync(own()).mode & 0o77).toBe(0);
  });

  it("stops the App before the copy and not before it is sure of the room for it", async () => {
    host.answer("ps --quiet *", "c1\n");
    await apply("new1", 2);
    expect(
      host
        .calls()
        .map((call) => /^(stop c1)|--entrypoint \/usr\/bin\/(du|cp)|\] (up) /.exec(call)?.slice(1).find(Boolean))
        .filter(Boolean),
    ).toEqual(["du", "stop c1", "cp", "up"]);
  });

  it("is not started where there is no room: nothing stops", async () => {
    host.answer("ps --quiet *", "c1\n");
    const df = join(host.folder, "bin", "df");
    host.install(
      "df",
      `#!/bin/sh\nreal=$(PATH=/usr/bin:/bin df "$@"); case $2 in *formats) printf 'x\\n- 9 9 600000 9 -\\n' ;; *) echo "$real" ;; esac\n`,
    );
    const big = join(data, "big");
    spawnSync("dd", ["if=/dev/zero", `of=${big}`, "bs=1M", "count=80"]);
    const { status, said } = await apply("new1", 2);
    expect([status, said]).toEqual([
      1,
      [
        expect.stringMatching(
          /^cloudcode: the disk has no room for a copy of the data of app, whose format changes: 585 MiB free, 59\d MiB needed; nothing was touched$/,
        ),
        "cloudcode: release new1 of app was not started",
      ],
    ]);
    expect(stops()).toEqual([]);
    expect([host.current(), kept(), host.list("releases")]).toEqual(["old1", "none", ["current", "old1"]]);
    rmSync(df);
    expect((await apply("new1", 2)).status).toBe(0);
  });

  it("is not started where the copy fails: the App runs again", async () => {
    writeFileSync(join(host.dockerRoot, "fails"), "/usr/bin/cp");
    const { status, said } = await apply("new1", 2);
    expect([status, said[0]]).toEqual([
      1,
      expect.stringContaining("the data of app could not be copied, and it runs on"),
    ]);
    expect(stops().some((call) => call.startsWith("compose") && call.includes(" up "))).toBe(true);
    expect([host.current(), kept(), existsSync(join(own(), "format"))]).toEqual(["old1", "none", false]);
  });

  it("that does not become healthy gives way to the earlier version and data, and leaves what it did not own", async () => {
    const before = db();
    const { status, said } = await apply("bad1", 2);
    expect([status, said.slice(-2)]).toEqual([
      1,
      ["the data of app has format 1 again, as before the update", "release old1 is running again"],
    ]);
    expect(db()).toEqual([...before, "ran old1"]);
    expect([host.current(), read("format"), kept()]).toEqual(["old1", "1", "none"]);
    expect(readFileSync(join(workspace, "log"), "utf8")).toBe("by bad1\n");
  });

  it("takes the copy also where the App was off meanwhile, and after a failure leaves it off with its data", async () => {
    host.remove("keep-data");
    const before = db();
    const { status, said } = await apply("bad1", 2);
    expect([status, said.at(-1)]).toEqual([1, "there was no earlier release to go back to"]);
    expect([db(), read("format")]).toEqual([before, "1"]);
    expect((await apply("new1", 2)).status).toBe(0);
    expect([kept(), read("kept/release")]).toEqual(["1", "none"]);
    // By the version: there is no release of it any more.
    expect((await apply("old2", 1)).status).toBe(0);
    expect(db().slice(0, before.length)).toEqual(before);
  });

  it("is the first one of an App: there is nothing to keep", async () => {
    host.remove("delete-data");
    expect(existsSync(own())).toBe(false);
    host.withVolumes([], "exit 0");
    expect((await apply("new1", 2)).said).toEqual(["release new1 of app is running"]);
    expect([read("format"), kept()]).toEqual(["2", "none"]);
  });
});

describe("after a change of format", () => {
  beforeEach(async () => {
    await apply("new1", 2);
    write("second");
  });

  it("rollback brings version and data back together, keeps what was written since, and brings that back too", () => {
    const { status, said } = rollback();
    expect([status, said]).toEqual([
      0,
      [
        "the data of app has format 1 again, from the copy; what was written since, of format 2, is kept on the host, 1 MiB",
        "release old1 of app is running and replaces new1",
      ],
    ]);
    expect(db()).toEqual(["1", "ran old1", "first", "ran old1"]);
    expect(readFileSync(join(workspace, "db"), "utf8")).toBe("first\nsecond\n");
    expect([read("format"), kept(), read("kept/release")]).toEqual(["1", "2", "new1"]);
    expect(rollback().status).toBe(0);
    expect(db()).toContain("second");
    expect([read("format"), kept(), read("kept/release")]).toEqual(["2", "1", "old1"]);
  });

  it("and after more releases it still can, since that version stays on the host", async () => {
    for (const id of ["new2", "new3"]) expect((await apply(id, 2)).status).toBe(0);
    expect(host.list("releases")).toEqual(["current", "new2", "new3", "old1"]);
    expect(rollback().status).toBe(0);
    expect([host.current(), kept()]).toEqual(["new2", "1"]);
    expect(rollback("old1").status).toBe(0);
    expect(db()).not.toContain("second");
    // A full `up` of the older version: same format, nothing moves.
    const calls = host.calls();
    expect((await apply("old2", 1)).said).toEqual(["release old2 of app is running"]);
    expect(calls.length).toBeGreaterThan(0);
    expect([db().includes("second"), kept()]).toEqual([false, "2"]);
  });

  it("an update to the older version takes its data from the copy, and the next one to the newer migrates that", async () => {
    expect((await apply("old2", 1)).status).toBe(0);
    expect([db().includes("second"), read("format"), kept()]).toEqual([false, "1", "2"]);
    write("third");
    expect((await apply("new2", 2)).status).toBe(0);
    expect(db()).toEqual(expect.arrayContaining(["first", "third", "migrated"]));
    expect([read("format"), kept(), existsSync(join(own(), "former"))]).toEqual(["2", "1", false]);
    expect(readFileSync(join(own(), "kept/volumes/data/db"), "utf8")).toContain("third");
  });

  it("a rollback that does not become healthy leaves version and data as they are", () => {
    const before = db();
    writeFileSync(join(own(), "kept/volumes/data/db"), "9\n");
    const { status, said } = rollback();
    expect([status, said.at(-1)]).toEqual([1, "release new1 is running again"]);
    expect(db()).toEqual([...before, "ran new1"]);
    expect([host.current(), read("format"), kept()]).toEqual(["new1", "2", "1"]);
  });

  it("without a copy the data itself goes on, after a copy of its own", async () => {
    expect(host.run(["drop", "app"], "").status).not.toBe(0);
    expect(host.backup("drop", "app")).toEqual({ status: 0, said: ["the kept data of app is deleted"] });
    expect(host.backup("drop", "app").said).toEqual(["cloudcode: no data of another format is kept for app"]);
    const before = db();
    // This version starts with no data but its own.
    const { status, said } = await apply("old2", 1);
    expect([status, said.at(-1)]).toEqual([1, "release new1 is running again"]);
    expect(db()).toEqual([...before, "ran new1"]);
    expect([read("format"), kept()]).toEqual(["2", "none"]);
  });

  it("removing the App with its data removes the copy", () => {
    expect(host.remove("delete-data").status).toBe(0);
    expect(existsSync(own())).toBe(false);
  });
});

describe("a change of format that is cut off", () => {
  it.each(["before the copy is whole", "while the new version starts"])("%s: the next one ends well", async (when) => {
    const line = when.startsWith("before") ? "kill -9 $PPID" : "";
    if (line) host.install("sync", `#!/bin/sh\ncase $2 in *formats*) kill -9 $PPID ;; esac\n`);
    else host.withVolumes([], app(data, workspace).replace("echo migrated", "kill -9 $PPID; echo migrated"));
    await apply("new1", 2);
    rmSync(join(host.folder, "bin", "sync"), { force: true });
    host.withVolumes([], app(data, workspace));
    expect((await apply("new2", 2)).status).toBe(0);
    expect([read("format"), kept()]).toEqual(["2", "1"]);
    expect(readFileSync(join(own(), "kept/volumes/data/db"), "utf8")).toMatch(/^1\n/);
    expect(rollback("old1").status).toBe(0);
    expect(db()).toEqual(expect.arrayContaining(["1", "first"]));
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "in a rollback, at its sync %d or never: no data is lost, and it can be repeated",
    async (nth) => {
      await apply("new1", 2);
      write("second");
      host.install(
        "sync",
        `#!/bin/sh\necho >>${host.folder}/count\n[ "$(wc -l <${host.folder}/count)" -ne ${nth} ] || kill -9 $PPID\n`,
      );
      rollback("old1");
      host.install("sync", "#!/bin/sh\n");
      host.backup("recover");
      const everything = [
        db(),
        ...(existsSync(join(own(), "kept/volumes/data/db"))
          ? [readFileSync(join(own(), "kept/volumes/data/db"), "utf8").split("\n")]
          : []),
      ];
      expect(everything.some((lines) => lines[0] === "1")).toBe(true);
      expect(everything.some((lines) => lines.includes("second"))).toBe(true);
      expect(db()[0]).toBe(read("format"));
      if (host.current() !== "old1") expect(rollback("old1").status).toBe(0);
      expect([db().includes("second"), kept()]).toEqual([false, "2"]);
    },
  );
});

describe("where backups are set", () => {
  beforeEach(() => {
    mkdirSync(join(host.folder, "backup"), { recursive: true });
    const words = { repository: "s3:https://example.com/b", image: "example/restic:1", host: "home" };
    const keep = { keep_daily: 7, keep_weekly: 5, keep_monthly: 6 };
    const lines = Object.entries({ ...words, ...keep }).map(([key, value]) => `${key}=${value}\n`);
    writeFileSync(join(host.folder, "backup", "settings.sh"), lines.join(""));
  });
  const restic = () => host.calls().flatMap((call) => / BatchMode=yes (.*)$/.exec(call)?.[1] ?? []);

  it("the copy is a backup, which is kept until it is dropped, and which a rollback restores", async () => {
    const { status, said } = await apply("new1", 2);
    expect([status, said]).toEqual([
      0,
      [
        "app is backed up (before-update,kept-data)",
        "the data of app has format 1, and a copy of it is kept in the backup 00000000; format 2 comes next",
        "release new1 of app is running",
      ],
    ]);
    expect(restic().find((words) => words.startsWith("backup"))).toContain("--tag app=app,before-update,kept-data");
    write("second");
    host.backup("run");
    expect(restic().find((words) => words.startsWith("forget"))).toContain("--keep-tag kept-data");
    expect(rollback().status).toBe(0);
    expect([db().includes("second"), db().includes("first"), kept()]).toEqual([false, true, "2"]);
    expect(readFileSync(join(workspace, "db"), "utf8")).toBe("first\nsecond\n");
    // What was written since is on the host; the snapshot is as any other from the next backup on.
    expect(readFileSync(join(own(), "kept/volumes/data/db"), "utf8")).toContain("second");
    host.calls();
    host.backup("run");
    expect(restic().filter((words) => /^(tag|forget)/.test(words))).toEqual([
      `tag --quiet --remove kept-data ${"1".padStart(64, "0")}`,
      expect.stringMatching(/^forget /),
    ]);
    host.backup("run");
    expect(restic().filter((words) => words.startsWith("tag"))).toEqual([]);
  });

  it("a version that does not become healthy gives way to the earlier version and data", async () => {
    const before = db();
    const { status, said } = await apply("bad1", 2);
    expect([status, said.at(-1)]).toEqual([1, "release old1 is running again"]);
    expect(db()).toEqual([...before, "ran old1"]);
    expect([read("format"), kept()]).toEqual(["1", "none"]);
    expect(readFileSync(join(workspace, "log"), "utf8")).toBe("by bad1\n");
  });

  it("a rollback without the repository is refused, and nothing stops", async () => {
    await apply("new1", 2);
    rmSync(join(host.folder, "backup"), { recursive: true });
    host.calls();
    const { status, said } = rollback();
    expect([status, said[0]]).toEqual([
      1,
      "cloudcode: the data of app is kept in the backup 00000000, and this stack has no backups: set backupRepository as it was, then pulumi up; nothing was touched",
    ]);
    expect(stops()).toEqual([]);
    expect(host.current()).toBe("new1");
  });

  it("a restore of data in a newer format is refused, and one in an older format is migrated", async () => {
    await apply("new1", 2);
    write("second");
    host.backup("run");
    const [older, newer] = ["1", "2"].map((digit) => digit.padStart(64, "0"));
    expect(host.backup("overwrite", "app", older ?? "").said.at(-1)).toBe(
      `app runs with the data of snapshot ${older ?? ""}`,
    );
    expect(db()).toEqual(["2", "ran old1", "first", "migrated", "ran new1"]);
    expect(rollback().status).toBe(0);
    host.calls();
    const { status, said } = host.backup("overwrite", "app", newer ?? "");
    expect([status, said.at(-1)]).toEqual([
      1,
      `cloudcode: snapshot ${newer ?? ""} has data of a newer format than the release of app that runs here can read: set that version first, then pulumi up; nothing was touched`,
    ]);
    expect(stops()).toEqual([]);
  });

  it("data that is backed up as a dump is copied as files", async () => {
    const dumps = [{ service: "database", volume: "data", dump: "dump", load: "load", flush: "flush" }];
    await host.apply(release("new1", { ...of(2), dumps }));
    expect([existsSync(join(own(), "kept/snapshot")), existsSync(join(own(), "kept/volumes/data/db"))]).toEqual([
      false,
      true,
    ]);
  });
});
