// OpenCode's agent uses a sandbox: the real program of the version that is deployed, with its rendered configuration and a model that asks
// for tools; behind them the stand-in of liteboxd.
import { readFileSync } from "node:fs";
import { z } from "zod";
import { serviceBase } from "../../components/routes";
import { agentService } from "../../components/apps/lwsandbox-agent";
import { until } from "../../cli/run";
import { type ModelServer, startModelServer } from "../support/model-server";
import { type OpenCode, startOpencode } from "../edge/programs";
import { AgentSandboxes } from "../support/agent-sandboxes";
import { LiteboxdHome } from "../support/liteboxd";
import { projectRoot } from "../support/project-root";

jest.setTimeout(240_000);

let home: LiteboxdHome;
let agent: AgentSandboxes;
let models: ModelServer;
let program: OpenCode;

beforeAll(async () => {
  home = await LiteboxdHome.open();
  agent = await AgentSandboxes.open(home);
  agent.keepKey();
  await until(
    30,
    () => Promise.resolve(agent.read("key")),
    () => Promise.resolve(agent.said),
  );
  const folder = home.cluster.workspace;
  models = await startModelServer("It is done.", undefined, [
    { name: "sandbox_create", words: () => ({ minutes: 5 }) },
    { name: "sandbox_list", words: () => ({}) },
    { name: "sandbox_run", words: (said) => ({ ...idIn(said), folder, command: "echo $((6 * 7)) >&2; exit 3" }) },
    { name: "sandbox_delete", words: idIn },
  ]);
  const provider = { name: "mine", kind: "openai-compatible", baseUrl: models.url, models: ["m"], default: "m" };
  const settings = {
    opencodeProviders: JSON.stringify([provider]),
    opencodeProviderKeys: JSON.stringify({ mine: "model-key" }),
    lwsandboxEnabled: "true",
    opencodeSandboxes: "1",
  };
  const key = readFileSync(agent.ownKeyFile, "utf8");
  program = await startOpencode(
    settings,
    { "provider-mine": "model-key", "sandboxes-key": key },
    { TMPDIR: folder },
    {
      "/usr/local/lib/workplace/sandboxes.py": `${projectRoot}/stack-templates/opencode/sandboxes/mcp.py`,
      [serviceBase("opencode-services", agentService)]: agent.url,
    },
  );
  // A request that comes while it starts may stay without an answer.
  await until(
    120,
    () =>
      get("/mcp").then(
        (answer) => (answer.includes("connected") ? answer : undefined),
        () => undefined,
      ),
    () => Promise.resolve("OpenCode does not know the server of sandboxes"),
  );
});
afterAll(() => {
  program.stop();
  models.stop();
  agent.close();
  home.close();
});

const idIn = (said: string) => ({ sandbox: /sandbox ([0-9a-f]{8}) runs until/.exec(said)?.[1] ?? "" });

const ask = async (path: string, more: RequestInit = {}) => {
  const [authorization = ""] = Object.values(program.secrets);
  const headers = { authorization, "content-type": "application/json" };
  return (await fetch(`http://127.0.0.1:${program.port}${path}`, { headers, ...more })).text();
};
const get = (path: string) => ask(path, { signal: AbortSignal.timeout(5000) });
const post = (path: string, value: object) => ask(path, { method: "POST", body: JSON.stringify(value) });

test("the agent makes, uses and deletes a sandbox with the tools that the model is offered", async () => {
  const { id } = z.object({ id: z.string() }).parse(JSON.parse(await post("/session", { title: "An experiment" })));
  const said = await post(`/session/${id}/message`, { parts: [{ type: "text", text: "Try it in a sandbox." }] });
  expect(said).toContain("It is done.");
  const asked = models.requests
    .map(({ body }) => JSON.stringify(body))
    .filter((text) => text.includes("sandbox_create"));
  for (const name of ["create", "run", "write", "read", "upload", "download", "list", "templates", "delete"])
    expect(asked[0]).toContain(`"sandbox_${name}"`);
  expect(asked[0]).toContain("Prefer it to the shell here for experiments");
  expect(asked.at(-1)).toMatch(/sandbox [0-9a-f]{8} runs until/);
  expect(asked.at(-1)).toMatch(/[0-9a-f]{8}: running, template agent/);
  expect(asked.at(-1)).toContain(String.raw`exit code 3\nstderr:\n42`);
  expect(asked.at(-1)).toMatch(/[0-9a-f]{8} is being deleted/);
  expect(home.cluster.pods.size).toBe(0);
  // The model hears of no key.
  for (const text of asked) for (const key of [agent.ownKey, agent.read("key") ?? ""]) expect(text).not.toContain(key);
});
