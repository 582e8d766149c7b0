// What holds for every App in the registry. Nothing here names one: a new App is met by itself.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { ReleaseFile } from "../../components/stack/release";
import { renderTemplate } from "../../components/stack/template";
import { appFaults, composeOf, mapTexts, yamlOf } from "../support/app-faults";
import { type Raw, exampleOf, harmless, kinds, variantsOf, wordsOf } from "../support/app-settings";
import { hostileText, listed } from "../support/hostile";
import { type RenderedApp, renderApp, templatesRoot } from "../support/rendered-app";

const generatedText = fc.stringMatching(/^[A-Za-z0-9]{16,64}$/);

describe.each(kinds)("$name", (kind) => {
  const variants = variantsOf(kind);
  const rendered = new Map<Raw, Promise<RenderedApp>>();
  /** One of the variants, each of which is rendered once. */
  const render = (settings: Raw): Promise<RenderedApp> => {
    const made = rendered.get(settings) ?? renderApp(kind, settings);
    rendered.set(settings, made);
    return made;
  };

  it("has settings that reach each word of its switches and choices", () => {
    for (const [key, setting] of Object.entries(kind.settings).filter(([name]) => name !== kind.enabled)) {
      const found = variants.map(([, settings]) => settings[key] ?? String(setting.default));
      expect([key, wordsOf(setting).filter((word) => !found.includes(word))]).toEqual([key, []]);
    }
  });

  it("has settings that begin with the name of its switch, each with an example that it takes", () => {
    const prefix = kind.enabled.replace(/Enabled$/, "");
    for (const [key, setting] of Object.entries(kind.settings)) {
      expect(key.startsWith(prefix)).toBe(true);
      expect([key, setting.schema.safeParse(exampleOf(setting)).error]).toEqual([key, undefined]);
    }
  });

  describe.each(variants)("with %s", (_title, settings) => {
    it("keeps what is promised of every App", async () => {
      expect(appFaults(await render(settings))).toEqual([]);
    });

    it("has every text arrive as it was set", async () => {
      const other = harmless(kind, settings);
      const [set, plain] = [await render(settings), await renderApp(kind, other.settings)];
      const told = ({ release }: typeof set) =>
        Object.fromEntries(release.files.map((file) => [pathOf(file), readable(file)]));
      const asSet = (text: string) => [...other.texts].reduce((all, [from, to]) => all.split(from).join(to), text);
      expect(told(set)).toEqual(mapTexts(told(plain), asSet));
    });
  });

  const carriers = carriersOf(kind.name);
  it.each(carriers)("$path holds $secret exactly as it is, for many hostile ones", async ({ path, secret }) => {
    const carrier = (await Promise.all(variants.map(([, settings]) => render(settings)))).find(
      ({ app, secrets }) => secret in secrets && (secrets[secret] !== "" || secret in app.secrets),
    );
    if (carrier === undefined) throw new Error(`no settings give the secret ${secret}`);
    const source = readFileSync(join(templatesRoot, kind.name, path), "utf8");
    const { app, values, secrets } = carrier;
    const filled = (text: string) => renderTemplate(source, { ...values, secrets: { ...secrets, [secret]: text } });
    // Letters and digits mean nothing to a language: such a secret may stand within a text.
    const edges = app.routes.map(({ upstreamLogin }) => upstreamLogin?.secret);
    const generated = (secret in (app.generated ?? {}) || edges.includes(secret)) && !(secret in app.secrets);
    const held = (text: string) =>
      generated ? filled(text).includes(text) : leavesOf(path, filled(text)).includes(text);
    const texts = generated ? generatedText : hostileText;
    fc.assert(fc.property(texts, held), {
      numRuns: 1_000,
      ...(!generated && { examples: listed.map((text) => [text]) }),
      verbose: true,
    });
  });

  it("names a secret in no file that others may read", () => {
    const open = carriers.filter(({ path }) => /^(compose\.yaml|image\/|live\/)|\.sh(\.hbs)?$/.test(path));
    expect(open).toEqual([]);
  });
});

it("is known by name to no part of the program but the Apps and what is listed here", () => {
  const root = join(templatesRoot, "../components");
  // Its programs and their sources, the mirrors of both, an example of such a source, the setting with the token of its tunnel, and what news is about.
  const listed = [
    "images.ts",
    "mirrors.ts",
    "settings/sections/network.ts",
    "settings/sections/notify.ts",
    "settings/sections/docker.ts",
    "cloudflare/end-connections.ts",
  ];
  const words = kinds.flatMap(({ name, enabled }) => [name, enabled.replace(/Enabled$/, "")]);
  const named = new RegExp(`\\b(${words.join("|")}|k3s)`, "i");
  const found = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.startsWith("apps/") && !listed.includes(path))
    .flatMap((path) =>
      readFileSync(join(root, path), "utf8")
        .split("\n")
        .flatMap((line) => (named.test(line) ? [`${path}: ${line.trim()}`] : [])),
    );
  expect(found).toEqual([]);
});

/** Each template of an App, with each secret that it names. */
function carriersOf(app: string): { readonly path: string; readonly secret: string }[] {
  const root = join(templatesRoot, app);
  const templates = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".hbs"));
  return templates.sort().flatMap((path) => {
    const named = readFileSync(join(root, path), "utf8").matchAll(/\bsecrets\.(\w+)/g);
    return [...new Set([...named].map(([, secret = ""]) => secret))].map((secret) => ({ path, secret }));
  });
}

/** Where a file is, whatever its content. */
function pathOf({ path }: ReleaseFile): string {
  return withoutDigests(path);
}

function withoutDigests(text: string): string {
  return text.replace(/(files\/|:)[0-9a-f]{16}(?=\/|$)/g, "$1DIGEST");
}

/** A file as its reader takes it: what YAML says, the text of a file with one value, of other languages no more than the lines. */
function readable({ path, content }: ReleaseFile): unknown {
  if (path === "compose.yaml") return mapTexts(composeOf(content), withoutDigests);
  if (/\.ya?ml$/.test(path)) return yamlOf(content);
  return /\.\w+$|Dockerfile$|(^|\/)host\//.test(path) ? content.split("\n").length : content;
}

/** The values of a file with secrets: those of YAML, or else the file as a whole. */
function leavesOf(path: string, content: string): string[] {
  if (!/\.ya?ml\.hbs$/.test(path)) return [content];
  const found: string[] = [];
  mapTexts(yamlOf(content), (text) => {
    found.push(text);
    return text;
  });
  return found;
}
