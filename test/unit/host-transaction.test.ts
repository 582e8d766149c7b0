import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { projectRoot } from "../support/project-root";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "transaction-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const source = readFileSync(join(projectRoot, "stack-templates", "host", "transaction.sh"), "utf8");

/** Runs a script with transaction.sh read, its state below the temporary folder. */
function shell(script: string) {
  writeFileSync(join(folder, "transaction.sh"), source.replace("/opt/cloudcode/host", `${folder}/state`));
  const words = `set -eu; PATH=${folder}/bin:$PATH; . ${folder}/transaction.sh; undo_test() { echo undone; }; cd ${folder}/tree; ${script}`;
  return spawnSync("sh", ["-c", words], { encoding: "utf8" });
}

/** Everything below the tree: names, kinds, modes, owners, contents, and the times of all but folders. */
const tree = () => {
  const root = join(folder, "tree");
  return ["", ...readdirSync(root, { recursive: true, encoding: "utf8" })].sort().map((path) => {
    const file = join(root, path);
    const found = lstatSync(file, { bigint: true });
    const { mode, uid, gid, mtimeNs } = found;
    if (found.isDirectory()) return [path, mode, uid, gid];
    const content = found.isSymbolicLink() ? readlinkSync(file) : readFileSync(file, "latin1");
    return [path, mode, uid, gid, mtimeNs, content];
  });
};

const place = (path: string, text: string, mode: number) => {
  mkdirSync(dirname(join(folder, "tree", path)), { recursive: true });
  writeFileSync(join(folder, "tree", path), text);
  chmodSync(join(folder, "tree", path), mode);
};

/** `sync` that kills who calls it the n-th time. */
function killAt(nth: number): void {
  mkdirSync(join(folder, "bin"), { recursive: true });
  writeFileSync(
    join(folder, "bin", "sync"),
    `#!/bin/sh\necho >>${folder}/count\n[ "$(wc -l <${folder}/count)" -ne ${nth} ] || kill -9 $PPID\n`,
  );
  chmodSync(join(folder, "bin", "sync"), 0o755);
  writeFileSync(join(folder, "count"), "");
}

const paths = ["plain", "a/there", "a/absent", "new/deep/er/file", "link", "with space/and 'quote", "-dash"] as const;
const steps = fc.array(
  fc.record({
    act: fc.constantFrom("write", "write 600", "drop"),
    path: fc.constantFrom(...paths),
    text: fc.string({ maxLength: 20 }),
  }),
  { minLength: 1, maxLength: 8 },
);
const script = (given: readonly { act: string; path: string; text: string }[]) =>
  given
    .map(({ act, path, text }) => {
      const file = `"$PWD/${path}"`;
      const quoted = `'${text.replaceAll("'", `'\\''`).replaceAll("\0", "")}'`;
      return act === "drop" ? `drop ${file}` : `printf %s ${quoted} | write ${file} ${act.split(" ")[1] ?? ""}`;
    })
    .join("\n");

function before(): void {
  place("plain", "plain", 0o640);
  place("a/there", "there\n", 0o755);
  place("with space/and 'quote", "x", 0o444);
  place("target/of the link", "linked", 0o600);
  symlinkSync("target/of the link", join(folder, "tree", "link"));
}

describe("a change of files", () => {
  it("that is taken back, or cut off at any moment and undone by the next run, leaves every file as it was", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 60 }), fc.boolean(), (given, nth, twice) => {
        for (const name of ["tree", "state", "bin"]) rmSync(join(folder, name), { recursive: true, force: true });
        before();
        const wanted = tree();
        killAt(nth);
        const first = shell(`change test\n${script(given)}\nback`);
        // The way back may be cut off as well.
        if (twice && first.signal === "SIGKILL") {
          killAt(3);
          shell("undo_interrupted");
        }
        killAt(0);
        const second = shell("undo_interrupted");
        expect({ status: second.status, stderr: second.stderr }).toEqual({ status: 0, stderr: "" });
        expect(tree()).toEqual(wanted);
        expect(shell("changing && echo open").stdout).toBe("");
      }),
      { numRuns: 40 },
    );
  });

  it("that is kept stays: owner and mode of a file that was there, 644 for a new one, the file behind a link", () => {
    before();
    killAt(0);
    const { stdout } = shell(
      `change test; echo one | write "$PWD/plain"; echo two | write "$PWD/new/file"; echo three | write "$PWD/link"; echo four | write "$PWD/secret" 600; drop "$PWD/a/there"; keep
       undo_interrupted; stat -c '%a %n' plain new/file secret; readlink link; cat 'target/of the link'; ls a`,
    );
    expect(stdout).toBe("640 plain\n644 new/file\n600 secret\ntarget/of the link\nthree\n");
  });

  it("knows whether it has changed anything", () => {
    before();
    killAt(0);
    const said = (words: string) => shell(`change test; ${words}; changed && echo yes || echo no; keep`).stdout;
    expect(said(`printf plain | write "$PWD/plain"`)).toBe("no\n");
    expect(said(`printf plain | write "$PWD/plain" 600`)).toBe("yes\n");
    expect(said(`printf other | write "$PWD/plain"`)).toBe("yes\n");
    expect(said(`drop "$PWD/absent"`)).toBe("no\n");
    expect(said(`drop "$PWD/plain"`)).toBe("yes\n");
  });

  it("that is undone has the services take the earlier files", () => {
    before();
    killAt(0);
    shell(`change test; echo new | write "$PWD/plain"; kill -9 $$`);
    expect(shell("undo_interrupted").stdout).toBe("an earlier run was cut off while it changed: test\nundone\n");
    expect(shell("undo_interrupted").stdout).toBe("");
  });
});
