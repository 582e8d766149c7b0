import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kinds } from "../support/app-settings";
import { bundleHost, mainland } from "../support/mainland";
import { renderApp } from "../support/rendered-app";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bundle-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const env = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@example.com",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@example.com",
};
const git = (...words: readonly string[]) =>
  execFileSync("git", ["-C", join(folder, "upstream"), ...words], {
    encoding: "utf8",
    env,
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();

/** A repository of three commits; the second is pinned. */
function upstream(): readonly string[] {
  mkdirSync(join(folder, "upstream"));
  git("init", "--quiet", "--initial-branch", "main");
  return ["one", "two", "three"].map((text) => {
    writeFileSync(join(folder, "upstream/file"), `${text}\n`);
    git("add", "file");
    git("commit", "--quiet", "--message", text);
    return git("rev-parse", "HEAD");
  });
}

/** The command of an App's rendered Dockerfile that takes the source out of its bundle, with these paths in place of the image's. */
async function unpack(app: "casecheck" | "tg-signer", commit: string, bundle: string) {
  const source = `https://${bundleHost}/a.bundle#${commit}`;
  const kind = kinds.find(({ name }) => name === app);
  if (kind === undefined) throw new Error(`no ${app}`);
  const sources = JSON.stringify({ casecheck: source, tgSigner: source });
  const { release } = await renderApp(kind, { ...mainland, sources });
  const dockerfile = release.files.find(({ path }) => path.endsWith("image/Dockerfile"));
  const [, command = ""] = /^ADD .*\nRUN (git init (?:.*\\\n)*.*)$/m.exec(dockerfile?.content ?? "") ?? [];
  const cwd = join(folder, "source");
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd);
  const script = command.replaceAll("/tmp/source.bundle", bundle);
  const { status, stderr } = spawnSync("sh", ["-c", script], { cwd, encoding: "utf8", env });
  return { status, stderr, text: () => readFileSync(join(cwd, "file"), "utf8") };
}

/** The commands of docs/mainland.md. */
function bundleOf(commit: string): string {
  const bundle = join(folder, "made.bundle");
  git("update-ref", "refs/heads/pinned", commit);
  git("bundle", "create", bundle, "refs/heads/pinned");
  return bundle;
}

describe.each(["casecheck", "tg-signer"] as const)("the image of %s, from a bundle", (app) => {
  it("has the files of the pinned commit", async () => {
    const [, pinned = ""] = upstream();
    const done = await unpack(app, pinned, bundleOf(pinned));
    expect([done.status, done.text(), readdirSync(join(folder, "source")).sort()]).toEqual([
      0,
      "two\n",
      [".git", "file"],
    ]);
  });

  it("has them of a bundle with later commits, too", async () => {
    const [, pinned = "", last = ""] = upstream();
    const done = await unpack(app, pinned, bundleOf(last));
    expect([done.status, done.text()]).toEqual([0, "two\n"]);
  });

  it("is not built from a bundle of another commit, nor of another repository", async () => {
    const [first = "", pinned = ""] = upstream();
    expect((await unpack(app, pinned, bundleOf(first))).status).not.toBe(0);
  });

  it("is not built from another commit under the pinned one's name", async () => {
    const [first = "", pinned = ""] = upstream();
    git("update-ref", `refs/heads/${pinned}`, first);
    git("update-ref", `refs/tags/${pinned}`, first);
    const bundle = join(folder, "made.bundle");
    git("bundle", "create", bundle, `refs/heads/${pinned}`, `refs/tags/${pinned}`);
    const { status, stderr } = await unpack(app, pinned, bundle);
    expect([status === 0, stderr]).toEqual([false, expect.stringContaining(pinned)]);
  });

  it("is not built from a bundle that was changed, or is cut off", async () => {
    const [, pinned = ""] = upstream();
    const bundle = bundleOf(pinned);
    const whole = readFileSync(bundle);
    const changed = Buffer.from(whole);
    changed.writeUInt8(changed.readUInt8(changed.length - 40) ^ 1, changed.length - 40);
    writeFileSync(bundle, changed);
    expect((await unpack(app, pinned, bundle)).status).not.toBe(0);
    writeFileSync(bundle, whole.subarray(0, whole.length - 30));
    expect((await unpack(app, pinned, bundle)).status).not.toBe(0);
  });

  it("is not built from a page that a web server sends in place of the file", async () => {
    const [, pinned = ""] = upstream();
    writeFileSync(join(folder, "page"), "<html>404</html>");
    expect((await unpack(app, pinned, join(folder, "page"))).status).not.toBe(0);
  });

  it("is not built from a bundle that needs commits it does not hold", async () => {
    const [first = "", pinned = ""] = upstream();
    const bundle = join(folder, "thin.bundle");
    git("update-ref", "refs/heads/pinned", pinned);
    git("bundle", "create", bundle, "refs/heads/pinned", `^${first}`);
    expect((await unpack(app, pinned, bundle)).status).not.toBe(0);
  });
});
