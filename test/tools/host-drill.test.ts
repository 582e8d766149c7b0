import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { DrillHost } from "../support/drill-host";
import { hostTemplates } from "../support/page-host";

let host: DrillHost;
beforeEach(() => {
  host = new DrillHost();
  expect(host.run("run")).toMatchObject({ status: 0, said: ["app is backed up"] });
  writeFileSync(join(host.fake, "calls"), "");
});
afterEach(() => {
  host.remove();
});

const inBackup = (path: string) => join(host.newest, path);
const read = (file: string) => readFileSync(join(host.fake, file), "utf8");

describe("a drill", () => {
  it("of a good backup starts it, compares it, notes that, and leaves nothing", () => {
    expect(host.run("drill")).toEqual({
      status: 0,
      said: ["app: became healthy with the data of its backup of 2026-11-29T03:30:00"],
    });
    expect(host.result()).toEqual({ state: "ok", words: "app" });
    expect(host.left()).toEqual([]);
    expect(read("loaded")).toBe(read("dump"));
  });

  it("starts it behind walls: what may touch the living home or the internet is not in its compose file", () => {
    host.run("drill");
    const service = z.looseObject({ mem_limit: z.number(), oom_score_adj: z.literal(1000) });
    const { services, networks, volumes } = z
      .object({
        name: z.literal("cloudcode-drill-app"),
        services: z.record(z.string(), service),
        networks: z.unknown(),
        volumes: z.unknown(),
      })
      .parse(JSON.parse(read("started.json")));
    expect(Object.keys(services)).toEqual(["web", "seed", "database"]);
    expect(networks).toEqual({ walls: { internal: true, labels: { "cloudcode.drill": "app" } } });
    expect(volumes).toEqual({
      data: { external: true, name: "cloudcode-drill-app_data" },
      database: { external: true, name: "cloudcode-drill-app_database" },
    });
    const own = join(host.fake, "cloudcode-backup/drill/app");
    expect(services["web"]).toEqual({
      image: "example/web:1",
      command: null,
      environment: { WORD: "a$$b" },
      labels: { "cloudcode.drill": "app" },
      pull_policy: "never",
      restart: "no",
      oom_score_adj: 1000,
      cpu_shares: 64,
      mem_limit: 512 << 20,
      memswap_limit: 512 << 20,
      depends_on: { seed: { condition: "service_completed_successfully" } },
      volumes: [
        { type: "volume", source: "data", target: "/data", volume: { nocopy: true } },
        {
          type: "bind",
          source: `${own}/files/f1/app.conf`,
          target: "/app.conf",
          read_only: true,
          bind: { create_host_path: true },
        },
      ],
      dns: ["127.0.0.1"],
      networks: { walls: { aliases: ["app-web"] } },
    });
    expect(services["seed"]).toMatchObject({ network_mode: "none", mem_limit: 64 << 20 });
    expect(services["seed"]).not.toHaveProperty("networks");
  });

  it("gives its containers the memory that they have in their release, where so much is free", () => {
    host.memory(4671);
    host.run("drill");
    expect(read("started.json")).toContain(`"mem_limit": ${512 << 20},`);
    host.memory(4672);
    host.run("drill");
    expect(read("started.json")).toContain('"mem_limit": 4294967296,');
  });

  it("never calls Docker for what lives here, but to read", () => {
    const before = statSync(join(host.data, "key")).mtimeMs;
    host.run("drill");
    const changing = host
      .calls()
      .filter((call) => / (up|exec|stop|down|restart|kill) |^(stop|rm|volume rm) /.test(call));
    expect(changing.filter((call) => !/cloudcode-(drill-|restic|worker)|drill-app$/.test(call))).toEqual([]);
    expect(changing.length).toBeGreaterThan(5);
    expect(statSync(join(host.data, "key")).mtimeMs).toBe(before);
  });

  it("of single stacks says nothing of the others", () => {
    expect(host.run("drill", "app").status).toBe(0);
    expect(existsSync(join(host.folder, "backup/drill"))).toBe(false);
    expect(host.run("drill", "other").said).toEqual(["cloudcode: other: does not run on this host"]);
  });

  it("goes on after a stack that fails, and names each", () => {
    host.stack("abc", { networks: [] });
    host.run("run", "abc");
    host.say("on-up", 'case $(cat "$FAKE_DOCKER"/containers/*) in *abc) exit 1 ;; esac\n');
    const { status, said } = host.run("drill");
    expect([status, said.length]).toEqual([1, 2]);
    expect(host.result()).toEqual({
      state: "failed",
      words: "abc: it does not become healthy with the data of its backup: web",
    });
    expect(said[1]).toContain("app: became healthy");
  });

  it("leaves out a stack that another host runs now", () => {
    writeFileSync(join(host.folder, "stacks/app/given"), "gone");
    expect(host.run("drill")).toEqual({ status: 0, said: [""] });
  });

  it("says where too little memory or room is left, and restores nothing", () => {
    host.memory(700);
    const words =
      "app: there is too little memory for a drill: 700 MiB available, 1088 MiB needed; nothing was restored";
    expect(host.run("drill")).toEqual({ status: 1, said: [`cloudcode: ${words}`] });
    expect(host.result()).toEqual({ state: "failed", words });
    host.memory(1100);
    host.program("df", "#!/bin/sh\nprintf 'x\\n- 9 9 500000 9 -\\n'\n");
    expect(host.run("drill").said).toEqual([
      "cloudcode: app: the disk has no room for a drill: 488 MiB free, 512 MiB needed; nothing was restored",
    ]);
    expect(host.calls().filter((call) => / restore /.test(call))).toEqual([]);
  });

  it("waits for a change of its stack no longer than that takes, and not at all while it runs itself", () => {
    host.say("on-up", `flock -n "${host.folder}/stacks/.app.lock" true\n`);
    expect(host.run("drill").status).toBe(0);
  });
});

describe("a backup that is broken", () => {
  const proof = () =>
    z.looseObject({ volumes: z.unknown() }).parse(JSON.parse(readFileSync(inBackup("proof"), "utf8")));

  it.each<[string, () => void, string]>([
    [
      "a wrong password",
      () => {
        host.say("fails-cat", "Fatal: wrong password or no key found\n");
      },
      "the backup repository s3:https://example.com/b cannot be opened: Fatal: wrong password or no key found",
    ],
    [
      "a missing pack",
      () => {
        host.say("fails-check", "pack 1a2b does not exist\n");
      },
      "the repository is damaged: pack 1a2b does not exist",
    ],
    [
      "a file that cannot be read any more",
      () => {
        host.say("fails-restore", "ciphertext verification failed\n");
      },
      "ciphertext verification failed",
    ],
    [
      "no snapshot",
      () => {
        host.say("list", "");
      },
      "there is no backup of it: npm run ops -- backup makes one",
    ],
    [
      "a torn database",
      () => {
        const database = inBackup("databases/data/app.db");
        const bytes = readFileSync(database);
        bytes.fill(0xff, 4096);
        writeFileSync(database, bytes);
      },
      "database data/app.db is damaged",
    ],
    [
      "a database that ends early",
      () => {
        truncateSync(inBackup("databases/data/app.db"), 4096);
      },
      "database data/app.db is damaged",
    ],
    [
      "a database with a row less",
      () => {
        host.sql(inBackup("databases/data/app.db"), "delete from words where word = 'a'");
      },
      "database data/app.db has 1 rows and had 2",
    ],
    [
      "a database with an old schema",
      () => {
        host.sql(inBackup("databases/data/app.db"), "drop table words");
      },
      "database data/app.db has 0 rows and had 2",
    ],
    [
      "no database",
      () => {
        rmSync(inBackup("databases/data/app.db"));
      },
      "database data/app.db is missing",
    ],
    [
      "half a volume",
      () => {
        for (const name of ["0", "1", "2", "3", "4"]) rmSync(inBackup(`volumes/data/folder/${name}`));
      },
      "volume data has 7 of 12 files",
    ],
    [
      "no volume",
      () => {
        rmSync(inBackup("volumes/data"), { recursive: true });
      },
      "volume data lacks a file that it had, or that is another one now",
    ],
    [
      "another key",
      () => {
        writeFileSync(inBackup("volumes/data/key"), "");
      },
      "data/key is missing",
    ],
    [
      "another file",
      () => {
        for (const name of ["key", ...readdirSync(inBackup("volumes/data/folder")).map((one) => `folder/${one}`)])
          writeFileSync(inBackup(`volumes/data/${name}`), "something else");
      },
      "volume data lacks a file that it had, or that is another one now",
    ],
    [
      "data of a newer format",
      () => {
        writeFileSync(inBackup("stack/format"), "3\n");
      },
      "its backup has data of a newer format than the release that runs here can read",
    ],
    [
      "half a dump",
      () => {
        writeFileSync(inBackup("dumps/database"), "COPY public.users (id) FROM stdin;\n1\n");
      },
      "the database database has 1 rows and had 3",
    ],
    [
      "no dump",
      () => {
        rmSync(inBackup("dumps/database"));
      },
      "the dump of database is missing",
    ],
    [
      "no passkey",
      () => {
        host.say("passkeys-then", "");
      },
      "the passkeys of web are not those of the time of the backup",
    ],
    [
      "no word of what it must have",
      () => {
        expect(proof().volumes).toBeDefined();
        rmSync(inBackup("proof"));
      },
      "the backup does not say what must be in it: it was made by an earlier version of the program",
    ],
  ])("by %s is red within one drill, and nothing is left", (_how, breaks, words) => {
    breaks();
    const { status, said } = host.run("drill");
    expect([status, said.join("\n").includes(words)]).toEqual([1, true]);
    expect(host.result().state).toBe("failed");
    expect(host.left()).toEqual([]);
  });

  it("is looked at without what hostile names could say: they are on one line each", () => {
    writeFileSync(join(host.data, "evil\n\tdrill\tok.db"), "");
    host.sql(join(host.data, "evil\n\tdrill\tok.db"), "create table t (a); insert into t values (1)");
    host.run("run", "app");
    rmSync(inBackup("databases/data/evil\n\tdrill\tok.db"));
    expect(host.run("drill").said).toContain(String.raw`cloudcode: app: database data/evil\n\tdrill\tok.db is missing`);
    expect(host.result().words).toBe("app: 1 of the things that its backup must have are missing or damaged");
  });
});

describe("a drill that is killed", () => {
  it("is gone with the next command, whatever that is, and counts as failed", async () => {
    host.say("on-up", 'echo here >"$FAKE_DOCKER/here"; exec sleep 5\n');
    const child = spawn(join(host.folder, "bin/cloudcode-backup"), ["drill"], {
      detached: true,
      env: host.environment,
      stdio: "ignore",
    });
    for (let n = 0; n < 200 && !existsSync(join(host.fake, "here")); n++) await sleep(50);
    expect(host.result().state).toBe("begun");
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await sleep(200);
    expect(host.left().join(" ")).toMatch(/drill-app.label.*cloudcode-drill-app_data.*drill\/app/);
    expect(host.run("recover")).toEqual({ status: 0, said: [""] });
    expect(host.left()).toEqual([]);
    expect(host.result()).toEqual({ state: "failed", words: "it was cut off" });
    host.say("on-up", "exit 0\n");
    expect(host.run("drill").status).toBe(0);
  });
});

describe("a machine that goes", () => {
  it("has no drill in the way of its last backup", async () => {
    // As `up --wait`, which ends when its containers do.
    host.say(
      "on-up",
      'touch "$FAKE_DOCKER/here"; for n in $(seq 300); do ! grep -q "^kill " "$FAKE_DOCKER/calls" || exit 1; sleep 0.1; done\n',
    );
    const child = spawn(join(host.folder, "bin/cloudcode-backup"), ["drill"], {
      env: host.environment,
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    for (let n = 0; n < 200 && !existsSync(join(host.fake, "here")); n++) await sleep(50);
    expect(host.run("rescue")).toMatchObject({ status: 0, said: ["app is backed up"] });
    expect(await ended).toBe(143);
    expect(host.left()).toEqual([]);
    expect(host.result()).toMatchObject({ state: "failed" });
  });
});

describe("cloudcode-check", () => {
  function check(): readonly string[] {
    const { stdout } = spawnSync("sh", [join(hostTemplates, "cloudcode-check"), "recent"], {
      encoding: "utf8",
      env: host.environment,
    });
    return stdout.split("\n").filter((line) => line.startsWith("drill\t"));
  }
  const noted = (daysAgo: number, state: string) => {
    const time = Math.floor(Date.now() / 1000) - daysAgo * 86_400;
    writeFileSync(join(host.folder, "backup/drill"), `${time}\t200\t${state}\tapp, auth\n`);
  };

  it("tells of the last drill: none, good, failed, and one that did not come", () => {
    expect(check()).toEqual(["drill\tnone\tnone was made yet; npm run ops -- drill makes one now\t"]);
    noted(3, "ok");
    expect(check()).toEqual(["drill\tok\t3 days ago, within 4 min, from the newest backups: app, auth\t"]);
    noted(3, "failed");
    expect(check()).toEqual([
      expect.stringMatching(/^drill\tred\tthe last one, 3 days ago, .*: app, auth\tnpm run ops -- drill makes one now/),
    ]);
    noted(0, "begun");
    expect(check()).toEqual(["drill\tok\tone runs since 0 min\t"]);
  });

  it("is red where the calendar had one come that did not", () => {
    // As systemd 252 says it.
    host.program(
      "systemd-analyze",
      `#!/bin/sh\nprintf '  Original form: x\\n    Next elapse: '; date -u -d "@$((\${2#--base-time=@} + 31 * 86400))" '+%a %Y-%m-%d %H:%M:%S UTC'\n`,
    );
    noted(32, "ok");
    expect(check()).toEqual([expect.stringContaining("drill\tok\t")]);
    noted(40, "ok");
    expect(check()).toEqual([
      expect.stringContaining("drill\tred\tthe last one was made 40 days ago, within 4 min, and the next did not come"),
    ]);
  });
});
