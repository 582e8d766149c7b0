import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Server, createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { stringify } from "yaml";
import { z } from "zod";

const podSchema = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });
const token = "a-token-of-the-account";

/** The parts of Kubernetes' API that liteboxd calls: a pod is a name, and its commands run on this machine, in {@link folder}. */
export class Cluster {
  readonly pods = new Map<string, z.infer<typeof podSchema>>();
  private readonly running = new Set<ChildProcess>();

  private constructor(
    private readonly server: Server,
    readonly folder: string,
  ) {}

  static async open(): Promise<Cluster> {
    const { key, certificate } = selfSigned(["127.0.0.1"]);
    const server = createServer({ key, cert: certificate });
    const folder = mkdtempSync(join(tmpdir(), "cluster-"));
    mkdirSync(join(folder, "workspace"));
    const cluster = new Cluster(server, folder);
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "v5.channel.k8s.io" });
    server.on("request", (request, response) => {
      void cluster.answer(request, response);
    });
    server.on("upgrade", (request, socket, head) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "https://cluster");
      const pod = /\/pods\/([\w-]+)\/exec$/.exec(pathname)?.[1] ?? "";
      if (!mayAsk(request) || !cluster.pods.has(pod)) return void socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
      sockets.handleUpgrade(request, socket, head, (opened) => {
        cluster.run(opened, searchParams.getAll("command"));
      });
    });
    const port = await listen(server);
    writeFileSync(cluster.kubeconfig, kubeconfigOf(port, certificate));
    return cluster;
  }

  get kubeconfig(): string {
    return join(this.folder, "kubeconfig");
  }

  /** Where commands run. */
  get workspace(): string {
    return join(this.folder, "workspace");
  }

  close(): void {
    for (const child of this.running) child.kill("SIGKILL");
    this.server.close();
    this.server.closeAllConnections();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "https://cluster");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(z.instanceof(Buffer).parse(chunk));
    const say = (status: number, body: object) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (!mayAsk(request)) {
      say(401, failure(401));
      return;
    }
    const [, kind = "", name, part] =
      /^\/api\/v1\/namespaces\/[\w-]+(?:\/(\w+)(?:\/([\w-]+)(?:\/(\w+))?)?)?$/.exec(pathname) ?? [];
    const pod = this.pods.get(name ?? "");
    if (pathname.endsWith("/namespaces/liteboxd-sandbox"))
      say(200, { kind: "Namespace", apiVersion: "v1", metadata: { name: "liteboxd-sandbox" } });
    else if (pathname.includes("/networkpolicies")) say(201, {});
    else if (kind === "events") {
      const event = { type: "Normal", reason: "Started", message: "Started container main", metadata: {} };
      say(200, { kind: "EventList", apiVersion: "v1", metadata: {}, items: [event] });
    } else if (kind !== "pods") say(404, failure(404));
    else if (name === undefined && request.method === "POST") {
      const made = podSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
      this.pods.set(made.metadata.name, made);
      say(201, podOf(made));
    } else if (name === undefined)
      say(200, { kind: "PodList", apiVersion: "v1", metadata: {}, items: [...this.pods.values()].map(podOf) });
    else if (!pod) say(404, failure(404));
    else if (part === "log") response.end(`what ${name} says\n`);
    else {
      if (request.method === "DELETE") this.pods.delete(name);
      say(200, podOf(pod));
    }
  }

  private run(socket: WebSocket, [program = "", ...words]: readonly string[]): void {
    const child = spawn(program, words, { cwd: this.workspace });
    this.running.add(child);
    const send = (channel: number, data: Buffer | string) => {
      socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(data)]));
    };
    socket.on("message", (data: RawData) => {
      if (!Buffer.isBuffer(data)) return;
      if (data[0] === 0) child.stdin.write(data.subarray(1));
      if (data[0] === 255) child.stdin.end();
    });
    socket.on("close", () => child.kill("SIGKILL"));
    child.stdin.on("error", () => undefined);
    child.stdout.on("data", (data: Buffer) => {
      send(1, data);
    });
    child.stderr.on("data", (data: Buffer) => {
      send(2, data);
    });
    child.on("error", ({ message }) => {
      send(3, JSON.stringify({ status: "Failure", message }));
    });
    child.on("close", (code) => {
      this.running.delete(child);
      const causes = [{ reason: "ExitCode", message: String(code ?? 137) }];
      send(3, JSON.stringify(code === 0 ? { status: "Success" } : { status: "Failure", details: { causes } }));
      socket.close();
    });
  }
}

const mayAsk = ({ headers }: IncomingMessage) => headers.authorization === `Bearer ${token}`;

const failure = (code: number) => ({ kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code });

const podOf = (pod: z.infer<typeof podSchema>) => ({
  ...pod,
  kind: "Pod",
  apiVersion: "v1",
  metadata: { ...pod.metadata, uid: pod.metadata.name },
  status: { phase: "Running", podIP: "127.0.0.1", conditions: [{ type: "Ready", status: "True" }] },
});

function kubeconfigOf(port: number, certificate: string): string {
  const ca = Buffer.from(certificate).toString("base64");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    clusters: [{ name: "here", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority-data": ca } }],
    contexts: [{ name: "here", context: { cluster: "here", user: "liteboxd" } }],
    users: [{ name: "liteboxd", user: { token } }],
  });
}
