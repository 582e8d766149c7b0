import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../support/project-root";

const old = new Date("2026-01-01T00:00:00Z");

let folder: string;
const file = (name: string) => join(folder, name);
const bundles = () => readdirSync(file("bundles")).sort();

function write(name: string, text: string): void {
  writeFileSync(file(name), text);
  utimesSync(file(name), old, old);
}

function run() {
  const { status, stdout, stderr } = spawnSync("node", ["start.cjs"], {
    cwd: folder,
    env: { PATH: process.env["PATH"], CLOUDCODE_BUNDLES: file("bundles") },
  });
  return { status, said: stdout.toString(), fault: stderr.toString() };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "load-"));
  for (const name of ["bin", "bundles", "deep"]) mkdirSync(file(name));
  for (const name of ["load", "sdk"]) copyFileSync(join(projectRoot, `bin/${name}.cjs`), file(`bin/${name}.cjs`));
  symlinkSync(join(projectRoot, "node_modules"), file("node_modules"));
  writeFileSync(file("package.json"), "{}");
  write("start.cjs", 'require("./bin/load.cjs")("main.ts").then(({ begin }) => begin());');
  write("main.ts", 'import { word } from "./deep/word";\nexport const begin = (): void => console.log(word);\n');
  write("deep/word.ts", 'export const word: string = "one";\n');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

it("runs what the sources say now, though their size and time are as they were", async () => {
  expect(run()).toEqual({ status: 0, said: "one\n", fault: "" });
  await settled();
  expect(run().said).toBe("one\n");
  const made = bundles();
  expect(made).toEqual(expect.arrayContaining(["main.cjs", "main.cjs.map", "main.json"]));
  write("deep/word.ts", 'export const word: string = "two";\n');
  expect(run().said).toBe("two\n");
});

it("compiles once", async () => {
  await settled();
  expect(run().said).toBe("one\n");
  write("bundles/main.cjs", 'module.exports = { begin: () => console.log("kept") };');
  expect(run().said).toBe("kept\n");
});

it("takes no compiled code of another text", async () => {
  await settled();
  run();
  run();
  write("bundles/main.cjs", 'module.exports = { begin: () => console.log("kept") };');
  run();
  write("bundles/main.cjs", 'module.exports = { begin: () => console.log("same") };');
  expect(run().said).toBe("same\n");
});

it("notices a source that is gone, and names it", async () => {
  await settled();
  run();
  rmSync(file("deep/word.ts"));
  const { status, fault } = run();
  expect(fault).toContain('main.ts:1:21: ERROR: Could not resolve "./deep/word"');
  expect(status).toBe(1);
});

it("names the lines of the sources in the stack of an error", () => {
  write("deep/word.ts", '\n\nthrow new Error("no word");\nexport const word = 1;\n');
  const { fault } = run();
  expect(fault).toContain("Error: no word");
  expect(fault).toContain(`${file("deep/word.ts")}:3:7`);
  expect(fault).not.toMatch(/ at .*main\.cjs:/);
});

it("lets each file know its place", () => {
  write(
    "deep/word.ts",
    'import { basename } from "node:path";\nexport const word = __dirname + " " + basename(__filename);\n',
  );
  expect(run().said).toBe(`${file("deep")} word.ts\n`);
});

it("runs where nothing can be kept", () => {
  rmSync(file("bundles"), { recursive: true });
  // For root, too, a file is no folder.
  writeFileSync(file("bundles"), "");
  chmodSync(file("bundles"), 0o444);
  expect(run().said).toBe("one\n");
});

/** Sources that have just been written are in doubt. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 120));
}
