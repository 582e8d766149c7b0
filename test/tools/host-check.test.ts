import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { PageHost, hostTemplates } from "../support/page-host";

let machine: PageHost;
beforeEach(() => {
  machine = new PageHost();
});
afterEach(() => {
  machine.remove();
});

describe("cloudcode-check recent", () => {
  const seen = () => join(machine.folder, "updates");
  /** The real check on this machine, where Docker has nothing, and apt and systemd only note that they were called. */
  function check(...words: readonly string[]): { lines: string[]; called: string[] } {
    for (const name of ["apt-get", "apt-cache", "systemctl"])
      machine.program(
        name,
        `#!/bin/sh\necho "${name} $*" >>'${machine.folder}/called'\ncase "$*" in *upgrade*) echo 'Inst x (1 Debian-Security)' ;; esac\n`,
      );
    rmSync(join(machine.folder, "called"), { force: true });
    const env = { ...machine.environment(), CLOUDCODE_UPDATES_SEEN: seen() };
    const { stdout } = spawnSync("sh", [join(hostTemplates, "cloudcode-check"), ...words], { encoding: "utf8", env });
    const called = existsSync(join(machine.folder, "called"))
      ? readFileSync(join(machine.folder, "called"), "utf8").trim().split("\n")
      : [];
    return { lines: stdout.replace(/\n$/, "").split("\n"), called };
  }
  const updates = (lines: readonly string[]) => lines.filter((line) => line.startsWith("updates\t"));
  const start = "systemctl start --no-block cloudcode-updates.service";

  it("asks no package source: it has that looked at next to it, and repeats what was seen", () => {
    const first = check("recent");
    expect(updates(first.lines)).toEqual(["updates\tnone\tnot checked since the machine started\t"]);
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

describe("the backup that an App makes itself", () => {
  /** Lines of the check, where a container's health check has ended with this word, as the format of the script reads it. */
  function check(word: string): string[] {
    const facts = [
      "cloudcode-tg-signer",
      "web",
      "running",
      "healthy",
      "0",
      "0",
      "false",
      "unless-stopped",
      "2026-01-01T00:00:00Z",
      "abc",
      "1",
      "0",
      "img",
      "ref",
      word,
    ];
    machine.program(
      "docker",
      `#!/bin/sh
case "$1 $2" in
  "version --format") echo 29 ;;
  "ps --all") echo 'abc ${machine.root}/stacks/tg-signer' ;;
  "image inspect") echo img ;;
  "inspect --format") case $3 in *'"backup-conflict"'*'"backup-failed"'*) echo '${facts.join("|")}' ;; esac ;;
esac
`,
    );
    for (const name of ["apt-get", "apt-cache", "systemctl"]) machine.program(name, "#!/bin/sh\n");
    const env = { ...machine.environment(), CLOUDCODE_UPDATES_SEEN: join(machine.folder, "updates") };
    const { stdout } = spawnSync("sh", [join(hostTemplates, "cloudcode-check"), "recent"], { encoding: "utf8", env });
    return stdout.split("\n").filter((line) => /^(own backup|container) /.test(line));
  }

  it("is red where something else wrote it, and where it failed for long; the container stays healthy", () => {
    expect(check("conflict")).toEqual([
      expect.stringMatching(/^container tg-signer\/web\tok\thealthy/),
      "own backup tg-signer\tred\tsomething other than this host wrote it, so it is not overwritten\tnpm run ops -- restart tg-signer takes what is there; if this host's data is the right one, delete that backup on its server first",
    ]);
    expect(check("failed")[1]).toMatch(/^own backup tg-signer\tred\tnone could be made or read for 15 minutes\t/);
  });

  it("is no line of its own otherwise", () => {
    expect(check("")).toEqual([expect.stringMatching(/^container tg-signer\/web\tok\t/)]);
  });
});
