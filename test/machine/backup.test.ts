import * as fc from "fast-check";
import { BackupHost, type Entry } from "./backup/host";
import { workspaces } from "./backup/workspace";
import { chosenSystems } from "./machine";

// The first run on a machine makes an image of each system.
jest.setTimeout(30 * 60_000);

const cannotBeRead = "app has a database that cannot be read, whose files are kept as they are: data/";
const hex = (text: string) => Buffer.from(text).toString("hex");
const entry = (path: string, kind: string, more: Partial<Entry> = {}): Entry => ({
  path: hex(path),
  kind,
  owner: 1000,
  mode: 0o644,
  time: 1_600_000_000_000_000_000,
  ...more,
});
const sorted = (all: readonly string[]) => [...all].sort();
const word = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

describe.each(chosenSystems)("backups on %s", (system) => {
  let host: BackupHost;
  beforeAll(async () => {
    host = await BackupHost.start(system, ["app", "next"]);
  });
  afterAll(() => host.machine.remove());

  test("of workspaces full of hostile and broken files bring back every byte, owner, mode and time, and name what has no copy", async () => {
    const property = fc.asyncProperty(workspaces, async (cases) => {
      await host.machine.run("echo canary >/etc/canary");
      await host.fill("app", [entry("kept", "data", { data: hex("kept") }), ...cases.map((one) => one.entry)]);
      const before = await host.look("app");
      const { code, said } = await host.backup("run");
      expect([code, said.slice(-2)]).toEqual([0, ["app is backed up", "next is backed up"]]);
      const reasons = said.flatMap((line) => (line.startsWith(cannotBeRead) ? (line.split(": ").at(-1) ?? "") : []));
      expect(sorted(reasons)).toEqual(sorted(cases.flatMap(({ warned }) => warned ?? [])));
      // A backup changes nothing.
      expect(await host.look("app")).toEqual(before);
      await host.fill("app", [entry("later", "data", { data: hex("later") })]);
      expect(await host.backup("overwrite", "app", await host.newest("app"))).toMatchObject({ code: 0 });
      // What SQLite makes again from a log; sockets are of processes, and restic takes none.
      const gone = cases.flatMap(({ entry: { path, kind } }) =>
        kind === "database with log" ? [`${path}${hex("-shm")}`] : kind === "socket" ? [path] : [],
      );
      const wanted = before.filter((line) => !gone.includes((JSON.parse(line) as [string])[0]));
      expect(await host.look("app")).toEqual(wanted);
      expect(await host.machine.words("cat /etc/canary")).toBe("canary");
    });
    await fc.assert(property, { numRuns: 3, endOnFailure: true });
  });

  test("take no file of another stack, whatever the folders of this one are called", async () => {
    const secret = `${host.volume("next")}/session.db`;
    const sql = "create table words (word); insert into words values ('of-another-app')";
    await host.machine.run(`sqlite3 ${secret} "${sql}"`);
    // Two names to who reads names by lines.
    await host.fill("app", [
      entry(`a\n${secret}`, "database"),
      entry("b\n/etc/passwd", "data", { data: hex("harmless") }),
    ]);
    expect(await host.backup("run", "app")).toMatchObject({ code: 0 });
    const found = await host.machine.words(
      host.restic("dump --tag app=app latest / | grep -a -c -e of-another -e root:x"),
    );
    expect(found).toBe("0");
    expect(await host.machine.words(host.restic("dump --tag app=app latest / | grep -a -c harmless"))).not.toBe("0");
  });

  test("follow no link by which an App replaces a folder at the wrong moment", async () => {
    await host.fill("app", [
      entry("link", "link", { to: hex("/config") }),
      entry("file", "data", { data: hex("read") }),
    ]);
    // What restic would find at a path if it looked at the moment when a folder is a link.
    const look = "cd /backup/volumes/data && cat file && cat link/password 2>&1";
    const inside = await host.machine.words(`head -c 300M /dev/urandom >${host.volume("app")}/large
      systemd-run --quiet --collect --unit reading /opt/cloudcode/bin/cloudcode-backup run app
      timeout 60 sh -c 'until docker exec cloudcode-restic sh -c "${look}" >/root/inside 2>&1 || grep -q ^read /root/inside; do :; done'
      cat /root/inside`);
    expect(inside).toBe("readcat: link/password: Too many levels of symbolic links");
    await host.machine.run("timeout 120 sh -c 'while systemctl is-active --quiet reading; do sleep 0.2; done'");
    const dump = host.restic("dump --tag app=app latest / | grep -a -c hidden-");
    expect(await host.machine.words(dump)).toBe("0");
  });

  test("of databases that are written to all the while are whole, and one that is held stays as it is", async () => {
    await host.fill("app", []);
    const folder = host.volume("app");
    const writer = (unit: string, words: string) =>
      `systemd-run --unit ${unit} python3 /root/write.py ${folder}/${unit}.db ${words}`;
    await host.machine.run(
      [writer("log", "wal"), writer("plain", "delete"), writer("held", "delete hold"), "sleep 5"].join("\n"),
    );
    const { code, said } = await host.backup("run", "app");
    expect(await host.machine.words("systemctl is-active log plain held")).toBe("active\nactive\nactive");
    await host.machine.run("systemctl stop log plain held");
    expect([code, said]).toEqual([0, [`${cannotBeRead}held.db: another process holds it locked`, "app is backed up"]]);
    expect(await host.backup("overwrite", "app", await host.newest("app"))).toMatchObject({ code: 0 });
    for (const name of ["log", "plain"]) {
      const sql = "pragma integrity_check; select count(*), count(distinct number), min(number) > 0 from words";
      expect([name, await host.machine.words(`sqlite3 ${folder}/${name}.db '${sql}'`)]).toEqual([name, "ok\n2000|1|1"]);
    }
    expect(await host.machine.words(`stat -c %u:%g ${folder}/log.db`)).toBe("1000:1000");
  });

  test("take one container for 3,000 databases", async () => {
    await host.fill("app", [entry("one.db", "database")]);
    const folder = host.volume("app");
    await host.machine.run(
      `mkdir ${folder}/many; for n in $(seq 3000); do cp ${folder}/one.db ${folder}/many/$n.db; done`,
    );
    const since = await host.machine.words("date +%s");
    expect(await host.backup("run", "app")).toEqual({ code: 0, said: ["app is backed up"] });
    const format = "--filter event=create --format '{{.Actor.Attributes.name}}' | sort | uniq -c";
    const made = await host.machine.words(`docker events --since ${since} --until $(date +%s) ${format}`);
    expect(made).toMatch(/^\s*1 cloudcode-worker$/m);
    const copies = host.restic("ls --tag app=app latest | grep -c /backup/databases/data/many/");
    expect(await host.machine.words(copies)).toBe("3000");
  });

  test("are not stopped by the lock of a run that was killed", async () => {
    await host.fill("app", []);
    const locks = () => host.machine.words("ls /backups/locks | wc -l");
    await host.machine.run(`head -c 400M /dev/urandom >${host.volume("app")}/large
      systemd-run --unit killed /opt/cloudcode/bin/cloudcode-backup run app
      timeout 60 sh -c 'until [ -n "$(ls /backups/locks)" ]; do sleep 0.05; done'
      systemctl kill -s KILL killed; docker kill cloudcode-restic`);
    expect(await locks()).not.toBe("0");
    expect(await host.backup("run", "app")).toEqual({ code: 0, said: ["app is backed up"] });
    expect(await locks()).toBe("0");
  });

  test("beside another host's are whole, and what is old is removed when that is done", async () => {
    const other = async (seconds: number) => {
      const script = `sleep ${seconds} | { ${host.restic("backup --stdin")} ; }`;
      await host.machine.run(`systemd-run --collect --unit other sh -c ${word(script)}
        timeout 60 sh -c 'until [ -n "$(ls /backups/locks)" ]; do sleep 0.1; done'`);
    };
    host.environment = "CLOUDCODE_WAIT_OTHERS=40s";
    await other(15);
    expect(await host.backup("run", "app")).toEqual({ code: 0, said: ["app is backed up"] });
    await other(600);
    const late = await host.backup("run", "app");
    expect([late.code, late.said.slice(0, 2)]).toEqual([
      0,
      [
        "app is backed up",
        expect.stringContaining("old snapshots could not be removed, which the next backup tries again: "),
      ],
    ]);
    expect(late.said.join("\n")).toContain("already locked");
    host.environment = "";
  });
});
