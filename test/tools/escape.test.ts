import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import { caddyToken, composeScalar, envValue, shellWord, yamlScalar } from "../../components/stack/escape";
import { adapt } from "../support/caddy";
import { composeConfig } from "../support/compose";
import { hostileText, listed, sample } from "../support/hostile";

const folder = mkdtempSync(join(tmpdir(), "escape-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const holds = (text: string, pattern: RegExp) => pattern.test(text);

describe("yamlScalar", () => {
  it("is what a YAML parser reads back", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(parse(`- ${yamlScalar(text)}\n- { ${yamlScalar(text)}: 1 }`)).toEqual([text, { [text]: 1 }]);
      }),
      { numRuns: 3000, examples: listed.map((text) => [text]), verbose: true },
    );
  });

  it("stays on one line of characters that can be printed and written as UTF-8", () => {
    for (const text of sample(3000)) {
      const scalar = yamlScalar(text);
      expect(Buffer.from(scalar).toString()).toBe(scalar);
      // eslint-disable-next-line no-control-regex -- the control characters are the point
      expect(scalar).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/);
    }
  });

  it("leaves numbers and flags what they are", () => {
    expect(parse(`[${[1, true, false].map(yamlScalar).join(", ")}]`)).toEqual([1, true, false]);
    expect(
      parse(`[${["1", "true", "null", "~", "1e3", "0x10", "yes", "2026-01-01"].map(yamlScalar).join(", ")}]`),
    ).toEqual(["1", "true", "null", "~", "1e3", "0x10", "yes", "2026-01-01"]);
  });
});

describe("composeScalar", () => {
  it("is what Docker Compose hands to a container", async () => {
    const texts = sample(3000).filter((text) => !text.includes("\0"));
    const lines = texts.map((text, index) => `      V${index}: ${composeScalar(text)}`);
    const file = join(folder, "compose.yaml");
    writeFileSync(file, `services:\n  app:\n    image: app:1\n    environment:\n${lines.join("\n")}\n`);
    const { environment = {} } = (await composeConfig(file)).services["app"] ?? {};
    expect(texts.map((_, index) => environment[`V${index}`])).toEqual(texts);
  });
});

describe("envValue", () => {
  it("is what Docker Compose reads from an env file", async () => {
    const texts = sample(3000).filter((text) => !text.includes("\0"));
    writeFileSync(join(folder, "values.env"), texts.map((text, index) => `V${index}=${envValue(text)}\n`).join(""));
    const file = join(folder, "env-compose.yaml");
    writeFileSync(file, "services:\n  app:\n    image: app:1\n    env_file: values.env\n");
    const { environment = {} } = (await composeConfig(file)).services["app"] ?? {};
    expect(texts.map((_, index) => environment[`V${index}`])).toEqual(texts);
  });

  it("refuses NUL, which no environment variable can hold", () => {
    expect(() => envValue("a\0b")).toThrow("an environment variable cannot hold a NUL character");
  });
});

describe("shellWord", () => {
  it("is what a shell hands to a command", () => {
    const texts = sample(3000).filter((text) => !text.includes("\0"));
    const script = join(folder, "words.sh");
    writeFileSync(script, texts.map((text) => `printf '%s\\0' ${shellWord(text)}\n`).join(""));
    expect(
      execFileSync("sh", [script], { encoding: "utf8", maxBuffer: 1 << 28 })
        .split("\0")
        .slice(0, -1),
    ).toEqual(texts);
  });

  it("leaves a plain word plain, and an empty one a word", () => {
    expect(shellWord("https://example.com/a_b-c,d")).toBe("https://example.com/a_b-c,d");
    expect(shellWord("")).toBe("''");
  });
});

describe("caddyToken", () => {
  /** Texts that the function takes; the others are refused, see below. */
  const possible = (text: string) => !holds(text, /[{}\0\r]/) && !(text.includes("`") && holds(text, /\\("|$)/));

  it("is what Caddy reads", async () => {
    const texts = sample(3000).filter(possible);
    const lines = texts.map((text) => `\t\theader X-Test ${caddyToken(text)}`);
    const file = `example.com {\n\troute {\n${lines.join("\n")}\n\t}\n}\n`;
    const adapted = JSON.stringify(await adapt<unknown>(file));
    const read = [...adapted.matchAll(/"X-Test":\[("(?:[^"\\]|\\.)*")\]/g)].map(
      ([, text]) => JSON.parse(text ?? "") as unknown,
    );
    expect(read).toEqual(texts);
  });

  it.each(["{env.HOME}", "a}b", "a\0b", "a\rb", '`\\"', "`\\"])(
    "refuses %j, which would not arrive as it is",
    (text) => {
      expect(() => caddyToken(text)).toThrow(/^a Caddyfile token cannot hold/);
    },
  );
});
