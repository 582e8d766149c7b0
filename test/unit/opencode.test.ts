import { parse } from "yaml";
import { publicCertificates } from "../support/certificates";
import { arrivedFiles } from "../support/releases";
import { runProgram } from "../support/program";
import { enabledApps } from "../../components/apps/registry";
import { openCodeConfig } from "../../components/apps/opencode-providers";
import { judgePackage } from "../../ops/commands/outdated";
import { deviceKeysIn, deviceTable } from "../../ops/commands/device-keys";
import { defaultImages } from "../../components/images";
import { reverseProxyRelease } from "../../components/reverse-proxy/reverse-proxy-stack";
import { everyApp, kinds } from "../support/app-settings";
import { type RenderedApp, renderApp } from "../support/rendered-app";
import { faultsOf, settingsOf } from "../support/settings";

const routeOf = (settings: Readonly<Record<string, string>>) => enabledApps(settingsOf(settings))[0]?.routes[0];
const valuesOf = (settings: Readonly<Record<string, string>>) =>
  enabledApps(settingsOf(settings))[0]?.release("home.example.com").values;

const mine = { name: "mine", kind: "openai-compatible", baseUrl: "https://llm.example.com/v1", models: ["a", "b"] };
const providers = (...list: object[]) => ({ opencodeProviders: JSON.stringify(list) });
const keys = (known: Readonly<Record<string, string>>) => ({ opencodeProviderKeys: JSON.stringify(known) });

describe("OpenCode's version", () => {
  it.each(["3.0.0", "1.18", "v1.18.33", "01.2.3", "2.0.0-beta", "latest", "1.18.33 "])("%s is refused", (version) => {
    expect(faultsOf({ opencodeVersion: version })).toEqual(["opencodeVersion is not a version 1.x.y or 2.x.y"]);
  });

  it.each([
    ["1.18.33", "opencode-ai@1.18.33", "/run/secrets/OPENCODE_SERVER_PASSWORD", "/global/health"],
    ["2.1.3", "@opencode/cli@2.1.3", "/run/secrets/OPENCODE_PASSWORD", "/api/info"],
  ])("%s: package, password and health follow from its major", (opencodeVersion, name, passwordFile, health) => {
    expect(valuesOf({ opencodeVersion })).toMatchObject({
      package: name,
      passwordFile,
      healthUrl: `http://127.0.0.1:4096${health}`,
    });
    expect(routeOf({ opencodeVersion })).toMatchObject({ health: { path: health } });
  });

  it.each([
    ["1.18.33", "/", true],
    ["1.18.33", "/server/a/session/b", true],
    ["1.18.33", "/tui/control/next", false],
    ["1.18.33", "/session", false],
    ["2.1.3", "/", true],
    ["2.1.3", "/projects/1/session/2?view=diff", true],
    ["2.1.3", "/api/session", false],
    ["2.1.3", "/auth/connect/code", false],
    ["2.1.3", "/openapi.json", false],
  ])("%s: whether a link may open %s is %s", (opencodeVersion, path, may) => {
    expect(new RegExp(`^(?:${routeOf({ opencodeVersion })?.pages ?? ""})$`).test(path)).toBe(may);
  });

  it("is watched: a newer one of its package is red", () => {
    expect(judgePackage("opencode-ai", "1.18.33", "1.19.0")).toMatchObject({
      state: "red",
      seen: "1.18.33, newer is 1.19.0",
      fix: expect.stringContaining("pulumi config set opencodeVersion 1.19.0") as string,
    });
    expect(judgePackage("opencode-ai", "1.18.33", "1.18.33")).toMatchObject({ state: "ok" });
    expect(judgePackage("opencode-ai", "1.18.33", "1.18.4")).toMatchObject({ state: "ok" });
  });
});

describe("providers of models", () => {
  it.each<[string, Record<string, string>, string[]]>([
    ["one with a key", { ...providers(mine), ...keys({ mine: "k" }) }, []],
    ["none", {}, []],
    ["no key", providers(mine), ["opencodeProviderKeys has no key for the provider [0]"]],
    [
      "two of a name",
      { ...providers(mine, mine), ...keys({ mine: "k" }) },
      ["opencodeProviders [1] has the same name as another one"],
    ],
    [
      "a name of OpenCode's own",
      { ...providers({ ...mine, name: "openai" }), ...keys({ openai: "k" }) },
      ["opencodeProviders [0] has a name that OpenCode itself uses: openai, anthropic"],
    ],
    [
      "a key of nobody",
      { ...providers(mine), ...keys({ mine: "k", other: "k" }) },
      ["opencodeProviderKeys has a key for a provider that is not in opencodeProviders"],
    ],
    [
      "two defaults",
      {
        ...providers({ ...mine, default: "a" }, { ...mine, name: "two", default: "b" }),
        ...keys({ mine: "k", two: "k" }),
      },
      ["opencodeProviders has more than one default model"],
    ],
    [
      "a default that it does not have",
      { ...providers({ ...mine, default: "c" }), ...keys({ mine: "k" }) },
      ["opencodeProviders [0].default is not one of its models"],
    ],
    [
      "no address for a compatible one",
      { ...providers({ name: "mine", kind: "anthropic-compatible", models: ["a"] }), ...keys({ mine: "k" }) },
      ["opencodeProviders [0].baseUrl is missing: a compatible server needs an address"],
    ],
    [
      "an address in clear",
      { ...providers({ ...mine, baseUrl: "http://llm.example.com/v1" }), ...keys({ mine: "k" }) },
      [
        "opencodeProviders [0].baseUrl is not https://, but secrets are sent there: only a private address may use http://",
      ],
    ],
  ])("%s", (_name, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });

  it("are written in the form that both majors read, with keys in files", () => {
    expect(
      openCodeConfig([{ ...mine, kind: "openai-compatible", default: "a", small: "b" }], "https://o.example"),
    ).toEqual({
      provider: {
        openai: { options: { baseURL: "https://o.example" } },
        mine: {
          npm: "@ai-sdk/openai-compatible",
          name: "mine",
          options: { baseURL: "https://llm.example.com/v1", apiKey: "{file:/run/secrets/provider-mine}" },
          models: { a: { name: "a" }, b: { name: "b" } },
        },
      },
      model: "mine/a",
      small_model: "mine/b",
    });
  });
});

describe("opencodePackages", () => {
  it.each(["libstdc++6", "g++", "php8.4-cli", "7zip", "postgresql-client"])("takes %s", (name) => {
    expect(faultsOf({ opencodePackages: JSON.stringify([name]) })).toEqual([]);
  });

  it.each([
    "--allow-unauthenticated",
    "nano=7.2",
    "nano:arm64",
    "nano/sid",
    "nano-",
    "nano+",
    "nano && id",
    "nano\nRUN id",
    "$(id)",
    "Nano",
    "./a.deb",
    "/a.deb",
    "a",
    "",
    "*",
    "nano;id",
    "nano nano-",
    "é",
  ])("refuses %j, of which apt or the shell would make something else", (name) => {
    expect(faultsOf({ opencodePackages: JSON.stringify([name]) })).toHaveLength(1);
  });

  it("are installed when the image is built, and in no other way", () => {
    expect(valuesOf({ opencodePackages: '["php-cli","g++"]' })).toMatchObject({ packages: "php-cli g++" });
    expect(valuesOf({})).toMatchObject({ packages: "" });
  });
});

describe("devices", () => {
  it("are names, each once", () => {
    expect(faultsOf({ opencodeDevices: '["my laptop"]' })).toHaveLength(1);
    expect(faultsOf({ opencodeDevices: '["laptop","laptop"]' })).toEqual(["opencodeDevices [1] is listed twice"]);
    expect(routeOf({ opencodeDevices: '["laptop"]' })?.upstreamLogin?.devices).toEqual(["laptop"]);
  });

  it("are listed with their last use", () => {
    expect(deviceTable(deviceKeysIn(["laptop", "tv"], "laptop 1795897059.6\n"))).toBe(
      "laptop  last used 2026-11-28 20:17 UTC\ntv      not used since the log begins",
    );
  });
});

describe("a monthly limit", () => {
  const notify = { notify: '["ntfys://ntfy.example.com/topic"]' };
  const limit = { ...notify, opencodeMonthlyLimitUsd: "20" };
  const free = { input: 0, output: 0 };
  const priced = { ...mine, prices: { a: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 }, b: free } };

  it.each<[string, Record<string, string>, string[]]>([
    ["with a key", { ...limit, opencodeOpenaiApiKey: "sk-hidden" }, []],
    ["with prices", { ...limit, ...providers(priced), ...keys({ mine: "k" }) }, []],
    [
      "without notify",
      { opencodeMonthlyLimitUsd: "20", opencodeOpenaiApiKey: "sk-hidden" },
      ["opencodeMonthlyLimitUsd needs notify: the notifier counts what the models cost"],
    ],
    ["without any key", limit, ["opencodeMonthlyLimitUsd has no effect: OpenCode has no key from this configuration"]],
    [
      "without a price",
      { ...limit, ...providers({ ...mine, prices: { a: free } }), ...keys({ mine: "k" }) },
      [
        "opencodeProviders [0].prices has no price of b, which opencodeMonthlyLimitUsd would count as free: give one, 0 where it is free",
      ],
    ],
    [
      "with a key that Caddy cannot send",
      { ...limit, opencodeOpenaiApiKey: "sk-{hidden}" },
      ["opencodeOpenaiApiKey has a brace, a backtick or a backslash, which Caddy cannot send for OpenCode"],
    ],
    [
      "the price of another model",
      { ...providers({ ...mine, prices: { c: free } }), ...keys({ mine: "k" }) },
      ["opencodeProviders [0].prices has the price of a model that is not one of its models"],
    ],
    [
      "a price below 0",
      { ...providers({ ...mine, prices: { a: { input: -1, output: 1 } } }), ...keys({ mine: "k" }) },
      ["opencodeProviders [0].prices.a.input is below 0"],
    ],
    [
      "of nothing",
      { ...notify, opencodeMonthlyLimitUsd: "0", opencodeOpenaiApiKey: "k" },
      ["opencodeMonthlyLimitUsd is below 0.01"],
    ],
  ])("%s: faults", (_name, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });

  it("writes prices as OpenCode reads them", () => {
    expect(openCodeConfig([{ ...priced, kind: "openai-compatible" }], undefined).provider["mine"]).toMatchObject({
      models: {
        a: { name: "a", cost: { input: 3, output: 15, cache_read: 0.3, cache_write: 3.75 } },
        b: { name: "b", cost: { input: 0, output: 0 } },
      },
    });
  });

  const given = {
    domain: "home.example.com",
    opencodeAnthropicApiKey: "sk-ant-hidden",
    opencodeOpenaiApiKey: "sk-hidden",
    opencodeOpenaiBaseUrl: "https://openai.example/api/v1",
    ...providers(priced),
    ...keys({ mine: "mine-hidden" }),
  };

  it("leaves OpenCode with a key that opens Caddy alone, and Caddy with the providers' own", async () => {
    const run = await runProgram({ ...given, ...limit });
    const opencode = await arrivedFiles(run, "opencode-release");
    const file = (name: string) => opencode.get(name)?.content;
    const key = file("provider-mine");
    expect(key).toMatch(/^[A-Za-z0-9]{48}$/);
    expect([file("ANTHROPIC_API_KEY"), file("OPENAI_API_KEY")]).toEqual([key, key]);
    for (const { content } of opencode.values()) expect(content).not.toContain("hidden");
    const base = (name: string) => ({ options: { baseURL: `http://opencode-models:9093/${name}` } });
    expect(JSON.parse(file("opencode.json") ?? "")).toMatchObject({
      provider: {
        anthropic: base("anthropic"),
        openai: base("openai"),
        mine: { options: { ...base("mine").options, apiKey: "{file:/run/secrets/provider-mine}" } },
      },
    });
    const edge = await arrivedFiles(run, "edge-release");
    const caddyfile = edge.get("live/Caddyfile")?.content ?? "";
    for (const text of [
      "X-Api-Key `sk-ant-hidden`",
      "Authorization `Bearer sk-hidden`",
      "Authorization `Bearer mine-hidden`",
      `vars {http.request.header.X-Api-Key} \`${key ?? ""}\``,
      "reverse_proxy `https://openai.example`",
      "rewrite * /api/v1{uri}",
    ])
      expect(caddyfile).toContain(text);
    expect(edge.get("plan")?.content).toContain("alias cloudcode-edge-opencode opencode-models\n");
    const settings = JSON.parse(
      (await arrivedFiles(run, "notify-release")).get("settings.json")?.content ?? "",
    ) as object;
    expect(settings).toMatchObject({ sessions: { limit: 20 } });
  });

  it("is heard of by the notifier whatever news is wanted, and without it nothing is changed", async () => {
    const quiet = await runProgram({ ...given, ...limit, notifyEvents: '["check"]' });
    const settings = (await arrivedFiles(quiet, "notify-release")).get("settings.json")?.content;
    expect(JSON.parse(settings ?? "")).toMatchObject({ sessions: { limit: 20 } });
    const run = await runProgram({ ...given, ...notify });
    expect((await arrivedFiles(run, "opencode-release")).get("provider-mine")?.content).toBe("mine-hidden");
    expect((await arrivedFiles(run, "edge-release")).get("live/Caddyfile")?.content).not.toMatch(/:9093|hidden/);
  });

  it("covers the donation site's models, which then are called without their name", () => {
    const donation = Object.fromEntries(
      Object.entries(everyApp("least")).filter(([setting]) => setting.startsWith("donation")),
    );
    const models = { ...donation, opencodeDonationModels: '["gift-1"]' };
    const route = routeOf({ ...models, ...limit });
    expect(route).toMatchObject({
      calls: [],
      models: { servers: [{ name: "donation", base: "http://donation-proxy:8317/v1", login: "bearer" }] },
    });
    expect(routeOf(models)).toMatchObject({ calls: ["models"] });
    const [opencode] = enabledApps(settingsOf({ ...models, ...limit }));
    expect(opencode?.edge?.shared).toEqual({ "provider-donation": "model-proxy-key-of-opencode" });
  });
});

describe("the donation site's models", () => {
  const donation = Object.fromEntries(
    Object.entries(everyApp("least")).filter(([setting]) => setting.startsWith("donation")),
  );
  const models = { opencodeDonationModels: '["gift-1","gift-2"]' };
  const kindOf = (name: string) => {
    const kind = kinds.find((one) => one.name === name);
    if (kind === undefined) throw new Error(`there is no App ${name}`);
    return kind;
  };
  const rendered = (name: string, more: Readonly<Record<string, string>> = {}) =>
    renderApp(kindOf(name), { ...donation, ...models, ...more });
  const fileOf = ({ release }: RenderedApp, path: string) => release.files.find((one) => one.path.endsWith(path));

  it.each<[string, Record<string, string>, string[]]>([
    ["with the site", { ...donation, ...models }, []],
    ["without", models, ["opencodeDonationModels needs the donation site, which is off: donationEnabled"]],
    [
      "with the site switched off",
      { ...donation, donationEnabled: "false", ...models },
      ["opencodeDonationModels needs the donation site, which is off: donationEnabled"],
    ],
    [
      "next to a provider of that name",
      { ...donation, ...models, ...providers({ ...mine, name: "donation" }), ...keys({ donation: "k" }) },
      ["opencodeProviders has a provider donation, a name that opencodeDonationModels uses"],
    ],
    [
      "with a name that is none",
      { ...donation, opencodeDonationModels: '["gift 1"]' },
      ["opencodeDonationModels [0] is not the name of a model"],
    ],
    ["with OpenCode switched off", { ...models, opencodeEnabled: "false" }, []],
  ])("%s: faults", (_name, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });

  it("are a provider at the proxy's own address, whose first model is the default unless another one is", async () => {
    const config = (more: Readonly<Record<string, string>>) =>
      enabledApps(settingsOf({ ...donation, ...models, ...more }))[0]?.release("home.example.com").values["config"];
    expect(config({ donationProxySubdomain: "gifts" })).toMatchObject({
      provider: {
        donation: {
          npm: "@ai-sdk/openai-compatible",
          options: { baseURL: "https://gifts.home.example.com/v1", apiKey: "{file:/run/secrets/provider-donation}" },
          models: { "gift-1": { name: "gift-1" }, "gift-2": { name: "gift-2" } },
        },
      },
      model: "donation/gift-1",
    });
    const own = { ...providers({ ...mine, default: "b" }), ...keys({ mine: "k" }) };
    expect(config(own)).toMatchObject({ model: "mine/b" });
    expect(fileOf(await rendered("opencode"), "/provider-donation")).toMatchObject({ owner: 1000, mode: 0o400 });
  });

  it("are asked with a key that the proxy knows beside its other one, and only while OpenCode asks", async () => {
    const proxyKeys = async (more: Readonly<Record<string, string>> = {}) => {
      const app = await rendered("donation", more);
      return (parse(fileOf(app, "/proxy.yaml")?.content ?? "") as { "api-keys": string[] })["api-keys"].length;
    };
    expect(await proxyKeys()).toBe(2);
    expect(await proxyKeys({ opencodeDonationModels: "[]" })).toBe(1);
    expect(await proxyKeys({ opencodeEnabled: "false" })).toBe(1);
    const [opencode, site] = [await rendered("opencode"), await rendered("donation")].map(({ app }) => app.shared);
    expect(Object.values(opencode ?? {})).toEqual(Object.values(site ?? {}));
  });

  it("are reached by Caddy, on OpenCode's own network, and by no new way", async () => {
    const { routes } = (await rendered("opencode")).app;
    expect(routes.map(({ network, calls }) => [network, calls])).toEqual([["cloudcode-edge-opencode", ["models"]]]);
    const edge = {
      domain: "home.example.com",
      certificates: publicCertificates,
      images: defaultImages,
      timeZone: "UTC",
    };
    const { plan } = reverseProxyRelease({ ...edge, routes });
    expect(plan.aliases).toEqual([{ network: "cloudcode-edge-opencode", name: "models.home.example.com" }]);
    const without = (await renderApp(kindOf("opencode"), {})).app.routes;
    expect(reverseProxyRelease({ ...edge, routes: without }).plan.aliases).toEqual([]);
  });
});
