import { Hono } from "hono";
import { cors } from "hono/cors";
import type { ServerEnvironment } from "./environment";
import type { Kubernetes } from "./kubernetes";
import { Logins } from "./logins";
import { sandboxes } from "./sandboxes";
import { type Store, unseal } from "./store";
import { templates } from "./templates";
import { type Upgrade, terminals } from "./terminal";

/** A running server: its requests, and its WebSockets. */
export interface Running {
  readonly app: Hono;
  readonly upgrade: Upgrade;
}

/** What it is told by its environment. */
export type ServerSettings = Pick<
  ServerEnvironment,
  | "ADMIN_USERNAME"
  | "ADMIN_INITIAL_PASSWORD"
  | "ADMIN_PASSWORD"
  | "SESSION_MAX_AGE"
  | "SANDBOX_NAMESPACE"
  | "GATEWAY_URL"
  | "SANDBOX_TOKEN_ENCRYPTION_KEY"
>;

/** What the real server does that a deployment must get right, and what its SDKs and CLI call; it has no image prepull. */
export async function server(env: ServerSettings, store: Store, kubernetes: Kubernetes): Promise<Running> {
  const key = Buffer.from(env.SANDBOX_TOKEN_ENCRYPTION_KEY, "base64");
  const namespace = env.SANDBOX_NAMESPACE;

  // The real one ends where the cluster does not answer, and cannot read tokens that another key sealed.
  await kubernetes.get(`/api/v1/namespaces/${namespace}`);
  for (const { sealedToken } of store.read().sandboxes) unseal(key, sealedToken);
  await kubernetes.ask("POST", `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`, {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "default-deny-all" },
    spec: { podSelector: { matchLabels: { app: "liteboxd" } }, policyTypes: ["Ingress", "Egress"] },
  });
  const logins = new Logins(env, store);

  const app = new Hono();
  // Every origin may ask, with its cookies: the real one leaves it to SameSite.
  app.use(cors({ origin: (origin) => origin, credentials: true }));
  for (const path of ["/health", "/readyz"]) app.get(path, (c) => c.json({ status: "ok" }));
  app.route("/api/v1/auth", logins.routes());
  for (const [path, part] of [
    ["/api/v1/templates", templates(store)],
    ["/api/v1/sandboxes", sandboxes({ env, key, store, kubernetes })],
  ] as const) {
    app.use(`${path}/*`, logins.signedIn);
    app.route(path, part);
  }
  return { app, upgrade: terminals(logins, kubernetes, namespace) };
}
