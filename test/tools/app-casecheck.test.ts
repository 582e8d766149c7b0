import { enabledApps } from "../../components/apps/registry";
import { policyFor } from "../support/access";
import { adapt, validate } from "../support/caddy";
import { type Project, type Service, composeConfig, secretFiles } from "../support/compose";
import { tunnelToken } from "../support/least-apps";
import { textOf } from "../support/plain";
import { type ProgramRun, runProgram } from "../support/program";
import { type ArrivedFile, type UnpackedStack, arrivedFiles, unpack } from "../support/releases";
import { faultsOf, settingsOf } from "../support/settings";

const domain = "home.example.com";
const casecheck = { casecheckEnabled: "true" };
const open = { ...casecheck, casecheckOpen: "true" };
const tunnel = {
  ...casecheck,
  casecheckPublished: "tunnel",
  casecheckTunnelToken: tunnelToken,
  casecheckTunnelHost: "cases.example.org",
};

describe("CaseCheck's settings", () => {
  const noToken = "casecheckTunnelToken is not the token of a Cloudflare Tunnel";
  it.each<[string, Record<string, string>, string[]]>([
    [
      "a tunnel without its token and name",
      { ...casecheck, casecheckPublished: "tunnel" },
      [
        "casecheckTunnelHost is missing: casecheckPublished is tunnel",
        "casecheckTunnelToken is missing: casecheckPublished is tunnel, and there is no casecheckCloudflareApiToken to create one",
      ],
    ],
    [
      "a token and a name without a tunnel",
      { ...tunnel, casecheckPublished: "caddy" },
      ["Token", "Host"].map((word) => `casecheckTunnel${word} has no effect while casecheckPublished is not tunnel`),
    ],
    ["a token that is none", { ...tunnel, casecheckTunnelToken: "eyJhIjoi" }, [noToken]],
    [
      "a token without its key",
      { ...tunnel, casecheckTunnelToken: Buffer.from('{"a":"x","t":"y"}').toString("base64") },
      [noToken],
    ],
    [
      "an address as the tunnel's name",
      { ...tunnel, casecheckTunnelHost: "https://x.example.com" },
      ["casecheckTunnelHost is not a host name"],
    ],
    [
      "another way to publish",
      { ...casecheck, casecheckPublished: "port" },
      ["casecheckPublished is neither caddy nor tunnel"],
    ],
    ...[
      { domain: "cases.example.org" },
      { domain: "example.org" },
      { domain: "example.org", casecheckTunnelHost: "a.b.example.org" },
      { casecheckTunnelHost: "a.1-2-3-4.sslip.io" },
    ].map((settings): [string, Record<string, string>, string[]] => [
      `a tunnel's name that gets the gate's cookie: ${JSON.stringify(settings)}`,
      { ...tunnel, ...settings },
      [
        "casecheckTunnelHost is at or below domain (by default a name of sslip.io), where browsers would send it the cookie of the sign-in portal: use a name outside it",
      ],
    ]),
    ...["Cases.example.org", "cases.example.org.", "CASES.HOME.EXAMPLE.COM", "cases.home.example.com."].map(
      (casecheckTunnelHost): [string, Record<string, string>, string[]] => [
        `${casecheckTunnelHost} as the tunnel's name`,
        { ...tunnel, domain, casecheckTunnelHost },
        ["casecheckTunnelHost is not a host name"],
      ],
    ),
    [
      "an open gate where there is none",
      { ...tunnel, casecheckOpen: "true" },
      ["casecheckOpen has no effect with a tunnel, which the sign-in portal does not protect"],
    ],
    [
      "registration from outside where nothing is open",
      { ...casecheck, casecheckOpenRegistration: "true" },
      ["casecheckOpenRegistration has no effect while casecheckOpen is not true"],
    ],
    [
      "front ends elsewhere where nothing is open",
      { ...casecheck, casecheckOrigins: '["https://cases.pages.dev"]' },
      ["casecheckOrigins has no effect while casecheckOpen is not true"],
    ],
    [
      "front ends elsewhere that Cloudflare Access keeps out",
      {
        ...casecheck,
        casecheckPublished: "tunnel",
        casecheckTunnelHost: "cases.example.org",
        casecheckCloudflareApiToken: "token-of-cloudflare",
        casecheckCloudflareAccountId: "0".repeat(32),
        casecheckCloudflareZoneId: "1".repeat(32),
        casecheckAccessEmails: '["jo@example.com"]',
        casecheckOrigins: '["https://cases.pages.dev"]',
      },
      [
        "casecheckOrigins has no effect with casecheckAccessEmails: Cloudflare Access lets no page of another site call the API",
      ],
    ],
    ...[
      "*",
      "null",
      "http://a.example.com",
      "https://*.pages.dev",
      "https://a.example.com/",
      "https://a.example.com:443",
      "https://A.example.com",
      "a.example.com",
      "https://jo@a.example.com",
    ].map((origin): [string, Record<string, string>, string[]] => [
      `${origin} as an origin`,
      { ...open, casecheckOrigins: JSON.stringify([origin]) },
      ["casecheckOrigins [0] is not an origin such as https://www.example.com"],
    ]),
    [
      "a password that bcrypt would cut",
      { ...casecheck, casecheckAdminPassword: "é".repeat(37) },
      ["casecheckAdminPassword is longer than 72 bytes"],
    ],
    [
      "OpenCode's subdomain",
      { ...casecheck, casecheckSubdomain: "code" },
      ["casecheckSubdomain is already the subdomain of opencodeSubdomain"],
    ],
  ])("refuse %s", (_what, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });

  it.each<[string, Record<string, string>]>([
    ["the switch alone", casecheck],
    ["a tunnel with all it needs", tunnel],
    ["a tunnel with open registration", { ...tunnel, casecheckOpenRegistration: "true" }],
    ["a tunnel's name beside the domain", { ...tunnel, domain: "home.example.org" }],
    ["a tunnel's name that ends like the domain", { ...tunnel, domain: "ses.example.org" }],
    ["an open CaseCheck with open registration", { ...open, casecheckOpenRegistration: "true" }],
    [
      "front ends elsewhere of an open one",
      { ...open, casecheckOrigins: '["https://a.example.com","https://a.example.com:8443"]' },
    ],
    ["front ends elsewhere by a tunnel", { ...tunnel, casecheckOrigins: '["https://a.example.com"]' }],
    ["anything while it is off", { casecheckPublished: "tunnel", casecheckOpenRegistration: "true" }],
  ])("accept %s", (_what, settings) => {
    expect(faultsOf(settings)).toEqual([]);
  });
});

describe("CaseCheck's Route", () => {
  const routesOf = (settings: Record<string, string>) =>
    enabledApps(settingsOf({ domain, ...settings })).flatMap(({ routes }) => routes);
  const openRegistration = { ...open, casecheckOpenRegistration: "true" };

  it.each([
    // Path, by default, open, open with registration
    ["/", "two_factor", "bypass", "bypass"],
    ["/check-in?code=x", "two_factor", "bypass", "bypass"],
    ["/assets/index-1.js", "two_factor", "bypass", "bypass"],
    ["/health", "two_factor", "bypass", "bypass"],
    ["/v1/auth/login", "two_factor", "bypass", "bypass"],
    ["/v1/attendance/check-in", "two_factor", "bypass", "bypass"],
    ["/v1/auth/register", "two_factor", "two_factor", "bypass"],
    ["/v1/auth/register/", "two_factor", "two_factor", "bypass"],
    ["/v1/auth/registered", "two_factor", "bypass", "bypass"],
    ["/docs", "two_factor", "two_factor", "two_factor"],
    ["/redoc", "two_factor", "two_factor", "two_factor"],
    ["/openapi.json", "two_factor", "two_factor", "two_factor"],
    ["/health/x", "two_factor", "two_factor", "two_factor"],
    ["/check-in/x", "two_factor", "two_factor", "two_factor"],
    ["/v10/users", "two_factor", "two_factor", "two_factor"],
    ["/other", "two_factor", "two_factor", "two_factor"],
  ])("for %s says %s; %s where it is open; %s where registration is, too", (path, ...policies) => {
    const said = [casecheck, open, openRegistration].map((settings) =>
      policyFor(routesOf(settings), domain, `casecheck.${domain}`, path),
    );
    expect(said).toEqual(policies);
    expect(policyFor(routesOf(open), domain, `code.${domain}`, path)).toBe("two_factor");
  });

  it("does not exist with a tunnel, nor while CaseCheck is off", () => {
    expect(routesOf(tunnel).map(({ title }) => title)).toEqual(["OpenCode"]);
    expect(routesOf({ ...tunnel, casecheckDocs: "true" }).map(({ title }) => title)).toEqual([
      "OpenCode",
      "CaseCheck API",
    ]);
    expect(routesOf({}).map(({ title }) => title)).toEqual(["OpenCode"]);
  });
});

describe.each([
  ["behind Caddy", casecheck, "https://casecheck.home.example.com"],
  ["behind a tunnel", tunnel, "https://cases.example.org"],
])("CaseCheck's stack %s", (_how, settings, origin) => {
  const tunnelled = "casecheckTunnelToken" in settings;
  let run: ProgramRun;
  let stack: UnpackedStack;
  let files: ReadonlyMap<string, ArrivedFile>;
  let project: Project;
  const service = (name: string): Service => project.services[name] ?? {};
  const networksOf = (name: string) => Object.keys(service(name).networks ?? {}).sort();
  const generated = (role: string) => run.resource(`casecheck-${role}`).outputs["result"] ?? "";

  beforeAll(async () => {
    run = await runProgram({ domain, ...settings });
    stack = unpack(run, "casecheck-release");
    files = await arrivedFiles(run, "casecheck-release");
    project = await composeConfig(stack.composeFile, stack.folder);
  });
  afterAll(() => {
    stack.remove();
  });

  it("starts in order: database, its password, migration, policy, API, pages", () => {
    const needs = (name: string) =>
      Object.fromEntries(Object.entries(service(name).depends_on ?? {}).map(([of, { condition }]) => [of, condition]));
    const done = "service_completed_successfully";
    const healthy = "service_healthy";
    expect(needs("role")).toEqual({ database: healthy });
    expect(needs("migrate")).toEqual({ role: done });
    expect(needs("api")).toEqual({ role: done, migrate: done, opa: healthy });
    expect(needs("web")).toEqual({ api: healthy });
    expect(needs("backup")).toEqual({ migrate: done });
    expect(stack.text("plan")).toContain("timeout 300\n");
    expect(stack.text("plan")).toContain("build api\nbuild opa\nbuild web\n");
  });

  it("keeps database and policy to the API, and gives only the pages a way out", () => {
    expect(networksOf("database")).toEqual(["data"]);
    expect(networksOf("migrate")).toEqual(["data"]);
    expect(networksOf("opa")).toEqual(["policy"]);
    expect(networksOf("api")).toEqual(["data", "front", "policy"]);
    expect(networksOf("web")).toEqual(tunnelled ? ["front", "tunnel"] : ["edge", "front"]);
    for (const name of ["role", "backup"]) expect(service(name).network_mode).toBe("none");
    for (const name of ["data", "policy", "front"]) expect(project.networks?.[name]).toMatchObject({ internal: true });
    expect(Object.values(project.services).flatMap(({ ports = [] }) => ports)).toEqual([]);
    expect(Object.keys(project.services).includes("cloudflared")).toBe(tunnelled);
    if (tunnelled) expect(networksOf("cloudflared")).toEqual(["tunnel"]);
  });

  it("tells the API what it reads: lists as JSON, the policy's path, the prefix its middleware knows", () => {
    expect(service("api").environment).toEqual({
      TZ: "UTC",
      HOME: "/tmp",
      API_V1_PREFIX: "/v1",
      OPA_URL: "http://opa:8181",
      OPA_POLICY_PATH: "/v1/data/casecheck/authz/response",
      BACKEND_CORS_ORIGINS: JSON.stringify([origin]),
      FORWARDED_ALLOW_IPS: "*",
    });
    expect(service("migrate").environment).toEqual(service("api").environment);
  });

  it("writes the database's password into one address, in letters and digits, and gives it to the database too", () => {
    const password = generated("databasePassword");
    expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(files.get("api/DATABASE_URL")).toMatchObject({
      content: `postgresql+asyncpg://casecheck:${password}@database:5432/casecheck`,
      uid: 1000,
      mode: 0o400,
    });
    expect(files.get("database/password")).toMatchObject({ content: password, uid: 70, mode: 0o400 });
    expect(files.get("api/SECRET_KEY")).toMatchObject({ content: generated("secretKey"), uid: 1000, mode: 0o400 });
    expect(generated("secretKey")).toMatch(/^[A-Za-z0-9]{64}$/);
    expect(files.get("api/ADMIN_PASSWORD")?.content).toBe(generated("adminPassword"));
    const secretsOf = (name: string) => Object.keys(secretFiles(service(name))).sort();
    expect(secretsOf("api")).toEqual(["DATABASE_URL", "SECRET_KEY"]);
    expect(secretsOf("migrate")).toEqual(["ADMIN_PASSWORD", "DATABASE_URL", "SECRET_KEY"]);
    expect(secretsOf("database")).toEqual(["password"]);
    expect(secretsOf("opa")).toEqual([]);
    expect(secretsOf("web")).toEqual([]);
  });

  it("shows no secret in what Pulumi keeps or shows, and in no environment", () => {
    const secrets = ["databasePassword", "secretKey", "adminPassword"].map(generated);
    const environments = JSON.stringify(Object.values(project.services).map(({ environment }) => environment));
    const created = textOf(run.resource("casecheck-release").inputs["create"]);
    for (const secret of tunnelled ? [...secrets, tunnelToken] : secrets) {
      expect(environments).not.toContain(secret);
      expect(created).not.toContain(secret);
    }
    if (tunnelled) {
      expect(files.get("tunnel-token")).toMatchObject({ content: tunnelToken, uid: 65532, mode: 0o400 });
      expect(service("cloudflared").environment).toEqual({ TUNNEL_TOKEN_FILE: "/run/secrets/tunnel-token" });
    }
  });

  it("gives the operator the login of the user admin", () => {
    const title = tunnelled ? "casecheck" : "CaseCheck";
    expect(run.outputs["appLogins"]).toEqual({
      secret: true,
      value: { [title]: { username: "admin", password: generated("adminPassword") } },
    });
  });

  it("builds API, policy and pages from the pinned commit, the pages for their own address", () => {
    const dockerfile = files.get("image/Dockerfile")?.content ?? "";
    expect(dockerfile).toContain(
      "git fetch --quiet --depth 1 https://github.com/Newbear1010/CaseCheck 3b30a58887e422528160b7fd17ebc65ecbc5442f",
    );
    expect(dockerfile).toContain(`ENV VITE_API_URL=${origin}\n`);
    expect(dockerfile.match(/^FROM \S+(:\S+@sha256:[0-9a-f]{64})? AS (api|opa|web)$/gm)).toHaveLength(3);
    const targets = ["api", "opa", "web"].map((name) => service(name).build);
    expect(targets).toEqual(["api", "opa", "web"].map((target) => expect.objectContaining({ target }) as unknown));
    expect(service("migrate").image).toBe(service("api").image);
    expect(service("migrate").build).toBeUndefined();
  });

  it("sends the API's paths to the API and all else to the pages", async () => {
    const text = files.get("image/web/Caddyfile")?.content ?? "";
    await expect(validate(text)).resolves.toBeUndefined();
    const config = JSON.stringify(await adapt<object>(text));
    expect(config).toContain(JSON.stringify({ path: ["/v1/*", "/health"] }));
    expect(config).toContain('"dial":"api:8000"');
    expect(config).toContain('"disabled":true');
  });

  it("dumps the database every day into a volume of its own", () => {
    expect(service("backup")).toMatchObject({ entrypoint: ["/bin/sh", "/backup.sh", "7"], user: "70:70" });
    const volumes = service("backup").volumes?.filter(({ type }) => type === "volume");
    expect(volumes?.map(({ source, target }) => `${source} ${target}`)).toEqual([
      "backups /var/lib/postgresql/data",
      "socket /var/run/postgresql",
    ]);
  });
});

describe("CaseCheck's release", () => {
  it("changes with its address and its own settings, and with nothing of another App", async () => {
    const release = async (settings: Record<string, string>) =>
      textOf((await runProgram({ domain, ...casecheck, ...settings })).resource("casecheck-release").inputs["create"]);
    const own = await release({});
    expect(await release({ opencodeEnabled: "false" })).toBe(own);
    expect(await release({ casecheckOpen: "true" })).toBe(own);
    expect(await release({ casecheckSubdomain: "cases" })).not.toBe(own);
    expect(await release({ casecheckBackupsKept: "8" })).not.toBe(own);
  });
});
