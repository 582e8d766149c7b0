import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { enabledApps } from "../../components/apps/registry";
import { policyFor } from "../support/access";
import { configurations } from "../support/configurations";
import { Edge } from "../support/edge";
import { minimalAlicloud } from "../support/minimal";
import { type ProgramRun, runProgram } from "../support/program";
import { type ArrivedFile, arrivedFiles } from "../support/releases";
import { faultsOf, settingsOf } from "../support/settings";

const domain = "home.example.com";
const on = { lwsandboxEnabled: "true" };

const appOf = (settings: Readonly<Record<string, string>>) =>
  enabledApps(settingsOf({ domain, ...settings })).find(({ name }) => name === "lwsandbox");

describe("lwsandbox's settings", () => {
  it.each<[string, Record<string, string>, string[]]>([
    ["nothing but the switch", on, []],
    [
      "the password that every liteboxd comes with",
      { ...on, lwsandboxAdminPassword: "liteboxd-admin" },
      ["lwsandboxAdminPassword is the default password of liteboxd"],
    ],
    [
      "a password that bcrypt would cut off",
      { ...on, lwsandboxAdminPassword: "é".repeat(40) },
      ["lwsandboxAdminPassword is longer than 72 bytes"],
    ],
    [
      "Docker's networks at the cluster's place",
      { ...on, dockerAddressPool: "10.40.0.0/13" },
      [
        "dockerAddressPool overlaps with 10.42.0.0/16, 10.43.0.0/16, 10.44.0.0/24, the networks of k3s, which lwsandbox needs",
      ],
    ],
    ["the same while it is off", { dockerAddressPool: "10.40.0.0/13" }, []],
    [
      "a k3s that nobody released",
      { ...on, lwsandboxK3s: '{"version":"1.34","binarySha256":"0","imagesSha256":"0"}' },
      [
        "lwsandboxK3s [version] is not a version of k3s, such as v1.34.2+k3s1",
        "lwsandboxK3s [binarySha256] is not a SHA-256: 64 digits of 0-9 and a-f",
        "lwsandboxK3s [imagesSha256] is not a SHA-256: 64 digits of 0-9 and a-f",
      ],
    ],
    [
      "half a k3s",
      { ...on, lwsandboxK3s: "{}" },
      ["version", "binarySha256", "imagesSha256"].map((part) => `lwsandboxK3s [${part}] is missing`),
    ],
    ["a session without life", { ...on, lwsandboxSessionMaxAge: "0" }, ["lwsandboxSessionMaxAge is below 60"]],
  ])("with %s", (_name, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });

  it.each<[string, Record<string, string>, string[]]>([
    [
      "types of less memory",
      { instanceTypes: '["ecs.e-c1m2.large","ecs.e-c1m4.large","ecs.c7.large"]', budgetUsd: "1000" },
      ["ecs.e-c1m2.large with 4 GiB", "ecs.c7.large with 4 GiB"],
    ],
    ["types of enough", { instanceTypes: '["ecs.e-c1m4.large","ecs.g7.large"]', budgetUsd: "1000" }, []],
    ["a type whose name does not tell", { instanceTypes: '["ecs.n4.large"]', budgetUsd: "1000" }, []],
    ["less asked for", { instanceTypes: '["ecs.c7.large"]', budgetUsd: "1000", lwsandboxMinimumMemoryMiB: "3500" }, []],
  ])("on Alibaba Cloud, with %s", (_name, settings, types) => {
    expect(faultsOf({ ...on, ...settings }, minimalAlicloud)).toEqual(
      types.map(
        (type) =>
          `instanceTypes contains ${type} of memory: lwsandbox needs ${settings["lwsandboxMinimumMemoryMiB"] ?? "7168"} MiB (lwsandboxMinimumMemoryMiB); list only types such as ecs.e-c1m4.large or ecs.e-c1m2.xlarge`,
      ),
    );
  });

  it("leave it off by default", async () => {
    expect(appOf({})).toBeUndefined();
    expect((await runProgram()).resources.map(({ name }) => name)).not.toContain("lwsandbox-release");
  });
});

describe("lwsandbox at the edge", () => {
  const routes = appOf(on)?.routes ?? [];
  let edge: Edge;
  beforeAll(async () => {
    edge = await Edge.open(routes);
  });
  afterAll(() => {
    edge.close();
  });

  const apiKey = ["Authorization", "Bearer lbxk_0a1b2c"] as const;
  const token = ["X-Access-Token", "0a1b2c"] as const;
  const server = "lwsandbox-server:8080";
  const gateway = "lwsandbox-gateway:8081";

  it.each<[string, (readonly [string, string])[], string]>([
    ["/api/v1/sandboxes", [apiKey], server],
    ["/api/v1/sandboxes/1/exec/interactive", [apiKey], server],
    ["/api/v1/templates?x=1", [apiKey], server],
    ["/api/v1/auth/me", [apiKey], server],
    ["/api/v1/auth/login", [apiKey], "gate"],
    ["/api/v1/auth/logout", [apiKey], "gate"],
    ["/api/v1/auth/change-password", [apiKey], "gate"],
    ["/api/v1/auth/api-keys", [apiKey], "gate"],
    ["/api/v1/auth/api-keys/7", [apiKey], "gate"],
    ["/api/v1/auth/api-keys", [apiKey, token], "gate"],
    ["/api/v1/auth//api-keys", [apiKey], "gate"],
    ["/api/v1/auth%2fapi-keys", [apiKey], "gate"],
    ["/api/v1/auth/me/../api-keys", [apiKey], "gate"],
    ["/api/v1/auth/me/x", [apiKey], "gate"],
    ["/api/v1/sandboxes", [], "gate"],
    ["/api/v1/sandboxes", [["Authorization", "Bearer eyJhbGciOi"]], "gate"],
    ["/api/v1/sandboxes", [["Authorization", "Bearer xlbxk_0a1b"]], "gate"],
    ["/api/v1/sandboxes", [["Authorization", "Bearer lbxk_"]], "gate"],
    ["/api/v1/sandboxes", [["Authorization", "lbxk_0a1b"]], "gate"],
    ["/api/v1/sandboxes", [["Authorization", "Bearer  lbxk_0a1b"]], "gate"],
    ["/api/v1/sandboxes", [["Authorization", "Basic bGJ4a18="], apiKey], "gate"],
    ["/api/v1/sandboxes", [token], "gate"],
    ["/api/v2/sandboxes", [apiKey], "gate"],
    ["/api/v1/sandbox/7/port/3000/x", [token], gateway],
    ["/api/v1/sandbox/7/port/3000/x", [token, apiKey], gateway],
    ["/api/v1/sandbox/7/port/3000/x", [apiKey], "gate"],
    ["/api/v1/sandbox/7/port/3000/x", [], "gate"],
    ["/api/v1/sandbox/../auth/api-keys", [token], "gate"],
    ["/", [apiKey], "gate"],
    ["/", [token], "gate"],
    ["/health", [apiKey], "gate"],
    ["/readyz", [token], "gate"],
  ])("%s with %j is answered by %s", async (path, headers, at) => {
    expect((await edge.get("sandbox", path, headers)).at).toBe(at);
  });

  it("no session reaches the server beside a key, nor a sandbox at all", async () => {
    const cookie = ["Cookie", "theirs=1; liteboxd_session=abc; authelia_session=def"] as const;
    const api = await edge.get("sandbox", "/api/v1/sandboxes", [apiKey, cookie]);
    expect([api.at, api.headers.cookie ?? ""]).toEqual([server, ""]);
    const box = await edge.get("sandbox", "/api/v1/sandbox/7/port/80/", [token, cookie]);
    expect([box.at, box.headers.cookie?.trim()]).toEqual([gateway, "theirs=1;"]);
  });

  it.each([
    "/",
    "/assets/x.js",
    "/api/v1/auth/login",
    "/api/v1/auth/api-keys",
    "/api/v1/sandbox/7/port/80/",
    "/health",
  ])("the gate asks for two factors at %s", (path) => {
    expect(policyFor(routes, domain, `sandbox.${domain}`, path)).toBe("two_factor");
  });
});

describe.each(configurations.filter(([, { lwsandboxEnabled }]) => lwsandboxEnabled))("with %s", (_name, settings) => {
  let run: ProgramRun;
  let files: ReadonlyMap<string, ArrivedFile>;
  const text = (path: string) => files.get(path)?.content ?? "";

  beforeAll(async () => {
    run = await runProgram(settings);
    files = await arrivedFiles(run, "lwsandbox-release");
  });

  it("k3s takes no port of Caddy's, and answers by the name its clients call it", () => {
    expect(parse(text("host/config.yaml"))).toMatchObject({
      disable: ["traefik", "servicelb", "metrics-server", "local-storage"],
      "tls-san": ["10.44.0.1"],
      "cluster-cidr": "10.42.0.0/16",
      "service-cidr": "10.43.0.0/16",
      "write-kubeconfig-mode": "0600",
    });
  });

  it("images of sandboxes come through the mirrors that Docker has", () => {
    const mirrors = JSON.parse(settings["registryMirrors"] ?? "[]") as string[];
    expect(parse(text("host/registries.yaml"))).toEqual({
      mirrors: mirrors.length === 0 ? {} : { "docker.io": { endpoint: mirrors } },
    });
  });

  it("a shell reads the settings of the machine as they were set", () => {
    const folder = mkdtempSync(join(tmpdir(), "settings-"));
    writeFileSync(join(folder, "settings.sh"), text("host/settings.sh"));
    const script =
      '. "$1"/settings.sh; printf "%s\\n" "$version" "$url" "$binary_sha256" "$images_sha256" "$api_address"';
    const read = execFileSync("sh", ["-eu", "-c", script, "sh", folder], { encoding: "utf8" }).trim().split("\n");
    rmSync(folder, { recursive: true });
    expect(read).toEqual([
      "v1.34.2+k3s1",
      (settings["lwsandboxK3sUrl"] ?? "").replace(/\/$/, ""),
      expect.stringMatching(/^[0-9a-f]{64}$/),
      expect.stringMatching(/^[0-9a-f]{64}$/),
      "10.44.0.1",
    ]);
  });

  it("of its networks the one to the sandboxes comes first by name, through which Docker routes", () => {
    const { networks } = parse(text("compose.yaml")) as { networks: Record<string, { name: string }> };
    const names = Object.values(networks).map(({ name }) => name);
    expect(names.toSorted()[0]).toBe(networks["control"]?.name);
  });

  it("the password arrives as it was set, for root alone", () => {
    const file = files.get("admin-password");
    expect([file?.content, file?.mode, file?.uid]).toEqual([settings["lwsandboxAdminPassword"], 0o400, 0]);
  });

  it("the machine's memory is asked for before anything is touched", () => {
    expect(text("plan")).toContain(
      `memory ${settings["lwsandboxMinimumMemoryMiB"] ?? "7168"} lwsandboxMinimumMemoryMiB\n`,
    );
  });
});

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

describe("what liteboxd may do in the cluster", () => {
  let objects: KubernetesObject[];
  beforeAll(async () => {
    const files = await arrivedFiles(await runProgram({ domain, ...on }), "lwsandbox-release");
    objects = parseAllDocuments(files.get("host/cluster.yaml")?.content ?? "").map(
      (document) => document.toJS() as KubernetesObject,
    );
  });

  it("is limited to its namespace, but for looking at that and at the machines", () => {
    const wide = objects.filter(({ kind }) => kind === "ClusterRole").flatMap(({ rules = [] }) => rules);
    expect(wide).toEqual([
      { apiGroups: [""], resources: ["namespaces"], resourceNames: ["liteboxd-sandbox"], verbs: ["get"] },
      { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list"] },
    ]);
  });

  it("names every verb and resource, no secret, no proxy, no node", () => {
    const rules = objects.flatMap(({ rules: own = [] }) => own);
    expect(rules.length).toBeGreaterThan(5);
    for (const { apiGroups, resources, verbs } of rules) {
      expect([...apiGroups, ...resources, ...verbs]).not.toContain("*");
      for (const forbidden of [
        "secrets",
        "pods/proxy",
        "nodes/proxy",
        "serviceaccounts/token",
        "pods/ephemeralcontainers",
      ])
        expect(resources).not.toContain(forbidden);
    }
  });

  it("makes no pod with privileges or a part of the machine", () => {
    const namespace = objects.find(
      ({ kind, metadata }) => kind === "Namespace" && metadata.name === "liteboxd-sandbox",
    );
    expect(namespace?.metadata.labels).toEqual({ "pod-security.kubernetes.io/enforce": "baseline" });
  });
});
