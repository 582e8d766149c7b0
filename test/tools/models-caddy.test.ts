// The real Caddy before servers of models: the App's key opens nothing but those, and their own keys are never in the App's hands.
import { type IncomingHttpHeaders, type Server, createServer, request } from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import type { ModelServer } from "../../components/routes";
import { modelHandlers } from "../../components/reverse-proxy/models";
import { RenderedCaddy } from "../support/rendered-caddy";
import { opencodeSite } from "../support/routes";

const domain = "home.example.com";
const servers: readonly ModelServer[] = [
  { name: "anthropic", base: "http://anthropic.internal/v1", login: "x-api-key", secret: "ANTHROPIC_API_KEY" },
  { name: "openai", base: "http://openai.internal:8000/api/v1/", login: "bearer", secret: "OPENAI_API_KEY" },
  { name: "plain", base: "http://plain.internal", login: "bearer", secret: "provider-plain" },
];
const route = opencodeSite({
  models: { alias: "opencode-models", secret: "modelKey", servers },
});
const own = "own-key-of-the-app";
const secrets = Object.fromEntries(
  modelHandlers([route]).flatMap(({ header, given, real, name }) => {
    const start = header === "Authorization" ? "Bearer " : "";
    return [
      [given, `${start}${own}`],
      [real, `${start}real-${name}-$HOME'"#`],
    ];
  }),
);

interface Seen {
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let caddy: RenderedCaddy;
let server: Server;
const seen: Seen[] = [];
beforeAll(async () => {
  server = createServer((asked, answer) => {
    void text(asked).then((body) => {
      seen.push({ url: asked.url ?? "", method: asked.method ?? "", headers: asked.headers, body });
      answer.writeHead(200, { "content-type": "text/event-stream" });
      answer.write("data: first\n\n");
      setTimeout(() => answer.end("data: last\n\n"), 500);
    });
  });
  const port = await listen(server);
  caddy = await RenderedCaddy.start({ domain, routes: [route], secrets, portOf: () => Promise.resolve(port) });
});
afterAll(() => {
  caddy.stop();
  server.close();
});
beforeEach(() => {
  seen.length = 0;
  caddy.money("closed", undefined);
});

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  /** Milliseconds until its first words. */
  readonly first: number;
}

function call(path: string, headers: Readonly<Record<string, string | string[]>>): Promise<Answer> {
  const begun = Date.now();
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: caddy.modelPort, path, method: "POST", headers }, (answer) => {
      let first = Infinity;
      answer.once("data", () => (first = Date.now() - begun));
      void text(answer).then((body) => {
        resolve({ status: answer.statusCode, body, first });
      });
    });
    sent.on("error", reject).end('{"model":"m"}');
  });
}

const bearer = { authorization: `Bearer ${own}` };

test("a call with the App's key reaches its server with that server's key, at its path, and streams", async () => {
  const answer = await call("/openai/chat/completions?a=%7B1%7D", { ...bearer, cookie: "authelia_session=x" });
  expect(answer).toMatchObject({ status: 200, body: "data: first\n\ndata: last\n\n" });
  expect(answer.first).toBeLessThan(450);
  const [{ url, method, headers, body } = { url: "", method: "", headers: {}, body: "" }] = seen;
  expect([method, url, body]).toEqual(["POST", "/api/v1/chat/completions?a=%7B1%7D", '{"model":"m"}']);
  expect(headers).toMatchObject({ host: "openai.internal:8000", authorization: `Bearer real-openai-$HOME'"#` });
  for (const header of ["cookie", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"])
    expect(headers[header]).toBeUndefined();
  await call("/anthropic/messages", { "x-api-key": own });
  await call("/plain/models", bearer);
  expect(seen.slice(1).map((one) => [one.url, one.headers["x-api-key"], one.headers.authorization])).toEqual([
    ["/v1/messages", `real-anthropic-$HOME'"#`, undefined],
    ["/models", undefined, `Bearer real-plain-$HOME'"#`],
  ]);
});

test.each<[string, string, Readonly<Record<string, string | string[]>>]>([
  ["no key", "/openai/models", {}],
  ["another key", "/openai/models", { authorization: "Bearer x" }],
  ["a part of the key", "/openai/models", { authorization: `Bearer ${own.slice(0, -1)}` }],
  ["more than the key", "/openai/models", { authorization: `Bearer ${own}x` }],
  ["the key twice", "/openai/models", { authorization: [`Bearer ${own}`, `Bearer ${own}`] }],
  ["the key in another header", "/anthropic/messages", bearer],
  ["a server that there is not", "/other/models", bearer],
  ["no server", "/", bearer],
])("%s opens nothing", async (_what, path, headers) => {
  expect(await call(path, headers)).toMatchObject({ status: 401, body: "" });
  expect(seen).toEqual([]);
});

test("while the notifier's file is there, every server is closed from the next call on, and opens again without it", async () => {
  const running = call("/openai/models", bearer);
  await new Promise((resolve) => setTimeout(resolve, 150));
  caddy.money("closed", "2026-11\n");
  // What is being answered is answered to its end.
  expect(await running).toMatchObject({ status: 200, body: "data: first\n\ndata: last\n\n" });
  for (const [path, headers] of [
    ["/openai/models", bearer],
    ["/anthropic/messages", { "x-api-key": own }],
  ] as const) {
    const { status, body } = await call(path, headers);
    expect([status, JSON.parse(body)]).toMatchObject([402, { type: "error", error: { type: "limit_reached" } }]);
  }
  expect(await call("/openai/models", {})).toMatchObject({ status: 401 });
  expect(seen).toHaveLength(1);
  caddy.money("closed", undefined);
  expect(await call("/openai/models", bearer)).toMatchObject({ status: 200 });
});
