import { randomBytes } from "node:crypto";
import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { z } from "zod";
import { serverEnvironment } from "./environment";
import { Kubernetes } from "./kubernetes";
import { Store, hashOf, seal, unseal } from "./store";

const cookieName = "liteboxd_session";
const publicPassword = "liteboxd-admin";
const templateSchema = z.object({
  name: z.string(),
  spec: z.object({ image: z.string(), command: z.array(z.string()).default([]) }),
});
const loginSchema = z.object({ username: z.string(), password: z.string() });
const label = { app: "liteboxd" };

/** What the real server does that a deployment must get right: its start, logins, keys, and a sandbox's life in the cluster. */
export async function server(): Promise<Hono> {
  const env = serverEnvironment();
  const key = Buffer.from(env.SANDBOX_TOKEN_ENCRYPTION_KEY, "base64");
  const store = new Store();
  const kubernetes = new Kubernetes(env.KUBECONFIG);
  const pods = `/api/v1/namespaces/${env.SANDBOX_NAMESPACE}/pods`;

  // The real one ends where the cluster does not answer, and cannot read tokens that another key sealed.
  await kubernetes.get(`/api/v1/namespaces/${env.SANDBOX_NAMESPACE}`);
  for (const { sealedToken } of store.read().sandboxes) unseal(key, sealedToken);
  const policies = `/apis/networking.k8s.io/v1/namespaces/${env.SANDBOX_NAMESPACE}/networkpolicies`;
  await kubernetes.ask("POST", policies, {
    ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "default-deny-all" } },
    spec: { podSelector: { matchLabels: label }, policyTypes: ["Ingress", "Egress"] },
  });
  store.change((contents) => {
    contents.admin ??= { name: env.ADMIN_USERNAME, password: hashOf(env.ADMIN_INITIAL_PASSWORD) };
    if (env.ADMIN_PASSWORD !== undefined && env.ADMIN_PASSWORD !== publicPassword)
      contents.admin.password = hashOf(env.ADMIN_PASSWORD);
  });

  const hasSession = (c: Context) => store.read().sessions.includes(hashOf(getCookie(c, cookieName) ?? ""));
  const bearer = (c: Context) => /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
  /** A request with a key never falls back to its cookie. */
  const mayAsk = (c: Context): boolean => {
    const given = bearer(c);
    return given === undefined ? hasSession(c) : store.read().keys.some(({ hash }) => hash === hashOf(given));
  };

  const app = new Hono();
  // Every origin may ask, with its cookies: the real one leaves it to SameSite.
  app.use(cors({ origin: (origin) => origin, credentials: true }));
  for (const path of ["/health", "/readyz"]) app.get(path, (c) => c.json({ status: "ok" }));
  app.post("/api/v1/auth/login", async (c) => {
    const { username, password } = loginSchema.parse(await c.req.json());
    const { admin } = store.read();
    if (admin?.name !== username || admin.password !== hashOf(password)) return c.json({ error: "unauthorized" }, 401);
    const session = randomBytes(32).toString("hex");
    store.change((contents) => contents.sessions.push(hashOf(session)));
    const secure = c.req.header("x-forwarded-proto") === "https";
    setCookie(c, cookieName, session, {
      httpOnly: true,
      sameSite: "Lax",
      path: "/",
      secure,
      maxAge: env.SESSION_MAX_AGE,
    });
    return c.json({ username });
  });
  app.get("/api/v1/auth/me", (c) => (mayAsk(c) ? c.json({ username: store.read().admin?.name }) : c.body(null, 401)));
  app.post("/api/v1/auth/api-keys", async (c) => {
    if (bearer(c) !== undefined || !hasSession(c)) return c.body(null, 401);
    const { name } = z.object({ name: z.string() }).parse(await c.req.json());
    const made = `lbxk_${randomBytes(24).toString("base64url")}`;
    store.change((contents) => contents.keys.push({ name, hash: hashOf(made) }));
    return c.json({ name, key: made }, 201);
  });
  app.get("/api/v1/auth/api-keys", (c) =>
    bearer(c) === undefined && hasSession(c)
      ? c.json(store.read().keys.map(({ name }) => ({ name })))
      : c.body(null, 401),
  );
  app.post("/api/v1/templates", async (c) => {
    if (!mayAsk(c)) return c.body(null, 401);
    const { name, spec } = templateSchema.parse(await c.req.json());
    if (store.read().templates.some((one) => one.name === name)) return c.body(null, 409);
    store.change((contents) => contents.templates.push({ name, ...spec }));
    return c.json({ name, spec }, 201);
  });
  app.get("/api/v1/sandboxes", (c) =>
    mayAsk(c) ? c.json({ items: store.read().sandboxes.map(({ id }) => ({ id })) }) : c.body(null, 401),
  );
  app.post("/api/v1/sandboxes", async (c) => {
    if (!mayAsk(c)) return c.body(null, 401);
    const { template } = z.object({ template: z.string() }).parse(await c.req.json());
    const made = store.read().templates.find(({ name }) => name === template);
    if (made === undefined) return c.json({ error: "no such template" }, 500);
    const id = randomBytes(4).toString("hex");
    const { status, body } = await kubernetes.ask("POST", pods, {
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name: `sandbox-${id}`, labels: label } },
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: "main", image: made.image, command: made.command }],
      },
    });
    if (status !== 201) return c.json({ error: body }, 502);
    const token = randomBytes(16).toString("hex");
    store.change((contents) =>
      contents.sandboxes.push({ id, tokenHash: hashOf(token), sealedToken: seal(key, token) }),
    );
    return c.json({ id, accessToken: token, accessUrl: `${env.GATEWAY_URL}/api/v1/sandbox/${id}` }, 201);
  });
  app.delete("/api/v1/sandboxes/:id", async (c) => {
    if (!mayAsk(c)) return c.body(null, 401);
    const id = c.req.param("id");
    if (!store.read().sandboxes.some((one) => one.id === id)) return c.body(null, 404);
    await kubernetes.ask("DELETE", `${pods}/sandbox-${id}`);
    store.change((contents) => (contents.sandboxes = contents.sandboxes.filter((one) => one.id !== id)));
    return c.json({ id }, 202);
  });
  return app;
}
