// Stands in for a server of models that speaks OpenAI's protocol: one fixed answer, streamed.
import { createServer } from "node:http";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { z } from "zod";

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

/** A tool that the model uses before it answers: the end of its name, and its arguments, which may follow from what was said. */
export interface ToolUse {
  readonly name: string;
  readonly words: (conversation: string) => object;
}

const toolsSchema = z.looseObject({
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).default([]),
  messages: z.array(z.looseObject({ role: z.string() })).default([]),
});

/** What a request is answered with instead of words: the next tool that is offered and was not used yet. */
function nextTool(body: unknown, uses: readonly ToolUse[]): object | undefined {
  const { data } = toolsSchema.safeParse(body);
  const use = uses[data?.messages.filter(({ role }) => role === "tool").length ?? 0];
  const offered = data?.tools.find(({ function: { name } }) => use !== undefined && name.endsWith(use.name));
  if (use === undefined || offered === undefined) return undefined;
  const { name } = offered.function;
  return {
    index: 0,
    id: `call-${use.name}`,
    type: "function",
    function: { name, arguments: JSON.stringify(use.words(JSON.stringify(data?.messages))) },
  };
}

/** What every answer is said to have used. */
const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };

/**
 * @param hold the answer's last word comes only when this says so. @default at once
 * @param uses tools that it uses first, one after the other, where they are offered
 * @param address where it listens. @default 127.0.0.1
 */
export async function startModelServer(
  answer: string,
  hold = () => Promise.resolve(),
  uses: readonly ToolUse[] = [],
  address = "127.0.0.1",
): Promise<ModelServer> {
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
      const end = (reason: string) => {
        send({ delta: {}, finish_reason: reason });
        response.write(`data: ${JSON.stringify({ ...common, choices: [], usage })}\n\n`);
        response.end("data: [DONE]\n\n");
      };
      const call = nextTool(body, uses);
      if (call) {
        send({ delta: { role: "assistant", content: null, tool_calls: [call] }, finish_reason: null });
        end("tool_calls");
        return;
      }
      const last = words.pop() ?? "";
      const say = (content: string) => send({ delta: { role: "assistant", content }, finish_reason: null });
      for (const content of words) say(content);
      void hold().then(() => {
        say(last);
        end("stop");
      });
    });
  });
  const port = await listen(server, address);
  return {
    port,
    url: `http://${address}:${port}/v1`,
    requests,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
