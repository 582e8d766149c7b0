// The requests of liteboxd's SDKs and of its CLI, from outside: each method, path, header and body as those programs send it, over TLS
// through the real Caddy with the App's Route, to the stand-in of liteboxd. With LITEBOXD_PROGRAMS=/folder to its real server and gateway.
import { join } from "node:path";
import { WebSocket } from "ws";
import { LiteboxdHome, type Said } from "../support/liteboxd";

let home: LiteboxdHome;
beforeAll(async () => {
  home = await LiteboxdHome.open();
});
afterAll(() => {
  home.close();
});

interface Client {
  /** With every request. */
  readonly always: Readonly<Record<string, string>>;
  /** What it adds to the description of a sandbox, a template, and a new version of one. */
  readonly sandbox: object;
  readonly template: object;
  readonly update: object;
  /** A form of a file and its other fields. */
  readonly form: (
    file: readonly [name: string, content: string, type: string],
    fields: Readonly<Record<string, string>>,
  ) => string;
}

const boundary = "d41d8cd98f00b204e9800998ecf8427e";
const lines = (...all: readonly string[]) => all.map((line) => `${line}\r\n`).join("");
const field = (name: string, value: string) =>
  lines(`--${boundary}`, `Content-Disposition: form-data; name="${name}"`, "", value);
const filePart = (name: string, content: string, type: string) =>
  lines(
    `--${boundary}`,
    `Content-Disposition: form-data; name="file"; filename="${name}"`,
    `Content-Type: ${type}`,
    "",
    content,
  );
const fieldsOf = (fields: Readonly<Record<string, string>>) =>
  Object.entries(fields)
    .map(([name, value]) => field(name, value))
    .join("");

const clients: readonly (readonly [string, Client])[] = [
  [
    "Python SDK",
    {
      always: {
        "user-agent": "liteboxd-python-sdk/0.1.0",
        accept: "application/json",
        "accept-encoding": "gzip, deflate",
        connection: "keep-alive",
      },
      sandbox: {},
      template: { autoPrepull: false },
      update: {},
      form: ([name, content, type], fields) => `${fieldsOf(fields)}${filePart(name, content, type)}--${boundary}--\r\n`,
    },
  ],
  [
    "Go SDK and CLI",
    {
      always: {
        "user-agent": "liteboxd-go-sdk/1.0.0",
        accept: "application/json",
        "accept-encoding": "gzip",
        "content-type": "application/json",
      },
      sandbox: { templateVersion: 0, overrides: null },
      template: { displayName: "", description: "", tags: null, isPublic: null, autoPrepull: false },
      update: { displayName: "", description: "", tags: null, isPublic: null, changelog: "" },
      form: ([name, content], fields) =>
        `${filePart(name, content, "application/octet-stream")}${fieldsOf(fields)}--${boundary}--\r\n`,
    },
  ],
];

const json = ({ status, body }: Said) => [
  status,
  body.length === 0 ? undefined : (JSON.parse(body.toString()) as unknown),
];
const text: unknown = expect.any(String);
const number: unknown = expect.any(Number);
const holding = (part: object): unknown => expect.objectContaining(part);
const among = (items: readonly unknown[]): unknown => expect.arrayContaining([...items]);
const like = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const saying = (part: string): unknown => expect.stringContaining(part);
const words = { error: text };

describe.each(clients)("%s", (client, { always, sandbox: more, template: about, update, form }) => {
  const name = client.startsWith("Go") ? "go" : "python";
  const spec = {
    image: "python:3.12-slim",
    resources: { cpu: "500m", memory: "512Mi" },
    ttl: 3600,
    startupTimeout: 300,
  };
  const withKey = () => ({ ...always, authorization: `Bearer ${home.key}` });
  const ask = (method: string, path: string, body?: object, headers: Readonly<Record<string, string>> = withKey()) =>
    home.send(method, `/api/v1/${path}`, {
      headers: { ...headers, ...(body && { "content-type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  const upload = (path: string, body: string) =>
    home.send("POST", `/api/v1/${path}`, {
      headers: { ...withKey(), "content-type": `multipart/form-data; boundary=${boundary}` },
      body,
    });

  test("templates: made, listed, changed, rolled back, exported, imported, deleted", async () => {
    const description = { name, spec: { ...spec, env: { A: "1" } }, ...about };
    expect(json(await ask("POST", "templates", description))).toEqual([
      201,
      holding({ name, latestVersion: 1, id: text, createdAt: text }),
    ]);
    expect(json(await ask("POST", "templates", description))).toEqual([
      409,
      { error: { code: "TEMPLATE_EXISTS", message: text } },
    ]);
    expect(json(await ask("GET", "templates?page=1&pageSize=20"))).toEqual([
      200,
      {
        items: among([holding({ name })]),
        total: number,
        page: 1,
        pageSize: 20,
      },
    ]);
    expect(json(await ask("PUT", `templates/${name}`, { spec: { ...spec, ttl: 60 }, ...update }))).toEqual([
      200,
      holding({ latestVersion: 2 }),
    ]);
    expect(json(await ask("GET", `templates/${name}`))).toEqual([
      200,
      holding({ spec: holding({ image: spec.image, ttl: 60 }) }),
    ]);
    expect(json(await ask("GET", `templates/${name}/versions`))).toEqual([
      200,
      { items: among([holding({ version: 1 })]), total: 2 },
    ]);
    expect(json(await ask("GET", `templates/${name}/versions/1`))).toEqual([
      200,
      holding({
        version: 1,
        spec: holding({ ttl: 3600 }),
        templateId: text,
      }),
    ]);
    expect(json(await ask("POST", `templates/${name}/rollback`, { targetVersion: 1, changelog: "" }))).toEqual([
      200,
      holding({ latestVersion: 3, rolledBackFrom: 2, rolledBackTo: 1 }),
    ]);
    const file = await ask("GET", `templates/${name}/export?version=2`);
    expect([file.status, file.body.toString()]).toEqual([200, like(/kind: SandboxTemplate$[^]*ttl: 60/m)]);
    const all = await ask("GET", `templates/export?names=${name}`);
    expect([all.status, all.body.toString()]).toEqual([200, saying("kind: SandboxTemplateList")]);
    expect((await ask("DELETE", `templates/${name}`)).status).toBe(204);
    expect(json(await ask("GET", `templates/${name}`))).toEqual([
      404,
      { error: { code: "TEMPLATE_NOT_FOUND", message: text } },
    ]);
    const parts = form(["templates.yaml", file.body.toString(), "application/x-yaml"], {
      strategy: "create-or-update",
    });
    expect(json(await upload("templates/import", parts))).toEqual([
      200,
      holding({ total: 1, created: 1, updated: 0, skipped: 0, failed: 0 }),
    ]);
  });

  test("a template of what does not work here is refused in words that it shows", async () => {
    for (const part of [
      { network: { allowInternetAccess: true, allowedDomains: ["pypi.org"] } },
      { persistence: { enabled: true } },
    ]) {
      const wanted = { name: "refused", spec: { ...spec, ...part }, ...about };
      expect(json(await ask("POST", "templates", wanted))).toEqual([422, { error: like(/work here/) }]);
    }
  });

  test("a sandbox: made, found, seen, reached by its token, deleted", async () => {
    const made = await ask("POST", "sandboxes", { template: name, ...more });
    const sandbox = {
      id: text,
      image: spec.image,
      cpu: "500m",
      memory: "512Mi",
      ttl: 60,
      template: name,
      status: text,
      created_at: text,
      expires_at: text,
    };
    expect(json(made)).toEqual([201, holding({ ...sandbox, templateVersion: 1, accessToken: text })]);
    const { id, accessToken, accessUrl } = JSON.parse(made.body.toString()) as Readonly<Record<string, string>>;
    expect(accessUrl).toBe(`${home.url}/api/v1/sandbox/${id}`);
    expect(json(await ask("GET", `sandboxes/${id}`))).toEqual([200, holding({ ...sandbox, id, status: "running" })]);
    expect(json(await ask("GET", "sandboxes"))).toEqual([200, { items: among([holding({ ...sandbox, id })]) }]);
    expect(json(await ask("GET", `sandboxes/${id}/logs`))).toEqual([
      200,
      { logs: saying(`sandbox-${id}`), events: [saying("Started")] },
    ]);
    for (const verb of ["restart", "stop", "start"])
      expect(json(await ask("POST", `sandboxes/${id}/${verb}`))).toEqual([400, words]);

    const token = { "x-access-token": accessToken ?? "" };
    const program = (await ask("GET", `sandbox/${id}/port/1/x`, undefined, token)).status;
    // Nothing listens in it, and the gateway says so.
    expect(program).toBeGreaterThanOrEqual(500);
    expect(json(await ask("GET", `sandbox/${id}/port/1/x`, undefined, { "x-access-token": "0a1b" }))).toEqual([
      401,
      words,
    ]);

    expect(json(await ask("DELETE", `sandboxes/${id}`))).toEqual([202, holding({ id })]);
    const left = await ask("GET", "sandboxes?include_terminating=false");
    expect(json(left)).toEqual([200, { items: [] }]);
  });

  test("a sandbox is made of another version, with what it overrides", async () => {
    const overrides = { cpu: "1", memory: "1Gi", ttl: 120, env: { B: "2" } };
    const made = await ask("POST", "sandboxes", { template: name, templateVersion: 1, overrides });
    expect(json(made)).toEqual([201, holding({ ...overrides, templateVersion: 1 })]);
    await ask("DELETE", `sandboxes/${(JSON.parse(made.body.toString()) as { id: string }).id}`);
    expect(json(await ask("POST", "sandboxes", { template: "no-such-one", ...more }))).toEqual([500, words]);
    expect(json(await ask("GET", "sandboxes/0a1b2c3d"))).toEqual([404, words]);
  });

  test("commands, their failures and files of any bytes", async () => {
    if (!commandsRun()) return;
    const { id } = JSON.parse((await ask("POST", "sandboxes", { template: name, ...more })).body.toString()) as {
      id: string;
    };
    const run = (...command: readonly string[]) => ask("POST", `sandboxes/${id}/exec`, { command, timeout: 30 });
    expect(json(await run("sh", "-c", "echo out; echo err >&2; exit 3"))).toEqual([
      200,
      { exit_code: 3, stdout: "out\n", stderr: "err\n" },
    ]);
    expect(json(await run("no-such-program"))).toEqual([200, { exit_code: 1, stdout: "", stderr: text }]);

    const path = join(home.cluster.workspace, `${name}.txt`);
    const content = "0123456789\r\n".repeat(300_000);
    const parts = form(["file", content, "application/octet-stream"], { path });
    expect(json(await upload(`sandboxes/${id}/files`, parts))).toEqual([200, { message: text }]);
    const down = await ask("GET", `sandboxes/${id}/files?path=${encodeURIComponent(path)}`);
    expect([down.status, down.body.toString() === content]).toEqual([200, true]);
    expect(json(await ask("GET", `sandboxes/${id}/files?path=%2Fno%2Fsuch`))).toEqual([500, words]);
    await ask("DELETE", `sandboxes/${id}`);
  });

  test("a key that is none, or of another kind, or missing, is refused, and never sent to a login", async () => {
    const none = { ...always, authorization: "Bearer lbxk_0123" };
    expect(json(await ask("GET", "sandboxes", undefined, none))).toEqual([401, words]);
    for (const headers of [always, { ...always, authorization: "Bearer eyJhbGciOi" }])
      for (const [method, path] of [
        ["GET", "sandboxes"],
        ["POST", "templates"],
        ["DELETE", "sandboxes/1"],
      ] as const)
        expect([path, (await ask(method, path, method === "POST" ? {} : undefined, headers)).status]).toEqual([
          path,
          401,
        ]);
  });
});

describe("the CLI's own requests", () => {
  const host = "sandbox.home.example.com";
  const tls = () => ({ servername: host, ca: home.authority, perMessageDeflate: false });
  const go = { "user-agent": "Go-http-client/1.1", "accept-encoding": "gzip" };

  test("auth status with a key", async () => {
    const headers = { ...go, authorization: `Bearer ${home.key}` };
    expect(json(await home.send("GET", "/api/v1/auth/me", { headers }))).toEqual([200, { auth_method: "api_key" }]);
  });

  test("auth login is told where a key comes from", async () => {
    const headers = { ...go, "content-type": "application/json" };
    const body = JSON.stringify({ username: "admin", password: "any" });
    expect(json(await home.send("POST", "/api/v1/auth/login", { headers, body }))).toEqual([
      401,
      { error: like(/API key in the pages/) },
    ]);
  });

  test("an interactive command: its output, what is typed, its end", async () => {
    if (!commandsRun()) return;
    const json = { ...go, authorization: `Bearer ${home.key}`, "content-type": "application/json" };
    const made = await home.send("POST", "/api/v1/sandboxes", {
      headers: json,
      body: JSON.stringify({ template: "go" }),
    });
    const { id } = JSON.parse(made.body.toString()) as { id: string };
    const words = "sh -c 'read line; echo \"got $line\"; exit 4'";
    const query = `command=sh&command=-c&command=${encodeURIComponent(words)}&tty=true&rows=24&cols=80`;
    const { port } = new URL(home.url);
    const url = `wss://127.0.0.1:${port}/api/v1/sandboxes/${id}/exec/interactive?${query}`;
    const socket = new WebSocket(url, { ...tls(), headers: { host, authorization: `Bearer ${home.key}` } });
    const said: unknown[] = [];
    socket.on("message", (data: Buffer) => said.push(JSON.parse(data.toString())));
    socket.on("open", () => {
      socket.send(JSON.stringify({ type: "resize", cols: 100, rows: 30 }));
      socket.send(JSON.stringify({ type: "input", data: "hello\n" }));
    });
    await new Promise((resolve) => socket.on("close", resolve));
    expect(said).toEqual([
      { type: "output", data: "got hello\n" },
      { type: "exit", exitCode: 4 },
    ]);
  });

  test("one without a key is not opened", async () => {
    const { port } = new URL(home.url);
    const url = `wss://127.0.0.1:${port}/api/v1/sandboxes/1/exec/interactive?command=sh`;
    const socket = new WebSocket(url, { ...tls(), headers: { host } });
    const refused = await new Promise((resolve) => {
      socket.on("unexpected-response", (_request, { statusCode }) => {
        resolve(statusCode);
      });
    });
    expect(refused).toBe(401);
  });
});

/** The double of the cluster does not speak SPDY. */
function commandsRun(): boolean {
  if (!home.runsCommands) process.stderr.write("NOT ASSERTED with the publishers' parts: commands and files\n");
  return home.runsCommands;
}
