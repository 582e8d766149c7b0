import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { opencodeVersion } from "../../components/apps/opencode";
import { enabledApps } from "../../components/apps/registry";
import { type Route, hostOf, indexIcons } from "../../components/routes";
import { type CaddyConfig, type Handler, adapt, handlersOf, validate } from "../support/caddy";
import { configurations } from "../support/configurations";
import { runProgram } from "../support/program";
import { projectRoot } from "../support/project-root";
import { type UnpackedStack, unpack } from "../support/releases";
import { settingsOf } from "../support/settings";

const second = 1e9;

describe.each(configurations)("with %s", (_name, settings) => {
  const domain = settings["domain"] ?? "203-0-113-7.sslip.io";
  const app = `${settings["opencodeSubdomain"] ?? "code"}.${domain}`;
  const portal = `auth.${domain}`;
  const routes = enabledApps(settingsOf(settings)).flatMap((one) => one.routes);
  const hosts = (some: readonly Route[]) => some.map((route) => hostOf(route, domain));
  const apps = hosts(routes);
  const basic = hosts(routes.filter(({ basicAuth }) => basicAuth !== undefined));
  const withKeys = hosts(routes.filter(({ keys = [] }) => keys.length > 0));
  const previews = hosts(routes.filter(({ localPort }) => localPort !== undefined));
  const withDevices = hosts(routes.filter(({ upstreamLogin }) => (upstreamLogin?.devices ?? []).length > 0));
  const everywhere = [domain, portal, ...apps];
  let stack: UnpackedStack;
  let caddyfile: string;
  let config: CaddyConfig;

  beforeAll(async () => {
    stack = unpack(await runProgram(settings), "edge-release");
    caddyfile = stack.text("live/Caddyfile");
    config = await adapt(caddyfile);
  });
  afterAll(() => {
    stack.remove();
  });

  const gateOf = (handlers: readonly Handler[]) =>
    handlers.findIndex(({ rewrite }) => rewrite?.method === "GET" && rewrite.uri === "/api/authz/forward-auth");
  const proxies = (handlers: readonly Handler[]) =>
    handlers.filter(({ handler, rewrite }) => handler === "reverse_proxy" && rewrite === undefined);

  it("Caddy itself accepts the file and can load everything in it", async () => {
    const certificate = join(stack.folder, "acme-root.pem");
    writeFileSync(certificate, settings["acmeTrustedRoot"] ?? "");
    await expect(validate(caddyfile.replaceAll("/etc/caddy/acme-root.pem", certificate))).resolves.toBeUndefined();
  });

  it("serves the index page, the portal and each App, and no other host", () => {
    const [sites] = Object.values(config.apps.http.servers).filter(({ listen }) => listen.includes(":443"));
    const hosts = (sites?.routes ?? []).flatMap(({ match }) => match ?? []);
    expect(hosts.flatMap(({ host }) => host ?? []).sort()).toEqual(everywhere.toSorted());
    expect(hosts.every(({ host }) => host !== undefined)).toBe(true);
  });

  it("asks Authelia before it answers for the index page or an App", () => {
    // What comes with a key passes before: route-keys, device-keys and previews.test.ts have the real Caddy answer.
    const others = [...basic, ...withKeys, ...withDevices, ...previews];
    for (const host of [domain, ...apps].filter((name) => !others.includes(name))) {
      const handlers = handlersOf(config, host);
      const gate = gateOf(handlers);
      expect(handlers[gate]).toMatchObject({ handler: "reverse_proxy", upstreams: [{ dial: "auth-portal:9091" }] });
      const answers = handlers.findIndex(
        ({ handler }, index) => index !== gate && ["reverse_proxy", "file_server"].includes(handler),
      );
      expect(answers).toBeGreaterThan(gate);
    }
  });

  it("waits no longer than half a second for a container of Authelia that is gone", () => {
    const gateways: unknown[] = [];
    JSON.parse(JSON.stringify(config), (_key, value: unknown) => {
      if (typeof value !== "object" || value === null || !("upstreams" in value)) return value;
      if (JSON.stringify(value.upstreams).includes("auth-portal:9091")) gateways.push(value);
      return value;
    });
    expect(gateways.length).toBeGreaterThanOrEqual(4);
    for (const gateway of gateways) expect(gateway).toMatchObject({ transport: { dial_timeout: 500_000_000 } });
  });

  it("asks for its own password, in place of Authelia, where a Route says so, and keeps the answer to itself", () => {
    for (const { basicAuth, ...route } of routes.filter((one) => one.basicAuth !== undefined)) {
      const host = hostOf(route, domain);
      const handlers = handlersOf(config, host, ":443");
      expect(gateOf(handlers)).toBe(-1);
      const kinds = handlers.map(({ handler }) => handler);
      expect(kinds).not.toContain("authentication");
      const asked = kinds.indexOf("reverse_proxy");
      expect(handlers[asked]).toMatchObject({
        dynamic_upstreams: { source: "a", name: "{queue}", port: "9092" },
        health_checks: { passive: { unhealthy_status: [401], max_fails: 5, fail_duration: 15 * 60 * 1e9 } },
      });
      const queue = handlersOf(config, host, ":9092");
      expect(queue.filter(({ handler }) => handler === "authentication")).toHaveLength(1);
      expect(queue.find(({ handler }) => handler === "authentication")).toMatchObject({
        providers: {
          http_basic: {
            hash: { algorithm: "bcrypt" },
            accounts: [{ username: basicAuth?.username, password: expect.any(String) as unknown }],
          },
        },
      });
      const answers = kinds.indexOf("reverse_proxy", asked + 1);
      expect(answers).toBeGreaterThan(asked);
      const between = handlers.slice(asked, answers).flatMap(({ request }) => request?.delete ?? []);
      expect(between).toEqual(["Authorization"]);
    }
    const elsewhere = everywhere.filter((host) => !basic.includes(host));
    for (const host of elsewhere) {
      expect(handlersOf(config, host).map(({ handler }) => handler)).not.toContain("authentication");
    }
  });

  it("takes from a request, before that, every header by which a visitor could say who they are", () => {
    for (const host of everywhere) {
      const handlers = handlersOf(config, host);
      const first = handlers.findIndex(({ handler }) => handler === "reverse_proxy");
      const deleted = handlers.slice(0, first).flatMap(({ request }) => request?.delete ?? []);
      expect(deleted.slice(0, 4)).toEqual(["Remote-*", "X-Forwarded-*", "X-Real-Ip", "Forwarded"]);
    }
  });

  it("speaks TLS 1.3 or newer, HTTP/2 and HTTP/3", () => {
    const [server] = Object.values(config.apps.http.servers);
    expect(server?.listen).toEqual([":443"]);
    expect(server).toMatchObject({ protocols: ["h1", "h2", "h3"] });
    expect(server?.tls_connection_policies[0]).toMatchObject({
      match: { sni: expect.arrayContaining(everywhere) as unknown },
      protocol_min: "tls1.3",
    });
  });

  it("asks the ACME authorities in their order and at last its own", () => {
    const [policy] = config.apps.tls.automation.policies;
    const directories = JSON.parse(
      settings["acmeDirectories"] ??
        '["https://acme-v02.api.letsencrypt.org/directory","https://acme.zerossl.com/v2/DV90"]',
    ) as string[];
    const email = settings["acmeEmail"] ?? `hostmaster@${domain}`;
    const minutes = settingsOf(settings).certificates.fallbackMinutes;
    expect(policy?.subjects.toSorted()).toEqual(everywhere.toSorted());
    expect(policy?.issuers).toEqual([
      ...directories.map((ca) => ({
        module: "acme",
        ca,
        email,
        ...(settings["acmeTrustedRoot"] && { trusted_roots_pem_files: ["/etc/caddy/acme-root.pem"] }),
      })),
      { module: "internal", lifetime: minutes * 60 * second },
    ]);
  });

  it("looks at its certificates well before the shortest-lived one ends", () => {
    const minutes = settingsOf(settings).certificates.fallbackMinutes;
    expect(config.apps.tls.automation.renew_interval).toBeLessThanOrEqual((minutes * 60 * second) / 3);
  });

  it("compresses a list of types that holds no event stream", () => {
    for (const host of everywhere) {
      const encoders = handlersOf(config, host).filter(({ handler }) => handler === "encode");
      expect(encoders).toHaveLength(1);
      const types = encoders[0]?.match?.headers?.["Content-Type"] ?? [];
      expect(types).toContain("text/html*");
      expect(types.filter((type) => new RegExp(`^${type.replaceAll("*", ".*")}$`).test("text/event-stream"))).toEqual(
        [],
      );
    }
  });

  it("lets terminals and event streams live through a reload, and requests end within seconds", () => {
    expect(config.apps.http.grace_period).toBe(10 * second);
    for (const host of apps) {
      const delays = proxies(handlersOf(config, host)).map(({ stream_close_delay }) => stream_close_delay);
      // The streams of devices end with a reload: a key that is revoked ends with them.
      const [own, ofDevices] = [delays.filter(Boolean), delays.filter((delay) => delay === undefined)];
      expect([...new Set(own)]).toEqual([300 * second]);
      // So do those of guests.
      const ending = [...(withDevices.includes(host) ? [1, 2, 3] : []), ...(previews.includes(host) ? [1] : [])];
      expect([host, ofDevices.length]).toEqual([host, ending.length]);
    }
  });

  it("asks those alone whether they can answer whose Route names a path for it, before anybody is let through", () => {
    const asked = apps.flatMap((host) =>
      proxies(handlersOf(config, host))
        // What reaches a server without a login is not held for it.
        .filter(({ headers, stream_close_delay: delay }) => delay !== undefined || headers?.request?.set !== undefined)
        .map(({ upstreams, health_checks: checks }) => [
          upstreams?.[0]?.dial,
          checks?.active?.uri,
          checks?.active?.expect_body,
          checks?.active?.interval,
        ]),
    );
    const healths = new Map(routes.map(({ upstream, health }) => [upstream, health]));
    expect(healths.get("opencode-server:4096")?.path).toBe("/global/health");
    const wanted = (dial = "") => {
      const health = healths.get(dial);
      return [dial, health?.path, health?.body, health && second];
    };
    expect(asked).toEqual(asked.map(([dial]) => wanted(dial as string | undefined)));
  });

  it("hands no App the login cookie", () => {
    for (const { headers } of apps.flatMap((host) => proxies(handlersOf(config, host)))) {
      const [replacement] = headers?.request?.replace?.["Cookie"] ?? [];
      expect(replacement).toMatchObject({ search_regexp: expect.stringContaining("authelia_session=") as unknown });
    }
  });

  it("tells browsers to come back by HTTPS only: for a year, or a day on a shared free domain", () => {
    const age = domain.endsWith(".sslip.io") ? 86_400 : 31_536_000;
    for (const host of everywhere) {
      const sets = handlersOf(config, host).flatMap(({ response }) => (response?.set ? [response.set] : []));
      const set = sets.filter((headers) => "Strict-Transport-Security" in headers);
      expect(set).toHaveLength(1);
      expect(set[0]).toMatchObject({
        "Strict-Transport-Security": [`max-age=${age}`],
        "X-Content-Type-Options": ["nosniff"],
      });
    }
  });

  it("sends an App's terminal to its own container, everything else to the server", () => {
    const dials = proxies(handlersOf(config, app))
      .filter(({ stream_close_delay: delay }) => delay !== undefined)
      .map(({ upstreams }) => upstreams?.[0]?.dial);
    const terminal = settings["opencodeTerminal"] === "false" ? [] : ["opencode-terminal:7681"];
    expect(dials).toEqual([...terminal, "opencode-server:4096"]);
  });

  it("takes orders from inside its container only", () => {
    expect(config.admin.listen).toBe("localhost:2019");
  });

  it("the index page links every App, the second factors and the way out", () => {
    const home = JSON.parse(stack.text("live/page/home.json")) as {
      readonly apps: readonly { readonly url: string; readonly stack: string; readonly version?: string }[];
    };
    expect(home.apps.map(({ url }) => url)).toEqual(apps.map((host) => `https://${host}/`));
    expect(home).toMatchObject({
      domain,
      hosts: [...new Set(everywhere)],
      settingsUrl: `https://${portal}/settings/two-factor-authentication`,
      logoutUrl: `https://${portal}/logout`,
    });
    const names = enabledApps(settingsOf(settings)).map(({ name }) => name);
    for (const { stack: name } of home.apps) expect(names).toContain(name);
    if (settings["opencodeEnabled"] !== "false")
      expect(home.apps[0]?.version).toBe(settings["opencodeVersion"] ?? opencodeVersion);
  });

  it("the index page's icons arrive on the host as they were drawn, byte for byte", () => {
    for (const icon of indexIcons) {
      const [arrived, drawn] = [
        join(stack.folder, "releases/this"),
        join(projectRoot, "stack-templates/reverse-proxy"),
      ];
      expect(readFileSync(join(arrived, "live/site", icon)).equals(readFileSync(join(drawn, "live/site", icon)))).toBe(
        true,
      );
    }
  });

  it("the index page's template sees what the host wrote, and nothing of the index page comes before the gateway", () => {
    const handlers = handlersOf(config, domain);
    const kinds = handlers.map(({ handler }) => handler);
    expect(kinds.filter((kind) => ["templates", "file_server"].includes(kind))).toEqual(["templates", "file_server"]);
    expect(kinds.indexOf("templates")).toBeGreaterThan(gateOf(handlers));
    expect(readFileSync(stack.composeFile, "utf8")).toContain("- ./page:/srv/page:ro\n");
  });
});
