import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listed } from "../support/hostile";
import { type Container, PageHost, hostTemplates, pageScript } from "../support/page-host";

let machine: PageHost;
beforeEach(() => {
  machine = new PageHost();
});
afterEach(() => {
  machine.remove();
});

describe("the report of cloudcode-page", () => {
  it("has the time of its begin, and is what everybody in Caddy's container may read", () => {
    const before = Math.floor(Date.now() / 1000);
    const { time, offset, disks, memory } = machine.run();
    expect(time - before).toBeLessThanOrEqual(2);
    expect([offset, readFileSync(join(machine.folder, "asked"), "utf8")]).toEqual([0, "recent\n"]);
    expect(statSync(machine.reportFile).mode & 0o777).toBe(0o644);
    expect(readdirSync(join(machine.root, "stacks/edge/page"))).toEqual(["report.json"]);
    expect(disks[0]).toMatchObject({ place: "/" });
    for (const { size, free } of [...disks, memory]) expect(size > free && free > 0).toBe(true);
  });

  it.each([
    ["Asia/Shanghai", 28_800],
    ["America/St_Johns", -12_600],
    ["$(touch x); echo", 0],
  ])("has the clock of the time zone %s", (zone, offset) => {
    machine.home([], zone);
    // Half an hour of summer time, on half of the days.
    expect([offset, offset === -12_600 ? -9000 : offset]).toContain(machine.run().offset);
  });

  it("repeats the checks word for word, whatever is in them, and no fact", () => {
    const texts = listed.filter((text) => !/[\t\n\0\r]/.test(text) && text !== "");
    machine.checkSays(
      texts.map((text) => `a${text}\tred\tb${text}\tc${text}\n`).join("") +
        "clock\tfact\t5\t\nrelease opencode\tfact\t0123456789ab\t\n",
    );
    const { checks, releases } = machine.run();
    const well = (text: string) => text.replaceAll(/[\ufffe\uffff]/g, (letter) => letter);
    expect(checks).toEqual(
      texts.map((text) => ({ name: `a${well(text)}`, state: "red", seen: `b${well(text)}`, fix: `c${well(text)}` })),
    );
    expect(releases).toEqual({ opencode: "0123456789ab" });
  });

  it("is JSON also where the check says what is no text", () => {
    writeFileSync(join(machine.folder, "raw"), Buffer.from([0x78, 0xff, 0xc0, 0x09, ...Buffer.from("ok\tx\t\n")]));
    writeFileSync(join(machine.root, "bin/cloudcode-check"), `#!/bin/sh\ncat '${machine.folder}/raw'\n`);
    expect(machine.run().checks).toMatchObject([{ state: "ok", seen: "x" }]);
  });

  it("says so where the check does not come to its end, with what it saw before", () => {
    machine.checkSays("disk /\tok\tfine\t\n", 124);
    expect(machine.run().checks).toEqual([
      { name: "disk /", state: "ok", seen: "fine", fix: "" },
      { name: "self-check", state: "red", seen: "it did not finish", fix: "npm run ops -- status says where" },
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
    machine.docker(containers.map((one) => ({ stack: "opencode", ...one })));
    expect(machine.run().apps["opencode"]).toEqual(state);
  });

  it("tells an App that a person stopped from one that failed", () => {
    const ended = { stack: "opencode", status: "exited", code: 137, finished: "2026-11-27T00:00:00Z" };
    machine.docker([ended, { stack: "opencode", service: "terminal" }]);
    machine.stopped("opencode", "server");
    const stopped = { state: "stopped", since: Date.UTC(2026, 10, 27) / 1000 };
    expect(machine.run().apps["opencode"]).toEqual(stopped);
    machine.docker([ended, { stack: "opencode", service: "terminal", health: "unhealthy" }]);
    expect(machine.run().apps["opencode"]).toMatchObject({ state: "down" });
    machine.docker([ended, { ...ended, service: "terminal" }]);
    expect(machine.run().apps["opencode"]).toMatchObject({ state: "down" });
    machine.docker([{ stack: "opencode" }]);
    expect(machine.run().apps["opencode"]).toMatchObject({ state: "up" });
  });

  it("tells Apps apart", () => {
    machine.docker([{ stack: "b" }, { stack: "a", status: "exited", code: 1 }, { stack: "b" }]);
    expect(Object.entries(machine.run().apps).map(([name, { state }]) => [name, state])).toEqual([
      ["a", "down"],
      ["b", "up"],
    ]);
  });

  it("counts what the machine sends in a month, over restarts, another interface and lost files", () => {
    const month = new Date().toISOString().slice(0, 7);
    const bytes = () => machine.run().traffic?.bytes;
    const file = join(machine.root, "traffic");
    machine.sent(undefined);
    expect(machine.run().traffic).toBeNull();
    machine.sent(5000);
    expect(machine.run().traffic).toMatchObject({ month, bytes: 0 });
    machine.sent(7500);
    expect(bytes()).toBe(2500);
    // The machine was started again: the kernel begins at 0.
    machine.sent(100);
    expect(bytes()).toBe(2600);
    machine.sent(4000, "ens5");
    expect(bytes()).toBe(6600);
    // The month before.
    writeFileSync(file, readFileSync(file, "utf8").replace(month, "2020-01"));
    machine.sent(4700, "ens5");
    const { traffic } = machine.run();
    expect(traffic).toEqual({ month, since: Date.parse(`${month}-01T00:00:00Z`) / 1000, bytes: 700 });
    writeFileSync(file, "torn");
    expect(bytes()).toBe(0);
    machine.sent(4800, "ens5");
    expect(bytes()).toBe(100);
  });

  it("asks Docker for no output of a health check, no environment and no label of an image", () => {
    const text = readFileSync(pageScript, "utf8");
    expect(text).not.toMatch(/\.Log\b|Config\.Env|docker (logs|exec)/);
  });

  it("knows the last deployment, which may have failed, and the last backup", () => {
    const line = (time: string, stack: string, action: string, result: string) =>
      `${time}\tpulumi from 192.0.2.1\t${stack}\t${action}\t0123456789ab\t${result}\n`;
    const history =
      line("2026-11-25T00:00:00Z", "auth", "apply", "running") +
      line("2026-11-26T00:00:00Z", "casecheck", "apply", "not healthy, 3f runs again");
    writeFileSync(
      join(machine.root, "stacks/.history"),
      history + line("2026-11-27T00:00:00Z", "tg-signer", "remove", "removed"),
    );
    expect(machine.run()).toMatchObject({
      deploy: { time: Date.UTC(2026, 10, 26) / 1000, stack: "casecheck", ok: false },
      backup: null,
    });
    writeFileSync(join(machine.root, "stacks/.history"), line("2026-11-28T00:00:00Z", "auth", "rollback", "running"));
    mkdirSync(join(machine.root, "backup"));
    expect(machine.run()).toMatchObject({ deploy: { stack: "auth", ok: true }, backup: { time: null, ok: false } });
    for (const [word, ok] of [
      ["ok", true],
      ["failed", false],
    ] as const) {
      writeFileSync(join(machine.root, "backup/last"), `1764201600\t${word}\n`);
      expect(machine.run().backup).toEqual({ time: 1764201600, ok });
    }
    expect(machine.run().drill).toBeNull();
    for (const [word, drill] of [
      ["begun", null],
      ["ok", { time: 1764201601, ok: true }],
      ["failed", { time: 1764201601, ok: false }],
    ] as const) {
      writeFileSync(join(machine.root, "backup/drill"), `1764201601\t60\t${word}\tauth\n`);
      expect(machine.run().drill).toEqual(drill);
    }
  });

  it("of an older one leaves nothing, and is there whole or not at all: a run that fails keeps the one before", () => {
    machine.run();
    writeFileSync(join(machine.root, "stacks/edge/page/.report.abcdef"), "half");
    const before = readFileSync(machine.reportFile, "utf8");
    machine.program("jq", "#!/bin/sh\nprintf '{'\nexit 5\n");
    expect(spawnSync("sh", [pageScript], { env: machine.environment() }).status).toBe(1);
    expect(readFileSync(machine.reportFile, "utf8")).toBe(before);
    expect(readdirSync(join(machine.root, "stacks/edge/page"))).toEqual(["report.json"]);
  });

  it("comes also where a line of Docker's or of the history is only half there", () => {
    machine.docker([{ stack: "a" }, { stack: "b" }]);
    writeFileSync(join(machine.folder, "fact-1"), '["cloudcode-b", "run');
    writeFileSync(join(machine.root, "stacks/.history"), "2026-\tpulumi\tauth\tapply\t0123456789ab\trunning\n");
    expect(machine.run()).toMatchObject({ apps: { a: { state: "up" } }, deploy: null });
  });

  it("is not written without Caddy: what was removed does not come back", () => {
    rmSync(join(machine.root, "stacks/edge"), { recursive: true });
    expect(spawnSync("sh", [pageScript], { env: machine.environment() }).status).toBe(0);
    expect(readdirSync(join(machine.root, "stacks"))).toEqual([]);
  });

  it("comes while Docker hangs, too", () => {
    machine.program("timeout", `#!/bin/sh\nshift\ncase $1 in docker) exit 124 ;; esac\nexec "$@"\n`);
    machine.checkSays("docker\tred\tdoes not answer\tx\n");
    expect(machine.run()).toMatchObject({ apps: {}, checks: [{ name: "docker", state: "red" }] });
  });

  it("takes little time of the processor", () => {
    machine.docker(Array.from({ length: 14 }, (_, index) => ({ stack: `app${index % 6}` })));
    machine.run();
    const script = `TIMEFORMAT='%U %S'; time sh '${pageScript}' 2>/dev/null`;
    const { stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8", env: machine.environment() });
    const times = stderr.match(/\d+\.\d+/g) ?? [];
    expect(times).toHaveLength(2);
    const seconds = times.map(Number).reduce((sum, one) => sum + one, 0);
    expect(seconds).toBeLessThan(2);
  });
});

describe("the units of the page", () => {
  const unit = (name: string) => readFileSync(join(hostTemplates, name), "utf8");
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
