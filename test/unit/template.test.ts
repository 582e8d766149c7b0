import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import { renderTemplate } from "../../components/stack/template";
import { hostileText, listed } from "../support/hostile";
import { projectRoot } from "../support/project-root";

describe("renderTemplate", () => {
  it.each([
    ["{{x}}", "line 1"],
    ["a\n{{{x}}}", "line 2"],
    ["{{#if y}}\n{{x}}{{/if}}", "line 2"],
    ["{{#if y}}a{{else}}{{x}}{{/if}}", "line 1"],
    ["{{#each list}}{{this}}{{/each}}", "line 1"],
    ["{{#each list}}{{#if y}}{{../x}}{{/if}}{{/each}}", "line 1"],
  ])("refuses %j, which inserts a value without saying into what language", (source, line) => {
    const values = { x: "1", y: true, list: ["a"] };
    expect(() => renderTemplate(source, values)).toThrow(`${line}: insert values through a helper, as in {{yaml x}}`);
  });

  it.each([
    "{{yaml missing}}",
    "{{yaml deep.missing}}",
    "{{#each list}}{{sh ../missing}}{{/each}}",
    "{{html missing}}",
    "{{json missing}}",
    "{{text undefinedValue}}",
  ])("refuses %j, whose value is not there", (source) => {
    const values = { x: "1", list: ["a"], deep: {}, undefinedValue: undefined };
    expect(() => renderTemplate(source, values)).toThrow(/^the value of a {{\w+ …}} is missing$/);
  });

  it("refuses a helper that is not there", () => {
    expect(() => renderTemplate("{{unknownHelper x}}", { x: "1" })).toThrow("unknownHelper");
  });

  it.each([1.5, "1", "1; rm -rf /"])("{{int x}} refuses %j", (x) => {
    expect(() => renderTemplate("{{int x}}", { x })).toThrow("not an integer");
  });

  it("inserts through each helper in the words of its language", () => {
    const x = `a'b"c$d<e>&`;
    const lines = [
      "{{yaml x}}",
      "{{compose x}}",
      "{{sh x}}",
      "{{caddy x}}",
      "{{text x}}",
      "{{html x}}",
      "{{json list}}",
      "{{int n}}",
    ];
    expect(renderTemplate(lines.join("\n"), { x, list: [x], n: 7 }).split("\n")).toEqual([
      `"a'b\\"c$d<e>&"`,
      `"a'b\\"c$$d<e>&"`,
      `'a'\\''b"c$d<e>&'`,
      "`a'b\"c$d<e>&`",
      x,
      "a&#x27;b&quot;c$d&lt;e&gt;&amp;",
      `["a'b\\"c$d<e>&"]`,
      "7",
    ]);
  });

  it("includes a part with its own indent and values, and holds it to the same rules", () => {
    const parts = { memory: "limit: {{int mib}}m\nswap: {{int mib}}m\n" };
    expect(renderTemplate("a:\n  {{> memory mib=n}}\nb:\n  {{> memory mib=64}}\n", { n: 7 }, {}, parts)).toBe(
      "a:\n  limit: 7m\n  swap: 7m\nb:\n  limit: 64m\n  swap: 64m\n",
    );
    expect(() => renderTemplate("{{> memory mib=n}}", {}, {}, parts)).toThrow("is missing");
    expect(() => renderTemplate("{{> memory}}", {}, {}, parts)).toThrow("is missing");
    expect(() => renderTemplate("{{> raw}}", { x: "1" }, {}, { raw: "{{x}}\n" })).toThrow(
      "line 1: insert values through a helper",
    );
    expect(() => renderTemplate("{{> other}}", {}, {}, parts)).toThrow("other");
  });

  it("reads no properties of JavaScript's own", () => {
    expect(() => renderTemplate("{{yaml constructor}}", {})).toThrow("is missing");
    expect(() => renderTemplate("{{yaml x.__proto__}}", { x: {} })).toThrow("is missing");
  });
});

/** Every template of the sign-in that holds a secret, with the parser of its language; of those of Apps see apps.test.ts. */
const carriers: readonly {
  readonly path: string;
  readonly secret: string;
  readonly read: (text: string) => unknown;
}[] = [
  { path: "auth-gateway/secrets/session.hbs", secret: "sessionSecret", read: (text) => text },
  { path: "auth-gateway/secrets/reset.hbs", secret: "resetSecret", read: (text) => text },
  { path: "auth-gateway/secrets/encryption-key.hbs", secret: "encryptionKey", read: (text) => text },
  { path: "auth-gateway/secrets/smtp-password.hbs", secret: "smtpPassword", read: (text) => text },
  {
    path: "auth-gateway/operator.yml.hbs",
    secret: "passwordHash",
    read: (text) => (parse(text) as { users: Record<string, { password: string }> }).users["admin"]?.password,
  },
];

describe.each(carriers)("$path", ({ path, secret, read }) => {
  it("holds its secret exactly as it is, for 10,000 hostile ones", () => {
    const source = readFileSync(join(projectRoot, "stack-templates", path), "utf8");
    const values = (text: string) => ({ username: "admin", email: "a@example.com", secrets: { [secret]: text } });
    fc.assert(
      fc.property(hostileText, (text) => read(Buffer.from(renderTemplate(source, values(text))).toString()) === text),
      { numRuns: 10_000, examples: listed.map((text) => [text]), verbose: true },
    );
  });
});

it("no other template names a secret", () => {
  const found = carriers.map(({ secret }) => secret);
  for (const path of [
    "auth-gateway/compose.yaml.hbs",
    "auth-gateway/configuration.yml.hbs",
    "reverse-proxy/compose.yaml.hbs",
    "reverse-proxy/live/Caddyfile.hbs",
  ]) {
    const text = readFileSync(join(projectRoot, "stack-templates", path), "utf8");
    expect(found.filter((name) => text.includes(`secrets.${name}`))).toEqual([]);
  }
});
