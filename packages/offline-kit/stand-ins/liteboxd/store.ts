import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";

/** Of a template's description what a sandbox here is made of; the rest is kept as it came. */
export const specSchema = z.looseObject({
  image: z.string().min(1),
  command: z.array(z.string()).default([]),
  resources: z
    .object({ cpu: z.string().default("500m"), memory: z.string().default("512Mi") })
    .default({ cpu: "500m", memory: "512Mi" }),
  ttl: z.number().int().default(0),
  env: z.record(z.string(), z.string()).default({}),
});

const templateSchema = z.object({
  id: z.string(),
  name: z.string(),
  displayName: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  isPublic: z.boolean(),
  createdAt: z.string(),
  /** The first is version 1. */
  versions: z.array(z.object({ spec: specSchema, changelog: z.string(), createdAt: z.string() })),
});
export type Template = z.infer<typeof templateSchema>;

const sandboxSchema = z.object({
  id: z.string(),
  tokenHash: z.string(),
  sealedToken: z.string(),
  template: z.string(),
  templateVersion: z.number(),
  image: z.string(),
  cpu: z.string(),
  memory: z.string(),
  ttl: z.number(),
  env: z.record(z.string(), z.string()),
  createdAt: z.string(),
});
export type Sandbox = z.infer<typeof sandboxSchema>;

const schema = z.object({
  admin: z.object({ name: z.string(), password: z.string() }).optional(),
  /** Hashes of sessions and keys. */
  sessions: z.array(z.string()),
  keys: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      prefix: z.string(),
      hash: z.string(),
      createdAt: z.string(),
      expiresAt: z.string().nullable(),
      lastUsedAt: z.string().nullable(),
    }),
  ),
  templates: z.array(templateSchema),
  sandboxes: z.array(sandboxSchema),
});
type Contents = z.infer<typeof schema>;

export const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The file that server and gateway share; the real one is SQLite. */
export class Store {
  constructor(private readonly file = "/app/data/liteboxd.db") {}

  read(): Contents {
    if (!existsSync(this.file)) return { sessions: [], keys: [], templates: [], sandboxes: [] };
    return schema.parse(JSON.parse(readFileSync(this.file, "utf8")));
  }

  change(edit: (contents: Contents) => void): void {
    const contents = this.read();
    edit(contents);
    writeFileSync(`${this.file}.new`, JSON.stringify(contents), { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }
}

/** As the real one keeps the tokens of sandboxes: unreadable with another key. */
export function seal(key: Buffer, text: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64");
}

/** @throws Error where it was sealed with another key */
export function unseal(key: Buffer, sealed: string): string {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString();
}
