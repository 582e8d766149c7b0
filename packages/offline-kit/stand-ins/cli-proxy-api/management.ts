// Stand-in for the management API of CLIProxyAPI 7: auth files, and calls of a provider that knows some tokens.
import { Hono } from "hono";

/** Auth files: text by name. */
export interface AuthFiles {
  get(name: string): string | undefined;
  set(name: string, text: string): unknown;
  /** @returns whether it was there */
  delete(name: string): boolean;
  entries(): Iterable<[string, string]>;
}

export interface ManagementArgs {
  readonly key: string;
  readonly files: AuthFiles;
  /** The account behind a token that providers accept. */
  readonly accountOf: (token: string) => string | undefined;
  /** Requests for models that nobody asked about yet. @default none */
  readonly used?: UsedModel[];
  /** Answers 503 to everything, or an error only to uploads or to calls of a provider. */
  readonly fault: () => "none" | "all" | "uploads" | "calls";
}

/** A request for a model, with the fields that the site reads. */
export interface UsedModel {
  readonly timestamp: string;
  readonly failed: boolean;
  readonly tokens: { readonly total_tokens: number };
}

interface AuthFile {
  readonly type?: string;
  readonly access_token?: string;
  readonly email?: string;
}

/** To be served at /v0/management. */
export function managementApi({ key, files, accountOf, fault, used = [] }: ManagementArgs): Hono {
  const app = new Hono();
  const named = (name: string | undefined) => name !== undefined && !/[/\\]/.test(name) && name.endsWith(".json");
  app.use("*", async (c, next) => {
    if (c.req.header("authorization") !== `Bearer ${key}`) return c.json({ error: "invalid management key" }, 401);
    if (fault() === "all") return c.json({ error: "unavailable" }, 503);
    await next();
    return undefined;
  });
  app.get("/auth-files", (c) => {
    const listed = [...files.entries()].map(([name, text]) => {
      const { type = "unknown", email } = JSON.parse(text) as AuthFile;
      return {
        id: name,
        auth_index: `index of ${name}`,
        name,
        type,
        provider: type,
        ...(email && { email }),
        status: "active",
        status_message: "",
        disabled: false,
        unavailable: false,
        size: text.length,
      };
    });
    return c.json({ files: listed });
  });
  app.post("/auth-files", async (c) => {
    const name = c.req.query("name");
    if (!named(name)) return c.json({ error: "invalid name" }, 400);
    if (fault() === "uploads") return c.json({ error: "failed to write file" }, 500);
    const text = await c.req.text();
    if (!isJsonObject(text)) return c.json({ error: "invalid auth file" }, 500);
    files.set(name ?? "", text);
    return c.json({ status: "ok" });
  });
  app.delete("/auth-files", (c) =>
    files.delete(c.req.query("name") ?? "") ? c.json({ status: "ok" }) : c.json({ error: "file not found" }, 404),
  );
  app.get("/auth-files/download", (c) => {
    const text = files.get(c.req.query("name") ?? "");
    return text === undefined
      ? c.json({ error: "file not found" }, 404)
      : c.body(text, 200, { "content-type": "application/json" });
  });
  app.get("/usage-queue", (c) => {
    const count = Number(c.req.query("count") ?? 1);
    return count > 0 ? c.json(used.splice(0, count)) : c.json({ error: "count must be a positive integer" }, 400);
  });
  app.post("/api-call", async (c) => {
    if (fault() === "calls") return c.json({ error: "request failed" }, 502);
    const { auth_index, url, header } = await c.req.json<{
      auth_index: string;
      url: string;
      header: Record<string, string>;
    }>();
    const text = files.get(auth_index.replace(/^index of /, ""));
    if (!url.startsWith("https://") || header["Authorization"] !== "Bearer $TOKEN$")
      return c.json({ error: "invalid body" }, 400);
    // Without such a credential the real one sends the words as they stand, which no provider takes.
    if (text === undefined) return c.json({ status_code: 401, header: {}, body: "{}" });
    const account = accountOf((JSON.parse(text) as AuthFile).access_token ?? "");
    // Google's short tokens are made again for each call, if the provider still allows it.
    if (text.includes('"antigravity"') && account === undefined)
      return c.json({ error: "auth token refresh failed" }, 400);
    if (account === undefined) return c.json({ status_code: 401, header: {}, body: "{}" });
    return c.json({ status_code: 200, header: {}, body: JSON.stringify({ sub: account }) });
  });
  return app;
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
