// A stand-in for the management API of CLIProxyAPI 6: auth files, and calls of a provider that knows some tokens.
import { Hono } from "hono";
import { type Listening, listen } from "./listen";

export interface ProxyServer extends Listening {
  /** Text by name. */
  readonly files: Map<string, string>;
  /** The account behind each token that providers accept. */
  readonly accounts: Map<string, string>;
  /** Answers 503 to everything, or only to calls of a provider. */
  fault: "none" | "all" | "calls";
}

interface AuthFile {
  readonly type?: string;
  readonly access_token?: string;
  readonly email?: string;
}

export async function startProxyServer(managementKey: string): Promise<ProxyServer> {
  const app = new Hono();
  const named = (name: string | undefined) => name !== undefined && !/[/\\]/.test(name) && name.endsWith(".json");
  app.use("/v0/management/*", async (c, next) => {
    if (c.req.header("authorization") !== `Bearer ${managementKey}`)
      return c.json({ error: "invalid management key" }, 401);
    if (server.fault === "all") return c.json({ error: "unavailable" }, 503);
    await next();
    return undefined;
  });
  app.get("/v0/management/auth-files", (c) => {
    const files = [...server.files].map(([name, text]) => {
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
    return c.json({ files });
  });
  app.post("/v0/management/auth-files", async (c) => {
    const name = c.req.query("name");
    if (!named(name)) return c.json({ error: "invalid name" }, 400);
    server.files.set(name ?? "", await c.req.text());
    return c.json({ status: "ok" });
  });
  app.delete("/v0/management/auth-files", (c) =>
    server.files.delete(c.req.query("name") ?? "")
      ? c.json({ status: "ok" })
      : c.json({ error: "file not found" }, 404),
  );
  app.get("/v0/management/auth-files/download", (c) => {
    const text = server.files.get(c.req.query("name") ?? "");
    return text === undefined
      ? c.json({ error: "file not found" }, 404)
      : c.body(text, 200, { "content-type": "application/json" });
  });
  app.post("/v0/management/api-call", async (c) => {
    if (server.fault === "calls") return c.json({ error: "request failed" }, 502);
    const {
      auth_index: index,
      url,
      header,
    } = await c.req.json<{ auth_index: string; url: string; header: Record<string, string> }>();
    const text = server.files.get(index.replace(/^index of /, ""));
    if (text === undefined || !url.startsWith("https://") || header["Authorization"] !== "Bearer $TOKEN$")
      return c.json({ error: "invalid body" }, 400);
    // Google's short tokens are made anew for each call, if the provider still allows it.
    if (text.includes('"gemini"') && !server.accounts.has((JSON.parse(text) as AuthFile).access_token ?? ""))
      return c.json({ error: "auth token refresh failed" }, 400);
    const account = server.accounts.get((JSON.parse(text) as AuthFile).access_token ?? "");
    if (account === undefined) return c.json({ status_code: 401, header: {}, body: "{}" });
    return c.json({ status_code: 200, header: {}, body: JSON.stringify({ sub: account }) });
  });
  const server: ProxyServer = { ...(await listen(app)), files: new Map(), accounts: new Map(), fault: "none" };
  return server;
}
