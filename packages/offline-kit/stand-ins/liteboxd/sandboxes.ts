import { randomBytes } from "node:crypto";
import { basename, dirname } from "node:path";
import { type Context, Hono } from "hono";
import { z } from "zod";
import type { ServerEnvironment } from "./environment";
import type { Kubernetes } from "./kubernetes";
import { type Sandbox, type Store, hashOf, seal } from "./store";
import { specOf } from "./templates";

const createSchema = z.object({
  template: z.string().min(1),
  templateVersion: z.number().int().nullish(),
  overrides: z
    .object({
      cpu: z.string().nullish(),
      memory: z.string().nullish(),
      ttl: z.number().int().nullish(),
      env: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
});
const execSchema = z.object({ command: z.array(z.string()), timeout: z.number().int().default(30) });
const podSchema = z.object({ status: z.object({ phase: z.string().optional() }) });
const eventsSchema = z.object({
  items: z.array(z.object({ type: z.string(), reason: z.string(), message: z.string() })),
});
const label = { app: "liteboxd" };

/** What sandboxes need: where they run, and what seals their tokens. */
export interface Ground {
  readonly env: Pick<ServerEnvironment, "SANDBOX_NAMESPACE" | "GATEWAY_URL">;
  readonly key: Buffer;
  readonly store: Store;
  readonly kubernetes: Kubernetes;
}

/** A sandbox's life in the cluster, its commands, files and logs. */
export function sandboxes({ env, key, store, kubernetes }: Ground): Hono {
  const namespace = `/api/v1/namespaces/${env.SANDBOX_NAMESPACE}`;
  const podOf = (id: string) => `${namespace}/pods/sandbox-${id}`;
  const known = (id: string) => store.read().sandboxes.find((one) => one.id === id);
  const answerOf = async (sandbox: Sandbox) => {
    const { id, image, cpu, memory, ttl, env: own, template, templateVersion, createdAt } = sandbox;
    const made = Date.parse(createdAt);
    // One without an end never expires.
    const expires = ttl === 0 ? new Date("9999-12-31T23:59:59Z") : new Date(made + ttl * 1000);
    const times = { created_at: createdAt, expires_at: expires.toISOString(), updated_at: createdAt };
    const words = { id, image, cpu, memory, ttl, env: own, template, templateVersion };
    return {
      ...words,
      ...times,
      status: await statusOf(podOf(id)),
      accessUrl: `${env.GATEWAY_URL}/api/v1/sandbox/${id}`,
    };
  };
  const statusOf = async (pod: string) => {
    const { status, body } = await kubernetes.ask("GET", pod);
    if (status !== 200) return "unknown";
    return podSchema.parse(JSON.parse(body)).status.phase?.toLowerCase() ?? "pending";
  };

  const app = new Hono();
  // As the real one answers where the cluster does not do it.
  app.onError((error, c) => c.json({ error: error.message }, 500));
  app.post("/", async (c) => {
    const given = createSchema.safeParse(await c.req.json());
    if (!given.success) return c.json({ error: "template is required" }, 400);
    const { template: name, templateVersion, overrides } = given.data;
    const template = store.read().templates.find((one) => one.name === name);
    const at = templateVersion ? templateVersion : template?.versions.length;
    const spec = template && specOf(template, at);
    if (!spec || at === undefined)
      return c.json({ error: `failed to get template: template '${name}' not found` }, 500);
    const id = randomBytes(4).toString("hex");
    const wanted = {
      cpu: overrides?.cpu ?? spec.resources.cpu,
      memory: overrides?.memory ?? spec.resources.memory,
      ttl: overrides?.ttl ?? spec.ttl,
      env: { ...spec.env, ...overrides?.env },
    };
    if (wanted.ttl < 0) return c.json({ error: "ttl must be >= 0" }, 500);
    const { status, body } = await kubernetes.ask("POST", `${namespace}/pods`, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `sandbox-${id}`, labels: label },
      spec: {
        automountServiceAccountToken: false,
        containers: [
          {
            name: "main",
            image: spec.image,
            command: spec.command,
            env: Object.entries(wanted.env).map(([word, value]) => ({ name: word, value })),
          },
        ],
      },
    });
    if (status !== 201) return c.json({ error: `failed to create pod: ${body}` }, 500);
    const token = randomBytes(32).toString("hex");
    const made: Sandbox = {
      id,
      tokenHash: hashOf(token),
      sealedToken: seal(key, token),
      template: name,
      templateVersion: at,
      image: spec.image,
      ...wanted,
      createdAt: new Date().toISOString(),
    };
    store.change((contents) => contents.sandboxes.push(made));
    return c.json({ ...(await answerOf(made)), accessToken: token }, 201);
  });
  app.get("/", async (c) => c.json({ items: await Promise.all(store.read().sandboxes.map(answerOf)) }));
  app.get("/:id", async (c) => {
    const sandbox = known(c.req.param("id"));
    return sandbox ? c.json(await answerOf(sandbox)) : c.json({ error: "sandbox not found" }, 404);
  });
  app.delete("/:id", async (c) => {
    const sandbox = known(c.req.param("id"));
    if (!sandbox) return c.json({ error: "sandbox not found" }, 500);
    const answer = { ...(await answerOf(sandbox)), status: "terminating" };
    await kubernetes.ask("DELETE", podOf(sandbox.id));
    store.change((contents) => (contents.sandboxes = contents.sandboxes.filter(({ id }) => id !== sandbox.id)));
    return c.json(answer, 202);
  });
  // Sandboxes here are never persistent.
  for (const verb of ["restart", "stop", "start"])
    app.post(`/:id/${verb}`, (c) =>
      known(c.req.param("id"))
        ? c.json({ error: `${verb} is only supported for persistence-enabled sandboxes` }, 400)
        : c.json({ error: "sandbox not found" }, 404),
    );
  app.post("/:id/exec", async (c) => {
    const given = execSchema.safeParse(await c.req.json());
    if (!given.success) return c.json({ error: "command is required" }, 400);
    const { command, timeout } = given.data;
    const seconds = timeout > 0 ? timeout : 30;
    const { exitCode, stdout, stderr } = await kubernetes.run(podOf(c.req.param("id")), command, { seconds });
    return c.json({ exit_code: exitCode, stdout: stdout.toString(), stderr });
  });
  app.post("/:id/files", async (c: Context<object, "/:id/files">) => {
    const { path, file } = await c.req.parseBody();
    if (typeof path !== "string" || path === "") return c.json({ error: "path is required" }, 400);
    if (!(file instanceof File)) return c.json({ error: "file is required" }, 400);
    const input = Buffer.from(await file.arrayBuffer());
    const command = ["sh", "-c", `cd "$1" && cat >"$2"`, "sh", dirname(path), basename(path)];
    const { exitCode, stderr } = await kubernetes.run(podOf(c.req.param("id")), command, { input });
    if (exitCode !== 0) return c.json({ error: `failed to upload file: ${stderr}` }, 500);
    return c.json({ message: "file uploaded successfully" });
  });
  app.get("/:id/files", async (c) => {
    const path = c.req.query("path") ?? "";
    if (path === "") return c.json({ error: "path is required" }, 400);
    const { exitCode, stdout, stderr } = await kubernetes.run(podOf(c.req.param("id")), ["cat", "--", path]);
    if (exitCode !== 0) return c.json({ error: `failed to download file: ${stderr}` }, 500);
    return c.body(new Uint8Array(stdout), 200, { "content-type": "application/octet-stream" });
  });
  app.get("/:id/logs", async (c) => {
    const pod = podOf(c.req.param("id"));
    const { status, body } = await kubernetes.ask("GET", `${pod}/log?container=main&tailLines=100`);
    if (status !== 200) return c.json({ error: `failed to get logs: ${body}` }, 500);
    const selector = encodeURIComponent(`involvedObject.name=${basename(pod)}`);
    const { items } = eventsSchema.parse(await kubernetes.get(`${namespace}/events?fieldSelector=${selector}`));
    return c.json({ logs: body, events: items.map((one) => `[${one.type}] ${one.reason}: ${one.message}`) });
  });
  return app;
}
