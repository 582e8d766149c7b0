import { request } from "node:https";
import { kubeconfig } from "./environment";

/** An answer of Kubernetes. */
export interface Reply {
  readonly status: number;
  readonly body: string;
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
}
