import { listen } from "@cloudcode/offline-kit/toolchain/ports";
// Stands in for a server of models that speaks OpenAI's protocol: one fixed answer, streamed.
import { createServer } from "node:http";

export interface ModelServer {
  readonly port: number;
  /** As a setting takes it. */
  readonly url: string;
  readonly requests: readonly {
    readonly path: string;
    readonly authorization: string | undefined;
    readonly body: unknown;
  }[];
  stop(): void;
}

/** @param hold the answer's last word comes only when this says so. @default at once */
export async function startModelServer(answer: string, hold = () => Promise.resolve()): Promise<ModelServer> {
  const requests: ModelServer["requests"][number][] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      const body: unknown = JSON.parse(text || "null");
      requests.push({ path: request.url ?? "", authorization: request.headers.authorization, body });
      const words = answer.split(/(?<= )/);
      const common = { id: "1", object: "chat.completion.chunk", created: 1, model: "fake" };
      const send = (choice: object) =>
        response.write(`data: ${JSON.stringify({ ...common, choices: [{ index: 0, ...choice }] })}\n\n`);
      response.writeHead(200, { "content-type": "text/event-stream" });
      const last = words.pop() ?? "";
      const say = (content: string) => send({ delta: { role: "assistant", content }, finish_reason: null });
      for (const content of words) say(content);
      void hold().then(() => {
        say(last);
        send({ delta: {}, finish_reason: "stop" });
        response.end("data: [DONE]\n\n");
      });
    });
  });
  const port = await listen(server);
  return {
    port,
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
