import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
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
import { projectRoot } from "../support/program";

const versions = "/usr/lib/postgresql";
const [installed] = existsSync(versions) ? readdirSync(versions).sort().reverse() : [];
const bin = join(versions, installed ?? "", "bin");
const scripts = join(projectRoot, "stack-templates/casecheck/database");

/** PostgreSQL refuses to run as root. */
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

// The real database of any version, where one is installed; in the sandbox it is the image's.
(installed === undefined ? describe.skip : describe)("CaseCheck's database", () => {
  let folder: string;
  let server: ChildProcess;
  let env: Record<string, string>;
  const path = (name: string) => join(folder, name);
  const run = (command: string, args: readonly string[], more: Record<string, string> = {}) =>
    execFileSync(command, args, {
      encoding: "utf8",
      env: { ...env, ...more },
      stdio: ["ignore", "pipe", "pipe"],
      ...nobody,
    });

  /** What the service `role` does at a start with this password. */
  const applyRole = (password: string) => {
    writeFileSync(path("password"), password);
    const sql = readFileSync(join(scripts, "role.sql"), "utf8").replace("/run/secrets/password", path("password"));
    writeFileSync(path("role.sql"), sql);
    run("psql", ["--no-psqlrc", "--quiet", "--username", "postgres", "--file", path("role.sql")]);
  };
  const login = (user: string, password: string, query: string) =>
    run("psql", ["-XAt", "-h", "127.0.0.1", "-U", user, "-d", "casecheck", "-c", query], {
      PGPASSWORD: password,
    }).trim();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "casecheck-"));
    for (const name of [".", "data", "socket", "backups"]) {
      if (name !== ".") mkdirSync(path(name));
      if (nobody.uid !== undefined) chownSync(path(name), nobody.uid, nobody.gid);
      chmodSync(path(name), 0o700);
    }
    const port = String(20_000 + (process.pid % 20_000));
    env = { PATH: `${bin}:/usr/bin:/bin`, PGHOST: path("socket"), PGPORT: port, LC_ALL: "C.UTF-8" };
    // As the image makes it: the socket trusts, an address asks for a password.
    run("initdb", ["-D", path("data"), "-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256"]);
    const options = [
      "-D",
      path("data"),
      "-k",
      path("socket"),
      "-p",
      port,
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      "fsync=off",
    ];
    server = spawn(join(bin, "postgres"), options, { env, stdio: "ignore", ...nobody });
    for (let tries = 0; tries < 100; tries += 1) {
      try {
        run("pg_isready", ["--quiet", "--host", "127.0.0.1", "--username", "postgres"]);
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    throw new Error("PostgreSQL did not start");
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGINT");
    await ended;
    rmSync(folder, { recursive: true });
  });

  it("lets its user in with the password of the release, and after a change with the new one only", () => {
    applyRole("Abc123");
    expect(login("casecheck", "Abc123", "create table kept as select 42 as n; select n from kept")).toContain("42");
    applyRole("Xyz789");
    expect(login("casecheck", "Xyz789", "select n from kept")).toBe("42");
    expect(() => login("casecheck", "Abc123", "select 1")).toThrow("password authentication failed");
  });

  it("gives that user nothing but its own database, and lets the superuser in by no address", () => {
    expect(
      login(
        "casecheck",
        "Xyz789",
        "select rolsuper or rolcreatedb or rolcreaterole from pg_roles where rolname = user",
      ),
    ).toBe("f");
    expect(() => login("postgres", "Xyz789", "select 1")).toThrow("password authentication failed");
  });

  it("is dumped into a file from which it can be restored, and only the newest dumps stay", () => {
    for (const day of ["20200101", "20200102", "20200103"])
      writeFileSync(path(`backups/casecheck-${day}T000000Z.dump`), "old");
    writeFileSync(path("backup.sh"), readFileSync(join(scripts, "backup.sh")));
    run("sh", [path("backup.sh"), "2", path("backups"), "once"]);
    const dumps = readdirSync(path("backups")).sort();
    expect(dumps).toEqual([
      "casecheck-20200103T000000Z.dump",
      expect.stringMatching(/^casecheck-20[2-9]\d{5}T\d{6}Z\.dump$/),
    ]);
    login("casecheck", "Xyz789", "drop table kept");
    const dump = path(join("backups", dumps[1] ?? ""));
    run("pg_restore", ["--clean", "--if-exists", "--username", "postgres", "--dbname", "casecheck", dump]);
    expect(login("casecheck", "Xyz789", "select n from kept")).toBe("42");
  });

  it("says so when a dump fails, and leaves no half of one", () => {
    const before = readdirSync(path("backups")).filter((name) => name.endsWith(".dump"));
    expect(() => run("sh", [path("backup.sh"), "2", path("backups"), "once"], { PGPORT: "1" })).toThrow();
    expect(readdirSync(path("backups")).filter((name) => name.endsWith(".dump"))).toEqual(before);
  });
});
