import { Hono } from "hono";
import { z } from "zod";
import type { GatewayEnvironment } from "./environment";
import type { Kubernetes } from "./kubernetes";
import { type Store, hashOf } from "./store";

const podSchema = z.object({ status: z.object({ podIP: z.string().optional() }) });

/** What the real gateway does: a request with a sandbox's token goes to the pod itself. */
export function gateway(
  env: Pick<GatewayEnvironment, "SANDBOX_NAMESPACE">,
  store: Store,
  kubernetes: Kubernetes,
): Hono {
  const app = new Hono();
  for (const path of ["/health", "/readyz"]) app.get(path, (c) => c.json({ status: "ok", service: "gateway" }));
  app.all("/api/v1/sandbox/:id/port/:port/:path{.*}", async (c) => {
    const { id, port, path } = c.req.param();
    const known = store.read().sandboxes.find((one) => one.id === id);
    const token = c.req.header("x-access-token");
    if (token === undefined) return c.json({ error: "missing access token" }, 401);
    if (!known) return c.json({ error: "sandbox not found" }, 404);
    if (hashOf(token) !== known.tokenHash) return c.json({ error: "invalid access token" }, 401);
    const pod = podSchema.parse(await kubernetes.get(`/api/v1/namespaces/${env.SANDBOX_NAMESPACE}/pods/sandbox-${id}`));
    if (pod.status.podIP === undefined) return c.json({ error: "the sandbox is not running yet" }, 503);
    const { method, url } = c.req;
    const body = method === "GET" || method === "HEAD" ? null : await c.req.arrayBuffer();
    const answer = await fetch(`http://${pod.status.podIP}:${port}/${path}${new URL(url).search}`, {
      method,
      headers: c.req.raw.headers,
      body,
      signal: AbortSignal.timeout(10_000),
    });
    return new Response(answer.body, { status: answer.status });
  });
  return app;
}
