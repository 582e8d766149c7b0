// A newcomer's walk: what CONTRIBUTING.md says is really done, in a copy of this repository, with its own tests.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { appKinds } from "../../components/apps/registry";
import { settingKeys } from "../../components/settings/table";
import { codeSpans, links } from "../support/pages";
import { projectRoot } from "../support/project-root";

jest.setTimeout(10 * 60_000);

const page = readFileSync(join(projectRoot, "CONTRIBUTING.md"), "utf8");
const section = (title: string) => page.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? "";

/** The files of the example, by path: the first line of each block names it. */
const example = new Map(
  [...section("Add an App").matchAll(/^```\w+\n(?:\/\/|#) (\S+)\n([\s\S]*?)^```$/gm)].map(
    ([, path = "", text = ""]) => [path, text],
  ),
);

/** One copy for all tests: what Jest compiles of it is compiled once. */
const copy = mkdtempSync(join(tmpdir(), "newcomer-"));
/** What each changed file was before; undefined: not there. */
const former = new Map<string, string | undefined>();

beforeAll(() => {
  // A sandbox that runs beside the test makes and removes files.
  const left = new Set([".git", ".sandbox", "coverage", "node_modules"]);
  for (const name of readdirSync(projectRoot).filter((one) => !left.has(one)))
    cpSync(join(projectRoot, name), join(copy, name), {
      recursive: true,
      filter: (path) => !path.endsWith("/node_modules"),
    });
  symlinkSync(join(projectRoot, "node_modules"), join(copy, "node_modules"));
});
afterEach(() => {
  for (const [path, text] of former)
    if (text === undefined) rmSync(join(copy, path));
    else writeFileSync(join(copy, path), text);
  former.clear();
});
afterAll(() => {
  rmSync(copy, { recursive: true });
});

function write(path: string, text: string): void {
  keep(path);
  mkdirSync(dirname(join(copy, path)), { recursive: true });
  writeFileSync(join(copy, path), text);
}

function keep(path: string): void {
  const file = join(copy, path);
  if (!former.has(path)) former.set(path, existsSync(file) ? readFileSync(file, "utf8") : undefined);
}

/** Replaces a text that must be there. */
function edit(path: string, from: string, to: string): void {
  const text = readFileSync(join(copy, path), "utf8");
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  write(
    path,
    text.replace(from, () => to),
  );
}

function node(...words: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: copy, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

interface Outcome {
  /** Of the file, without its suffix. */
  readonly name: string;
  readonly title: string;
  readonly passed: boolean;
  readonly message: string;
}

/** Runs unit tests of the copy by the names of their files, and only those whose titles match. */
function unitTests(names: readonly string[], titles = ""): Outcome[] {
  const report = join(copy, "report.json");
  const words = ["--selectProjects", "unit", "-w", "1", "-t", titles, "--json", "--outputFile", report];
  const patterns = names.map((name) => `unit/${name}\\.test`);
  spawnSync(process.execPath, ["node_modules/jest/bin/jest.js", ...words, "--testPathPatterns", ...patterns], {
    cwd: copy,
    encoding: "utf8",
    env: { ...process.env, FORCE_COLOR: "0" },
  });
  const { testResults } = reportSchema.parse(JSON.parse(readFileSync(report, "utf8")));
  if (testResults.length !== names.length) throw new Error(`of ${names.join(", ")} only ${testResults.length} ran`);
  return testResults.flatMap(({ name: path, message, assertionResults }): Outcome[] => {
    const name = basename(path, ".test.ts");
    const ran = assertionResults.filter(({ status }) => status !== "pending");
    if (assertionResults.length === 0) return [{ name, title: path, passed: false, message }];
    return ran.map(({ fullName, status, failureMessages }) => ({
      name,
      title: fullName,
      passed: status === "passed",
      message: failureMessages.join("\n"),
    }));
  });
}

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

const failed = (outcomes: readonly Outcome[]) => outcomes.filter(({ passed }) => !passed).map(({ title }) => title);

/** Steps 1 to 4: the files of the example, its entry, and its image. */
function addExample(): void {
  for (const [path, text] of example) write(path, text);
  enter("notes", "./notes");
  const image = `notes: "docker.io/example/notes:1.2.3@sha256:${"0".repeat(64)}",`;
  edit("components/images.ts", "export const defaultImages = {", `export const defaultImages = {\n  ${image}`);
}

function enter(kind: string, module: string): void {
  edit("components/apps/registry.ts", "export const appKinds = [", `export const appKinds = [${kind}, `);
  edit("components/apps/registry.ts", "import", `import { ${kind} } from "${module}";\nimport`);
}

describe("a newcomer adds an App", () => {
  test("by the files of the example, an entry, its settings and its page: all tests of Apps meet it, and pass", () => {
    expect([...example.keys()]).toEqual([
      "components/apps/notes.ts",
      "stack-templates/notes/compose.yaml.hbs",
      "stack-templates/notes/settings.yaml.hbs",
    ]);
    addExample();
    for (const path of ["Pulumi.yaml", "docs/settings.md", "library.d.ts"]) keep(path);
    node("--import", "tsx", "scripts/project-file.ts");
    write("docs/apps/notes.md", "# Notes\n\nSet `notesEnabled` to true.\n");
    edit("docs/apps.md", "Each App has", "[Notes](apps/notes.md) is an example.\n\nEach App has");
    const files = ["docs", "settings-shape", "settings-checks", "settings-messages", "render-authelia"];
    // Those of other Apps, and the one that looks for names: this App's is a word that others use.
    const rest = [...appKinds.map(({ name }) => name), "is known by name"].map((title) => `${title} `).join("|");
    const met = unitTests([...files, "apps"], `^(?!${rest})`);
    expect(failed(met)).toEqual([]);
    for (const file of files) expect(met.map(({ name }) => name)).toContain(file);
    expect(met.flatMap(({ name, title }) => (name === "apps" ? [title] : []))).toEqual(
      expect.arrayContaining([
        "notes with hostile settings keeps what is promised of every App",
        "notes with hostile settings has every text arrive as it was set",
        "notes settings.yaml.hbs holds apiKey exactly as it is, for many hostile ones",
      ]),
    );
  });

  test("carelessly: the tests name the App and what is wrong with it", () => {
    addExample();
    const faults: readonly (readonly [name: string, file: string, from: string, to: string, told: string])[] = [
      ["open", "compose.yaml", "{{> hardened}}", "restart: unless-stopped", "web keeps capabilities"],
      ["unlimited", "compose.yaml", "{{> memory mib=256}}", "pids_limit: 64", "web has no memory limit in MiB"],
      [
        "nosy",
        "compose.yaml",
        "{{> edge-network}}",
        "edge: { name: cloudcode-edge-auth, external: true }",
        "it joins cloudcode-edge-auth",
      ],
      [
        "leaking",
        "compose.yaml",
        "NOTES_TITLE: {{compose title}}",
        "API_KEY: {{compose secrets.apiKey}}",
        "has API_KEY in its environment",
      ],
      ["unquoted", "compose.yaml", "{{compose title}}", "'{{text title}}'", ""],
      ["interpolated", "compose.yaml", "{{compose title}}", "{{yaml title}}", "Docker Compose would replace the $"],
      ["forgetful", "settings.yaml", "{{yaml secrets.apiKey}}", '"{{text secrets.apiKey}}"', ""],
    ];
    for (const [name, file, from, to] of faults) {
      for (const [path, text] of example) write(path.replaceAll("notes", name), text.replace(/notes(?!\}\})/g, name));
      edit(`stack-templates/${name}/${file}.hbs`, from, to);
      enter(name, `./${name}`);
    }
    const outcomes = unitTests(["apps"], `^(notes|${faults.map(([name]) => name).join("|")}) `);
    expect(failed(outcomes).filter((title) => title.startsWith("notes "))).toEqual([]);
    for (const [name, , , , told] of faults) {
      const messages = outcomes
        .filter(({ title, passed }) => title.startsWith(`${name} `) && !passed)
        .map(({ message }) => message);
      expect([name, messages.length > 0, messages.some((message) => message.includes(told))]).toEqual([
        name,
        true,
        true,
      ]);
    }
  });
});

describe("a newcomer changes a rule", () => {
  const rows = section("Change a rule")
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (Rule|-)/.test(line))
    .map((line) => line.split(" | "));

  test("in a file that is there, next to tests that are there", () => {
    expect(rows.length).toBeGreaterThan(5);
    for (const [rule = "", file = "", tests = ""] of rows) {
      for (const path of links(file))
        expect([rule, path, existsSync(join(projectRoot, path))]).toEqual([rule, path, true]);
      for (const name of codeSpans(tests).filter((one) => !one.startsWith("test:")))
        expect([
          rule,
          name,
          ["unit", "tools"].some((suite) => existsSync(join(projectRoot, `test/${suite}/${name}.test.ts`))),
        ]).toEqual([rule, name, true]);
    }
  });

  test("and the test that its row names sees the change", () => {
    const changes: readonly (readonly [rule: string, path: string, from: string, to: string])[] = [
      [
        "what one setting accepts",
        "components/settings/addresses.ts",
        "if (parsed.publicSuffix === value)",
        "if (value === '')",
      ],
      ["what two settings must agree on", "components/settings/rules.ts", "    ...duplicateHosts(values),\n", ""],
      ["Authelia's access rules", "components/auth-gateway/access-rules.ts", "([/?].*)?$`", "(.*)?$`"],
    ];
    const names = changes.map(([rule, path, from, to]) => {
      edit(path, from, to);
      const [name = ""] = codeSpans(rows.find(([title]) => title?.startsWith(`| ${rule}`))?.[2] ?? "");
      return name;
    });
    const outcomes = unitTests(names);
    for (const [index, [rule]] of changes.entries()) {
      const seen = outcomes.filter(({ name, passed }) => name === names[index] && !passed);
      expect([rule, seen.length > 0]).toEqual([rule, true]);
    }
  });
});

test("a newcomer finds each setting in one file that the table leads to", () => {
  const folders = ["components/settings/sections", "components/apps"];
  expect(links(section("Find a setting"))).toContain(folders[0]);
  expect(codeSpans(section("Find a setting"))).toContain("components/apps/NAME.ts");
  const files = folders.flatMap((folder) =>
    readdirSync(join(projectRoot, folder)).map((name) => readFileSync(join(projectRoot, folder, name), "utf8")),
  );
  const places = settingKeys.map((key) => [
    key,
    files.filter((text) => new RegExp(`^ +${key}: \\w+\\(`, "m").test(text)).length,
  ]);
  expect(places).toEqual(settingKeys.map((key) => [key, 1]));
});
