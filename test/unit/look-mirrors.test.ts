import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveMirrors } from "../../components/mirrors";
import { shellWord } from "../../components/stack/escape";
import { judgeLook, templates } from "../../ops/doctor/look";
import { judgeMirrors, mirrorQuestions } from "../../ops/doctor/mirrors";
import { mainland } from "../support/mainland";
import { settingsOf } from "../support/settings";

const mirrors = resolveMirrors("mainland", {});
if (mirrors === undefined) throw new Error("no mirrors");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mirrors-"));
  for (const path of ["bin", "root/etc"]) mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, "root/etc/os-release"), "ID=debian\nVERSION_CODENAME=trixie\n");
  program("systemctl", "exit 0");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function program(name: string, text: string): void {
  writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(folder, "bin", name), 0o755);
}

/** A curl that answers by address: `case` patterns with what they print. Each line of `asked` is one call. */
function curl(answers: string): void {
  program(
    "curl",
    `echo "$*" >>${folder}/asked
for url; do :; done
case "$*" in *--dump-header*) mode=header ;; *--get*) mode=token ;; *) mode=time ;; esac
case "$mode $url" in
${answers}
*) echo "000 12.000000" ;;
esac`,
  );
}

/** What the real parts of the look print for these questions. @param changed definitions behind those of 1-begin.sh */
function look(questions: readonly string[], changed = ""): string {
  const part = (name: string) => readFileSync(join(templates, "host/look", name), "utf8");
  const parts = [part("1-begin.sh"), changed, part("7-mirrors.sh"), part("8-end.sh")];
  const script = ["automatic_updates=true", `mirrors=${shellWord(questions.join("\n"))}`, ...parts].join("\n");
  const path = `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`;
  const { stdout, stderr } = spawnSync("sh", ["-c", script], {
    encoding: "utf8",
    env: { PATH: path, LOOK_ROOT: join(folder, "root"), LOOK_FORMAT: "lines", SSH_CONNECTION: "x" },
  });
  expect(stderr).toBe("");
  return stdout;
}

const digest = `sha256:${"0".repeat(64)}`;

describe("the look at the mirrors", () => {
  it("takes the time of each, at the host's own system, and says which does not answer", () => {
    curl(`"time http://fast.example.com/debian/dists/trixie/InRelease") echo "200 0.080000" ;;
"time http://slow.example.com/debian/dists/trixie/InRelease") echo "206 0.900400" ;;
"time https://old.example.com/"*) echo "404 0.010000" ;;`);
    const file = "file http";
    expect(
      look([
        `apt http://fast.example.com ${file}://fast.example.com/{system}/dists/{codename}/InRelease`,
        `apt http://slow.example.com ${file}://slow.example.com/{system}/dists/{codename}/InRelease`,
        `apt http://dead.example.com ${file}://dead.example.com/{system}/dists/{codename}/InRelease`,
        "k3s https://old.example.com file https://old.example.com/v1/k3s",
      ]).split("\n"),
    ).toEqual([
      "look\tmirror\tapt\thttp://fast.example.com\t80",
      "look\tmirror\tapt\thttp://slow.example.com\t900",
      "look\tmirror\tapt\thttp://dead.example.com\tnone",
      "look\tmirror\tk3s\thttps://old.example.com\tlacks https://old.example.com/v1/k3s",
      "look\tend\t4",
      "",
    ]);
  });

  it("asks a registry for each image, by a token where it wants one, and says which it lacks", () => {
    curl(`"header https://hub.example.com/"*) printf 'HTTP/2 401\\r\\nWWW-Authenticate: Bearer realm="https://auth.example.com/token",service="hub"\\r\\n' ;;
"token https://auth.example.com/token") echo '{"token":"abc.DEF-1","expires_in":300}' ;;
"header https://open.example.com/"*) printf 'HTTP/2 200\\r\\n' ;;
"time https://hub.example.com/v2/library/caddy/manifests/${digest}") case "$*" in *"Authorization: Bearer abc.DEF-1"*) echo "200 0.100000" ;; *) echo "401 0.1" ;; esac ;;
"time https://hub.example.com/v2/tsl0922/ttyd/manifests/1.7") echo "403 0.020000" ;;
"time https://open.example.com/v2/"*) echo "200 0.050000" ;;`);
    const images = `images library/caddy@${digest} tsl0922/ttyd:1.7`;
    expect(look([`dockerHub hub.example.com ${images}`, `dockerHub open.example.com ${images}`])).toBe(
      "look\tmirror\tdockerHub\thub.example.com\tlacks tsl0922/ttyd:1.7\nlook\tmirror\tdockerHub\topen.example.com\t50\nlook\tend\t2\n",
    );
    expect(readFileSync(join(folder, "asked"), "utf8")).toContain("scope=repository:library/caddy:pull");
  });

  it("is left out where curl is not there yet", () => {
    const said = look(["npm https://npm.example.com file https://npm.example.com/a"], "have() { false; }");
    expect(judgeLook(said)).toEqual([expect.objectContaining({ state: "warn", name: "mirrors" })]);
  });
});

describe("the judge of mirrors", () => {
  const npm = (...answers: readonly (readonly [address: string, answer: string])[]) =>
    judgeMirrors(
      answers.map(([address, answer]) => ({ kind: "npm", address, answer })),
      mirrors,
    );
  const [used, other] = ["https://registry.npmmirror.com", "https://npm.example.com"];
  const fix = `pulumi config set --path 'mirrors.npm' ${other}`;

  it.each([
    [
      "the best is in use",
      [
        [used, "80"],
        [other, "900"],
      ],
      "ok",
      undefined,
    ],
    [
      "another is a little faster",
      [
        [used, "120"],
        [other, "80"],
      ],
      "ok",
      undefined,
    ],
    [
      "another is much faster",
      [
        [used, "900"],
        [other, "80"],
      ],
      "warn",
      fix,
    ],
    [
      "the one in use does not answer",
      [
        [used, "none"],
        [other, "80"],
      ],
      "red",
      fix,
    ],
    [
      "the one in use lacks something",
      [
        [used, "lacks a/b:1"],
        [other, "80"],
      ],
      "red",
      fix,
    ],
    [
      "none answers",
      [
        [used, "none"],
        [other, "none"],
      ],
      "red",
      "pulumi config set --path 'mirrors.npm' ADDRESS, with another mirror of npm packages; docs/mainland.md",
    ],
  ] as const)("%s", (_what, answers, state, remedy) => {
    const checks = npm(...answers);
    expect(checks.map((check) => [check.name, check.state, check.fix])).toEqual([["mirror npm", state, remedy]]);
  });

  it("names the best of each kind", () => {
    expect(npm([used, "900"], [other, "80"])[0]?.seen).toBe(`the best is ${other}: ${used} 900 ms, ${other} 80 ms`);
  });

  it("takes no answer that the look would not give", () => {
    const lines = ["look\tmirror\tnpm\thttps://registry.npmmirror.com\t80; rm -rf /", "look\tend\t1"].join("\n");
    expect(judgeLook(lines, mirrors)).toEqual([expect.objectContaining({ state: "red", name: "look" })]);
    expect(judgeLook("look\tmirror\tnpm\thttps://registry.npmmirror.com\t80\nlook\tend\t1", mirrors)).toEqual([
      expect.objectContaining({ state: "ok", name: "machine" }),
      expect.objectContaining({ state: "ok", name: "mirror npm" }),
    ]);
  });
});

describe("what the mirrors are asked", () => {
  const questions = (settings: Record<string, string>) => mirrorQuestions(settingsOf(settings), templates);

  it("is nothing where there are none", () => {
    expect(questions({})).toEqual([]);
  });

  it("is of every kind that the stack needs, first of the mirror in use, and of the images of its Apps alone", () => {
    const kindsOf = (lines: readonly string[]) => [...new Set(lines.map((line) => line.split(" ")[0]))];
    expect(kindsOf(questions(mainland))).toEqual(["apt", "dockerApt", "dockerHub", "ghcr", "npm", "pypi", "go", "k3s"]);
    const least = questions({
      network: "mainland",
      domain: "home.example.com",
      icpFiled: "true",
      mirrors: '{"npm":"https://npm.example.com"}',
    });
    expect(kindsOf(least)).toEqual(["apt", "dockerApt", "dockerHub", "npm", "pypi", "go"]);
    expect(least.find((line) => line.startsWith("npm "))).toBe(
      "npm https://npm.example.com file https://npm.example.com/tslib/latest",
    );
    const [hub = ""] = least.filter((line) => line.startsWith("dockerHub docker.1ms.run "));
    const names = hub
      .split(" ")
      .slice(3)
      .map((image) => image.replace(/[@:].*/, ""));
    expect(new Set(names)).toEqual(
      new Set(["authelia/authelia", "library/caddy", "library/debian", "tsl0922/ttyd", "valkey/valkey"]),
    );
    expect(hub).toMatch(/ library\/caddy@sha256:[0-9a-f]{64}/);
  });
});
