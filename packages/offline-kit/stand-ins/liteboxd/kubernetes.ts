import { request } from "node:https";
import { type RawData, WebSocket } from "ws";
import { z } from "zod";
import { kubeconfig } from "./environment";

/** An answer of Kubernetes. */
export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** How a command in a pod ended. */
export interface Ended {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** First byte of a message, by what follows (v5.channel.k8s.io). */
const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** What is told when a command ends. */
const endSchema = z.object({
  status: z.string(),
  message: z.string().optional(),
  details: z.object({ causes: z.array(z.object({ reason: z.string(), message: z.string() })) }).optional(),
});

interface Listener {
  output(data: Buffer, from: "stdout" | "stderr"): void;
  ended(exitCode: number, words: string): void;
}

/** A command that runs in a pod. */
export class Running {
  constructor(
    private readonly socket: WebSocket,
    listener: Listener,
  ) {
    let over = false;
    const end = (exitCode: number, words = "") => {
      if (over) return;
      over = true;
      listener.ended(exitCode, words);
      socket.close();
    };
    socket.on("message", (data: RawData) => {
      const message = Buffer.isBuffer(data) ? data : Buffer.from("");
      const rest = message.subarray(1);
      if (message[0] === channels.stdout) listener.output(rest, "stdout");
      if (message[0] === channels.stderr) listener.output(rest, "stderr");
      if (message[0] !== channels.error) return;
      const { status, message: words, details } = endSchema.parse(JSON.parse(rest.toString()));
      const code = details?.causes.find(({ reason }) => reason === "ExitCode")?.message;
      if (status === "Success") end(0);
      else end(Number(code ?? 1), code === undefined ? words : "");
    });
    socket.on("close", () => {
      end(1, "the command was cut off");
    });
    socket.on("error", ({ message }) => {
      end(1, message);
    });
  }

  write(data: string | Buffer): void {
    this.socket.send(Buffer.concat([Buffer.of(channels.stdin), Buffer.from(data)]));
  }

  resize(columns: number, rows: number): void {
    const size = JSON.stringify({ Width: columns, Height: rows });
    this.socket.send(Buffer.concat([Buffer.of(channels.resize), Buffer.from(size)]));
  }

  closeInput(): void {
    this.socket.send(Buffer.of(channels.close, channels.stdin));
  }

  stop(): void {
    this.socket.terminate();
  }
}

/** Asks the cluster of a kubeconfig as its account may. */
export class Kubernetes {
  readonly #cluster;

  constructor(file: string) {
    this.#cluster = kubeconfig(file);
  }

  ask(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<Reply> {
    const { server, ca, token } = this.#cluster;
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const sent = request(`${server}${path}`, { method, ca, headers, timeout: 10_000 }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
        });
      });
      sent.on("error", reject);
      sent.on("timeout", () => sent.destroy(new Error("Kubernetes does not answer")));
      sent.end(body && JSON.stringify(body));
    });
  }

  /** The answer to a request that must succeed. */
  async get(path: string): Promise<unknown> {
    const { status, body } = await this.ask("GET", path);
    if (status !== 200) throw new Error(`Kubernetes answers GET ${path} with ${status}: ${body}`);
    return JSON.parse(body);
  }

  /** Starts a command in a pod. The real one speaks SPDY there, which Kubernetes is about to drop. */
  start(pod: string, command: readonly string[], tty: boolean, listener: Listener): Promise<Running> {
    const { server, ca, token } = this.#cluster;
    const query = new URLSearchParams({ container: "main", stdin: "true", stdout: "true" });
    query.set(tty ? "tty" : "stderr", "true");
    for (const word of command) query.append("command", word);
    const url = `${server.replace(/^http/, "ws")}${pod}/exec?${query.toString()}`;
    const socket = new WebSocket(url, "v5.channel.k8s.io", { ca, headers: { authorization: `Bearer ${token}` } });
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.once("open", () => {
        resolve(new Running(socket, listener));
      });
    });
  }

  /** Runs a command in a pod to its end. */
  async run(
    pod: string,
    command: readonly string[],
    { input, seconds = 60 }: { readonly input?: Buffer; readonly seconds?: number } = {},
  ): Promise<Ended> {
    const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let finish: (ended: Ended) => void;
    const ended = new Promise<Ended>((resolve) => (finish = resolve));
    const running = await this.start(pod, command, false, {
      output: (data, from) => parts[from].push(data),
      ended(exitCode, words) {
        finish({
          exitCode,
          stdout: Buffer.concat(parts.stdout),
          stderr: Buffer.concat(parts.stderr).toString() + words,
        });
      },
    });
    const timer = setTimeout(() => {
      running.stop();
    }, seconds * 1000);
    if (input) running.write(input);
    running.closeInput();
    return ended.finally(() => {
      clearTimeout(timer);
    });
  }
}
