import { get } from "node:https";
import { WebSocket } from "ws";
import type { World } from "./world";

/** A live WebSocket to the terminal, spoken in ttyd's protocol. */
export interface Terminal {
  /** Types a line and waits until its answer contains the text. */
  type(line: string, answer: string): Promise<void>;
  isOpen(): boolean;
  close(): void;
}

export function openTerminal(world: World): Promise<Terminal> {
  const name = world.nameOf("code");
  const address = world.sandbox.host.address;
  const socket = new WebSocket(`wss://${name}/terminal/ws`, ["tty"], {
    lookup: (_name, _options, found) => {
      found(null, [{ address, family: 4 }]);
    },
    rejectUnauthorized: false,
    origin: `https://${name}`,
    headers: { cookie: world.cookie },
  });
  let screen = "";
  const terminal: Terminal = {
    async type(line, answer) {
      screen = "";
      socket.send(`0${line}\n`);
      const end = Date.now() + 15_000;
      while (!screen.includes(answer)) {
        if (Date.now() > end) throw new Error(`the terminal answered ${JSON.stringify(screen)}, not ${answer}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    isOpen: () => socket.readyState === WebSocket.OPEN,
    close: () => {
      socket.close();
    },
  };
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (data: Buffer) => (screen += data.toString().slice(1)));
    socket.on("open", () => {
      socket.send(JSON.stringify({ AuthToken: "", columns: 80, rows: 24 }));
      resolve(terminal);
    });
  });
}

/** The first event of OpenCode's event stream, with the headers it came with. */
export function firstEvent(
  world: World,
): Promise<{ readonly contentType: string; readonly encoding: string | undefined; readonly text: string }> {
  const name = world.nameOf("code");
  return new Promise((resolve, reject) => {
    const headers = { host: name, cookie: world.cookie, accept: "text/event-stream", "accept-encoding": "gzip, zstd" };
    const request = get(
      {
        host: world.sandbox.host.address,
        servername: name,
        path: "/event",
        rejectUnauthorized: false,
        agent: false,
        headers,
      },
      (response) => {
        response.once("data", (chunk: Buffer) => {
          request.destroy();
          const { "content-type": contentType = "", "content-encoding": encoding } = response.headers;
          resolve({ contentType, encoding, text: chunk.toString() });
        });
      },
    );
    request.setTimeout(20_000, () => request.destroy(new Error("no event within 20 s")));
    request.on("error", reject);
  });
}
