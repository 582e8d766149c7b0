// What tells the notifier of the home: the host's self-check, Authelia's database, and the certificates that the edge shows.
import { execFileSync } from "node:child_process";
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
import { type Server, createServer } from "node:tls";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { projectRoot } from "../support/project-root";
import type { Receiver } from "../support/notifier";
import { Notifier, eachWithNotifier, portOf, until } from "../support/notifier";

jest.setTimeout(120_000);

describe("the host's self-check", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "news-"));
    for (const folder of ["bin", "notify", "stacks/notify/queue"]) mkdirSync(join(root, folder), { recursive: true });
    for (const name of ["cloudcode-news", "cloudcode-notify"]) {
      const program = readFileSync(join(projectRoot, "stack-templates/host", name), "utf8");
      writeFileSync(join(root, "bin", name), program);
      chmodSync(join(root, "bin", name), 0o755);
    }
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  /** Runs the real script on this report, and takes what it leaves: kind, title without the machine's name, text. */
  function look(
    lines: readonly (readonly [name: string, state: string, seen?: string, remedy?: string])[],
    code = 0,
  ): string[] {
    const report = lines.map((line) => line.join("\t")).join("\n");
    writeFileSync(join(root, "report"), `${report}\n`);
    writeFileSync(join(root, "bin/cloudcode-check"), `#!/bin/sh\ncat '${join(root, "report")}'\nexit ${code}\n`);
    chmodSync(join(root, "bin/cloudcode-check"), 0o755);
    execFileSync(join(root, "bin/cloudcode-news"), { env: { ...process.env, CLOUDCODE_ROOT: root } });
    const queue = join(root, "stacks/notify/queue");
    return readdirSync(queue)
      .sort()
      .map((name) => {
        const text = readFileSync(join(queue, name), "utf8").trim();
        rmSync(join(queue, name));
        return text.replace(/ on .*/, "");
      });
  }
  const disk = ["disk /", "red", "9 MiB are free", 'make "room"'] as const;
  const fine = ["disk /", "ok", "99 GiB are free", ""] as const;

  it("tells what becomes red and its end, each once, and a backup and a reboot as such", () => {
    expect(look([fine])).toEqual([]);
    expect(look([disk, ["backup", "red", "it failed", "do"], ["reboot", "red", "wait", "reboot"]])).toEqual([
      'check\nRed\ndisk /: 9 MiB are free -> make "room"',
      "backup\nRed\nbackup: it failed -> do",
      "reboot\nRed\nreboot: wait -> reboot",
    ]);
    expect(look([disk, ["backup", "red", "it failed 2 hours ago", "do"], ["reboot", "ok"]])).toEqual([
      "reboot\nNo longer red\nreboot",
    ]);
    expect(look([fine, ["backup", "ok"], ["swap", "red", "4 of 3 MiB", "x"]])).toEqual([
      "check\nRed\nswap: 4 of 3 MiB -> x",
      "check\nNo longer red\ndisk /",
      "backup\nNo longer red\nbackup",
    ]);
    // A container that is gone is not red any more.
    expect(look([fine])).toEqual(["check\nNo longer red\nswap"]);
  });

  it("tells of a drill among the news of backups", () => {
    expect(look([["drill", "red", "the last one failed", "do"]])).toEqual([
      "backup\nRed\ndrill: the last one failed -> do",
    ]);
    expect(look([["drill", "ok"]])).toEqual(["backup\nNo longer red\ndrill"]);
  });

  it("tells it once a day while it stays", () => {
    expect(look([disk])).toHaveLength(1);
    const told = join(root, "notify/told");
    writeFileSync(told, readFileSync(told, "utf8").replace(/\d+/, String(Math.floor(Date.now() / 1000) - 86_400)));
    expect(look([disk])).toHaveLength(1);
    expect(look([disk])).toEqual([]);
  });

  it("sends a warning once, not its end, and again after a day; what becomes red of it is sent as such", () => {
    const low = ["data opencode", "warn", "2 GiB are free", "delete"] as const;
    expect(look([low])).toEqual(["check\nWarning\ndata opencode: 2 GiB are free -> delete"]);
    expect(look([low])).toEqual([]);
    expect(look([["data opencode", "ok"]])).toEqual([]);
    expect(look([low])).toEqual([]);
    expect(look([["data opencode", "red", "full", "delete"]])).toEqual(["check\nRed\ndata opencode: full -> delete"]);
    expect(look([low])).toEqual(["check\nNo longer red\ndata opencode"]);
    const told = join(root, "notify/told");
    writeFileSync(told, readFileSync(told, "utf8").replace(/\d+/, String(Math.floor(Date.now() / 1000) - 86_401)));
    expect(look([["data opencode", "ok"]])).toEqual([]);
    expect(look([low])).toHaveLength(1);
  });

  it("a check that hangs is red, and ends nothing that it did not look at", () => {
    look([disk]);
    expect(look([["memory", "ok"]], 124)).toEqual([
      "check\nRed\nself-check: it did not finish -> npm run ops -- status says where",
    ]);
    expect(look([disk])).toEqual(["check\nNo longer red\nself-check"]);
  });

  it("does nothing where there is no notifier", () => {
    for (const folder of ["notify", "stacks"]) rmSync(join(root, folder), { recursive: true });
    execFileSync(join(root, "bin/cloudcode-news"), { env: { ...process.env, CLOUDCODE_ROOT: root } });
    execFileSync(join(root, "bin/cloudcode-notify"), ["deploy", "x"], {
      input: "",
      env: { ...process.env, CLOUDCODE_ROOT: root },
    });
    expect(existsSync(join(root, "notify")) || existsSync(join(root, "stacks"))).toBe(false);
  });
});

describe("in the notifier", () => {
  let receiver: Receiver;
  let notifier: Notifier;
  eachWithNotifier((...made) => {
    [notifier, receiver] = made;
  });
  const titles = () => receiver.got.map(({ title }) => title);
  const arrived = (count: number) =>
    until(
      () => receiver.got.length >= count,
      () => [receiver.got, notifier.words],
      40,
    );

  describe("sign-ins", () => {
    /** As Authelia's migrations make its tables (internal/storage/migrations, V0001 and V0011). */
    const tables = `
      CREATE TABLE authentication_logs (id INTEGER, time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, successful BOOLEAN NOT NULL,
        banned BOOLEAN NOT NULL DEFAULT FALSE, username VARCHAR(100) NOT NULL, auth_type VARCHAR(8) NOT NULL DEFAULT '1FA',
        remote_ip VARCHAR(39) NULL DEFAULT NULL, request_uri TEXT, request_method VARCHAR(8) NOT NULL DEFAULT '', PRIMARY KEY (id));
      CREATE TABLE webauthn_credentials (id INTEGER, username VARCHAR(100) NOT NULL, description VARCHAR(64) NOT NULL, PRIMARY KEY (id));`;
    let reader: Notifier;
    const sql = (words: string) => {
      const program =
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.executescript(sys.stdin.read()); db.commit()";
      execFileSync("python3", ["-c", program, join(reader.root, "gateway/db.sqlite3")], { input: words });
    };
    const attempt = (address: string, kind = "1FA", { successful = 1, daysAgo = 0 } = {}) => {
      const time = new Date(Date.now() - daysAgo * 86_400_000)
        .toISOString()
        .replace("T", " ")
        .replace("Z", "123456+00:00");
      sql(`INSERT INTO authentication_logs (time, successful, username, auth_type, remote_ip, request_uri)
        VALUES ('${time}', ${successful}, 'admin', '${kind}', '${address}', 'https://x/');`);
    };
    beforeEach(async () => {
      reader = new Notifier(notifier.libraries);
      rmSync(join(reader.root, "sign-ins"), { recursive: true });
      execFileSync("ln", ["-s", join(notifier.root, "sign-ins"), join(reader.root, "sign-ins")]);
      sql(tables);
      attempt("192.0.2.1");
      attempt("192.0.2.1", "TOTP");
      attempt("2001:db8:1:2:aaaa::1", "WebAuthn");
      attempt("192.0.2.9", "1FA", { daysAgo: 200 });
      notifier.configure([receiver.url()]);
      notifier.start();
      reader.start("sign-ins");
      await until(
        () => existsSync(join(notifier.root, "sign-ins/.state")),
        () => reader.words,
      );
    });
    afterEach(async () => {
      await reader.remove();
    });

    it("from a new address are sent once, those from a known one and failures are not, also over a restart", async () => {
      attempt("192.0.2.1");
      attempt("2001:db8:1:2:bbbb::7", "WebAuthn");
      attempt("203.0.113.66", "1FA", { successful: 0 });
      attempt("203.0.113.5", "WebAuthn");
      await arrived(1);
      await reader.kill();
      attempt("203.0.113.5", "WebAuthn");
      attempt("198.51.100.7");
      attempt("192.0.2.9");
      reader.start("sign-ins");
      await arrived(3);
      await sleep(1000);
      expect(titles()[0]).toBe("New address: admin signed in from 203.0.113.5");
      expect(titles().slice(1).sort()).toEqual(
        ["192.0.2.9", "198.51.100.7"].map(
          (address) => `New address: admin gave the right password, and no second factor yet, from ${address}`,
        ),
      );
    });

    it("of a database that is none are not sent, which is said once; one that cannot be asked makes it unhealthy", async () => {
      const [database, healthy] = [join(reader.root, "gateway/db.sqlite3"), join(reader.root, "tmp/healthy")];
      const fault = (words: string) => reader.words.split(`cannot be read: ${words}`).length - 1;
      sql("ALTER TABLE authentication_logs RENAME COLUMN successful TO other;");
      await until(
        () => fault("no such column") === 1,
        () => reader.words,
      );
      rmSync(healthy, { force: true });
      await sleep(1000);
      expect(existsSync(healthy)).toBe(false);
      writeFileSync(database, '{"not": "a database"}'.padEnd(4096));
      await until(
        () => existsSync(healthy),
        () => reader.words,
      );
      await sleep(1000);
      expect(fault("file is not a database")).toBe(1);
    });

    it("with a new second factor are sent", async () => {
      sql("INSERT INTO webauthn_credentials (username, description) VALUES ('admin', 'phone');");
      await arrived(1);
      expect(titles()).toEqual(["A passkey was registered for admin"]);
    });

    it("in words that somebody chose are of their kind only, and on one line", async () => {
      sql(`INSERT INTO authentication_logs (successful, username, auth_type, remote_ip)
        VALUES (1, 'ad' || char(10) || 'min' || char(27), 'TOTP', 'no' || char(10) || 'address');`);
      await arrived(1);
      expect(titles()).toEqual(["New address: ad min  signed in from no address"]);
    });
  });

  describe("certificates", () => {
    let edge: Server | undefined;
    let port = 0;
    const serve = async (by: { readonly key: string; readonly certificate: string }) => {
      edge?.close();
      edge = createServer({ key: by.key, cert: by.certificate });
      edge.on("tlsClientError", () => undefined);
      await once(edge.listen(port, "127.0.0.1"), "listening");
      port = portOf(edge);
    };
    afterEach(() => {
      edge?.close();
      edge = undefined;
      port = 0;
    });

    it("that no browser trusts are sent once, and so is their end", async () => {
      const trusted = selfSigned(["home.example.com"]);
      const internal = selfSigned(["home.example.com"]);
      await serve(trusted);
      const root = join(notifier.root, "root.pem");
      writeFileSync(root, trusted.certificate);
      notifier.configure([receiver.url()], {
        edge: { address: `127.0.0.1:${port}`, names: ["home.example.com"], root },
      });
      notifier.start();
      await sleep(1500);
      await serve(internal);
      await arrived(1);
      await sleep(1500);
      await serve(trusted);
      await arrived(2);
      await sleep(1000);
      expect(titles()).toEqual(["Certificates that no browser trusts", "Certificates are trusted again"]);
      expect(receiver.got[0]?.message).toMatch(/^home\.example\.com: self[- ]signed certificate/);
    });
  });
});
