import { readFileSync, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import { parse } from "yaml";
import { type Project, type Service, composeConfig, secretFiles } from "../support/compose";
import { enabledApps } from "../../components/apps/registry";
import { appStacks, configurations } from "../support/configurations";
import { runProgram, secretKeys } from "../support/program";
import { type UnpackedStack, unpack } from "../support/releases";
import { settingsOf } from "../support/settings";

describe.each(configurations)("with %s", (_name, settings) => {
  const stackNames = ["auth", "edge", ...appStacks(settings), ...(settings["notify"] ? ["notify"] : [])];
  const has = (name: string) => stackNames.includes(name);
  const stacks: UnpackedStack[] = [];
  const projects: Record<string, Project> = {};
  let services: [string, Service][] = [];
  const service = (name: string): Service => services.find(([own]) => own === name)?.[1] ?? {};

  beforeAll(async () => {
    const run = await runProgram(settings);
    for (const name of stackNames) {
      const stack = unpack(run, `${name}-release`);
      stacks.push(stack);
      projects[name] = await composeConfig(stack.composeFile, stack.folder);
    }
    services = stackNames.flatMap((name) =>
      Object.entries(projects[name]?.services ?? {}).map(([own, value]): [string, Service] => [
        `${name}/${own}`,
        value,
      ]),
    );
  });
  afterAll(() => {
    for (const stack of stacks) stack.remove();
  });

  it("every compose file is strict YAML with each key once", () => {
    for (const { composeFile } of stacks) {
      const parsed: unknown = parse(readFileSync(composeFile, "utf8"), { strict: true, uniqueKeys: true, merge: true });
      expect(parsed).toHaveProperty("services");
    }
  });

  it("these services run", () => {
    const terminal = settings["opencodeTerminal"] === "false" ? [] : ["terminal"];
    const tunnel = settings["casecheckPublished"] === "tunnel" ? ["cloudflared"] : [];
    // Of an App that is not listed here, those that its Routes lead to.
    const listed: Readonly<Record<string, readonly string[]>> = {
      auth: ["authelia", "seed", "sessions"],
      edge: ["caddy"],
      opencode: ["server", ...terminal],
      "tg-signer": ["web"],
      donation: ["proxy", "site"],
      casecheck: ["api", "backup", "database", "migrate", "opa", "role", "web", ...tunnel],
      notify: ["notifier", "sign-ins"],
      lwsandbox: ["gateway", "server", "web"],
    };
    for (const name of stackNames) {
      const running = Object.keys(projects[name]?.services ?? {}).sort();
      expect([name, running]).toEqual([name, listed[name]?.toSorted() ?? running]);
    }
    const aliases = services.flatMap(([, { networks = {} }]) => networks["edge"]?.aliases ?? []);
    const upstreams = enabledApps(settingsOf(settings)).flatMap(({ routes }) => routes.map(({ upstream }) => upstream));
    expect(aliases).toEqual(expect.arrayContaining(upstreams.map((upstream) => upstream.replace(/:.*/, ""))));
  });

  it("every image is pinned by a version or a digest, or built here and named by the digest of its folder", () => {
    for (const [name, { image = "", build }] of services) {
      expect([name, image]).toEqual([name, expect.stringMatching(/:[\w][\w.-]*(@sha256:[0-9a-f]{64})?$/)]);
      expect(image).not.toMatch(/:latest/);
      if (build) expect(image).toMatch(/^cloudcode\/[a-z-]+:[0-9a-f]{16}$/);
    }
  });

  it("every service restarts and proves its health, but for those that run once", () => {
    const once = new Set(
      services.flatMap(([name, { depends_on = {} }]) =>
        Object.entries(depends_on)
          .filter(([, { condition }]) => condition === "service_completed_successfully")
          .map(([other]) => `${name.split("/")[0] ?? ""}/${other}`),
      ),
    );
    const named = ["auth/seed", ...(has("casecheck") ? ["casecheck/role", "casecheck/migrate"] : [])];
    expect([...once]).toEqual(expect.arrayContaining(named));
    for (const [name, { restart, healthcheck }] of services) {
      if (once.has(name)) {
        expect(restart).toBe("no");
        continue;
      }
      expect([name, restart]).toEqual([name, "unless-stopped"]);
      expect(healthcheck?.disable).not.toBe(true);
      expect([name, healthcheck?.test[0]]).toEqual([name, "CMD"]);
    }
  });

  it("the service that runs once is waited for by one that stays", () => {
    expect(service("auth/authelia").depends_on).toMatchObject({
      seed: { condition: "service_completed_successfully" },
      sessions: { condition: "service_healthy" },
    });
  });

  it("every service has a memory limit, no capabilities but those a comment argues for, and gains no privileges", () => {
    const added = { "auth/seed": ["CHOWN", "DAC_OVERRIDE", "FOWNER"], "edge/caddy": ["NET_BIND_SERVICE"] };
    for (const [name, { mem_limit, cap_drop, security_opt }] of services) {
      expect([name, Number(mem_limit)]).toEqual([name, expect.any(Number)]);
      expect(Number(mem_limit)).toBeGreaterThan(0);
      expect([name, cap_drop]).toEqual([name, ["ALL"]]);
      expect([name, security_opt]).toEqual([name, ["no-new-privileges:true"]]);
    }
    const actual = services.filter(([, { cap_add }]) => cap_add).map(([name, { cap_add }]) => [name, cap_add]);
    expect(Object.fromEntries(actual)).toEqual(added);
  });

  it("no service sees the host: no network, processes, devices or sockets of it", () => {
    for (const [name, { network_mode, pid, ipc, privileged, devices, volumes = [] }] of services) {
      expect([name, { pid, ipc, privileged, devices }]).toEqual([name, {}]);
      expect([undefined, "none"]).toContain(network_mode);
      for (const { type, source, read_only } of volumes.filter((volume) => volume.type !== "volume")) {
        expect([name, type, read_only]).toEqual([name, "bind", true]);
        expect(stacks.some(({ folder }) => isAbsolute(source) && source.startsWith(`${folder}/`))).toBe(true);
      }
    }
  });

  it("only Caddy publishes ports: 80 and 443, the latter for HTTP/3 too", () => {
    const published = services.flatMap(([name, { ports = [] }]) =>
      ports.map((port) => `${name} ${port.host_ip ?? ""}:${port.published}->${port.target}/${port.protocol}`),
    );
    expect(published).toEqual(["edge/caddy :80->80/tcp", "edge/caddy :443->443/tcp", "edge/caddy :443->443/udp"]);
  });

  it("each App shares a network with Caddy alone, and Authelia's sessions one with Authelia alone", () => {
    const externals = stackNames.map((name) =>
      Object.values(projects[name]?.networks ?? {})
        .filter(({ external }) => external)
        .map((network) => network.name),
    );
    // Caddy joins them while it runs, so that a new Route restarts nothing.
    const published = enabledApps(settingsOf(settings)).flatMap(({ name, routes }) =>
      routes.length > 0 ? [name] : [],
    );
    expect(published.includes("casecheck")).toBe(has("casecheck") && settings["casecheckPublished"] !== "tunnel");
    const edges = published.map((name) => `cloudcode-edge-${name}`);
    const own = appStacks(settings).map((name) => (published.includes(name) ? [`cloudcode-edge-${name}`] : []));
    // It publishes no name there, and asks OpenCode alone.
    const notifier = has("notify") ? ["cloudcode-edge-notify"] : [];
    const heard = has("notify") ? [[...notifier, "cloudcode-edge-opencode"]] : [];
    expect(externals).toEqual([["cloudcode-edge-auth"], [], ...own, ...heard]);
    const [auth] = stacks;
    expect(auth?.text("plan")).toContain("network cloudcode-edge-auth\n");
    const joined = ["cloudcode-edge-auth", ...edges, ...notifier].map((edge) => `network ${edge}\n`).join("");
    expect(stacks[1]?.text("plan")).toMatch(new RegExp(`^${joined}joins caddy\n`));
    expect(projects["auth"]?.networks?.["sessions"]).toMatchObject({ internal: true });
    expect(Object.keys(service("auth/sessions").networks ?? {})).toEqual(["sessions"]);
    expect(service("auth/seed").network_mode).toBe("none");
  });

  it("answers on an edge network only to names that start with the App's own", () => {
    for (const [name, { networks = {} }] of services) {
      const app = name.split("/")[0];
      for (const alias of networks["edge"]?.aliases ?? []) expect(alias).toMatch(new RegExp(`^${app ?? ""}-`));
    }
  });

  it("every file and folder that is mounted or built from is part of the release, but for what the machine makes", () => {
    const folders = services.map(([, { build }]) => build?.context).filter((path) => path !== undefined);
    const mounted = services.flatMap(([, { volumes = [] }]) =>
      volumes.filter(({ type }) => type === "bind").map(({ source }) => source),
    );
    const isMade = (path: string) => /\/access\/|\/(page|queue)$/.test(path);
    const made = mounted.filter(isMade).map((path) => path.replace(/.*\/(access\/)?/, ""));
    const lwsandbox = has("lwsandbox") ? ["gateway", "server"] : [];
    expect(made.toSorted()).toEqual(["page", ...lwsandbox, ...(has("notify") ? ["queue"] : [])].toSorted());
    expect(folders.length).toBeGreaterThan(0);
    expect(mounted.length).toBeGreaterThan(5);
    const carried = mounted.filter((path) => !isMade(path));
    for (const path of [...folders, ...carried]) expect(statSync(path).size).toBeGreaterThan(0);
  });

  it("no service has a secret of Compose's own kind, whose changed file would not recreate the container", () => {
    for (const name of stackNames) expect(projects[name]?.secrets).toBeUndefined();
  });

  it("no secret stands in an environment", () => {
    const texts = services.map(([, { environment = {} }]) => JSON.stringify(environment)).join("\n");
    for (const key of secretKeys) {
      // A shorter one would be found by chance.
      if ((settings[key]?.length ?? 0) > 3) expect(texts).not.toContain(JSON.stringify(settings[key]).slice(1, -1));
    }
    for (const [, { environment = {} }] of services) {
      for (const [key, value] of Object.entries(environment).filter(([name]) =>
        /SECRET|KEY|PASSWORD|HASH/.test(name),
      )) {
        expect([key, value]).toEqual([
          expect.stringMatching(/_FILE$/),
          expect.stringMatching(/^\/(run\/secrets|config)\//),
        ]);
      }
    }
  });

  it("values arrive in containers as they were set", () => {
    expect(service("opencode/server").environment).toEqual({
      TZ: settings["timeZone"] ?? "UTC",
      OPENCODE_CONFIG: "/run/secrets/opencode.json",
    });
    expect(Number(service("opencode/server").mem_limit)).toBe(
      Number(settings["opencodeMemoryMiB"] ?? 2048) * 1024 ** 2,
    );
    const keys = {
      ANTHROPIC_API_KEY: settings["opencodeAnthropicApiKey"],
      OPENAI_API_KEY: settings["opencodeOpenaiApiKey"],
    };
    const files = secretFiles(service("opencode/server"));
    for (const [name, value] of Object.entries(keys)) {
      const file = files[name];
      expect(file === undefined ? undefined : readFileSync(file, "utf8")).toBe(value);
    }
  });
});

describe("the gateway of a stack with people", () => {
  it("is a compose file that the real Compose takes, in which what is added has the walls of all services", async () => {
    const people = '[{"name":"jo","mail":"jo@example.com","apps":["opencode"]}]';
    const stack = unpack(await runProgram({ people }), "auth-release");
    try {
      const { services } = await composeConfig(stack.composeFile, stack.folder);
      expect(Object.keys(services).sort()).toEqual(["authelia", "forget", "seed", "sessions"]);
      const { forget, sessions, authelia } = services;
      for (const wall of ["cap_drop", "security_opt", "image"] as const)
        expect(forget?.[wall]).toEqual(sessions?.[wall]);
      expect(forget?.cap_drop).toEqual(["ALL"]);
      expect(forget?.cap_add).toBeUndefined();
      expect(Object.keys(forget?.networks ?? {})).toEqual(["sessions"]);
      expect(forget).toMatchObject({ restart: "no", mem_limit: "67108864" });
      // As the shell gets it: the dollar sign is not Compose's.
      expect(JSON.stringify(forget)).toMatch(/[^$]\$\(valkey-cli -h sessions flushall\)/);
      const script = authelia?.volumes?.find(({ target }) => target === "/seed/admit.sh");
      expect(statSync(script?.source ?? "").mode & 0o111).toBe(0o111);
      expect(script?.read_only).toBe(true);
    } finally {
      stack.remove();
    }
  });
});

describe("lwsandbox with an agent that uses sandboxes", () => {
  it("is a compose file that the real Compose takes, in which what is added has the walls of all services", async () => {
    const settings = { lwsandboxEnabled: "true", opencodeSandboxes: "3" };
    const stack = unpack(await runProgram(settings), "lwsandbox-release");
    try {
      const { services, volumes } = await composeConfig(stack.composeFile, stack.folder);
      expect(Object.keys(services).sort()).toEqual(["agent", "agent-key", "gateway", "server", "web"]);
      const { agent, "agent-key": key, web } = services;
      for (const wall of ["cap_drop", "security_opt", "read_only", "restart"] as const)
        expect([agent?.[wall], key?.[wall]]).toEqual([web?.[wall], web?.[wall]]);
      for (const one of [agent, key]) {
        expect(one?.image).toMatch(/python:3\.12-slim@sha256:/);
        expect(Object.keys(one?.networks ?? {})).toEqual(["edge"]);
        expect(one?.cap_add).toBeUndefined();
      }
      // The shell in the container gets one dollar sign.
      expect(JSON.stringify(key?.healthcheck)).toMatch(/[^$]\$\(find \/tmp\/looked -mmin -5\)|\$\$\(find/);
      expect(agent).toMatchObject({
        user: "8003:8003",
        entrypoint: expect.arrayContaining(["/guard.py", "3"]) as string[],
      });
      expect(volumes?.["agent"]).toMatchObject({ labels: { "cloudcode.backup": "no" } });
    } finally {
      stack.remove();
    }
  });
});
