import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { listed } from "../support/hostile";
import { projectRoot } from "../support/program";

const host = join(projectRoot, "stack-templates", "host");

/** Directory with the root of a host, and programs of the host that only say what the test wants. */
let folder: string;
let root: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "page-"));
  root = join(folder, "root");
  for (const path of ["bin", "stacks/edge/releases/current/live/page"])
    mkdirSync(join(root, path), { recursive: true });
  mkdirSync(join(folder, "path"));
  program("docker", fakeDocker([]));
  checkSays("");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function program(name: string, text: string): void {
  writeFileSync(join(folder, "path", name), text, { mode: 0o755 });
}

/** The check of the host, which has a test of its own below: it says this, whatever is in it. */
function checkSays(text: string, code = 0): void {
  writeFileSync(join(folder, "said"), text);
  writeFileSync(
    join(root, "bin/cloudcode-check"),
    `#!/bin/sh\necho "$1" >'${folder}/asked'\ncat '${folder}/said'\nexit ${code}\n`,
  );
  chmodSync(join(root, "bin/cloudcode-check"), 0o755);
}

interface Container {
  readonly stack: string;
  readonly status?: string;
  readonly health?: string;
  readonly code?: number;
  readonly restart?: string;
  readonly started?: string;
  readonly finished?: string;
  /** Where its compose project lives. @default where cloudcode's do */
  readonly from?: string;
}

/** As `docker ps` and `docker inspect` answer to the formats of the script; nothing else of a container is there to be read. */
function fakeDocker(containers: readonly Container[]): string {
  const lines = containers.map((one, index) => `${index} ${one.from ?? join(root, "stacks", one.stack)}`);
  const facts = containers.map(
    ({ stack, status = "running", health = "", code = 0, restart = "unless-stopped", ...times }) => {
      const { started = "2026-11-25T14:03:00.123456789Z", finished = "0001-01-01T00:00:00Z" } = times;
      return JSON.stringify([`cloudcode-${stack}`, status, health, code, restart, started, finished]);
    },
  );
  for (const [index, text] of facts.entries()) writeFileSync(join(folder, `fact-${index}`), `${text}\n`);
  return `#!/bin/sh
case $1 in
  ps) printf '%s' '${lines.map((line) => `${line}\n`).join("")}' ;;
  inspect) shift 3; for id; do cat "${folder}/fact-$id"; done ;;
  info) echo '${folder}' ;;
esac
`;
}

function home(hosts: readonly string[], timeZone = "UTC"): void {
  writeFileSync(join(root, "stacks/edge/releases/current/live/page/home.json"), JSON.stringify({ hosts, timeZone }));
}

interface Report {
  readonly time: number;
  readonly offset: number;
  readonly checks: readonly {
    readonly name: string;
    readonly state: string;
    readonly seen: string;
    readonly fix: string;
  }[];
  readonly apps: Readonly<Record<string, { readonly state: string; readonly since?: number | null }>>;
  readonly releases: Readonly<Record<string, string>>;
  readonly disks: readonly { readonly place: string; readonly size: number; readonly free: number }[];
  readonly memory: { readonly size: number; readonly free: number };
  readonly certificate: { readonly count: number; readonly until: number | null };
  readonly backup: { readonly time: number | null; readonly ok: boolean } | null;
  readonly deploy: { readonly time: number; readonly stack: string; readonly ok: boolean } | null;
}

const environment = () => ({ PATH: `${join(folder, "path")}:${process.env["PATH"] ?? ""}`, CLOUDCODE_ROOT: root });
const reportFile = () => join(root, "stacks/edge/page/report.json");
const read = () => JSON.parse(readFileSync(reportFile(), "utf8")) as Report;

/** Runs the real script. */
function run(more: Readonly<Record<string, string>> = {}): Report {
  const env = { ...environment(), CLOUDCODE_CADDY: "127.0.0.1:9", ...more };
  expect(spawnSync("sh", [join(host, "cloudcode-page")], { encoding: "utf8", env })).toMatchObject({
    status: 0,
    stderr: "",
  });
  return read();
}

describe("the report of cloudcode-page", () => {
  it("has the time of its begin, and is what everybody in Caddy's container may read", () => {
    const before = Math.floor(Date.now() / 1000);
    const { time, offset, disks, memory } = run();
    expect(time - before).toBeLessThanOrEqual(2);
    expect([offset, readFileSync(join(folder, "asked"), "utf8")]).toEqual([0, "recent\n"]);
    expect(statSync(reportFile()).mode & 0o777).toBe(0o644);
    expect(readdirSync(join(root, "stacks/edge/page"))).toEqual(["report.json"]);
    expect(disks[0]).toMatchObject({ place: "/" });
    for (const { size, free } of [...disks, memory]) expect(size > free && free > 0).toBe(true);
  });

  it.each([
    ["Asia/Shanghai", 28_800],
    ["America/St_Johns", -12_600],
    ["$(touch x); echo", 0],
  ])("has the clock of the time zone %s", (zone, offset) => {
    home([], zone);
    // Half an hour of summer time, on half of the days.
    expect([offset, offset === -12_600 ? -9000 : offset]).toContain(run().offset);
  });

  it("repeats the checks word for word, whatever is in them, and no fact", () => {
    const texts = listed.filter((text) => !/[\t\n\0\r]/.test(text) && text !== "");
    checkSays(
      texts.map((text) => `a${text}\tred\tb${text}\tc${text}\n`).join("") +
        "clock\tfact\t5\t\nrelease opencode\tfact\t0123456789ab\t\n",
    );
    const { checks, releases } = run();
    const well = (text: string) => text.replaceAll(/[\ufffe\uffff]/g, (letter) => letter);
    expect(checks).toEqual(
      texts.map((text) => ({ name: `a${well(text)}`, state: "red", seen: `b${well(text)}`, fix: `c${well(text)}` })),
    );
    expect(releases).toEqual({ opencode: "0123456789ab" });
  });

  it("is JSON also where the check says what is no text", () => {
    writeFileSync(join(folder, "raw"), Buffer.from([0x78, 0xff, 0xc0, 0x09, ...Buffer.from("ok\tx\t\n")]));
    writeFileSync(join(root, "bin/cloudcode-check"), `#!/bin/sh\ncat '${folder}/raw'\n`);
    expect(run().checks).toMatchObject([{ state: "ok", seen: "x" }]);
  });

  it("says so where the check does not come to its end, with what it saw before", () => {
    checkSays("disk /\tok\tfine\t\n", 124);
    expect(run().checks).toEqual([
      { name: "disk /", state: "ok", seen: "fine", fix: "" },
      { name: "self-check", state: "red", seen: "it did not come to its end", fix: "npm run ops -- status says where" },
    ]);
  });

  it.each<[string, readonly Omit<Container, "stack">[], { state: string; since?: number | null } | undefined]>([
    ["runs", [{}], { state: "up", since: Date.UTC(2026, 10, 25, 14, 3) / 1000 }],
    [
      "is healthy",
      [{ health: "healthy" }, { started: "2026-11-26T00:00:00Z" }],
      { state: "up", since: Date.UTC(2026, 10, 26) / 1000 },
    ],
    [
      "has done its work in part",
      [{}, { status: "exited", restart: "no" }],
      { state: "up", since: Date.UTC(2026, 10, 25, 14, 3) / 1000 },
    ],
    ["begins", [{ health: "starting" }], { state: "starting" }],
    ["is not healthy", [{}, { health: "unhealthy" }], { state: "down", since: null }],
    [
      "ended",
      [{}, { status: "exited", code: 1, finished: "2026-11-27T00:00:00.5Z" }],
      { state: "down", since: Date.UTC(2026, 10, 27) / 1000 },
    ],
    [
      "failed at its work",
      [{}, { status: "exited", code: 1, restart: "no", finished: "2026-11-27T00:00:00Z" }],
      { state: "down", since: Date.UTC(2026, 10, 27) / 1000 },
    ],
    ["never began", [{ status: "created" }], { state: "down", since: null }],
    [
      "restarts",
      [{ status: "restarting", code: 1, finished: "2026-11-27T00:00:00Z" }],
      { state: "down", since: Date.UTC(2026, 10, 27) / 1000 },
    ],
    ["is another's", [{ from: "/srv/theirs" }], undefined],
    ["is not there", [], undefined],
  ])("of an App that %s", (_what, containers, state) => {
    program("docker", fakeDocker(containers.map((one) => ({ stack: "opencode", ...one }))));
    expect(run().apps["opencode"]).toEqual(state);
  });

  it("tells Apps apart", () => {
    program("docker", fakeDocker([{ stack: "b" }, { stack: "a", status: "exited", code: 1 }, { stack: "b" }]));
    expect(Object.entries(run().apps).map(([name, { state }]) => [name, state])).toEqual([
      ["a", "down"],
      ["b", "up"],
    ]);
  });

  it("asks Docker for no output of a health check, no environment and no label of an image", () => {
    const text = readFileSync(join(host, "cloudcode-page"), "utf8");
    expect(text).not.toMatch(/\.Log\b|Config\.Env|docker (logs|exec)/);
  });

  it("knows the last deployment, which may have failed, and the last backup", () => {
    const line = (time: string, stack: string, action: string, result: string) =>
      `${time}\tpulumi from 192.0.2.1\t${stack}\t${action}\t0123456789ab\t${result}\n`;
    const history =
      line("2026-11-25T00:00:00Z", "auth", "apply", "running") +
      line("2026-11-26T00:00:00Z", "casecheck", "apply", "not healthy, 3f runs again");
    writeFileSync(
      join(root, "stacks/.history"),
      history + line("2026-11-27T00:00:00Z", "tg-signer", "remove", "removed"),
    );
    expect(run()).toMatchObject({
      deploy: { time: Date.UTC(2026, 10, 26) / 1000, stack: "casecheck", ok: false },
      backup: null,
    });
    writeFileSync(join(root, "stacks/.history"), line("2026-11-28T00:00:00Z", "auth", "rollback", "running"));
    mkdirSync(join(root, "backup"));
    expect(run()).toMatchObject({ deploy: { stack: "auth", ok: true }, backup: { time: null, ok: false } });
    for (const [word, ok] of [
      ["ok", true],
      ["failed", false],
    ] as const) {
      writeFileSync(join(root, "backup/last"), `1764201600\t${word}\n`);
      expect(run().backup).toEqual({ time: 1764201600, ok });
    }
  });

  it("of an older one leaves nothing, and is there whole or not at all: a run that fails keeps the one before", () => {
    run();
    writeFileSync(join(root, "stacks/edge/page/.report.abcdef"), "half");
    const before = readFileSync(reportFile(), "utf8");
    program("jq", "#!/bin/sh\nprintf '{'\nexit 5\n");
    expect(spawnSync("sh", [join(host, "cloudcode-page")], { env: environment() }).status).toBe(1);
    expect(readFileSync(reportFile(), "utf8")).toBe(before);
    expect(readdirSync(join(root, "stacks/edge/page"))).toEqual(["report.json"]);
  });

  it("is not written without Caddy: what was removed does not come back", () => {
    rmSync(join(root, "stacks/edge"), { recursive: true });
    expect(spawnSync("sh", [join(host, "cloudcode-page")], { env: environment() }).status).toBe(0);
    expect(readdirSync(join(root, "stacks"))).toEqual([]);
  });

  it("comes while Docker hangs, too", () => {
    program("timeout", `#!/bin/sh\nshift\ncase $1 in docker) exit 124 ;; esac\nexec "$@"\n`);
    checkSays("docker\tred\tdoes not answer\tx\n");
    expect(run()).toMatchObject({ apps: {}, checks: [{ name: "docker", state: "red" }] });
  });

  it("takes little time of the processor", () => {
    program("docker", fakeDocker(Array.from({ length: 14 }, (_, index) => ({ stack: `app${index % 6}` }))));
    run();
    const script = `TIMEFORMAT='%U %S'; time sh '${join(host, "cloudcode-page")}' 2>/dev/null`;
    const { stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8", env: environment() });
    const times = stderr.match(/\d+\.\d+/g) ?? [];
    expect(times).toHaveLength(2);
    const seconds = times.map(Number).reduce((sum, one) => sum + one, 0);
    expect(seconds).toBeLessThan(2);
  });
});

describe("certificates", () => {
  /** Caddy by its handshakes: a name has the days left and the authority that the test says. */
  async function shown(certificates: Readonly<Record<string, { days: number; authority?: string }>>): Promise<Report> {
    const contexts = Object.entries(certificates).map(([name, { days, authority }]) => {
      const file = (end: string) => join(folder, `${name}.${end}`);
      const subject = `/CN=${authority ?? "Public Authority"}`;
      spawnSync("openssl", [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        file("key"),
        "-out",
        file("crt"),
        "-subj",
        subject,
        "-days",
        String(days),
      ]);
      return [name, { key: readFileSync(file("key")), cert: readFileSync(file("crt")) }] as const;
    });
    const { key, certificate } = selfSigned(["nobody"]);
    const server = createServer({ key, cert: certificate });
    server.on("tlsClientError", () => undefined);
    for (const [name, context] of contexts) server.addContext(name, context);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    home(Object.keys(certificates));
    const env = {
      ...process.env,
      ...environment(),
      CLOUDCODE_CADDY: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    };
    const child = spawn("sh", [join(host, "cloudcode-page")], { stdio: "inherit", env });
    expect((await once(child, "close"))[0]).toBe(0);
    server.close();
    return read();
  }

  it("are counted by the first that ends, and the fallback is red", async () => {
    const { checks, certificate } = await shown({
      "home.example.com": { days: 90 },
      "auth.home.example.com": { days: 60 },
      "code.home.example.com": { days: 80, authority: "Caddy Local Authority - ECC Intermediate" },
    });
    expect(checks).toMatchObject([
      { name: "certificate home.example.com", state: "ok", seen: "89 days left" },
      { name: "certificate auth.home.example.com", state: "ok", seen: "59 days left" },
      { name: "certificate code.home.example.com", state: "red", seen: "the fallback, browsers warn" },
    ]);
    expect(certificate.count).toBe(3);
    expect(Math.round(((certificate.until ?? 0) - Date.now() / 1000) / 86_400)).toBe(60);
  });

  it.each([
    [{ begin: -70, end: 20.5 }, "ok", "20 days left"],
    [{ begin: -71, end: 19 }, "red", "it should have been renewed"],
    [{ begin: -91, end: -1 }, "red", "it has run out"],
  ])("are judged as ops status does: %j", ({ begin, end }, state, seen) => {
    const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
    program(
      "openssl",
      `#!/bin/sh\ncase $1 in s_client) ;; *) echo 'notBefore=${at(begin)}'; echo 'notAfter=${at(end)}'; echo 'issuer=CN = X' ;; esac\n`,
    );
    home(["home.example.com"]);
    expect(run().checks).toMatchObject([{ state, seen }]);
  });

  it("that are not shown are red", () => {
    home(["home.example.com"]);
    expect(run()).toMatchObject({
      checks: [{ name: "certificate home.example.com", state: "red", seen: "none was shown" }],
      certificate: { count: 0, until: null },
    });
  });

  it("of a name that is no name are not asked for", () => {
    home(["home.example.com; touch x", "-connect", "a b"]);
    expect(run().checks).toEqual([]);
  });
});

describe("cloudcode-check recent", () => {
  const seen = () => join(folder, "updates");
  /** The real check on this machine, where Docker has nothing, and apt and systemd only note that they were called. */
  function check(...words: readonly string[]): { lines: string[]; called: string[] } {
    for (const name of ["apt-get", "apt-cache", "systemctl"])
      program(
        name,
        `#!/bin/sh\necho "${name} $*" >>'${folder}/called'\ncase "$*" in *upgrade*) echo 'Inst x (1 Debian-Security)' ;; esac\n`,
      );
    rmSync(join(folder, "called"), { force: true });
    const env = { ...environment(), CLOUDCODE_UPDATES_SEEN: seen() };
    const { stdout } = spawnSync("sh", [join(host, "cloudcode-check"), ...words], { encoding: "utf8", env });
    const called = existsSync(join(folder, "called"))
      ? readFileSync(join(folder, "called"), "utf8").trim().split("\n")
      : [];
    return { lines: stdout.replace(/\n$/, "").split("\n"), called };
  }
  const updates = (lines: readonly string[]) => lines.filter((line) => line.startsWith("updates\t"));
  const start = "systemctl start --no-block cloudcode-updates.service";

  it("asks no package source: it has that looked at next to it, and repeats what was seen", () => {
    const first = check("recent");
    expect(updates(first.lines)).toEqual(["updates\tnone\tnot looked at since the machine started\t"]);
    expect(first.called).toContain(start);
    expect(first.called.filter((call) => call.startsWith("apt"))).toEqual([]);

    const looked = check("updates");
    expect(looked.lines).toEqual([expect.stringMatching(/^updates\tred\t/)]);
    expect(looked.called.some((call) => call.startsWith("apt-get -s"))).toBe(true);

    const later = check("recent");
    expect(updates(later.lines)).toEqual(looked.lines);
    expect(later.called).not.toContain(start);
    expect(later.called.filter((call) => call.startsWith("apt"))).toEqual([]);
    expect(later.lines.map((line) => line.split("\t")[0])).toEqual(
      expect.arrayContaining(["disk /", "memory", "docker", "reboot"]),
    );
  });

  it("has it looked at again after six hours, and after a change of packages", () => {
    check("updates");
    for (const hours of [5, 7]) {
      const time = Date.now() / 1000 - hours * 3600;
      utimesSync(seen(), time, time);
      const old =
        statSync("/var/lib/dpkg/status").mtimeMs / 1000 > time || statSync("/var/lib/apt/lists").mtimeMs / 1000 > time;
      expect([hours, check("recent").called.includes(start)]).toEqual([hours, old || hours > 6]);
    }
    const before = statSync("/var/lib/dpkg/status").mtimeMs / 1000 - 1;
    utimesSync(seen(), before, before);
    expect(check("recent").called).toContain(start);
  });

  it("is not what a person and the daily self-check get: they ask", () => {
    const { lines, called } = check();
    expect(updates(lines)).toHaveLength(1);
    expect(called.some((call) => call.startsWith("apt-get -s"))).toBe(true);
    expect(readFileSync(seen(), "utf8").replace(/\n$/, "")).toBe(updates(lines)[0]);
  });
});

describe("the units of the page", () => {
  const unit = (name: string) => readFileSync(join(host, name), "utf8");
  const seconds = (text: string, key: string) => {
    const [, number = "", name = ""] = new RegExp(`^${key}=(\\d+)(min|s)$`, "m").exec(text) ?? [];
    return Number(number) * (name === "min" ? 60 : 1);
  };

  it("give a report that is at most five minutes old, and end one that hangs before the next is due", () => {
    const period = seconds(unit("cloudcode-page.timer"), "OnUnitActiveSec");
    expect(period).toBeGreaterThan(0);
    expect(period + seconds(unit("cloudcode-page.timer"), "AccuracySec")).toBeLessThan(300);
    expect(seconds(unit("cloudcode-page.service"), "TimeoutStartSec")).toBeLessThan(period);
  });
});
