import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { parcel, stream, terminalLine } from "../../components/host/wire";

/** Login shells that Debian has; those that are not on this machine are left out, but for the first three. */
const shells = ["sh", "bash", "rbash", "dash", "zsh", "fish", "tcsh", "csh", "ksh", "mksh", "yash", "elvish", "rc"];
const present = shells.filter((shell) => spawnSync("sh", ["-c", `command -v ${shell}`]).status === 0);

function login(shell: string, line: string, input = "", env: Readonly<Record<string, string>> = {}) {
  const { PATH = "" } = process.env;
  return spawnSync(shell, ["-c", line], {
    input,
    encoding: "utf8",
    cwd: "/",
    env: { PATH, HOME: "/nonexistent", ...env },
  });
}

it("has the shells that every Debian has", () => {
  expect(present).toEqual(expect.arrayContaining(["sh", "bash", "rbash"]));
});

describe.each(present)("an account whose login shell is %s", (shell) => {
  it("runs a command as sh does, with its standard input, and gives what it printed, and its exit code", () => {
    const command = `cat; echo "$(echo it\\'s) ! !! \\\\ \`echo x\` ~ 100% ü" '"'; for i in 1 2; do\n  echo $i # no\ndone; echo e >&2; exit 7`;
    const { line, read } = parcel("root", command);
    const { stdout, stderr } = login(shell, line, "line one\nline two");
    expect(read(stdout, stderr)).toMatchObject({
      stage: "ended",
      code: 7,
      stdout: `line one\nline twoit's ! !! \\ x ~ 100% ü "\n1\n2\n`,
      stderr: "e\n",
    });
  });

  it("gives every command the same environment: who connects and the proxies of its own, and nothing more", () => {
    const own = {
      TMPDIR: "/nonexistent",
      DOCKER_HOST: "tcp://x",
      ENV: "/x",
      TAR_OPTIONS: "--x",
      LC_ALL: "xx_YY",
      IFS: "e",
    };
    const kept = { SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22", https_proxy: "http://p\"r'o$x y" };
    const { line, read } = parcel("root", "pwd; umask; env | grep -v ^_= | sort");
    const { stdout, stderr } = login(shell, line, "", { ...own, ...kept });
    const answer = read(stdout, stderr);
    expect(answer).toMatchObject({ code: 0 });
    expect(
      answer.stage === "ended" &&
        answer.stdout
          .trim()
          .split("\n")
          .filter((each) => !each.startsWith("PWD=")),
    ).toEqual([
      "/",
      "0022",
      "HOME=/root",
      "LC_ALL=C",
      expect.stringMatching(/^PATH=\/usr\/local\/sbin:/),
      `SSH_CONNECTION=${kept.SSH_CONNECTION}`,
      `https_proxy=${kept.https_proxy}`,
    ]);
  });

  it("takes a command of any length", () => {
    const { line, read } = parcel("root", `: ${"x".repeat(20_000)}; echo done`);
    const { stdout, stderr } = login(shell, line);
    expect(read(stdout, stderr)).toMatchObject({ code: 0, stdout: "done\n" });
  });
});

describe("what an account prints by itself", () => {
  const noise = `echo Welcome; printf 'no line end'; stty sane; echo 'stty: no tty' >&2; trap 'echo bye; echo bye >&2' EXIT`;

  it("is no part of an answer, before or behind it", () => {
    const { line, read } = parcel("root", "echo answer; printf words >&2; exit 4");
    const { stdout, stderr } = login("bash", `${noise}\n${line}`);
    expect(stdout).toMatch(/^Welcome[^]*bye\n$/);
    expect(read(stdout, stderr)).toEqual({ stage: "ended", code: 4, stdout: "answer\n", stderr: "words" });
    expect(read(stdout.replaceAll("\n", "\r\n"), stderr)).toMatchObject({ code: 4, stdout: "answer\r\n" });
  });

  it("is no part of what is passed on while it comes, however that is cut in pieces", () => {
    const { line, filter } = stream("root", "printf 'a\\n\\377\\000b'; sleep 0");
    const child = spawnSync("bash", ["-c", `${noise}\n${line}`], { cwd: "/" });
    fc.assert(
      fc.property(fc.array(fc.nat(child.stdout.length), { maxLength: 6 }), (cuts) => {
        const words = filter();
        const places = [0, ...cuts.sort((a, b) => a - b), child.stdout.length];
        const passed = places.slice(1).map((end, i) => words.pass(child.stdout.subarray(places[i], end)));
        expect(Buffer.concat(passed).toString("latin1")).toBe("a\n\xff\0bbye\n");
        expect(words.rest().toString()).toBe("");
      }),
    );
  });

  it("is all there is where the command never began", () => {
    const { line, read } = parcel("root", "true");
    expect(read("Welcome\n", "This account is not available.\n")).toEqual({
      stage: "shell",
      said: "Welcome\nThis account is not available.",
    });
    const { stdout, stderr } = login("sh", line.replace("sh -c", "sh -c :;"));
    expect(read(stdout, stderr).stage).toBe("shell");
    const { filter } = stream("root", "true");
    const words = filter();
    expect(words.pass(Buffer.from("Welcome\n")).toString()).toBe("");
    expect(words.rest().toString()).toBe("Welcome\n");
  });

  it("does not count as an answer, even if it knows how one looks", () => {
    const { line, read } = parcel("root", "echo mine");
    const other = parcel("root", "echo theirs");
    const theirs = login("sh", other.line);
    const mine = login("sh", line);
    expect(read(theirs.stdout + mine.stdout, theirs.stderr + mine.stderr)).toMatchObject({ stdout: "mine\n", code: 0 });
    expect(read(theirs.stdout, theirs.stderr).stage).toBe("shell");
  });
});

describe("on a terminal", () => {
  it("an answer has no frame", () => {
    expect(login("sh", terminalLine("root", "echo answer; exit 3"))).toMatchObject({ stdout: "answer\n", status: 3 });
  });
});
