// Stand-in for liteboxd 0.6.10 (https://github.com/fslongjin/liteboxd), which no package registry has: one program for its server
// and its gateway. It checks what the real ones need, keeps their logins and keys, and runs its sandboxes in the real cluster.
import { basename } from "node:path";
import { serve } from "@hono/node-server";
import { gatewayEnvironment, serverEnvironment } from "./environment";
import { gateway } from "./gateway";
import { Kubernetes } from "./kubernetes";
import { server } from "./server";
import { Store } from "./store";

async function main(): Promise<void> {
  const role = basename(process.argv[1] ?? "");
  if (role !== "server" && role !== "gateway") throw new Error(`no part of liteboxd is called ${role}`);
  const { app, upgrade } = role === "server" ? await openServer() : openGateway();
  const listening = serve({ fetch: app.fetch, port: Number(process.env["PORT"]) });
  if (upgrade) listening.on("upgrade", upgrade);
  process.once("SIGTERM", () => listening.close(() => process.exit(0)));
}

function openServer() {
  const env = serverEnvironment();
  return server(env, new Store(), new Kubernetes(env.KUBECONFIG));
}

function openGateway() {
  const env = gatewayEnvironment();
  return { app: gateway(env, new Store(), new Kubernetes(env.KUBECONFIG)), upgrade: undefined };
}

main().catch((error: unknown) => {
  process.stderr.write(`stand-in for liteboxd: ${String(error)}\n`);
  process.exit(1);
});
