import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { enabledApps } from "../../components/apps/registry";
import { readConfig } from "@cloudcode/donation-site/src/config";
import { openWorld } from "@cloudcode/donation-site/testing/kit";
import { policyFor } from "../support/access";
import { configurations } from "../support/configurations";
import { donation } from "../support/least-apps";
import { textOf } from "../support/plain";
import { type ProgramRun, runProgram } from "../support/program";
import { projectRoot } from "../support/project-root";
import { type ArrivedFile, arrivedFiles } from "../support/releases";
import { faultsOf, settingsOf } from "../support/settings";

const domain = "home.example.com";

/** The donation App of these settings. */
const appOf = (settings: Readonly<Record<string, string>>) =>
  enabledApps(settingsOf({ domain, ...settings })).find(({ name }) => name === "donation");

describe("the donation site's settings", () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      "nothing but the switch",
      { donationEnabled: "true" },
      [
        "donationLinuxDoClientId is missing: visitors log in with a client of Linux Do Connect",
        "donationLinuxDoClientSecret is missing: visitors log in with a client of Linux Do Connect",
        "donationNewApiUrl is missing: donations give quota at a new-api server",
        "donationNewApiAdminToken is missing: donations give quota at a new-api server",
      ],
    ],
    [
      "an administrator by name",
      { ...donation, donationAdminLinuxDoIds: '["ada"]' },
      ["donationAdminLinuxDoIds [0] is not the numeric id of a Linux Do user"],
    ],
    [
      "an administrator of number 0",
      { ...donation, donationAdminLinuxDoIds: "[0]" },
      ["donationAdminLinuxDoIds [0] is not the numeric id of a Linux Do user"],
    ],
    ["a quota of nothing", { ...donation, donationQuotaAmount: "0" }, ["donationQuotaAmount is below 1"]],
    [
      "a token no header can carry",
      { ...donation, donationNewApiAdminToken: "a b" },
      ["donationNewApiAdminToken is not an access token"],
    ],
    [
      "one subdomain for both",
      { ...donation, donationProxySubdomain: "donate" },
      ["donationProxySubdomain is already the subdomain of donationSubdomain"],
    ],
    ...["https://login.home.example.com/authorize", "https://Home.Example.com/authorize"].map(
      (url): [string, Record<string, string>, string[]] => [
        `a login at ${url}`,
        { ...donation, domain, donationLinuxDoAuthUrl: url },
        [
          "donationLinuxDoAuthUrl is at or below domain (by default a name of sslip.io), where browsers would send it the cookie of the sign-in portal: use a name outside it",
        ],
      ],
    ),
    ["a login beside the domain", { ...donation, domain, donationLinuxDoAuthUrl: "https://login.example.com/a" }, []],
    ["what it needs, and what it does not need while it is off", donation, []],
    ["it off, whatever else is missing", { donationSubdomain: "give" }, []],
  ])("with %s", (_name, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });

  it("leave it off by default", async () => {
    expect(appOf({})).toBeUndefined();
    expect((await runProgram()).resources.map(({ name }) => name)).not.toContain("donation-release");
  });
});

describe("the donation site's paths", () => {
  const routes = appOf(donation)?.routes ?? [];

  it.each([
    ["donate", "/", "bypass"],
    ["donate", "/?lang=zh", "bypass"],
    ["donate", "/style.css", "bypass"],
    ["donate", "/linuxdo/login", "bypass"],
    ["donate", "/linuxdo/callback?code=a&state=b", "bypass"],
    ["donate", "/bind", "bypass"],
    ["donate", "/donate", "bypass"],
    ["donate", "/status", "bypass"],
    ["donate", "/logout", "bypass"],
    ["donate", "/unbind", "bypass"],
    ["donate", "/unbind/x", "two_factor"],
    ["donate", "/bindings/unbind", "two_factor"],
    ["donate", "/auth-files", "two_factor"],
    ["donate", "/auth-files/download?name=a.json", "two_factor"],
    ["donate", "/auth-files/upload", "two_factor"],
    ["donate", "/auth-files/delete", "two_factor"],
    ["donate", "/healthz", "two_factor"],
    ["donate", "/bind/", "two_factor"],
    ["donate", "/bindings", "two_factor"],
    ["donate", "/linuxdo", "two_factor"],
    ["donate", "/linuxdo/login/x", "two_factor"],
    ["donate", "/x?/bind", "two_factor"],
    ["donate", "/v1/models", "two_factor"],
    ["donate", "/v0/management/auth-files", "two_factor"],
    ["models", "/v1/chat/completions", "bypass"],
    ["models", "/v1/models", "bypass"],
    ["models", "/v1/ws", "bypass"],
    ["models", "/v1beta/models/x:generateContent", "bypass"],
    ["models", "/", "two_factor"],
    ["models", "/v1internal:generate", "two_factor"],
    ["models", "/v0/management/auth-files", "two_factor"],
    ["models", "/v0/management/api-call", "two_factor"],
    ["models", "/management.html", "two_factor"],
    ["models", "/codex/callback?code=x", "two_factor"],
    ["models", "/api/auth", "two_factor"],
    ["models", "/donate", "two_factor"],
    ["code", "/donate", "deny"],
  ])("of %s, %s is %s", (subdomain, path, policy) => {
    expect(policyFor(routes, domain, `${subdomain}.${domain}`, path)).toBe(policy);
  });

  it("that are open are pages of the site, and what is not open is for administrators or for the health check", async () => {
    const world = await openWorld();
    const pages = new Set(world.service.app.routes.filter(({ method }) => method !== "ALL").map(({ path }) => path));
    await world.stop();
    const open = routes[0]?.paths.map(({ path }) => path) ?? [];
    const files = ["/auth-files", "/auth-files/delete", "/auth-files/download", "/auth-files/upload"];
    const closed = [...files, "/bindings", "/bindings/unbind", "/donations", "/donations/decide", "/healthz"];
    expect([...pages].sort()).toEqual([...open, ...closed].sort());
  });
});

describe.each(configurations.filter(([, { donationEnabled }]) => donationEnabled))("with %s", (_name, settings) => {
  let run: ProgramRun;
  let files: ReadonlyMap<string, ArrivedFile>;
  const text = (path: string) => files.get(path)?.content ?? "";
  const made = (name: string) => run.resource(`donation-${name}`).outputs["result"];

  beforeAll(async () => {
    run = await runProgram(settings);
    files = await arrivedFiles(run, "donation-release");
  });

  it("the site reads its configuration as it was set", () => {
    const environment = {
      NEW_API_BASE_URL: settings["donationNewApiUrl"],
      NEW_API_ADMIN_TOKEN: text("new-api-token"),
    };
    const ids = JSON.parse(settings["donationAdminLinuxDoIds"] ?? "[]") as (number | string)[];
    expect(readConfig(text("site.yaml"), environment)).toMatchObject({
      oauth: {
        clientId: settings["donationLinuxDoClientId"],
        clientSecret: settings["donationLinuxDoClientSecret"],
        redirectUri: `https://${settings["donationSubdomain"] ?? ""}.${settings["domain"] ?? ""}/linuxdo/callback`,
        authUrl: settings["donationLinuxDoAuthUrl"],
        tokenUrl: settings["donationLinuxDoTokenUrl"] ?? "https://connect.linux.do/oauth2/token",
        userUrl: settings["donationLinuxDoUserUrl"] ?? "https://connect.linux.do/api/user",
      },
      adminIds: ids.map(Number),
      quotaAmount: Number(settings["donationQuotaAmount"] ?? 2_000_000),
      modelProxy: { url: "http://proxy:8317", managementKey: made("managementKey") },
      newApi: { adminToken: settings["donationNewApiAdminToken"] },
    });
  });

  it("the proxy asks everybody for a key: API clients for one, the site for the other", () => {
    expect(parse(text("proxy.yaml"), { strict: true })).toEqual({
      port: 8317,
      "auth-dir": "/auths",
      "api-keys": [made("modelKey")],
      "ws-auth": true,
      "logging-to-file": false,
      "usage-statistics-enabled": true,
      "redis-usage-queue-retention-seconds": 3600,
      "remote-management": {
        "allow-remote": true,
        "secret-key": made("managementKey"),
        "disable-control-panel": true,
      },
    });
    expect(made("modelKey")).not.toBe(made("managementKey"));
  });

  it("secret files belong to who reads them, and nobody else can", () => {
    const owners = ["site.yaml", "new-api-token", "proxy.yaml"].map((path) => [
      files.get(path)?.uid,
      files.get(path)?.mode,
    ]);
    expect(owners).toEqual([
      [1000, 0o400],
      [1000, 0o400],
      [0, 0o400],
    ]);
  });

  it("the image's folder holds what the image needs, and is small", () => {
    const image = [...files.keys()].filter((path) => path.startsWith("image/"));
    expect(image).toEqual(
      expect.arrayContaining([
        "image/Dockerfile",
        "image/package.json",
        "image/package-lock.json",
        "image/src/main.ts",
      ]),
    );
    expect(image.filter((path) => /test|node_modules/.test(path))).toEqual([]);
    expect(textOf(run.resource("donation-release").inputs["stdin"]).length).toBeLessThan(300_000);
  });
});

test("the image's packages are those the tests run with", () => {
  const lock = z.object({ packages: z.record(z.string(), z.looseObject({ version: z.string().optional() })) });
  const read = (path: string) => lock.parse(JSON.parse(readFileSync(join(projectRoot, path), "utf8"))).packages;
  const [own, all] = [read("packages/donation-site/package-lock.json"), read("package-lock.json")];
  for (const name of ["hono", "@hono/node-server", "libsql", "oauth4webapi", "pino", "yaml", "zod", "esbuild"]) {
    const path = `node_modules/${name}`;
    const nested = all[`packages/donation-site/${path}`];
    expect([name, own[path]?.version]).toEqual([name, (nested ?? all[path])?.version]);
  }
});
