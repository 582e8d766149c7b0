import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { aptSources } from "../../components/mirrors";
import { projectRoot } from "../support/project-root";

const before = {
  "sources.list":
    "deb http://archive.ubuntu.com/ubuntu noble main\ndeb [arch=amd64] https://security.debian.org trixie-security main\n# deb http://de.archive.ubuntu.com/ubuntu noble main",
  "sources.list.d/debian.sources":
    "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: trixie\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\nTypes: deb\nURIs: http://security.debian.org/debian-security\nSuites: trixie-security\n",
  "sources.list.d/ubuntu.sources":
    "URIs: http://cn.archive.ubuntu.com/ubuntu/ http://ports.ubuntu.com/ubuntu-ports/\nURIs: http://security.ubuntu.com/ubuntu/\n",
  "mirrors/debian.list": "https://deb.debian.org/debian\n",
  "sources.list.d/other.list": "deb https://apt.example.com/debian stable main\n",
  "sources.list.d/cloud.list": "deb http://mirrors.cloud.aliyuncs.com/ubuntu/ noble main\n",
};
const after = {
  "sources.list":
    "deb http://m.example.com/ubuntu noble main\ndeb [arch=amd64] http://m.example.com/debian-security trixie-security main\n# deb http://m.example.com/ubuntu noble main",
  "sources.list.d/debian.sources":
    "Types: deb\nURIs: http://m.example.com/debian\nSuites: trixie\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\nTypes: deb\nURIs: http://m.example.com/debian-security\nSuites: trixie-security\n",
  "sources.list.d/ubuntu.sources":
    "URIs: http://m.example.com/ubuntu/ http://m.example.com/ubuntu-ports/\nURIs: http://m.example.com/ubuntu/\n",
  "mirrors/debian.list": "http://m.example.com/debian\n",
  "sources.list.d/other.list": before["sources.list.d/other.list"],
  "sources.list.d/cloud.list": before["sources.list.d/cloud.list"],
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sources-"));
  for (const name of ["transaction.sh", "apt.sh"]) {
    const text = readFileSync(join(projectRoot, "stack-templates", "host", name), "utf8");
    writeFileSync(join(folder, name), text.replaceAll(/\/(opt\/cloudcode|etc\/apt)/g, `${folder}/$1`));
  }
  for (const [path, text] of Object.entries(before)) put(path, text);
  answer("");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const place = (path: string) => join(folder, "etc/apt", path);
function put(path: string, text: string): void {
  mkdirSync(dirname(place(path)), { recursive: true });
  writeFileSync(place(path), text);
}
/** What `apt-get update` says. */
function answer(words: string): void {
  mkdirSync(join(folder, "bin"), { recursive: true });
  writeFileSync(join(folder, "bin/apt-get"), `#!/bin/sh\necho asked >>${folder}/asked\ncat <<'END'\n${words}\nEND\n`);
  chmodSync(join(folder, "bin/apt-get"), 0o755);
}
const asked = () =>
  existsSync(join(folder, "asked")) ? readFileSync(join(folder, "asked"), "utf8").split("\n").length - 1 : 0;

/** The real move_sources, as install.sh and upkeep.sh run it. @param mirror as settings.sh has it; undefined: none */
function move(mirror?: string) {
  const settings = mirror === undefined ? "" : `apt_mirror=${mirror}; apt_sources='${aptSources(mirror)}';`;
  const script = `set -eu; here=${folder}/here; mkdir -p $here; exec 3>&1 4>&2; say() { echo "$*" >&4; }; fail() { echo "$*" >&3; exit 1; }
. ${folder}/transaction.sh; . ${folder}/apt.sh
end() { code=$?; set +e; [ $code -eq 0 ] || ! changing || back; }; trap end EXIT; mkdir -p "$state"
${settings} move_sources`;
  const PATH = `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`;
  return spawnSync("sh", ["-c", script], { encoding: "utf8", env: { PATH } });
}
const now = () => Object.fromEntries(Object.keys(before).map((path) => [path, readFileSync(place(path), "utf8")]));
const times = () =>
  execFileSync("find", [join(folder, "etc"), "-type", "f", "-printf", "%p %T@ %i\n"], { encoding: "utf8" });

it("a machine without a mirror keeps its sources, and nothing is noted of it", () => {
  const was = times();
  expect(move()).toMatchObject({ status: 0, stdout: "", stderr: "" });
  expect([times(), now(), existsSync(join(folder, "opt/cloudcode"))]).toEqual([was, before, true]);
  expect(existsSync(join(folder, "opt/cloudcode/host/apt"))).toBe(false);
});

it("the distribution's own sources go to the mirror, and those of others stay", () => {
  expect(move("http://m.example.com")).toMatchObject({ status: 0, stderr: "" });
  expect(now()).toEqual(after);
});

it("a second run writes nothing, and asks no source", () => {
  move("http://m.example.com");
  const [was, questions] = [times(), asked()];
  expect(move("http://m.example.com").status).toBe(0);
  expect([times(), asked()]).toEqual([was, questions]);
});

it("another mirror takes the place of the first, and without one all is as it was before, byte for byte", () => {
  move("http://other.example.com/mirror");
  expect(now()["mirrors/debian.list"]).toBe("http://other.example.com/mirror/debian\n");
  move("http://m.example.com");
  expect(now()).toEqual(after);
  expect(move().status).toBe(0);
  expect(now()).toEqual(before);
  expect(existsSync(join(folder, "opt/cloudcode/host/apt"))).toBe(false);
});

it("a file that was changed since is left as it is when the mirror goes", () => {
  move("http://m.example.com");
  put("mirrors/debian.list", "http://m.example.com/debian\nhttp://mine.example.com/debian\n");
  move();
  expect(now()).toEqual({
    ...before,
    "mirrors/debian.list": "http://m.example.com/debian\nhttp://mine.example.com/debian\n",
  });
});

it("a mirror that does not answer is refused, and the sources are what they were", () => {
  answer("W: Failed to fetch http://m.example.com/debian/dists/trixie/InRelease  Could not connect");
  expect(move("http://m.example.com")).toMatchObject({
    status: 1,
    stdout: expect.stringContaining(
      "the mirror http://m.example.com does not answer, or lacks this system: npm run ops -- doctor --host times others, and mirrors.apt names one (W: Failed to fetch http://m.example.com/debian/dists/trixie/InRelease  Could not connect)\n",
    ) as string,
  });
  expect(now()).toEqual(before);
});

it("a source of somebody else that does not answer is no fault of the mirror", () => {
  answer("W: Failed to fetch https://apt.example.com/debian/dists/stable/InRelease  Could not connect");
  expect(move("http://m.example.com").status).toBe(0);
  expect(now()).toEqual(after);
});
