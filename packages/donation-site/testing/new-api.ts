// A stand-in for new-api's API for administrators: users, and quota that adds up each time it is asked for.
import { Hono } from "hono";
import { type Listening, listen } from "./listen";

export interface User {
  readonly linuxDoId: string;
  quota: number;
  used: number;
}

/**
 * What happens to the next request for quota: the crash of either side leaves the answer lost, before or after the deed. With `busy` no user
 * is found, because the database is locked.
 */
export type Fault =
  "none" | "lost-before" | "lost-after" | "500-before" | "500-after" | "refused" | "too-many" | "busy";

export interface NewApiServer extends Listening {
  readonly users: Map<number, User>;
  fault: Fault;
  /** Headers of every request. */
  readonly headers: Headers[];
  /** Path and query of each request, as a server logs them. */
  readonly urls: string[];
  /** How often quota was added. */
  grants: number;
  /** Requests for quota wait for it. */
  held: Promise<void>;
  /** How many requests for quota have come. */
  asked: number;
}

export async function startNewApi(hostname?: string): Promise<NewApiServer> {
  const app = new Hono();
  app.use(async (c, next) => {
    server.headers.push(c.req.raw.headers);
    server.urls.push(c.req.url);
    await next();
  });
  app.get("/api/user/:id", (c) => {
    const id = Number(c.req.param("id"));
    const user = server.users.get(id);
    if (server.fault === "busy") return c.json({ success: false, message: "database is locked" });
    if (user === undefined) return c.json({ success: false, message: "record not found" });
    return c.json({
      success: true,
      message: "",
      data: { id, username: "x", linux_do_id: user.linuxDoId, quota: user.quota, used_quota: user.used },
    });
  });
  app.post("/api/user/manage", async (c) => {
    const { id, action, mode, value } = await c.req.json<Record<string, unknown>>();
    server.asked += 1;
    await server.held;
    const user = server.users.get(Number(id));
    const fault = server.fault;
    if (fault === "too-many") return c.body(null, 429);
    if (action !== "add_quota" || mode !== "add" || typeof value !== "number" || value <= 0 || fault === "refused")
      return c.json({ success: false, message: "no" });
    if (fault === "500-before") return c.text("no", 500);
    // The real one, too, says yes where there is no such user.
    if (fault !== "lost-before" && user) {
      user.quota += value;
      server.grants += 1;
    }
    if (fault === "500-after") return c.text("no", 500);
    // The beginning of an answer that never ends well.
    if (fault !== "none") return c.body("{", 200, { "content-type": "application/json" });
    return c.json({ success: true, message: "" });
  });
  const server: NewApiServer = {
    ...(await listen(app, hostname)),
    users: new Map(),
    fault: "none",
    headers: [],
    urls: [],
    grants: 0,
    held: Promise.resolve(),
    asked: 0,
  };
  return server;
}
