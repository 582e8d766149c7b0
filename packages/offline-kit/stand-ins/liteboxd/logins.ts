import { randomBytes, randomUUID } from "node:crypto";
import { type MiddlewareHandler, Hono } from "hono";
import { setCookie } from "hono/cookie";
import { z } from "zod";
import type { ServerEnvironment } from "./environment";
import { type Store, hashOf } from "./store";

const cookieName = "liteboxd_session";
const publicPassword = "liteboxd-admin";
const loginSchema = z.object({ username: z.string(), password: z.string() });
const keySchema = z.object({ name: z.string().min(1).max(128), expires_in_days: z.number().int().nullish() });
const day = 24 * 60 * 60 * 1000;

/** The headers that say who asks. */
interface Sent {
  readonly authorization?: string | undefined;
  readonly cookie?: string | undefined;
}

/** By what somebody is signed in, or the words of the refusal. */
type Asker = { readonly by: "session" | "api_key" } | { readonly refused: string };

/** The one user, sessions and API keys. */
export class Logins {
  constructor(
    private readonly env: Pick<
      ServerEnvironment,
      "ADMIN_USERNAME" | "ADMIN_INITIAL_PASSWORD" | "ADMIN_PASSWORD" | "SESSION_MAX_AGE"
    >,
    private readonly store: Store,
  ) {
    store.change((contents) => {
      contents.admin ??= { name: env.ADMIN_USERNAME, password: hashOf(env.ADMIN_INITIAL_PASSWORD) };
      if (env.ADMIN_PASSWORD !== undefined && env.ADMIN_PASSWORD !== publicPassword)
        contents.admin.password = hashOf(env.ADMIN_PASSWORD);
    });
  }

  /** A request with a key never falls back to its cookie. */
  asker({ authorization = "", cookie = "" }: Sent): Asker {
    const key = /^Bearer (.+)$/.exec(authorization)?.[1];
    if (key !== undefined) {
      const known = this.store.read().keys.find(({ hash }) => hash === hashOf(key));
      if (!known || (known.expiresAt !== null && Date.parse(known.expiresAt) < Date.now()))
        return { refused: "invalid or expired API key" };
      this.store.change(({ keys }) => {
        for (const one of keys) if (one.id === known.id) one.lastUsedAt = new Date().toISOString();
      });
      return { by: "api_key" };
    }
    const session = hashOf(sessionIn(cookie));
    return this.store.read().sessions.includes(session) ? { by: "session" } : { refused: "authentication required" };
  }

  readonly signedIn = this.admit(["session", "api_key"]);
  private readonly bySession = this.admit(["session"]);

  private admit(ways: readonly string[]): MiddlewareHandler {
    return async (c, next) => {
      const asker = this.asker(c.req.header());
      if ("refused" in asker) return c.json({ error: asker.refused }, 401);
      if (!ways.includes(asker.by))
        return c.json({ error: "this operation requires session authentication (web login)" }, 403);
      await next();
    };
  }

  routes(): Hono {
    const { store, env } = this;
    const app = new Hono();
    app.post("/login", async (c) => {
      const given = loginSchema.safeParse(await c.req.json());
      if (!given.success) return c.json({ error: "username and password are required" }, 400);
      const { username, password } = given.data;
      const { admin } = store.read();
      if (admin?.name !== username || admin.password !== hashOf(password))
        return c.json({ error: "invalid credentials" }, 401);
      const session = randomBytes(32).toString("hex");
      store.change((contents) => contents.sessions.push(hashOf(session)));
      const secure = c.req.header("x-forwarded-proto") === "https";
      const options = { httpOnly: true, sameSite: "Lax", path: "/", secure, maxAge: env.SESSION_MAX_AGE } as const;
      setCookie(c, cookieName, session, options);
      return c.json({ message: "login successful", username });
    });
    app.get("/me", this.signedIn, (c) => {
      const asker = this.asker(c.req.header());
      if ("refused" in asker) return c.json({ error: asker.refused }, 401);
      // A key belongs to nobody.
      const username = asker.by === "session" ? { username: store.read().admin?.name } : {};
      return c.json({ auth_method: asker.by, ...username });
    });
    app.post("/logout", this.bySession, (c) => {
      const ended = hashOf(sessionIn(c.req.header("cookie") ?? ""));
      store.change((contents) => (contents.sessions = contents.sessions.filter((one) => one !== ended)));
      return c.json({ message: "logout successful" });
    });
    app.post("/api-keys", this.bySession, async (c) => {
      const given = keySchema.safeParse(await c.req.json());
      if (!given.success) return c.json({ error: "name is required and must be at most 128 characters" }, 400);
      const { name, expires_in_days: days } = given.data;
      const secret = randomBytes(32).toString("hex");
      const key = `lbxk_${secret}`;
      const expiresAt = days && days > 0 ? new Date(Date.now() + days * day).toISOString() : null;
      const [id, prefix, createdAt] = [randomUUID(), secret.slice(0, 8), new Date().toISOString()];
      store.change(({ keys }) =>
        keys.unshift({ id, name, prefix, hash: hashOf(key), createdAt, expiresAt, lastUsedAt: null }),
      );
      return c.json({ id, name, key, prefix, expires_at: expiresAt, created_at: createdAt }, 201);
    });
    app.get("/api-keys", this.bySession, (c) =>
      c.json(
        store.read().keys.map(({ id, name, prefix, createdAt, expiresAt, lastUsedAt }) => {
          const times = { expires_at: expiresAt, last_used_at: lastUsedAt, created_at: createdAt };
          return { id, name, prefix, ...times };
        }),
      ),
    );
    app.delete("/api-keys/:id", this.bySession, (c) => {
      const id = c.req.param("id");
      if (!store.read().keys.some((one) => one.id === id)) return c.json({ error: "API key not found" }, 404);
      store.change((contents) => (contents.keys = contents.keys.filter((one) => one.id !== id)));
      return c.json({ message: "API key deleted" });
    });
    return app;
  }
}

const sessionIn = (cookie: string) => new RegExp(`(?:^|; *)${cookieName}=(\\w+)`).exec(cookie)?.[1] ?? "";
