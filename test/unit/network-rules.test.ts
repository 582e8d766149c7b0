import * as pulumi from "@pulumi/pulumi";
import { aptSources, mirroredImage, resolveMirrors } from "../../components/mirrors";
import { warningsOf } from "../../components/settings/read";
import { casecheckBundle, mainland, mirrorHosts } from "../support/mainland";
import { tgSigner } from "../support/least-apps";
import { minimal, minimalAlicloud } from "../support/minimal";
import { faultsOf, settingsOf } from "../support/settings";

type Raw = Readonly<Record<string, string>>;

const network = { network: "mainland", domain: "home.example.com", icpFiled: "true" };
const tg = { ...tgSigner, sources: JSON.stringify({ tgSigner: casecheckBundle }) };
const there = "in mainland China (network is mainland)";
const noFiling = "cannot have an ICP filing, without which mainland China blocks a site";

/** On an existing machine, where nothing else is said. */
const whole = (cases: readonly (readonly [string, Raw, Raw?])[]) =>
  cases.map(([what, settings, least = minimal]): [string, Raw, Raw] => [what, settings, least]);

describe("what cannot work in mainland China is refused in one sentence", () => {
  it.each<[string, Raw]>([
    [`tgSignerProxy is missing: Telegram does not answer ${there}`, { ...network, ...tg }],
    [
      `notify has an address of Telegram (tgram://), which does not answer ${there}, and the notifier uses no proxy: use bark://, dingtalk://, feishu:// or wecombot://`,
      { ...network, notify: '["bark://bark.example.com/a","TGRAM://1:b/2","tgram://1:b/3"]' },
    ],
    [
      `notify has an address of Discord (discord://), which does not answer ${there}, and the notifier uses no proxy: use bark://, dingtalk://, feishu:// or wecombot://`,
      { ...network, notify: '["discord://1/b"]' },
    ],
    [
      `sources has tgSigner at github.com, which is not reliable ${there}: put a Git bundle of the commit on a web server such as OSS, and name that (docs/mainland.md)`,
      { ...network, ...tg, sources: "{}", tgSignerProxy: "socks5://proxy.example.com:1080" },
    ],
    [
      `sources has casecheck at github.com, which is not reliable ${there}: put a Git bundle of the commit on a web server such as OSS, and name that (docs/mainland.md)`,
      { ...network, casecheckEnabled: "true" },
    ],
    [
      `icpFiled is not true: ${there} a machine serves ports 80 and 443 to a domain with an ICP filing only`,
      { ...network, icpFiled: "false" },
    ],
    [`domain is missing: <address>.sslip.io ${noFiling}`, { ...network, domain: "" }],
    [`domain is a name of somebody else's domain, which ${noFiling}`, { ...network, domain: "me.dedyn.io" }],
    [`domain is a name of somebody else's domain, which ${noFiling}`, { ...network, domain: "203-0-113-7.nip.io" }],
    ["mirrors has no effect while network is world", { mirrors: '{"npm":"https://npm.example.com"}' }],
    [
      "dockerAptRepository has its mirror in mirrors, too (dockerApt): set only one of the two",
      { ...network, dockerAptRepository: "https://a.example.com", mirrors: '{"dockerApt":"https://b.example.com"}' },
    ],
    [
      "lwsandboxK3sUrl has its mirror in mirrors, too (k3s): set only one of the two",
      {
        ...network,
        lwsandboxEnabled: "true",
        lwsandboxK3sUrl: "https://a.example.com",
        mirrors: '{"k3s":"https://b.example.com"}',
      },
    ],
  ])("%s", (sentence, settings) => {
    const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== ""));
    expect(faultsOf(given)).toEqual([sentence]);
  });

  it.each<[string, Raw]>([
    ["mirrors [npm] is not an https:// address", { mirrors: '{"npm":"http://npm.example.com"}' }],
    [
      "mirrors [npm] has characters other than letters, digits and . _ ~ - / :",
      { mirrors: '{"npm":"https://npm.example.com/$HOME"}' },
    ],
    [
      "mirrors [apt] is not an http:// address: images have no certificates for https:// before their first package, and packages are signed in any case",
      { mirrors: '{"apt":"https://apt.example.com"}' },
    ],
    [
      "mirrors [ghcr] is not the host of a registry, such as mirror.example.com",
      { mirrors: '{"ghcr":"ghcr.example.com/path"}' },
    ],
    [
      "mirrors holds a name that is not one of apt, dockerApt, dockerHub, ghcr, npm, pypi, go, k3s",
      { mirrors: '{"github":"https://github.example.com"}' },
    ],
    ["mirrors is not an object", { mirrors: '["https://npm.example.com"]' }],
  ])("%s", (sentence, settings) => {
    expect(faultsOf({ ...network, ...settings })).toEqual([sentence]);
  });

  it.each<[string, Raw, Raw]>(
    whole([
      ["every App, with what the mainland needs", mainland],
      [
        "a machine of a network of one's own, whatever its name and filing",
        { network: "mainland", hostAddress: "192.168.1.5" },
      ],
      [
        "a source that is not at GitHub",
        {
          ...network,
          casecheckEnabled: "true",
          sources: JSON.stringify({
            casecheck: "https://gitee.com/me/casecheck#0123456789abcdef0123456789abcdef01234567",
          }),
        },
      ],
      [
        "all of it where the world is not the mainland",
        { ...tgSigner, notify: '["tgram://1:b/2"]', casecheckEnabled: "true" },
      ],
      [
        "a region of the mainland with a filed domain",
        { ...network, region: "cn-hangzhou", budgetUsd: "500" },
        minimalAlicloud,
      ],
    ]),
  )("%s is fine", (_what, settings, least) => {
    expect(faultsOf(settings, least)).toEqual([]);
  });

  it("a region of the mainland wants a domain of one's own, also without mirrors", () => {
    const region = { region: "cn-hangzhou", icpFiled: "true", budgetUsd: "500" };
    expect(faultsOf(region, minimalAlicloud)).toEqual([`domain is missing: <address>.sslip.io ${noFiling}`]);
    expect(faultsOf({ ...region, domain: "me.duckdns.org" }, minimalAlicloud)).toEqual([
      `domain is a name of somebody else's domain, which ${noFiling}`,
    ]);
  });
});

describe("what works in mainland China, but not well, is a warning", () => {
  beforeAll(async () => {
    await pulumi.runtime.setMocks({ call: () => ({}), newResource: () => ({ id: "", state: {} }) }, "cloudcode");
  });
  const first = (settings: Raw, least: Raw) =>
    warningsOf(settingsOf(settings, least)).map((warning) => warning.split("\n")[0]);

  it.each<[string, Raw, Raw]>(
    whole([
      [
        "network is world, but region is in mainland China, where Docker Hub, GitHub, npm and PyPI are slow or blocked: mainland takes everything from mirrors",
        { region: "cn-hangzhou", icpFiled: "true", domain: "home.example.com", budgetUsd: "500" },
        minimalAlicloud,
      ],
      [
        "casecheckPublished is tunnel: Cloudflare serves mainland China from abroad, slowly and with interruptions; caddy with a filed domain does not",
        {
          ...network,
          casecheckEnabled: "true",
          casecheckPublished: "tunnel",
          casecheckTunnelHost: "casecheck.example.org",
          casecheckTunnelToken: Buffer.from('{"a":"a","t":"t","s":"s"}').toString("base64"),
          sources: JSON.stringify({ casecheck: casecheckBundle }),
        },
      ],
      [
        "images has no digest for liteboxdServer, liteboxdGateway, liteboxdWeb, so nothing proves that ghcr.nju.edu.cn serves what their author published",
        { ...network, lwsandboxEnabled: "true" },
      ],
      [
        "opencodeAnthropicApiKey is for api.anthropic.com, which does not serve mainland China: use a provider in opencodeProviders",
        { ...network, opencodeAnthropicApiKey: "sk-ant-1" },
      ],
      [
        "opencodeOpenaiBaseUrl is not set: api.openai.com does not serve mainland China",
        { ...network, opencodeOpenaiApiKey: "sk-1" },
      ],
    ]),
  )("%s", (warning, settings, least) => {
    expect(first(settings, least)).toEqual([warning]);
  });

  it.each<[string, Raw, Raw]>(
    whole([
      ["the default configuration", {}],
      ["Hong Kong", { region: "cn-hongkong" }, minimalAlicloud],
      ["mirrors in a region of the mainland", { ...network, region: "cn-hangzhou", budgetUsd: "500" }, minimalAlicloud],
      [
        "lwsandbox from a registry of one's own",
        { ...network, lwsandboxEnabled: "true", imageRegistry: "registry.example.com/mirror" },
      ],
      [
        "keys of providers where the world is not the mainland",
        { opencodeAnthropicApiKey: "sk-ant-1", opencodeOpenaiApiKey: "sk-1" },
      ],
    ]),
  )("%s has none", (_what, settings, least) => {
    expect(first(settings, least)).toEqual([]);
  });
});

describe("the table of mirrors", () => {
  const mirrors = resolveMirrors("mainland", { npm: "https://npm.example.com/registry/" });

  it("has a mirror of each kind, which a setting replaces, and none for the world", () => {
    expect(mirrorHosts).toHaveLength(8);
    expect(mirrors).toMatchObject({
      npm: "https://npm.example.com/registry",
      pypi: "https://mirrors.aliyun.com/pypi/simple",
    });
    expect(resolveMirrors("world", {})).toBeUndefined();
  });

  it("is what the older settings give way to, or take the place of", () => {
    expect(settingsOf(network).docker).toMatchObject({
      aptRepository: "https://mirrors.aliyun.com/docker-ce/linux",
      registryMirrors: ["https://docker.1ms.run"],
    });
    const own = { dockerAptRepository: "https://a.example.com", registryMirrors: '["https://b.example.com"]' };
    expect(settingsOf({ ...network, ...own }).docker).toMatchObject({
      aptRepository: "https://a.example.com",
      registryMirrors: ["https://b.example.com"],
    });
    expect(settingsOf({ ...network, imageRegistry: "registry.example.com/mirror" }).images.caddy).toMatch(
      /^registry\.example\.com\/mirror\/library\/caddy:/,
    );
  });

  const digest = `sha256:${"0".repeat(64)}`;
  it.each([
    ["docker.io/library/caddy:2", "docker.1ms.run/library/caddy:2"],
    [`docker.io/authelia/authelia:4@${digest}`, `docker.1ms.run/authelia/authelia:4@${digest}`],
    ["postgres:17", "docker.1ms.run/library/postgres:17"],
    [`neosmemo/memos@${digest}`, `docker.1ms.run/neosmemo/memos@${digest}`],
    ["ghcr.io/fslongjin/web:v0.6.10", "ghcr.nju.edu.cn/fslongjin/web:v0.6.10"],
    ["quay.io/me/app:1", "quay.io/me/app:1"],
    ["registry.example.com:5000/app:1", "registry.example.com:5000/app:1"],
    ["localhost/app:1", "localhost/app:1"],
  ])("takes %s to %s", (reference, mirrored) => {
    expect(mirroredImage(reference, mirrors)).toBe(mirrored);
    expect(mirroredImage(reference, undefined)).toBe(reference);
  });

  it("says nothing in a program for sed that a shell or sed would read as its own", () => {
    expect(aptSources("http://mirror.example.com")).not.toMatch(/['\n]/);
  });
});
