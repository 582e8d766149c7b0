import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { type Store, type Template, specSchema } from "./store";

const wordsSchema = z.object({
  displayName: z.string().nullish(),
  description: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
  isPublic: z.boolean().nullish(),
  spec: specSchema,
});
const createSchema = wordsSchema.extend({ name: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/) });
const updateSchema = wordsSchema.extend({ changelog: z.string().nullish() });
const rollbackSchema = z.object({ targetVersion: z.number().int(), changelog: z.string().nullish() });
const metadataSchema = createSchema.pick({ name: true, displayName: true, description: true, tags: true });
const yamlSchema = z.object({ kind: z.literal("SandboxTemplate"), metadata: metadataSchema, spec: specSchema });
const fileSchema = z.union([
  yamlSchema.transform((one) => [one]),
  z.object({ kind: z.literal("SandboxTemplateList"), items: z.array(yamlSchema) }).transform(({ items }) => items),
]);
const strategies = ["create-only", "update-only", "create-or-update"] as const;

type Words = z.infer<typeof wordsSchema>;

/** What sandboxes are made from, in versions; as JSON and as files of YAML. */
export function templates(store: Store): Hono {
  const app = new Hono();
  const named = (name: string) => store.read().templates.find((one) => one.name === name);
  const create = (name: string, words: Words): Template => {
    const shown = { isPublic: words.isPublic ?? true, ...texts(words) };
    const made = { id: randomUUID(), name, createdAt: now(), versions: [version(words.spec, "")], ...shown };
    store.change(({ templates: all }) => all.push(made));
    return made;
  };
  const change = (name: string, edit: (template: Template) => void): Template | undefined => {
    store.change(({ templates: all }) => {
      for (const one of all) if (one.name === name) edit(one);
    });
    return named(name);
  };
  const update = (name: string, words: Words, changelog: string) =>
    change(name, (one) => {
      Object.assign(one, texts(words), { isPublic: words.isPublic ?? one.isPublic });
      one.versions.push(version(words.spec, changelog));
    });

  app.post("/", async (c) => {
    const given = createSchema.safeParse(await c.req.json());
    if (!given.success) return invalid(c, given.error);
    const { name } = given.data;
    if (named(name)) return failed(c, 409, "TEMPLATE_EXISTS", `template '${name}' already exists`);
    return c.json(answerOf(create(name, given.data)), 201);
  });
  app.get("/", (c) => {
    const { tag, search = "", page = "1", pageSize = "20" } = c.req.query();
    const found = store
      .read()
      .templates.filter((one) => (tag === undefined || one.tags.includes(tag)) && one.name.includes(search));
    const [at, size] = [Number(page), Number(pageSize)];
    const items = found.slice((at - 1) * size, at * size).map(answerOf);
    return c.json({ items, total: found.length, page: at, pageSize: size });
  });
  app.post("/import", async (c) => {
    const { file, strategy = "create-or-update" } = await c.req.parseBody();
    if (!(file instanceof File)) return failed(c, 400, "INVALID_REQUEST", "file is required");
    const way = strategies.find((one) => one === strategy);
    const given = fileSchema.safeParse(parse(await file.text()));
    if (way === undefined || !given.success) return failed(c, 400, "INVALID_YAML", "invalid YAML, kind or strategy");
    const results = given.data.map(({ metadata, spec }) => {
      const { name } = metadata;
      const exists = named(name) !== undefined;
      if (way === (exists ? "create-only" : "update-only")) return { name, action: "skipped" };
      const made = exists
        ? update(name, { ...metadata, spec }, "Imported from YAML")
        : create(name, { ...metadata, spec });
      return { name, action: exists ? "updated" : "created", version: made?.versions.length };
    });
    const count = (action: string) => results.filter((one) => one.action === action).length;
    const counts = { created: count("created"), updated: count("updated"), skipped: count("skipped"), failed: 0 };
    return c.json({ total: results.length, ...counts, results });
  });
  app.get("/export", (c) => {
    const names = c.req.query("names")?.split(",");
    const items = store.read().templates.filter(({ name }) => names?.includes(name) ?? true);
    return yaml(c, { apiVersion: "liteboxd/v1", kind: "SandboxTemplateList", items: items.map((one) => fileOf(one)) });
  });
  app.get("/:name", (c) => {
    const template = named(c.req.param("name"));
    return template ? c.json(answerOf(template)) : missing(c);
  });
  app.put("/:name", async (c) => {
    const given = updateSchema.safeParse(await c.req.json());
    if (!given.success) return invalid(c, given.error);
    const changed = update(c.req.param("name"), given.data, given.data.changelog ?? "");
    return changed ? c.json(answerOf(changed)) : missing(c);
  });
  app.delete("/:name", (c) => {
    const name = c.req.param("name");
    if (!named(name)) return missing(c);
    store.change((contents) => (contents.templates = contents.templates.filter((one) => one.name !== name)));
    return c.body(null, 204);
  });
  app.get("/:name/versions", (c) => {
    const template = named(c.req.param("name"));
    if (!template) return missing(c);
    return c.json({ items: versionsOf(template), total: template.versions.length });
  });
  app.get("/:name/versions/:version", (c) => {
    const template = named(c.req.param("name"));
    const found = template && versionsOf(template).find((one) => String(one.version) === c.req.param("version"));
    return found ? c.json(found) : failed(c, 404, "VERSION_NOT_FOUND", "version not found");
  });
  app.post("/:name/rollback", async (c) => {
    const given = rollbackSchema.safeParse(await c.req.json());
    if (!given.success) return invalid(c, given.error);
    const { targetVersion, changelog } = given.data;
    const before = named(c.req.param("name"));
    const spec = before?.versions[targetVersion - 1]?.spec;
    if (!before || !spec) return missing(c);
    const after = change(before.name, (one) => one.versions.push(version(spec, changelog ?? "")));
    const { id, name, versions } = after ?? before;
    const back = { rolledBackFrom: before.versions.length, rolledBackTo: targetVersion, updatedAt: now() };
    return c.json({ id, name, latestVersion: versions.length, ...back });
  });
  app.get("/:name/export", (c) => {
    const template = named(c.req.param("name"));
    if (!template) return missing(c);
    const at = c.req.query("version");
    return yaml(c, { apiVersion: "liteboxd/v1", ...fileOf(template, at === undefined ? undefined : Number(at)) });
  });
  return app;
}

/** The newest version of a template, or a certain one. */
export function specOf({ versions }: Template, at = versions.length) {
  return versions[at - 1]?.spec;
}

const now = () => new Date().toISOString();
const version = (spec: Words["spec"], changelog: string) => ({ spec, changelog, createdAt: now() });
const texts = ({ displayName, description, tags }: Words) => ({
  displayName: displayName ?? "",
  description: description ?? "",
  tags: tags ?? [],
});

function answerOf(template: Template) {
  const { versions, createdAt, ...words } = template;
  const updatedAt = versions.at(-1)?.createdAt ?? createdAt;
  return { ...words, author: "", latestVersion: versions.length, createdAt, updatedAt, spec: specOf(template) };
}

const versionsOf = ({ id, versions }: Template) =>
  versions.map((one, index) => ({
    id: `${id}-${index + 1}`,
    templateId: id,
    version: index + 1,
    createdBy: "",
    ...one,
  }));

const fileOf = (template: Template, at?: number) => {
  const { name, displayName, description, tags } = template;
  return { kind: "SandboxTemplate", metadata: { name, displayName, description, tags }, spec: specOf(template, at) };
};

const yaml = (c: Context, content: object) => c.body(stringify(content), 200, { "content-type": "application/x-yaml" });

const failed = (c: Context, status: 400 | 404 | 409, code: string, message: string) =>
  c.json({ error: { code, message } }, status);
const missing = (c: Context) => failed(c, 404, "TEMPLATE_NOT_FOUND", "template not found");
const invalid = (c: Context, { issues }: z.ZodError) =>
  failed(c, 400, "INVALID_REQUEST", `wrong or missing: ${issues.map(({ path }) => path.join(".")).join(", ")}`);
