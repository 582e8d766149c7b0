import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { containersIn, logLine } from "../../ops/commands/containers";
import { passkeysIn } from "../../ops/commands/gateway";
import { opsCommands } from "../../ops/main";
import { shapes } from "../../ops/shapes";
import { harmless, lineByLine } from "../../ops/terminal";
import { projectRoot } from "../support/project-root";

/** Commands that do something, by their words. */
function leaves(command: Command, words: readonly string[] = []): { words: string; command: Command }[] {
  if (command.commands.length === 0) return [{ words: words.join(" "), command }];
  return command.commands.flatMap((one) => leaves(one, [...words, one.name()]));
}

describe("--json", () => {
  it("is an option of every command but the server, and each has a shape", () => {
    const all = leaves(opsCommands());
    expect(
      all.filter(({ command }) => !command.options.some(({ long }) => long === "--json")).map(({ words }) => words),
    ).toEqual(["mcp"]);
    expect(
      all
        .map(({ words }) => words)
        .filter((words) => words !== "mcp")
        .sort(),
    ).toEqual(Object.keys(shapes).sort());
  });

  it.each(["automation.md", "automation.zh-CN.md"])(
    "has an example of each command in docs/%s, in its shape",
    (page) => {
      const text = readFileSync(join(projectRoot, "docs", page), "utf8");
      const rows = [...text.matchAll(/^\| `([a-z -]+)` +\| [^|]+\| `([[{].*[\]}])` +\|$/gm)];
      const examples = new Map(rows.map(([, name = "", example = ""]) => [name, JSON.parse(example) as unknown]));
      expect([...examples.keys()]).toEqual(Object.keys(shapes));
      for (const [name, shape] of Object.entries(shapes))
        expect([name, shape.safeParse(examples.get(name)).error?.message]).toEqual([name, undefined]);
    },
  );

  it.each(["automation.md", "automation.zh-CN.md"])("has every key of its shapes in docs/%s", (page) => {
    const text = readFileSync(join(projectRoot, "docs", page), "utf8");
    const missing = Object.entries(shapes).flatMap(([name, shape]) => {
      // Its row, and what the list below says of it.
      const row = (text.match(/^(\||-) [^]*?(?=\n(\||-|\n))/gm) ?? [])
        .filter((entry) => (entry.split(/[|:：]/)[entry.startsWith("|") ? 1 : 0] ?? "").includes(`\`${name}`))
        .join("\n");
      const keys = new Set(keysOf(z.toJSONSchema(shape)));
      return [...keys].filter((key) => !new RegExp(`[\`"]${key}[\`"]`).test(row)).map((key) => `${name}: ${key}`);
    });
    expect(missing).toEqual([]);
  });
});

/** Every key of a shape, at any depth. */
function keysOf(schema: unknown): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) =>
    key === "properties" && typeof value === "object" && value !== null
      ? [...Object.keys(value), ...Object.values(value).flatMap(keysOf)]
      : keysOf(value),
  );
}

describe("containers", () => {
  const listed = {
    Names: "cloudcode-edge-caddy-1",
    Status: "Up 2 days (healthy)",
    Image: "caddy:2",
    Size: "12kB (virtual 60MB)",
    Labels: "a=b,com.docker.compose.project=cloudcode-edge,com.docker.compose.service=caddy",
    ID: "x",
  };
  const used = { Name: "cloudcode-edge-caddy-1", CPUPerc: "0.1%", MemUsage: "30MiB / 256MiB", ID: "x" };

  it("are what Docker's lists say of each", () => {
    const stopped = { ...listed, Names: "cloudcode-auth-authelia-1", Status: "Exited (0)", Labels: "" };
    const { data, text } = containersIn([listed, stopped, used].map((one) => JSON.stringify(one)).join("\n"));
    expect(shapes.ps.parse(data)).toEqual([
      {
        container: "cloudcode-edge-caddy-1",
        stack: "edge",
        service: "caddy",
        status: "Up 2 days (healthy)",
        image: "caddy:2",
        size: "12kB (virtual 60MB)",
        cpu: "0.1%",
        memory: "30MiB / 256MiB",
      },
      expect.objectContaining({ container: "cloudcode-auth-authelia-1", stack: "", status: "Exited (0)" }),
    ]);
    expect(text.split("\n")[1]).toBe(
      "cloudcode-edge-caddy-1     Up 2 days (healthy)  0.1%  30MiB / 256MiB  12kB (virtual 60MB)  caddy:2",
    );
  });
});

describe("log lines", () => {
  it("have a container, a time and their text", () => {
    expect(logLine('caddy-1  | 2026-11-25T15:04:05.123456789Z {"a": "| b"}')).toEqual({
      container: "caddy-1",
      time: "2026-11-25T15:04:05.123456789Z",
      text: '{"a": "| b"}',
    });
    expect(logLine("db-1 | 2026-11-25T15:04:05Z ")).toMatchObject({ container: "db-1", text: "" });
    expect(logLine("no such service: x")).toEqual({ container: "", text: "no such service: x" });
  });

  it.each([
    ["\u001b]0;title\u0007x", "]0;titlex"],
    ["\u001b]52;c;cGF5bG9hZA==\u0007", "]52;c;cGF5bG9hZA=="],
    ["a\u001b[2J\u001b[Hb\rc\u0008", "a[2J[Hbc"],
    ["\u009b2Ja\u202eb", "2Jab"],
    ["\u001b[31mred\u001b[0m\tkept é 中", "\u001b[31mred\u001b[0m\tkept é 中"],
  ])("do nothing to a terminal: %j", (text, shown) => {
    expect(harmless(text)).toBe(shown);
  });

  it("are whole, however the stream is cut", () => {
    const bytes = Buffer.from("eins é\n\nzwei");
    for (let cut = 0; cut <= bytes.length; cut++) {
      const found: string[] = [];
      const reader = lineByLine((line) => found.push(line));
      reader.take(bytes.subarray(0, cut));
      reader.take(bytes.subarray(cut));
      reader.end();
      expect(found).toEqual(["eins é", "", "zwei"]);
    }
  });
});

test("passkeys are the rows of Authelia's table", () => {
  const table = "ID  KID      Description\n1   abc-_=   my laptop \n12  def      tv\n";
  expect(passkeysIn(table)).toEqual([
    { kid: "abc-_=", description: "my laptop" },
    { kid: "def", description: "tv" },
  ]);
  expect(passkeysIn("jo has no passkey.")).toEqual([]);
});
