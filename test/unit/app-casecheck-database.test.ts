import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CasecheckDatabase } from "../support/casecheck-backend";
import { postgresInstalled } from "../support/postgres";
import { projectRoot } from "../support/project-root";

const dumped = join(projectRoot, "stack-templates/casecheck/database/backup.sh");
const first = "1".repeat(40);
const second = "2".repeat(40);

// The real database of any version, where one is installed; in the sandbox it is the image's.
(postgresInstalled ? describe : describe.skip)("CaseCheck's database", () => {
  let database: CasecheckDatabase;

  beforeAll(async () => {
    database = await CasecheckDatabase.start();
  });
  afterAll(() => database.stop());

  it("lets its user in with the password of the release, and after a change with the new one only", () => {
    database.prepare(first, "Abc123");
    expect(database.value("create table kept as select 42 as n; select n from kept")).toContain("42");
    database.prepare(first, "Xyz789");
    expect(database.value("select n from kept")).toBe("42");
    expect(() => database.value("select 1", "casecheck", "Abc123")).toThrow("password authentication failed");
  });

  it("gives that user nothing but its own database, and lets the superuser in by no address", () => {
    expect(database.value("select rolsuper or rolcreatedb or rolcreaterole from pg_roles where rolname = user")).toBe(
      "f",
    );
    expect(() => database.value("select 1", "postgres")).toThrow("password authentication failed");
  });

  describe("is dumped", () => {
    const run = (more?: Record<string, string>) =>
      database.server.run("sh", [join(database.server.folder, "backup.sh"), "2", database.backups, "once"], more);
    const dumps = () =>
      readdirSync(database.backups)
        .filter((name) => name.endsWith(".dump"))
        .sort();

    beforeAll(() => {
      writeFileSync(join(database.server.folder, "backup.sh"), readFileSync(dumped));
    });

    it("into a file from which it can be restored, and only the newest dumps stay", () => {
      for (const day of ["20200101", "20200102", "20200103"])
        writeFileSync(join(database.backups, `casecheck-${day}T000000Z.dump`), "old");
      run();
      expect(dumps()).toEqual([
        "casecheck-20200103T000000Z.dump",
        expect.stringMatching(/^casecheck-20[2-9]\d{5}T\d{6}Z\.dump$/),
      ]);
      database.value("drop table kept");
      const dump = join(database.backups, dumps()[1] ?? "");
      database.server.run("pg_restore", ["--clean", "--if-exists", "-U", "postgres", "-d", "casecheck", dump]);
      expect(database.value("select n from kept")).toBe("42");
    });

    it("or says so when that fails, and leaves no half of one", () => {
      const before = dumps();
      expect(() => run({ PGPORT: "1" })).toThrow();
      expect(dumps()).toEqual(before);
    });
  });

  describe("of a version that another one follows", () => {
    const versions = () => join(database.backups, "versions");
    const read = (name: string) => readFileSync(join(versions(), name), "utf8").trim();
    const rows = () => database.value("select string_agg(who, ' ' order by who) from people");
    const add = (who: string) => database.value(`insert into people values ('${who}')`);
    /** What a later version's migration does. */
    const migrate = () =>
      database.value(
        "alter table people drop column since; create table gates (name text); update alembic_version set version_num = 'b'",
      );

    beforeEach(() => {
      database.server.run("dropdb", ["-U", "postgres", "casecheck"]);
      rmSync(versions(), { recursive: true, force: true });
      database.prepare(first);
      database.value(
        "create table alembic_version as select 'a' as version_num; create table people as select 'ann' as who, 1 as since; alter table people alter since set default 1",
      );
    });

    it("is copied once, and a start of the same version copies nothing", () => {
      database.prepare(first);
      expect(existsSync(join(versions(), "former"))).toBe(false);
      database.prepare(second);
      expect([read("commit"), read("former/commit"), read("former/revision")]).toEqual([second, first, "a"]);
      add("ben");
      database.prepare(second);
      expect(rows()).toBe("ann ben");
    });

    it("comes back as it was where that version runs again, with nothing of the later one, and what was there since is kept", () => {
      database.prepare(second);
      migrate();
      add("ben");
      expect(database.prepare(first)).toContain("version 1111111 runs again");
      expect([rows(), database.revision(), database.value("select sum(since) from people")]).toEqual(["ann", "a", "1"]);
      expect(database.value("select to_regclass('gates') is null")).toBe("t");
      expect(database.value("select tableowner from pg_tables where tablename = 'people'")).toBe("casecheck");
      const newer = join(versions(), "newer.dump");
      expect(database.server.run("pg_restore", ["--file", "-", "--data-only", newer])).toContain("ben");
      // The next attempt migrates what is there now.
      add("cid");
      database.prepare(second);
      migrate();
      expect(rows()).toBe("ann cid");
    });

    it("stays where it is if the later version did not migrate it, or its migration failed", () => {
      database.prepare(second);
      add("ben");
      expect(database.prepare(first)).toBe("");
      expect(rows()).toBe("ann ben");
    });

    it("comes back while requests of its API are under way", () => {
      database.prepare(second);
      migrate();
      const busy = "select pg_sleep(0.2) from people; insert into people values ('dora');";
      const path = join(database.server.folder, "busy.sh");
      writeFileSync(path, `psql -X -U postgres -d casecheck -c "${busy}" & sh "$@"; wait\n`);
      const words = [first, versions(), join(database.server.folder, "role.sql")];
      database.server.run("sh", [path, join(database.server.folder, "prepare.sh"), ...words]);
      expect([database.revision(), rows().split(" ")[0]]).toEqual(["a", "ann"]);
    });

    it("is not given to the later one if it cannot be copied", () => {
      writeFileSync(join(versions(), "former.new"), "in the way");
      database.server.run("chmod", ["500", versions()]);
      expect(() => database.prepare(second)).toThrow();
      database.server.run("chmod", ["700", versions()]);
      expect([read("commit"), existsSync(join(versions(), "former"))]).toEqual([first, false]);
    });

    it("stays with the later one if its copy is damaged", () => {
      database.prepare(second);
      migrate();
      add("ben");
      writeFileSync(join(versions(), "former/dump"), "damaged");
      expect(() => database.prepare(first)).toThrow();
      expect([rows(), database.revision()]).toEqual(["ann ben", "b"]);
    });
  });
});
