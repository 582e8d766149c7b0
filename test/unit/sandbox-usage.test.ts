import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { folderOf } from "../../sandbox/folder";
import { projectRoot } from "../support/project-root";

/** What `npm run sandbox -- WORDS` prints. Nothing is started. */
function sandbox(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "sandbox/main.ts", ...words], {
    cwd: projectRoot,
    encoding: "utf8",
  });
  return [status, stdout, stderr];
}

test("the sandbox prints its usage for --help and for an option that it does not know", () => {
  expect(sandbox("--help")).toEqual([0, expect.stringMatching(/^usage: npm run sandbox/), ""]);
  expect(sandbox("destroy", "--everything")).toEqual([1, "", expect.stringMatching(/^usage: npm run sandbox/)]);
});

test.each(["shell", "open"])("%s of a name that has no sandbox says so and starts none", (action) => {
  const said = "There is no sandbox no-such-one: npm run sandbox -- up --name no-such-one starts it.\n";
  expect(sandbox(action, "--name", "no-such-one")).toEqual([1, "", said]);
  expect(existsSync(folderOf("no-such-one"))).toBe(false);
});
