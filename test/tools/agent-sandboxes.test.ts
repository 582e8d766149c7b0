// An agent's way to sandboxes: lwsandbox's two services and OpenCode's tools, as they are deployed, at the stand-in of liteboxd and with the
// real Caddy between them; the tools are spoken to by a real client of the Model Context Protocol. With LITEBOXD_PROGRAMS=/folder at
// liteboxd's real server, which runs no commands here.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { z } from "zod";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { until } from "../../cli/run";
import { AgentSandboxes, image, most } from "../support/agent-sandboxes";
import { LiteboxdHome } from "../support/liteboxd";

let home: LiteboxdHome;
let agent: AgentSandboxes;
let client: Client;
beforeAll(async () => {
  home = await LiteboxdHome.open();
  agent = await AgentSandboxes.open(home);
  client = new Client({ name: "test", version: "1" });
  await client.connect(new StdioClientTransport({ ...agent.tools, cwd: agent.folder }));
});
afterAll(async () => {
  await client.close();
  agent.close();
  home.close();
});

const keysSchema = z.array(z.object({ id: z.string(), name: z.string(), expires_at: z.string().nullable() }));
const madeSchema = z.looseObject({ id: z.string() });
const listSchema = z.object({ items: z.array(madeSchema) });
const ofAgent = "agent of OpenCode (cloudcode)";
const isTrue = (holds: boolean) => Promise.resolve(holds || undefined);
const eventually = <T>(holds: () => Promise<T | undefined>) =>
  until(30, holds, () => Promise.resolve(`it did not come true; said: ${agent.said}`));

/** The agent's keys, as the pages list them. */
async function keys() {
  const { body } = await home.asPages("GET", "/api/v1/auth/api-keys");
  return keysSchema.parse(JSON.parse(body.toString())).filter(({ name }) => name === ofAgent);
}

const hasKey = () => eventually(() => isTrue(agent.read("key") !== undefined));

/** A tool's text; one that fails begins with `!`. */
async function use(name: string, words: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { content, isError } = await client.callTool({ name, arguments: words });
  const [first] = z.array(z.object({ text: z.string() })).parse(content);
  return `${isError ? "!" : ""}${first?.text ?? ""}`;
}

async function created(words: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const said = await use("create", words);
  const id = /^sandbox (\S+) runs/.exec(said)?.[1];
  if (id === undefined) throw new Error(said);
  return id;
}

/** What the guard answers to the agent itself, without the tools. */
async function ask(method: string, path: string, value?: unknown, key = agent.ownKey) {
  const answer = await fetch(`${agent.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(value !== undefined && { body: JSON.stringify(value) }),
  });
  return { status: answer.status, text: await answer.text() };
}

/** A sandbox of the operator's, by the pages' own API key. */
async function operators(): Promise<string> {
  const headers = { authorization: `Bearer ${home.key}`, "content-type": "application/json" };
  const body = JSON.stringify({ template: "agent" });
  const made = await home.send("POST", "/api/v1/sandboxes", { headers, body });
  return madeSchema.parse(JSON.parse(made.body.toString())).id;
}

describe("while no key is there", () => {
  it("the agent is told to wait", async () => {
    expect(await use("list")).toBe("!lwsandbox is starting: try again in a minute");
  });

  it("a password that was changed in the pages is said in words, and no key is made", async () => {
    agent.password("another password");
    agent.keepKey();
    await eventually(() => isTrue(agent.read("problem") !== undefined));
    await agent.stopKey("SIGKILL");
    expect(await use("create")).toMatch(/^!lwsandbox refuses its own administrator, .* lwsandboxAdminPassword/);
    expect(await keys()).toEqual([]);
    agent.password("a password of liteboxd's own");
  });
});

describe("the key", () => {
  it("is made by the fixed name, for two days, readable for the other service", async () => {
    agent.keepKey();
    await hasKey();
    expect(agent.read("problem")).toBeUndefined();
    const [made, ...others] = await keys();
    expect(others).toEqual([]);
    const days = (Date.parse(made?.expires_at ?? "") - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(1.9);
    expect(days).toBeLessThan(2.1);
    expect(statSync(agent.keyFile("key")).mode & 0o777).toBe(0o444);
  });

  it("is the same one after a restart", async () => {
    const [before, key] = [await keys(), agent.read("key")];
    await agent.stopKey("SIGKILL");
    agent.keepKey();
    // It has looked at the key when it has looked at the template.
    await home.asPages("DELETE", "/api/v1/templates/agent");
    await eventually(async () => isTrue((await ask("GET", "/api/v1/templates/agent")).status === 200));
    expect([await keys(), agent.read("key")]).toEqual([before, key]);
  });

  it("is renewed when it was revoked in the pages", async () => {
    const [[revoked], key] = [await keys(), agent.read("key")];
    await home.asPages("DELETE", `/api/v1/auth/api-keys/${revoked?.id ?? ""}`);
    await eventually(() => isTrue(agent.read("key") !== key));
    expect(await keys()).toHaveLength(1);
    expect(await use("list")).toBe("there is no sandbox");
  });

  it("is renewed before it expires, and the old one is revoked", async () => {
    const [[before], key] = [await keys(), agent.read("key")];
    const old = new Date(Date.now() - 25 * 3_600_000);
    utimesSync(agent.keyFile("key"), old, old);
    await eventually(async () => isTrue(agent.read("key") !== key && (await keys()).length === 1));
    expect((await keys())[0]?.id).not.toBe(before?.id);
  });

  it("comes with a template that is this program's: changed in the pages, it is made what it was", async () => {
    await home.asPages("PUT", "/api/v1/templates/agent", { spec: { image: "another:1" } });
    const shown = async () => JSON.parse((await ask("GET", "/api/v1/templates/agent")).text) as object;
    await eventually(async () => isTrue(JSON.stringify(await shown()).includes(image)));
    expect(await shown()).toMatchObject({
      spec: { image, resources: { cpu: "1000m", memory: "1Gi" }, ttl: 3600, network: { allowInternetAccess: true } },
    });
    const versions = async () =>
      z
        .object({ latestVersion: z.number() })
        .parse(JSON.parse((await home.asPages("GET", "/api/v1/templates/agent")).body.toString())).latestVersion;
    const before = await versions();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(await versions()).toBe(before);
  });
});

describe("the agent's key opens", () => {
  it.each(["", "x", "key-of-the-agent"])("nothing where it is %j instead", async (key) => {
    expect(await ask("GET", "/api/v1/sandboxes", undefined, key)).toMatchObject({ status: 401 });
  });

  it("nothing of liteboxd itself", async () => {
    const headers = { authorization: `Bearer ${agent.ownKey}` };
    expect((await home.send("GET", "/api/v1/sandboxes", { headers })).status).toBe(401);
    expect((await fetch(`${home.server}/api/v1/sandboxes`, { headers })).status).toBe(401);
  });

  it.each([
    ["GET", "/api/v1/auth/api-keys"],
    ["POST", "/api/v1/auth/api-keys"],
    ["POST", "/api/v1/auth/login"],
    ["POST", "/api/v1/templates"],
    ["PUT", "/api/v1/templates/agent"],
    ["DELETE", "/api/v1/templates/agent"],
    ["POST", "/api/v1/templates/import"],
    ["GET", "/api/v1/templates/agent/versions"],
    ["GET", "/api/v1/sandboxes/metadata/logs/x"],
    ["POST", "/api/v1/sandboxes/reconcile"],
    ["GET", "/api/v1/images/prepull"],
    ["GET", "/api/v1/sandboxes/x/y"],
    ["GET", "/api/v1/sandboxes/%2e%2e%2fauth%2fapi-keys"],
    ["GET", "/"],
    ["GET", "/metrics"],
  ])("neither logins, keys nor others' work: %s %s", async (method, path) => {
    expect(await ask(method, path, method === "GET" ? undefined : {})).toEqual({
      status: 403,
      text: '{"error": "an agent may not do this"}',
    });
  });

  it("no sandbox of somebody else, in whatever way", async () => {
    const id = await operators();
    const one = `/api/v1/sandboxes/${id}`;
    for (const [method, path, value] of [
      ["GET", one],
      ["DELETE", one],
      ["POST", `${one}/exec`, { command: ["id"] }],
      ["GET", `${one}/logs`],
      ["GET", `${one}/files?path=/etc/hostname`],
      ["POST", `${one}/files`, {}],
    ] as const)
      expect([method, path, (await ask(method, path, value)).status]).toEqual([method, path, 404]);
    expect(await use("list")).toBe("there is no sandbox");
    expect(await use("run", { sandbox: id, command: "id" })).toBe("!sandbox not found");
    expect((await home.asPages("GET", one)).status).toBe(200);
    await home.asPages("DELETE", one);
  });

  it("no template that is not public", async () => {
    const spec = { image: "secret:1", env: { TOKEN: "hidden" } };
    await home.asPages("POST", "/api/v1/templates", { name: "own", isPublic: false, spec });
    await home.asPages("POST", "/api/v1/templates", { name: "shown", spec });
    const listed = await ask("GET", "/api/v1/templates");
    expect(listed.text).toContain('"shown"');
    expect(listed.text).not.toMatch(/"own"|hidden/);
    expect((await ask("GET", "/api/v1/templates/own")).status).toBe(404);
    expect(await use("create", { template: "own" })).toBe("!template 'own' not found");
  });

  it.each<[string, unknown, string]>([
    ["one that never ends", { template: "agent", overrides: { ttl: 0 } }, "ttl is a whole number of seconds"],
    ["one for longer than a day", { template: "agent", overrides: { ttl: 86_401 } }, "from 60 to 86400"],
    ["more memory", { template: "agent", overrides: { memory: "64Gi" } }, "overrides takes ttl, env alone"],
    ["another form", { template: "agent", network: {} }, "a sandbox takes"],
    ["no template", {}, "template is the name of a template"],
    ["a path", { template: "../auth" }, "template is the name of a template"],
    ["a list", [], "a sandbox takes"],
    ["variables that are no texts", { template: "agent", overrides: { env: { A: 1 } } }, "env is an object of texts"],
  ])("no sandbox of another kind: %s", async (_name, wanted, words) => {
    const refused = await ask("POST", "/api/v1/sandboxes", wanted);
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining(words)]);
  });

  it("no body without an end, and no huge one", async () => {
    const headers = { authorization: `Bearer ${agent.ownKey}` };
    const huge = await fetch(`${agent.guard}/api/v1/sandboxes`, {
      method: "POST",
      headers,
      body: "x".repeat(1 << 21),
    }).then(
      ({ status }) => status,
      () => 413,
    );
    expect(huge).toBe(413);
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("{}"));
        controller.close();
      },
    });
    const endless = { method: "POST", headers, body: stream, duplex: "half" } as const;
    expect((await fetch(`${agent.guard}/api/v1/sandboxes`, endless)).status).toBe(411);
  });
});

describe("the tools", () => {
  it("are there, and say when to use them", async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "create",
      "run",
      "write",
      "read",
      "upload",
      "download",
      "list",
      "templates",
      "delete",
    ]);
    expect(tools[0]?.description).toContain("Prefer it to the shell here for experiments");
    expect(client.getInstructions()).toContain("Never send keys");
    const looks = tools.filter(({ annotations }) => annotations?.readOnlyHint).map(({ name }) => name);
    expect(looks).toEqual(["read", "list", "templates"]);
  });

  it.each([
    ["run", {}, "sandbox, command"],
    ["run", { sandbox: "1", command: 7 }, "command"],
    ["run", { sandbox: "1", command: "id", seconds: 3601 }, "seconds"],
    ["create", { minutes: 0 }, "minutes"],
    ["create", { cpu: "64" }, "cpu"],
    ["create", { env: { A: 1 } }, "env"],
    ["read", { sandbox: "1" }, "path"],
  ])("%s refuses %j", async (name, words, wrong) => {
    expect(await use(name, words)).toBe(`!wrong or missing: ${wrong}`);
  });

  it("do not know others", async () => {
    await expect(client.callTool({ name: "exec", arguments: {} })).rejects.toThrow("there is no such tool");
  });

  it("make a sandbox that ends, without the ways around them, and as many as the setting allows", async () => {
    const id = await created({ minutes: 5, env: { A: "1" } });
    const known = madeSchema.parse(JSON.parse((await home.asPages("GET", `/api/v1/sandboxes/${id}`)).body.toString()));
    expect(known).toMatchObject({ ttl: 300, template: "agent", env: { A: "1", CLOUDCODE_AGENT: "1" } });
    const shown = (await ask("GET", `/api/v1/sandboxes/${id}`)).text;
    expect(JSON.parse(shown)).toMatchObject({ id, env: { A: "1" } });
    expect(shown).not.toMatch(/accessToken|accessUrl|pod_ip|CLOUDCODE/);
    const more = await Promise.all(Array.from({ length: most }, () => use("create")));
    expect(more.filter((said) => said.startsWith("!there are"))).toHaveLength(1);
    const { items } = listSchema.parse(JSON.parse((await ask("GET", "/api/v1/sandboxes")).text));
    expect(items).toHaveLength(most);
    for (const one of items) expect(await use("delete", { sandbox: one.id })).toBe(`${one.id} is being deleted`);
    expect(await use("list")).toBe("there is no sandbox");
  });

  it("run commands, and bring files there and back", async () => {
    if (!home.runsCommands) return;
    const id = await created();
    const { workspace } = home.cluster;
    const there = (path: string) => join(workspace, path);
    const run = (command: string, more = {}) => use("run", { sandbox: id, command, folder: workspace, ...more });
    expect(await run("echo $((6 * 7)); echo wrong >&2; exit 3")).toBe("exit code 3\n42\nstderr:\nwrong");
    expect(await run("pwd")).toBe(`exit code 0\n${workspace}`);
    expect(await run("sleep 5", { seconds: 1 })).not.toContain("exit code 0");
    const long = await run("seq 100000");
    expect(long.length).toBeLessThan(40_000);
    expect(long).toMatch(/^exit code 0\n1\n2\n[^]*characters left out[^]*\n100000$/);

    const text = `$HOME "'\\ \n密码 --\r\n`;
    expect(await use("write", { sandbox: id, path: there("a b/c.txt"), content: text })).toBe(
      `written: ${there("a b/c.txt")}`,
    );
    expect(await use("read", { sandbox: id, path: there("a b/c.txt") })).toBe(text);
    expect(await use("read", { sandbox: id, path: "etc/passwd" })).toMatch(/^!a path in a sandbox begins with/);
    expect(await use("read", { sandbox: id, path: there("none") })).toMatch(/^!failed to download file/);

    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256));
    writeFileSync(join(agent.folder, "bytes"), bytes);
    expect(await use("upload", { sandbox: id, source: "bytes", path: there("in/bytes") })).toBe(
      `uploaded 300000 bytes to ${there("in/bytes")}`,
    );
    expect(readFileSync(there("in/bytes")).equals(bytes)).toBe(true);
    expect(await use("read", { sandbox: id, path: there("in/bytes") })).toMatch(/^!.*300000 bytes: use download/);
    await use("download", { sandbox: id, path: there("in/bytes"), target: "back" });
    expect(readFileSync(join(agent.folder, "back")).equals(bytes)).toBe(true);

    mkdirSync(join(agent.folder, "project/src"), { recursive: true });
    writeFileSync(join(agent.folder, "project/src/main.py"), "print('hello')\n");
    await use("upload", { sandbox: id, source: "project", path: there("copy") });
    expect(await run("python3 copy/src/main.py")).toBe("exit code 0\nhello");
    expect(await use("upload", { sandbox: id, source: "nothing", path: there("x") })).toMatch(
      /^!nothing: No such file/,
    );
    await use("delete", { sandbox: id });
  });

  it("serve several calls at a time", async () => {
    if (!home.runsCommands) return;
    const id = await created();
    const begun = Date.now();
    const slow = use("run", { sandbox: id, command: "sleep 3", folder: home.cluster.workspace });
    await use("list");
    expect(Date.now() - begun).toBeLessThan(2500);
    expect(await slow).toBe("exit code 0");
    await use("delete", { sandbox: id });
  });

  it("say what does not answer", async () => {
    const { status } = await ask("GET", "/api/v1/sandboxes/0123abcd");
    expect(status).toBe(404);
    const away = await fetch(agent.url.replace(/sandboxes$/, "others/api/v1/sandboxes"));
    expect(away.status).toBe(404);
  });
});

test("each service ends at once when its container is told to stop, of which it is the first process", async () => {
  for (const words of [agent.guardWords(await freePort()), agent.keyWords()]) {
    const child = spawn("unshare", ["--pid", "--fork", "--kill-child", "python3", ...words], { stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("close", resolve));
    const first = await eventually(() =>
      Promise.resolve(Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")) || undefined),
    );
    // Until it has set its handler.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const begun = Date.now();
    process.kill(first, "SIGTERM");
    await ended;
    expect(Date.now() - begun).toBeLessThan(5000);
  }
});

test("the key is revoked when the service that made it stops, and nothing said a secret", async () => {
  await hasKey();
  const key = agent.read("key") ?? "";
  await agent.stopKey("SIGTERM");
  expect(await keys()).toEqual([]);
  expect(agent.read("key")).toBeUndefined();
  const headers = { authorization: `Bearer ${key}` };
  expect((await fetch(`${home.server}/api/v1/sandboxes`, { headers })).status).toBe(401);
  expect(await use("list")).toBe("!lwsandbox is starting: try again in a minute");
  for (const secret of [key, agent.ownKey, "a password of liteboxd's own", "another password"])
    expect(agent.said).not.toContain(secret);
});
