import { enabledApps } from "../../components/apps/registry";
import { openCodeConfig } from "../../components/apps/opencode-providers";
import { judgePackage } from "../../ops/commands/outdated";
import { deviceTable } from "../../ops/commands/device-keys";
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
      ...{ package: name, passwordFile, healthUrl: `http://127.0.0.1:4096${health}` },
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
      ...{ state: "red", seen: "1.18.33, newer is 1.19.0" },
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

describe("devices", () => {
  it("are names, each once", () => {
    expect(faultsOf({ opencodeDevices: '["my laptop"]' })).toHaveLength(1);
    expect(faultsOf({ opencodeDevices: '["laptop","laptop"]' })).toEqual(["opencodeDevices [1] is listed twice"]);
    expect(routeOf({ opencodeDevices: '["laptop"]' })?.upstreamLogin?.devices).toEqual(["laptop"]);
  });

  it("are listed with their last use", () => {
    expect(deviceTable(["laptop", "tv"], "laptop 1795897059.6\n")).toBe(
      "laptop  last used 2026-11-28 20:17 UTC\ntv      not used since the log begins",
    );
  });
});
