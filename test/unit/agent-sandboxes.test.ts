// OpenCode's agent and lwsandbox: one setting switches both parts on, and each keeps what is promised of every App.
import { z } from "zod";
import { enabledApps } from "../../components/apps/registry";
import { defaultImages } from "../../components/images";
import { reverseProxyRelease } from "../../components/reverse-proxy/reverse-proxy-stack";
import { planText } from "../../components/stack/plan";
import { appFaults, composeOf } from "../support/app-faults";
import { kinds } from "../support/app-settings";
import { publicCertificates } from "../support/certificates";
import { minimalAlicloud } from "../support/minimal";
import { runProgram } from "../support/program";
import { arrivedFiles } from "../support/releases";
import { type RenderedApp, renderApp } from "../support/rendered-app";
import { faultsOf, settingsOf } from "../support/settings";

const lwsandbox = { lwsandboxEnabled: "true" };
const on = { ...lwsandbox, opencodeSandboxes: "2" };

function rendered(name: string, settings: Readonly<Record<string, string>> = on): Promise<RenderedApp> {
  const kind = kinds.find((one) => one.name === name);
  if (kind === undefined) throw new Error(`there is no App ${name}`);
  return renderApp(kind, settings);
}

const fileOf = ({ release }: RenderedApp, path: string) => release.files.find((one) => one.path.endsWith(path));

const servicesSchema = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      user: z.string().optional(),
      networks: z.unknown(),
      read_only: z.boolean().optional(),
      volumes: z.array(z.union([z.string(), z.looseObject({ source: z.string(), target: z.string() })])).default([]),
    }),
  ),
});
const servicesOf = (app: RenderedApp) =>
  servicesSchema.parse(composeOf(fileOf(app, "compose.yaml")?.content ?? "")).services;
const mountsOf = (app: RenderedApp, service: string) =>
  (servicesOf(app)[service]?.volumes ?? []).map((volume) =>
    typeof volume === "string" ? volume.replace(/^\.\/files\/[0-9a-f]+\//, "") : `${volume.source}:${volume.target}`,
  );

describe("opencodeSandboxes", () => {
  it.each<[string, Record<string, string>, string[]]>([
    ["with lwsandbox", on, []],
    ["without", { opencodeSandboxes: "2" }, ["opencodeSandboxes needs lwsandbox, which is off: lwsandboxEnabled"]],
    [
      "without OpenCode",
      { ...on, opencodeEnabled: "false" },
      ["opencodeSandboxes needs OpenCode, which is off: opencodeEnabled"],
    ],
    ["0, without either", { opencodeSandboxes: "0" }, []],
    ["0, with lwsandbox alone", { ...lwsandbox, opencodeSandboxes: "0", opencodeEnabled: "false" }, []],
    ["21", { ...on, opencodeSandboxes: "21" }, ["opencodeSandboxes is above 20"]],
  ])("%s: faults", (_name, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });

  it("is refused on a machine that is too small for lwsandbox, as that is", () => {
    expect(faultsOf({ ...on, instanceTypes: '["ecs.c7.large"]', budgetUsd: "1000" }, minimalAlicloud)).toEqual([
      expect.stringContaining("lwsandbox needs 7168 MiB"),
    ]);
  });

  it.each(["opencode", "lwsandbox"])("leaves %s as it was where it is 0", async (name) => {
    const [without, zero] = [
      await rendered(name, lwsandbox),
      await rendered(name, { ...lwsandbox, opencodeSandboxes: "0" }),
    ];
    expect(zero.release.id).toBe(without.release.id);
    expect(without.release.files.map(({ path }) => path).filter((path) => /sandboxes|agent/.test(path))).toEqual(
      name === "lwsandbox" ? ["host/agent.sh"] : [],
    );
    expect(without.app.shared).toEqual({});
    expect(without.app.routes.flatMap(({ services }) => services ?? [])).toEqual([]);
  });

  it.each(["opencode", "lwsandbox"])("keeps %s within what is promised of every App", async (name) => {
    expect(appFaults(await rendered(name))).toEqual([]);
  });
});

describe("the walls between the two", () => {
  it("Caddy hands on what OpenCode asks at a name on its network; the two share none", () => {
    const apps = enabledApps(settingsOf({ domain: "home.example.com", ...on }));
    const source = reverseProxyRelease({
      domain: "home.example.com",
      routes: apps.flatMap(({ routes }) => routes),
      certificates: publicCertificates,
      images: defaultImages,
      timeZone: "UTC",
    });
    expect(source.values["services"]).toEqual([{ name: "sandboxes", upstream: "lwsandbox-agent:8090" }]);
    expect(planText(source.plan)).toContain("\nalias cloudcode-edge-opencode opencode-services\n");
    for (const { name, release } of apps)
      expect(release("home.example.com").plan.networks).toEqual([`cloudcode-edge-${name}`]);
  });

  it("what the agent's requests reach has the agent's key alone, and no password; what has the password is asked by nobody", async () => {
    const app = await rendered("lwsandbox");
    const services = servicesOf(app);
    expect(mountsOf(app, "agent")).toEqual([
      "agent/guard.py:/guard.py:ro",
      "agent-key:/run/secrets/agent-key:ro",
      "agent:/key",
    ]);
    expect(services["agent"]).toMatchObject({
      user: "8003:8003",
      read_only: true,
      networks: { edge: { aliases: ["lwsandbox-agent"] } },
    });
    expect(fileOf(app, "/agent-key")).toMatchObject({ owner: 8003, mode: 0o400, content: app.secrets["agentKey"] });
    expect(mountsOf(app, "agent-key")).toEqual([
      "agent/key.py:/key.py:ro",
      "admin-password:/run/secrets/admin-password:ro",
      "agent:/key",
    ]);
    expect(services["agent-key"]).toMatchObject({ read_only: true, networks: ["edge"] });
    const plan = planText(app.release.plan);
    for (const name of ["agent", "agent-key"]) expect(plan).toContain(`without ${name}\n`);
  });

  it("the server in OpenCode's container has the key and the tools, and the terminal neither", async () => {
    const app = await rendered("opencode");
    const mounts = mountsOf(app, "server");
    expect(mounts).toContain("sandboxes-key:/run/secrets/sandboxes-key:ro");
    expect(mounts).toContain("sandboxes/mcp.py:/usr/local/lib/workplace/sandboxes.py:ro");
    expect(mountsOf(app, "terminal").join(" ")).not.toContain("sandboxes");
    for (const path of ["/sandboxes-key", "sandboxes/mcp.py"])
      expect(fileOf(app, path)).toMatchObject({ owner: 1000, mode: 0o400 });
  });

  it("both have one key, which is made once, and which no third one gets", async () => {
    const run = await runProgram({ domain: "home.example.com", ...on, notify: '["json://127.0.0.1/"]' });
    const { result } = run.resource("shared-agent-sandboxes-key").outputs;
    expect(result).toMatch(/^\w{48}$/);
    const holders = async (name: "opencode-release" | "lwsandbox-release" | "edge-release" | "notify-release") =>
      [...(await arrivedFiles(run, name))].flatMap(([path, { content }]) =>
        path !== "secrets" && content.includes(String(result)) ? [path] : [],
      );
    expect(await holders("opencode-release")).toEqual(["sandboxes-key"]);
    expect(await holders("lwsandbox-release")).toEqual(["agent-key"]);
    expect(await holders("edge-release")).toEqual([]);
    expect(await holders("notify-release")).toEqual([]);
  });
});

describe("OpenCode's configuration", () => {
  const command = [
    "/usr/bin/python3",
    "-I",
    "-S",
    "-B",
    "/usr/local/lib/workplace/sandboxes.py",
    "http://opencode-services:9094/sandboxes",
    "/run/secrets/sandboxes-key",
  ];
  const limit = { opencodeMonthlyLimitUsd: "20", notify: '["json://127.0.0.1/"]', opencodeAnthropicApiKey: "k" };

  it.each<[string, Record<string, string>, object]>([
    ["1", {}, { sandbox: { type: "local", command, enabled: true, timeout: 3_700_000 } }],
    [
      "2",
      { opencodeVersion: "2.1.3" },
      { servers: { sandbox: { type: "local", command, timeout: { request: 3_700_000 } } } },
    ],
    ["1 with a limit of costs", limit, { sandbox: { type: "local", command, enabled: true, timeout: 3_700_000 } }],
  ])("names the server of tools in the form of its major: %s", (_name, more, mcp) => {
    const [opencode] = enabledApps(settingsOf({ domain: "home.example.com", ...on, ...more }));
    expect(opencode?.release("home.example.com").values["config"]).toMatchObject({ mcp });
  });

  it("has no such part without the setting", async () => {
    expect(fileOf(await rendered("opencode", {}), "/opencode.json")?.content).not.toContain("mcp");
  });
});
