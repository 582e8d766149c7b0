// Each check of the host has a name and texts in Chinese: the table of the index page against the texts in the scripts themselves.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../support/project-root";

const read = (path: string) => readFileSync(join(projectRoot, "stack-templates", path), "utf8");
const table = JSON.parse(read("reverse-proxy/live/page/checks.zh.json")) as Record<
  string,
  { readonly name: string; readonly texts: readonly (readonly [pattern: string, chinese: string])[] }
>;
const [host, space, page] = ["cloudcode-check", "check-space.sh", "cloudcode-page"].map((name) => read(`host/${name}`));

/** What stands for a value that only a host knows. */
const value = "7";
/** Texts that a variable has, where the script does not assign it in the same function, or in a way that is not read here. */
const known: Readonly<Record<string, readonly string[]>> = {
  memory: [
    "",
    ", 5 of 9 MiB of memory, 7 at most",
    ", 5 of 9 MiB of memory, 7 at most; 3 programs were killed because it ran out, the last 2 hours ago",
  ],
  "last#* ": ["ok", "old images could not be removed", "old images could not be removed: a stack was being changed"],
  way: [
    "npm run ops -- rollback app r1 brings it back with its version; ",
    "a version of that format brings it back; ",
  ],
  size: ["9 MiB", "in the backup 0123abcd"],
};

/** From `(`, or `{`, to the one that closes it; quotes in it may hold others. */
function closing(text: string, at: number): number {
  const ends = { "(": ")", "{": "}" } as const;
  const end = ends[text[at] === "(" ? "(" : "{"];
  let depth = 0;
  for (let index = at; index < text.length; index++) {
    if (text[index] === "'" && end === ")") index = text.indexOf("'", index + 1);
    else if (text[index] === text[at]) depth++;
    else if (text[index] === end && --depth === 0) return index;
  }
  throw new Error(`nothing closes ${text.slice(at, at + 40)}`);
}

/** The text in double quotes that begins there, as it stands in the script. */
function quoted(text: string, at: number): string | undefined {
  if (text[at] !== '"') return undefined;
  for (let index = at + 1; index < text.length; index++) {
    if (text[index] === "\\") index++;
    else if (text[index] === "$" && /[({]/.test(text[index + 1] ?? "")) index = closing(text, index + 1);
    else if (text[index] === '"') return text.slice(at + 1, index);
  }
  throw new Error(`nothing ends ${text.slice(at, at + 40)}`);
}

/** All texts that the shell may make of one, where `assigned` are those of variables. */
function expanded(text: string, assigned: (name: string) => readonly string[], depth = 0): string[] {
  const at = text.search(/\$[({\w]/);
  if (at < 0 || depth > 6) return [text.replaceAll("\\", "")];
  const rest = (from: number) => expanded(text.slice(from), assigned, depth);
  const join = (middles: readonly string[], from: number) =>
    middles.flatMap((middle) => rest(from).map((tail) => text.slice(0, at) + middle + tail));
  if (text[at + 1] === "(") return join([value], closing(text, at + 1) + 1);
  if (text[at + 1] !== "{") {
    const [name = ""] = /^(\d|\w+)/.exec(text.slice(at + 1)) ?? [];
    return join(
      assigned(name).flatMap((one) => expanded(one, assigned, depth + 1)),
      at + 1 + name.length,
    );
  }
  const end = closing(text, at + 1);
  const inner = text.slice(at + 2, end);
  const [, optional] = /^\w+:\+(.*)$/s.exec(inner) ?? [];
  if (optional !== undefined) return join(["", ...expanded(optional, assigned, depth + 1)], end + 1);
  return join(known[inner] ?? [/^health/.test(inner) ? "healthy" : value], end + 1);
}

interface Said {
  readonly check: string;
  readonly text: string;
}

/** All that the checks of a script may say. */
function saidBy(script: string): Said[] {
  const functions = script.match(/^\w+\(\) \{.*$[^]*?^\}$/gm) ?? [];
  const rest = functions.reduce((text, one) => text.replace(one, ""), script);
  return [...functions, rest].flatMap((body) => {
    const texts = new Map<string, string[]>();
    for (const { 1: name = "", index, 0: whole } of body.matchAll(/(?<![\w$-])(\w+)="/g)) {
      const text = quoted(body, index + whole.length - 1) ?? "";
      texts.set(name, [...(texts.get(name) ?? []), text]);
    }
    const assigned = (name: string) => known[name] ?? texts.get(name) ?? [name === "health" ? "healthy" : value];
    return [...body.matchAll(/\bline (?:"([^"]*)"|(\w+)) (?:ok|warn|red|none) /g)].flatMap((call) => {
      const name = call[1] ?? call[2] ?? "";
      const names = name.startsWith("$") ? (texts.get(name.slice(1)) ?? []) : [name];
      const said: string[] = [];
      for (let at = call.index + call[0].length; ;) {
        const text = quoted(body, at);
        if (text === undefined) break;
        said.push(text);
        at += text.length + 3;
      }
      return names.flatMap((one) =>
        said.flatMap((text) => expanded(text, assigned)).map((text) => ({ check: one.replace(/ \$.*$/, ""), text })),
      );
    });
  });
}

/** What Caddy's template makes of it. */
function chinese({ check, text }: Said): string | undefined {
  const found = table[check]?.texts.find(([pattern]) => new RegExp(pattern).test(text));
  return found && text.replace(new RegExp(found[0]), found[1].replaceAll(/\$\{(\d+)\}/g, "$$$1"));
}

const inPage: Said[] = [
  ...[...(page ?? "").matchAll(/(?:seen|fix): "((?:[^"\\]|\\\(.*?\))+)"/g)].map(([, text = ""]) => ({
    check: "certificate",
    text: text.replace(/\\\(.*\)(?= days)/, value),
  })),
  { check: "self-check", text: "it did not finish" },
  { check: "self-check", text: "npm run ops -- status says where" },
];
// Without those that are a value alone, as Docker's version, or that another program wrote.
const all = [...saidBy(host ?? ""), ...saidBy(space ?? ""), ...inPage].filter(({ text }) =>
  /[a-z]{2,} [a-z]/i.test(text),
);

test("the scripts are read whole", () => {
  expect(all.length).toBeGreaterThan(120);
  for (const text of [
    "by key only, but for 7",
    "the clock is not synchronised",
    "what runs the containers gets no updates: 7; 7 pending, none of them for security",
  ])
    expect(all.map((one) => one.text)).toContain(text);
  expect(inPage.length).toBeGreaterThan(8);
});

test("every check has a name in Chinese, and no other", () => {
  expect([...new Set(all.map(({ check }) => check))].filter((check) => table[check] === undefined)).toEqual([]);
  const there = [host, space, page, read("host/cloudcode-news")].join("\n");
  expect(Object.keys(table).filter((check) => !there.includes(check))).toEqual([]);
  // Names of programs stay as they are.
  for (const [check, { name }] of Object.entries(table))
    expect([check, /[\u4e00-\u9fff]/.test(name) || name === "Docker" || name === "k3s"]).toEqual([check, true]);
});

test("every text of theirs is in Chinese, with the values in it", () => {
  expect(all.filter((said) => !/[\u4e00-\u9fff]/.test(chinese(said) ?? ""))).toEqual([]);
});

test("no value of a text is lost, and none is invented", () => {
  for (const { texts } of Object.values(table))
    for (const [pattern, text] of texts) {
      const groups = new RegExp(`${pattern}|`).exec("")?.length ?? 1;
      const used = [...new Set([...text.matchAll(/\$\{(\d+)\}/g)].map(([, number]) => Number(number)))].sort();
      expect([pattern, used]).toEqual([pattern, Array.from({ length: groups - 1 }, (_, index) => index + 1)]);
    }
});
