// Stand-in for CLIProxyAPI 7.2.137 (https://github.com/router-for-me/CLIProxyAPI), which no package registry has: it checks what
// the real one needs, guards its APIs by the same keys, and calls no provider: a token `accepted-ACCOUNT` is one of that account.
import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import { serve } from "@hono/node-server";
import { bcrypt } from "hash-wasm";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { Folder } from "./folder";
import { managementApi } from "./management";

const schema = z.strictObject({
  port: z.literal(8317),
  "auth-dir": z.string().startsWith("/"),
  // Without one the real model API is open to all.
  "api-keys": z.array(z.string().min(16)).min(1),
  "ws-auth": z.literal(true),
  "logging-to-file": z.literal(false),
  "usage-statistics-enabled": z.literal(true),
  "redis-usage-queue-retention-seconds": z.int().min(1).max(3600),
  "remote-management": z.strictObject({
    // The site is no loopback client.
    "allow-remote": z.literal(true),
    "secret-key": z.string().min(16),
    "disable-control-panel": z.literal(true),
  }),
});

async function main(): Promise<void> {
  const [flag, path = ""] = process.argv.slice(2);
  if (process.cwd() !== "/CLIProxyAPI" || flag !== "-config") throw new Error("wrong folder or command line");
  const config = schema.parse(parse(readFileSync(path, "utf8")));
  const management = config["remote-management"];
  accessSync(config["auth-dir"], constants.W_OK);
  accessSync(process.env["WRITABLE_PATH"] ?? "/nowhere", constants.W_OK);
  const key = management["secret-key"];
  // The real one, too, leaves no more than a hash in its file.
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const hash = await bcrypt({ password: key, salt, costFactor: 4, outputType: "encoded" });
  writeFileSync(path, stringify({ ...config, "remote-management": { ...management, "secret-key": hash } }));

  const files = new Folder(config["auth-dir"]);
  const accountOf = (token: string) => /^accepted-(.+)$/.exec(token)?.[1];
  const app = new Hono();
  // Every origin may ask; what opens it is a key.
  app.use(cors());
  app.get("/", (c) => c.json({ message: "CLI Proxy API Server" }));
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.route("/v0/management", managementApi({ key, files, accountOf, fault: () => "none" }));
  const models = new Hono();
  models.use(async (c, next) => {
    const given = [c.req.header("authorization")?.replace(/^Bearer /, ""), c.req.header("x-api-key")];
    if (!config["api-keys"].some((apiKey) => given.includes(apiKey))) return c.json({ error: "Invalid API key" }, 401);
    await next();
    return undefined;
  });
  models.get("/models", (c) =>
    c.json({ object: "list", data: [...files.entries()].map(([name]) => ({ id: name, object: "model" })) }),
  );
  for (const version of ["/v1", "/v1beta"]) app.route(version, models);
  serve({ fetch: app.fetch, port: config.port });
}

main().catch((error: unknown) => {
  process.stderr.write(`stand-in for CLIProxyAPI: ${String(error)}\n`);
  process.exit(1);
});
