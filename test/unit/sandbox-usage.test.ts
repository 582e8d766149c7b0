import { spawnSync } from "node:child_process";
import { projectRoot } from "../support/project-root";

/** What `npm run sandbox -- WORDS` prints. Nothing is started. */
function sandbox(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "sandbox/main.ts", ...words], {
    cwd: projectRoot,
    encoding: "utf8",
  });
  return [status, stdout.slice(0, 22), stderr.slice(0, 22)];
}

test("the sandbox prints its usage for --help and for an option that it does not know", () => {
  expect(sandbox("--help")).toEqual([0, "usage: npm run sandbox", ""]);
  expect(sandbox("destroy", "--everything")).toEqual([1, "", "usage: npm run sandbox"]);
});
