import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import { appKinds } from "../../components/apps/registry";
import { parseSettings } from "../../components/settings/read";
import type { Setting } from "../../components/settings/setting";
import { settingsTable } from "../../components/settings/table";
import { placeholder, withPlaceholders } from "../../scripts/preview/placeholders";
import { guardedChanges } from "../../scripts/preview/policy";
import { type Preview, parsePreview } from "../../cli/preview";
import { labelsOf } from "../../scripts/preview/report";
import { summaryOf } from "../../scripts/preview/summary";
import { secretKeys } from "../support/program";
import { projectRoot } from "../support/project-root";

const real = (name: string): Preview => parsePreview(readFileSync(join(__dirname, "previews", `${name}.json`), "utf8"));

const summary = (preview: Preview, allowed = false) =>
  summaryOf([{ title: "Title", preview, guarded: guardedChanges(preview), allowed }]);

describe("the summary", () => {
  it("of a new stack counts, names what is created, and tells the price of a month", () => {
    const text = summary(real("new"));
    expect(text).toMatch(/^## Title\n\n\d+ created\.\n\n\*\*Cost:\*\* about \d+\.\d\d USD a month running, /);
    expect(text).toContain("- `host-instance` (`alicloud:ecs/instance:Instance`)\n");
    expect(text).not.toMatch(/Refused|###/);
  });

  it("of another image names what is replaced, by which inputs, and the label that would allow it", () => {
    const text = summary(real("image"));
    expect(text).toContain("2 changed, 10 replaced, 46 unchanged.");
    expect(text).toContain("**Refused:** the label `allow-replace` would allow this.");
    expect(text).toContain("- the machine `host-instance` is replaced, because of `imageId`, `systemDiskCategory`\n");
    expect(text).toContain("### Changed\n\n- `host-placement` (`command:local:Command`): `stdin`\n");
    expect(summary(real("image"), true)).toContain("Allowed by the label `allow-replace`:\n");
  });

  it("of what cannot be done has the error", () => {
    const text = summary(real("protected"));
    expect(text).toContain("### Errors\n\n- `error: Preview failed: resource ");
    expect(text).toContain("- `host-address` (`alicloud:ecs/eipAddress:EipAddress`)\n");
  });

  it("shows hostile names and messages as text: one line each, in a code span of their own", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.constantFrom("`", "\n", "``@team", "\r\n# x\n", "<b>"),
        (word, nasty) => {
          const text = `${word}${nasty}${word}`;
          const urn = `urn:pulumi:a::b::c:d:E::${text}`;
          const step = { op: "delete", urn, diffReasons: [], replaceReasons: [text] };
          const diagnostics = ["error", "warning", "info"].map((severity) => ({ severity, message: `x${text}` }));
          const lines = summary({ steps: [step], diagnostics, changeSummary: { same: 0 } })
            .trimEnd()
            .split("\n");
          const rows = lines.filter((line) => !/^(#+ [A-Z][a-z]+|1 deleted\.|)$/.test(line));
          expect(rows).toHaveLength(4);
          for (const row of rows) expect(row).toMatch(/^- `[^`]*`( \(`c:d:E`\): `[^`]*`)?$/);
        },
      ),
    );
  });

  it("shows a hostile price as text", () => {
    const message = "<img> [x](y) @team `z` 3 USD a month\n# x";
    const text = summary({ steps: [], diagnostics: [{ severity: "info", message }], changeSummary: { same: 0 } });
    expect(text.split("\n")).toHaveLength(6);
    expect(text).not.toMatch(/[<>@`[\]]/);
  });

  it("fits into a comment", () => {
    const many = Array.from({ length: 5000 }, () => real("new").steps[0]).filter((step) => step !== undefined);
    expect(summary({ ...real("new"), steps: many }).length).toBeLessThan(65_536);
  });
});

describe("the example", () => {
  const text = readFileSync(join(projectRoot, "examples", "Pulumi.example.yaml"), "utf8");
  const { config } = parse(text) as { config: Record<string, unknown> };
  const { file, secrets, isAlicloud } = withPlaceholders(text, "cloudcode");

  it("has every App on, at Alibaba Cloud", () => {
    expect(isAlicloud).toBe(true);
    for (const { enabled } of appKinds) expect([enabled, config[`cloudcode:${enabled}`]]).toEqual([enabled, true]);
  });

  it("has settings that the program takes, with other secrets in each run", () => {
    const { config: plain } = parse(file) as { config: Record<string, unknown> };
    const texts = Object.entries(plain).map(([key, value]) => [
      key.replace("cloudcode:", ""),
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    const raw = { ...(Object.fromEntries(texts) as Record<string, string>), ...secrets };
    expect(parseSettings(raw, "cloudcode", (key) => key in secrets)).toMatchObject({ ok: true });
    expect(Object.keys(secrets).sort()).toEqual(secretKeys.filter((key) => `cloudcode:${key}` in config).toSorted());
    for (const [key, value] of Object.entries(withPlaceholders(text, "cloudcode").secrets))
      expect(secrets[key]).not.toBe(value);
  });
});

describe("placeholders", () => {
  it.each(secretKeys)("there is one for %s", (key) => {
    const setting = new Map<string, Setting>(Object.entries(settingsTable)).get(key);
    expect(setting?.schema.safeParse(placeholder(key, {})).success).toBe(true);
  });

  it("belong to what the file names", () => {
    const file = `config:\n  cloudcode:opencodeProviders: [{ name: mine }, { name: other }]\n  cloudcode:opencodeProviderKeys: { secure: v1:x }\n`;
    const keys = JSON.parse(withPlaceholders(file, "cloudcode").secrets["opencodeProviderKeys"] ?? "") as object;
    expect(Object.keys(keys)).toEqual(["mine", "other"]);
  });

  it("replace every encrypted value of an operator's file, and leave nothing of its encryption", () => {
    const { file, secrets } = withPlaceholders(
      "secretsprovider: passphrase\nencryptionsalt: v1:abc\nconfig:\n  cloudcode:domain: a.example.com\n  cloudcode:adminPassword:\n    secure: v1:xyz\n",
      "cloudcode",
    );
    expect(parse(file)).toEqual({ config: { "cloudcode:domain": "a.example.com" } });
    expect(secrets).toEqual({ adminPassword: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown });
  });

  it("fit a project by another name, its own stack file as well as one of this repository", () => {
    for (const name of ["cloudcode", "home"]) {
      const { file, secrets, isAlicloud } = withPlaceholders(
        `config:\n  ${name}:target: existing\n  alicloud:region: cn-hongkong\n  ${name}:hostPrivateKey: { secure: v1:x }\n  alicloud:secretKey: { secure: v1:y }\n`,
        "home",
      );
      expect(parse(file)).toEqual({ config: { "home:target": "existing", "alicloud:region": "cn-hongkong" } });
      expect(isAlicloud).toBe(false);
      expect(Object.keys(secrets)).toEqual(["hostPrivateKey", "alicloud:secretKey"]);
      expect(secrets["hostPrivateKey"]).toMatch(/PRIVATE KEY/);
    }
  });

  it("need a stack file", () => {
    for (const text of ["", "a: 1", "[]"])
      expect(() => withPlaceholders(text, "cloudcode")).toThrow("The stack file has no `config`.");
  });
});

describe("the labels of a pull request", () => {
  it("come as GitHub's toJSON prints them", () => {
    expect(labelsOf('["allow-replace","a,b"]')).toEqual(["allow-replace", "a,b"]);
    for (const none of [undefined, "", "[]"]) expect(labelsOf(none)).toEqual([]);
  });

  it("are refused in any other form", () => {
    for (const text of ["allow-replace", "{}", "[1]"]) expect(() => labelsOf(text)).toThrow(/not a JSON list of texts/);
  });
});
