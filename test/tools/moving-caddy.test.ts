// The real Caddy of a home that moves to another host.
import { type IncomingHttpHeaders, type Server, createServer, request } from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { RenderedCaddy } from "../support/rendered-caddy";
import { opencodeSite } from "../support/routes";

const domain = "home.example.com";
const route = opencodeSite({
  policy: "bypass",
});

let caddy: RenderedCaddy;
let server: Server;
let asked = 0;
beforeAll(async () => {
  server = createServer((_, answer) => {
    asked++;
    answer.end("of the App");
  });
  const port = await listen(server);
  caddy = await RenderedCaddy.start({ domain, routes: [route], portOf: () => Promise.resolve(port) });
});
afterAll(() => {
  caddy.stop();
  server.close();
});

function ask(host: string, path: string, method = "GET") {
  return new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: caddy.port, path, method, headers: { host } }, (answer) => {
      void text(answer).then((body) => {
        resolve({ status: answer.statusCode, headers: answer.headers, body });
      });
    });
    sent.on("error", reject);
    sent.end();
  });
}

test.each([domain, `auth.${domain}`, `code.${domain}`])(
  "while it moves, every request to %s is told when to come again, and nothing behind it is asked",
  async (host) => {
    caddy.moving(true);
    asked = 0;
    for (const [method, path] of [
      ["GET", "/"],
      ["POST", "/api/firstfactor/passkey"],
      ["GET", "/moving/../x?y=1"],
    ] as const) {
      const { status, headers, body } = await ask(host, path, method);
      expect([status, headers["retry-after"]]).toEqual([503, "60"]);
      expect(body).toContain("moving to another machine");
      expect(headers["strict-transport-security"]).toBeDefined();
    }
    expect(asked).toBe(0);
    caddy.moving(false);
    expect((await ask(host, "/api/state")).status).not.toBe(503);
  },
);
