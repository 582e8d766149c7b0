import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Command, CommanderError } from "commander";
import { appKinds } from "../../components/apps/registry";
import type { Setting } from "../../components/settings/setting";
import { settingKeys, settingsTable } from "../../components/settings/table";
import type cloudcode from "../../index";
import { opsCommands } from "../../ops/main";
import { anchors, codeSpans, commandsOf, links, prose, readPages, shellBlocks } from "../support/pages";
import { projectRoot } from "../support/project-root";
import { sentencesOf } from "../support/sentences";

const pages = readPages();
const pageOf = (path: string) => pages.find((page) => page.path === path);
const english = pages.filter(({ path }) => !path.endsWith(".zh-CN.md"));
const chinese = pages.filter(({ path }) => path.endsWith(".zh-CN.md"));

/** The pages of the packages; they describe what developers use. */
const packages = readdirSync(join(projectRoot, "packages"))
  .map((name) => join("packages", name, "README.md"))
  .filter((path) => existsSync(join(projectRoot, path)));

/** Every command of every page; a code span is one where it begins with a program's name. */
const commands = pages.flatMap(({ path, text }) => {
  const spans = codeSpans(text).filter((code) => /^(npm|npx|pulumi) /.test(code));
  const read = (code: string, named: boolean) => commandsOf(code).map((words) => ({ path, words, named }));
  return [...shellBlocks(text).flatMap((code) => read(code, false)), ...spans.flatMap((code) => read(code, true))];
});
const commandsFrom = (...start: string[]) =>
  commands
    .filter(({ words }) => start.every((word, index) => words[index] === word))
    .map(({ words, ...command }) => ({ ...command, rest: words.slice(start.length), line: words.join(" ") }));

/** Words of this project alone, which readers of Docker's, Caddy's or Pulumi's documentation do not know. */
const dialect =
  /\b(anew|beside|cure[sd]?|doors?|gates?|whoever|who takes? over|of before|(is|are) told|tells at once|gives? up its|in the place of|auth gateway)\b/i;

/** The faults of all, so that a failure names each of them. */
const faults = (list: readonly (string | undefined)[]) => [...new Set(list.filter((fault) => fault !== undefined))];

describe("the commands of the pages", () => {
  it("are found", () => {
    const sample =
      'npm run ops -- ssh df -h  # a comment\npulumi config set a \'["b c"]\' && x < ~/y | z "\\"$(w)\\""\n';
    expect(commandsOf(sample)).toEqual([
      ["npm", "run", "ops", "--", "ssh", "df", "-h"],
      ["pulumi", "config", "set", "a", '["b c"]'],
      ["x"],
      ["z", '"$(w)"'],
    ]);
    expect(commandsFrom("npm", "run").length).toBeGreaterThan(100);
    expect(commandsFrom("pulumi", "config").length).toBeGreaterThan(200);
  });

  it("that npm runs are scripts of package.json", () => {
    const { scripts } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as { scripts: object };
    const unknown = commandsFrom("npm", "run").map(({ path, rest: [script = ""], line }) =>
      Object.hasOwn(scripts, script) ? undefined : `${path}: ${line}`,
    );
    expect(faults(unknown)).toEqual([]);
  });

  it("of ops are taken by its own parser, with their arguments and options", () => {
    const refused = commandsFrom("npm", "run", "ops", "--").map(({ path, rest, line, named }) => {
      const fault = rest.join(" ") === "COMMAND" ? undefined : opsFault(rest);
      // A sentence may name a command without its arguments.
      const ok = fault === undefined || (named && rest.length === 1 && fault.includes("missing required argument"));
      return ok ? undefined : `${path}: ${line}: ${fault}`;
    });
    expect(faults(refused)).toEqual([]);
    expect(opsFault(["restore", "--bogus"])).toContain("unknown option");
    expect(opsFault(["bogus"])).toContain("unknown command");
    expect(opsFault(["rollback"])).toContain("missing required argument");
  });

  it("of ops are all described", () => {
    const described = new Set(commandsFrom("npm", "run", "ops", "--").map(({ rest: [command] }) => command));
    expect(
      opsCommands()
        .commands.map((command) => command.name())
        .filter((name) => !described.has(name)),
    ).toEqual([]);
  });

  it("of Pulumi are among those that its CLI has", () => {
    const known =
      /^pulumi (up|preview|destroy|refresh|cancel|login|stack( (init|output|export|change-secrets-provider))?|state delete|import|config( (set|set-all|get|rm))?|new)( |$)/;
    const unknown = commandsFrom("pulumi").map(({ path, line }) => (known.test(line) ? undefined : `${path}: ${line}`));
    expect(faults(unknown)).toEqual([]);
  });

  it("set settings that there are, to values that they take", () => {
    const wrong = settingCommands().map(({ path, line, key, value, secret }) => {
      const fault = settingFault(key, value, secret);
      return fault === undefined ? undefined : `${path}: ${line}: ${key} ${fault}`;
    });
    expect(faults(wrong)).toEqual([]);
    expect(settingFault("domian", undefined, false)).toBe("is not a setting");
    expect(settingFault("dataDiskGiB", "4", false)).toBe("is below 20");
    expect(settingFault("adminPassword", undefined, false)).toBe("is a secret: --secret is missing");
  });

  it("read outputs that the program has", () => {
    const unknown = commandsFrom("pulumi", "stack", "output").map(({ path, rest: [name = ""], line }) =>
      Object.hasOwn(outputs, name) || name.startsWith("-") ? undefined : `${path}: ${line}`,
    );
    expect(faults(unknown)).toEqual([]);
  });
});

/** The outputs of index.ts; tsc fails where one is missing or is none. */
const outputs: Record<keyof Awaited<ReturnType<typeof cloudcode>>, true> = {
  url: true,
  urls: true,
  adminUsername: true,
  adminPassword: true,
  peoplePasswords: true,
  appLogins: true,
  publicAddress: true,
  deviceKeys: true,
  sshCommand: true,
  sshPrivateKey: true,
  nextSteps: true,
  operations: true,
  backupPassword: true,
  monthlyCost: true,
};

describe("the outputs", () => {
  it.each(["docs/operations.md", "docs/operations.zh-CN.md"])("are all in the table of %s, and no other", (path) => {
    const text = pageOf(path)?.text ?? "";
    const [, section = ""] = /^## (?:Outputs|输出)\n([^]*?)(?=^## )/m.exec(text) ?? [];
    const rows = [...section.matchAll(/^\| `(\w+)` *\| ([^|]+)\| ([^|]+)\|$/gm)];
    expect(rows.map(([, name]) => name)).toEqual(Object.keys(outputs));
    // What it is, and an example.
    for (const [, name, what = "", example = ""] of rows)
      expect([name, what.trim() !== "", /^`.+`$/.test(example.trim())]).toEqual([name, true, true]);
  });
});

/** What the parser of ops says against these words; nothing is run. */
function opsFault(words: readonly string[]): string | undefined {
  const program = opsCommands();
  const quiet = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    if (command.commands.length === 0) command.action(() => undefined);
    command.commands.forEach(quiet);
  };
  quiet(program);
  try {
    program.parse(words, { from: "user" });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? undefined : error.message;
    throw error;
  }
}

interface SettingCommand {
  readonly path: string;
  readonly line: string;
  readonly key: string;
  /** Undefined: Pulumi asks for it, or it is one item of a list or an object. */
  readonly value: string | undefined;
  readonly secret: boolean;
}

/** Each key that `pulumi config set`, `set-all`, `get` or `rm` names. */
function settingCommands(): SettingCommand[] {
  const all = commandsFrom("pulumi", "config", "set-all").flatMap(({ path, rest, line }) =>
    rest.flatMap((word, index): SettingCommand[] => {
      const [key = "", ...value] = word.split("=");
      if (word.startsWith("--")) return [];
      return [{ path, line, key, value: value.join("="), secret: rest[index - 1] === "--secret" }];
    }),
  );
  const single = ["set", "get", "rm"].flatMap((action) =>
    commandsFrom("pulumi", "config", action).map(({ path, rest, line }): SettingCommand => {
      const [place = "", value] = rest.filter((word) => !word.startsWith("--"));
      const [key = ""] = place.split(/[.[]/);
      const whole = action === "set" && key === place;
      return {
        path,
        line,
        key,
        value: whole ? value : undefined,
        secret: rest.includes("--secret") || action !== "set",
      };
    }),
  );
  // A place for the reader's own words.
  return [...all, ...single].filter(({ key }) => key !== "KEY");
}

function settingFault(key: string, value: string | undefined, secret: boolean): string | undefined {
  if (!Object.hasOwn(settingsTable, key)) return "is not a setting";
  const setting: Setting = settingsTable[key as keyof typeof settingsTable];
  if (setting.secret && !secret) return "is a secret: --secret is missing";
  // Not what stands for the reader's own value, nor what only a shell knows.
  if (value === undefined || /…|\$\(|\b[A-Z]{3,}\b|[\u4e00-\u9fff]/.test(value)) return undefined;
  return setting.schema.safeParse(value).error?.issues[0]?.message;
}

describe("the links of the pages", () => {
  it("lead to files and headings that there are", () => {
    const dead = pages.flatMap(({ path, text }) =>
      links(text)
        .filter((target) => !/^https?:/.test(target))
        .map((target) => {
          const [file = "", anchor] = target.split("#");
          const to = file === "" ? path : join(dirname(path), file);
          if (!existsSync(join(projectRoot, to))) return `${path}: ${target}`;
          const known = anchor === undefined || anchors(pageOf(to)?.text ?? "").includes(anchor);
          return known ? undefined : `${path}: ${target} (no such heading)`;
        }),
    );
    expect(faults(dead)).toEqual([]);
  });

  it("and the paths in them name what there is", () => {
    const path =
      /^(components|ops|scripts|sandbox|test|stack-templates|docs|examples|packages|\.ci|\.github)\/[\w./-]+$/;
    const there = (place: string) =>
      existsSync(join(projectRoot, place)) || existsSync(join(projectRoot, `${place}.ts`)) || place.includes("NAME");
    const missing = pages.flatMap(({ path: page, text }) =>
      codeSpans(text).map((code) => (path.test(code) && !there(code) ? `${page}: ${code}` : undefined)),
    );
    expect(faults(missing)).toEqual([]);
  });

  it("reach every page from a README", () => {
    const linked = new Set(
      pages.flatMap(({ path, text }) => links(text).map((target) => join(dirname(path), target.split("#")[0] ?? ""))),
    );
    expect(pages.map(({ path }) => path).filter((path) => !path.startsWith("README.") && !linked.has(path))).toEqual(
      [],
    );
  });
});

describe("docs/testing.md", () => {
  it("names parts of the suites by words of their titles", () => {
    const folder = join(projectRoot, "test/sandbox");
    const titles = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => readFileSync(join(folder, file), "utf8"))
      .join("\n");
    const named = codeSpans(pageOf("docs/testing.md")?.text ?? "").flatMap(
      (code) => /-t '([^']+)'/.exec(code)?.[1] ?? [],
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((words) => words !== "WORDS" && !titles.includes(words))).toEqual([]);
  });
});

describe("the pages for newcomers", () => {
  it.each(["README.md", "README.zh-CN.md"])("%s has at most 120 lines", (path) => {
    expect(pageOf(path)?.text.trimEnd().split("\n").length).toBeLessThanOrEqual(120);
  });

  it("describe each App, and link it from the index", () => {
    const index = links(pageOf("docs/apps.md")?.text ?? "");
    for (const { name, enabled } of appKinds) {
      expect(index).toContain(`apps/${name}.md`);
      expect(pageOf(`docs/apps/${name}.md`)?.text).toContain(enabled);
    }
  });

  it("use the words of the field", () => {
    const others = ["CHANGELOG.md", ...packages].map((path) => ({
      path,
      text: readFileSync(join(projectRoot, path), "utf8"),
    }));
    const found = [...english, ...others].map(({ path, text }) => {
      const [words] = dialect.exec(prose(text)) ?? [];
      return words === undefined ? undefined : `${path}: ${words}`;
    });
    expect(faults(found)).toEqual([]);
  });
});

describe("each Chinese page", () => {
  const originals = chinese.map(({ path }) => [path, path.replace(".zh-CN.", ".")] as const);

  it("is one of README and what an operator needs", () => {
    const needed = [
      "alibaba-cloud",
      "apps",
      "backups",
      "costs",
      "domain",
      "existing-machine",
      "machine",
      "old-cli",
      "operations",
      "security",
      "state-and-ci",
    ];
    const paths = chinese.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(["README.zh-CN.md", ...needed.map((name) => `docs/${name}.zh-CN.md`)]),
    );
  });

  it.each(originals)("%s and %s link each other", (path, original) => {
    const name = (file: string) => file.split("/").at(-1);
    expect(links(pageOf(path)?.text ?? "")).toContain(name(original));
    expect(links(pageOf(original)?.text ?? "")).toContain(name(path));
  });

  // The list of Apps may be ahead: somebody who adds an App need not write Chinese.
  const equal = originals.filter(([path]) => path !== "docs/apps.zh-CN.md");
  it.each(equal)("%s has the headings, rows, items and links of %s", (path, original) => {
    const parts = (page: string) => {
      const text = (pageOf(page)?.text ?? "").replace(/^```[^]*?^```$/gm, "");
      const count = (line: RegExp) => text.match(line)?.length ?? 0;
      const targets = links(text).map((target) => target.replace(/#.*/, "").replace(".zh-CN.", "."));
      return {
        headings: count(/^#+ /gm),
        rows: count(/^\|/gm),
        items: count(/^ *(-|\d+\.) /gm),
        links: [...new Set(targets)].sort(),
      };
    };
    expect(parts(path)).toEqual(parts(original));
  });

  it.each(originals)("%s has the commands of %s, in their order", (path, original) => {
    const blocks = (page: string) => shellBlocks(pageOf(page)?.text ?? "").flatMap(commandsOf);
    expect(blocks(path)).toEqual(blocks(original));
  });
});

describe("messages of the program", () => {
  it("use the words of the field", () => {
    const files = ["components", "ops", "cli", "scripts"].flatMap((folder) =>
      readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts"))
        .map((name) => join(folder, name)),
    );
    const sentences = files.flatMap((file) => sentencesOf(join(projectRoot, file)).map((text) => ({ file, text })));
    const found = sentences.flatMap(({ file, text }) => {
      const [word] = dialect.exec(text) ?? [];
      return word === undefined ? [] : [`${file}: ${word}: ${text}`];
    });
    expect(faults(found)).toEqual([]);
    expect(sentences.length).toBeGreaterThan(500);
  });

  it("of the host's scripts do, too", () => {
    const folders = ["host", "worker"].map((name) => join("stack-templates", name));
    const found = folders.flatMap((folder) =>
      readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8", withFileTypes: true })
        .filter((entry) => entry.isFile() && /(\.sh|^[\w-]+)$/.test(entry.name))
        .flatMap((entry) => {
          const lines = readFileSync(join(entry.parentPath, entry.name), "utf8").split("\n");
          const texts = lines
            .filter((line) => !/^\s*#/.test(line))
            .flatMap((line) => [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text))
            .filter((text) => (text.match(/[a-z]{2,}/gi) ?? []).length >= 4);
          return texts.map((text) => ({ file: entry.name, text }));
        }),
    );
    expect(found.length).toBeGreaterThan(150);
    const faulty = found.map(({ file, text }) => {
      const [word] = dialect.exec(text) ?? [];
      return word === undefined ? undefined : `${file}: ${word}: ${text}`;
    });
    expect(faults(faulty)).toEqual([]);
  });

  it("name pages that there are", () => {
    const folders = ["components", "ops", "scripts", "stack-templates/host"];
    const sources = folders.flatMap((folder) =>
      readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8", withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.endsWith(".asc"))
        .map((entry) => join(entry.parentPath, entry.name)),
    );
    const missing = sources.flatMap((file) => {
      const text = readFileSync(file, "utf8");
      const named = [...text.matchAll(/(?<![\w/.-])docs\/[\w./-]+\.(md|json)\b/g)].map(([path]) => path);
      return [
        ...named.filter((path) => !existsSync(join(projectRoot, path))),
        ...(text.match(/\bREADME\b/g) ?? []),
      ].map((name) => `${file}: ${name}`);
    });
    expect(faults(missing)).toEqual([]);
  });
});

test("settings of the pages' prose are settings", () => {
  const apps = appKinds.map(({ enabled }) => enabled.replace(/Enabled$/, ""));
  const prefix = new RegExp(`^(${[...apps, "backup", "smtp", "alert", "acme", "docker", "host"].join("|")})[A-Z]\\w*$`);
  const unknown = pages.flatMap(({ path, text }) =>
    codeSpans(text).map((code) =>
      prefix.test(code) && !(settingKeys as readonly string[]).includes(code) ? `${path}: ${code}` : undefined,
    ),
  );
  expect(faults(unknown)).toEqual([]);
});
