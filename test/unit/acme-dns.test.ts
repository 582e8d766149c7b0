import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dnsModule, dnsProviders } from "../../components/reverse-proxy/acme-dns";
import { minimalAlicloud } from "../support/minimal";
import { type ProgramRun, runAlicloud, runProgram } from "../support/program";
import { projectRoot } from "../support/project-root";
import { textOf } from "../support/plain";
import { arrivedFiles } from "../support/releases";
import { faultsOf, settingsOf } from "../support/settings";
import { desecToken, duckToken } from "../support/name-providers";
import { promiseOf } from "../support/recorder";

const domain = "home.example.com";
const token = "a-token-of-the-dns-provider";
const porkbun = { acmeDns: "porkbun", acmeDnsCredentials: '{"api_key":"pk1_mine","api_secret_key":"sk1_mine"}' };
const cloudflare = { domain, acmeDns: "cloudflare", acmeDnsCredentials: token };

describe("settings of DNS-01", () => {
  const list =
    "alidns, cloudflare, desec, digitalocean, duckdns, hetzner, ionos, linode, namecheap, netcup, ovh, porkbun, rfc2136, route53, tencentcloud, vultr";
  const needsDns = "acmeWildcard needs acmeDns: certificate authorities issue wildcards only by DNS records (DNS-01)";

  it.each<[string, Record<string, string>, string[]]>([
    [
      "a provider that nobody knows",
      { domain, acmeDns: "strato", acmeDnsCredentials: token },
      [
        `acmeDns is not one of ${list}, nor a module with its version such as github.com/caddy-dns/NAME@v1.2.3`,
        "acmeDnsCredentials has no effect without acmeDns",
      ],
    ],
    ...[
      "github.com/caddy-dns/gandi",
      "github.com/mine/gandi@v1.1.0",
      "github.com/caddy-dns/gandi@latest; id",
      "constructor",
    ].map((acmeDns): [string, Record<string, string>, string[]] => [
      `${acmeDns} as a module`,
      { domain, acmeDns },
      [`acmeDns is not one of ${list}, nor a module with its version such as github.com/caddy-dns/NAME@v1.2.3`],
    ]),
    [
      "no credentials",
      { domain, acmeDns: "cloudflare" },
      ["acmeDnsCredentials is missing: acmeDns is cloudflare; it is the api_token of cloudflare"],
    ],
    [
      "no credentials of a provider with several",
      { domain, acmeDns: "namecheap" },
      [
        "acmeDnsCredentials is missing: acmeDns is namecheap; it is JSON with api_key, user and, if you need them, client_ip",
      ],
    ],
    [
      "a token where there are two",
      { domain, acmeDns: "porkbun", acmeDnsCredentials: token },
      ["acmeDnsCredentials is not JSON with api_key, api_secret_key"],
    ],
    [
      "half of the credentials",
      { domain, acmeDns: "porkbun", acmeDnsCredentials: '{"api_key":"pk1"}' },
      ["acmeDnsCredentials is not JSON with api_key, api_secret_key"],
    ],
    [
      "a field that there is not",
      { domain, ...porkbun, acmeDnsCredentials: '{"api_key":"a","api_secret_key":"b","endpoint":"c"}' },
      ["acmeDnsCredentials is not JSON with api_key, api_secret_key"],
    ],
    [
      "JSON where there is one token",
      { ...cloudflare, acmeDnsCredentials: '{"api_token":"a"}' },
      ["acmeDnsCredentials is not the api_token of cloudflare"],
    ],
    ...['{"api_key":1}', '{"api_key":"a\\nb"}', "{", "two words", '{"api key":"a"}'].map(
      (acmeDnsCredentials): [string, Record<string, string>, string[]] => [
        `${acmeDnsCredentials} as credentials`,
        { domain, acmeDns: "porkbun", acmeDnsCredentials },
        ["acmeDnsCredentials is neither a token nor a JSON object of texts"],
      ],
    ),
    [
      "credentials of nobody",
      { domain, acmeDnsCredentials: token },
      ["acmeDnsCredentials has no effect without acmeDns"],
    ],
    ["a wildcard without it", { domain, acmeWildcard: "true" }, [needsDns]],
    [
      "no domain",
      { acmeDns: "cloudflare", acmeDnsCredentials: token },
      ["domain is missing: acmeDns needs a domain whose records the provider keeps"],
    ],
    [
      "a Caddy of no exact version",
      { ...cloudflare, images: '{"caddy":"caddy:2-alpine"}' },
      [
        "images names no exact version of Caddy, such as caddy:2.11.7-alpine, which acmeDns needs to build the same one",
      ],
    ],
    [
      "networks that authorities do not come from",
      { domain, webCidrs: '["10.8.0.0/24"]' },
      ["webCidrs needs acmeDns: without it certificate authorities connect to ports 80 and 443 from everywhere"],
    ],
    [
      "a private address that authorities do not reach",
      { domain: "my-home.duckdns.org", domainToken: duckToken, domainAddress: "192.168.1.5" },
      ["domainAddress is a private address, which no certificate authority reaches: set acmeDns"],
    ],
    [
      "an address for records that nobody makes",
      { domain, domainAddress: "203.0.113.9" },
      ["domainAddress has no effect without domainToken, by which records are made"],
    ],
    ["a name as an address", { domain, domainAddress: "vpn.example.com" }, ["domainAddress is not an IP address"]],
  ])("refuse %s", (_what, settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });

  it.each<[string, Record<string, string>]>([
    ["a provider with its token", cloudflare],
    ["a provider with several values", { domain, ...porkbun, acmeWildcard: "true" }],
    [
      "a module of one's own choice",
      { domain, acmeDns: "github.com/caddy-dns/gandi@v1.1.0", acmeDnsCredentials: token },
    ],
    ["the token of a free domain", { domain: "my-home.duckdns.org", domainToken: duckToken, acmeDns: "duckdns" }],
    ["the same at deSEC", { domain: "my-home.dedyn.io", domainToken: desecToken, acmeDns: "desec" }],
    [
      "a token of its own, next to that of the domain",
      { domain: "my-home.dedyn.io", domainToken: desecToken, acmeDns: "desec", acmeDnsCredentials: desecToken },
    ],
    ["networks that may connect, and an address in one of them", { ...cloudflare, webCidrs: '["10.8.0.0/24"]' }],
  ])("accept %s", (_what, settings) => {
    expect(faultsOf(settings)).toEqual([]);
  });

  it("a free domain's token is for its own provider alone", () => {
    expect(faultsOf({ domain: "my-home.duckdns.org", domainToken: duckToken, acmeDns: "desec" })).toEqual([
      "acmeDnsCredentials is missing: acmeDns is desec; it is the token of desec",
    ]);
  });

  it("an IPv6 network needs IPv6 on Alibaba Cloud", () => {
    expect(faultsOf({ ...cloudflare, webCidrs: '["2001:db8::/32"]' }, minimalAlicloud)).toEqual([
      "webCidrs contains an IPv6 network, but ipv6 is false",
    ]);
  });

  it("are for providers in the order of the alphabet, each with a fixed version", () => {
    expect(dnsProviders).toEqual(dnsProviders.toSorted());
    expect(dnsProviders.join(", ")).toBe(list);
    // Renovate finds each by the comment above it.
    const source = readFileSync(join(projectRoot, "components/reverse-proxy/acme-dns.ts"), "utf8");
    for (const provider of dnsProviders) {
      const [path = "", version = ""] = dnsModule(provider)?.module.split("@") ?? [];
      expect(version).toMatch(/^v\d+\.\d+\.\d+(-\d{14}-[0-9a-f]{12})?$/);
      expect(source).toContain(`// renovate: datasource=go depName=${path}\n    version: "${version}",\n`);
    }
  });

  it("hold the credentials as a secret, by field", async () => {
    const { dns } = settingsOf({ domain, ...porkbun }).certificates;
    if (dns === undefined) throw new Error("there is no DNS provider");
    expect(dns.fields).toEqual(["api_key", "api_secret_key"]);
    expect(await promiseOf(dns.credentials)).toEqual({ api_key: "pk1_mine", api_secret_key: "sk1_mine" });
  });
});

describe("the edge with DNS-01", () => {
  const edge = async (settings: Record<string, string>) => {
    const run = await runProgram(settings);
    return { run, files: await arrivedFiles(run, "edge-release") };
  };
  const shown = ({ resources, outputs }: ProgramRun) =>
    JSON.stringify([
      resources.map(({ inputs, secretInputs, ...rest }) => ({
        ...rest,
        outputs: undefined,
        plain: Object.entries(inputs).filter(([key]) => !secretInputs.includes(key)),
      })),
      Object.values(outputs).filter(({ secret }) => !secret),
    ]);

  it("is Caddy as its publisher built it where it is not asked for", async () => {
    const { files } = await edge({ domain });
    expect([...files.keys()].filter((path) => /^(image|acme-dns)\//.test(path))).toEqual([]);
    const compose = files.get("compose.yaml")?.content ?? "";
    expect(compose).toMatch(/^ {4}image: "docker\.io\/library\/caddy:2\.\d+\.\d+-alpine@sha256:[0-9a-f]{64}"$/m);
    expect(compose).not.toContain("build:");
    expect(files.get("plan")?.content).not.toContain("build");
    expect(files.get("live/Caddyfile")?.content).not.toMatch(/dns |\*\.home/);
  });

  it("is built on the host with one module, in the version of Caddy's own image, from sums that Go checks", async () => {
    const { files } = await edge({ ...cloudflare, network: "mainland", icpFiled: "true" });
    const dockerfile = files.get("image/Dockerfile")?.content ?? "";
    expect(dockerfile.split("\n").filter((line) => /^(FROM|ENV|RUN|COPY| &&)/.test(line))).toEqual([
      expect.stringMatching(
        /^FROM [a-z0-9.]+\/library\/caddy:2\.\d+\.\d+-builder-alpine@sha256:[0-9a-f]{64} AS builder$/,
      ),
      "ENV GOPROXY=https://goproxy.cn GOSUMDB=sum.golang.org GOTOOLCHAIN=local GOFLAGS=-p=1",
      expect.stringMatching(
        /^RUN xcaddy build v2\.\d+\.\d+ --with github\.com\/caddy-dns\/cloudflare@v\d+\.\d+\.\d+ --output \/tmp\/caddy \\$/,
      ),
      " && /tmp/caddy list-modules | grep -qx dns.providers.cloudflare \\",
      " && go clean -cache -modcache",
      expect.stringMatching(/^FROM [a-z0-9.]+\/library\/caddy:2\.\d+\.\d+-alpine@sha256:[0-9a-f]{64}$/),
      "COPY --from=builder /tmp/caddy /usr/bin/caddy",
    ]);
    const compose = files.get("compose.yaml")?.content ?? "";
    expect(compose).toMatch(
      /^ {4}image: "cloudcode\/caddy:[0-9a-f]{16}"\n {4}build: "\.\/files\/[0-9a-f]{16}\/image"$/m,
    );
    expect(files.get("plan")?.content).toContain("build caddy\n");
  });

  it("gets another image with another module alone", async () => {
    const tag = async (settings: Record<string, string>) =>
      /cloudcode\/caddy:[0-9a-f]{16}/.exec((await edge(settings)).files.get("compose.yaml")?.content ?? "")?.[0];
    const first = await tag(cloudflare);
    expect(await tag({ ...cloudflare, acmeDnsCredentials: "another-token", acmeWildcard: "true" })).toBe(first);
    expect(await tag({ ...cloudflare, acmeDns: "vultr" })).not.toBe(first);
  });

  it("finds each value in a file of its own, and nothing of them elsewhere", async () => {
    const { run, files } = await edge({ domain, ...porkbun });
    for (const [field, value] of [
      ["api_key", "pk1_mine"],
      ["api_secret_key", "sk1_mine"],
    ] as const) {
      expect(files.get(`acme-dns/${field}`)).toMatchObject({ content: value, mode: 0o400, uid: 0 });
      const others = [...files].filter(([path]) => !["secrets", `acme-dns/${field}`].includes(path));
      expect(others.filter(([, { content }]) => content.includes(value)).map(([path]) => path)).toEqual([]);
      expect(shown(run)).not.toContain(value);
      expect(textOf(run.resource("edge-release").inputs["create"])).not.toContain(value);
      expect(files.get("compose.yaml")?.content).toMatch(
        new RegExp(`- "\\./files/[0-9a-f]{16}/acme-dns/${field}:/run/secrets/${field}:ro"`),
      );
    }
    expect(files.get("live/Caddyfile")?.content).toContain(
      "\t\t\tdns porkbun {\n\t\t\t\tapi_key {file./run/secrets/api_key}\n\t\t\t\tapi_secret_key {file./run/secrets/api_secret_key}\n\t\t\t}\n",
    );
  });

  it("asks every authority by it, and waits where the provider is slow", async () => {
    const { files } = await edge({ ...cloudflare, acmeDns: "hetzner" });
    const lines = (files.get("live/Caddyfile")?.content ?? "").split("\n").map((line) => line.trim());
    expect(lines.filter((line) => line.startsWith("issuer acme"))).toHaveLength(2);
    expect(lines.filter((line) => line === "dns hetzner {file./run/secrets/api_token}")).toHaveLength(2);
    expect(lines.filter((line) => line === "propagation_delay 30s")).toHaveLength(2);
  });

  it("has one site for all other names with a wildcard, which answers nothing", async () => {
    const { files } = await edge({ ...cloudflare, acmeWildcard: "true" });
    expect(files.get("live/Caddyfile")?.content).toContain("\n`*.home.example.com` {\n\timport tls\n\tabort\n}\n");
  });

  it("of a free domain uses its token", async () => {
    const { files } = await edge({ domain: "my-home.duckdns.org", domainToken: duckToken, acmeDns: "duckdns" });
    expect(files.get("acme-dns/api_token")?.content).toBe(duckToken);
  });
});

describe("a host that the internet does not reach", () => {
  const home = { domain: "my-home.dedyn.io", domainToken: desecToken, acmeDns: "desec" };

  it("at home announces the address that it is given, and needs no forwarding", async () => {
    const settings = { ...home, hostAddress: "192.168.1.5", domainAddress: "192.168.1.5" };
    const run = await runProgram(settings);
    const files = await arrivedFiles(run, "docker-install");
    expect(files.get("name-settings.sh")?.content).toContain("ipv4=192.168.1.5\n");
    const steps = run.outputs["nextSteps"]?.value as string[];
    expect(steps[1]).toBe(
      "192.168.1.5 is a private address: only networks that reach it can open the Apps. For the internet, forward TCP 80 and 443 and UDP 443 from the router to it, and set domainAddress to the router's public address if domainToken is set.",
    );
    expect(run.outputs["operations"]?.value).toMatchObject({ publicAddress: "192.168.1.5" });
    expect(run.outputs["operations"]?.value).not.toHaveProperty("announcesItself");
  });

  it("at Alibaba Cloud opens its sites to the networks that are named, and to no other", async () => {
    const run = await runAlicloud({ ...cloudflare, webCidrs: '["10.8.0.0/24"]' });
    const rules = run.resources
      .filter(({ type }) => type === "alicloud:ecs/securityGroupRule:SecurityGroupRule")
      .map(({ inputs }) => [inputs["ipProtocol"], inputs["portRange"], inputs["cidrIp"]]);
    const wanted = [
      ["all", "-1/-1", "0.0.0.0/0"],
      ["tcp", "22/22", "198.51.100.4/32"],
      ...[
        ["tcp", "80/80"],
        ["tcp", "443/443"],
        ["udp", "443/443"],
      ].map((rule) => [...rule, "10.8.0.0/24"]),
    ];
    expect(rules).toHaveLength(wanted.length);
    expect(rules).toEqual(expect.arrayContaining(wanted));
    expect(run.outputs["operations"]?.value).toMatchObject({ limited: true });
  });

  it("elsewhere is for the operator's firewall", async () => {
    const run = await runProgram({ ...cloudflare, webCidrs: '["10.8.0.0/24"]' });
    expect((run.outputs["nextSteps"]?.value as string[])[0]).toBe(
      "Firewall in front of the machine, if there is one: allow 22/tcp, 80/tcp (from 10.8.0.0/24), 443/tcp (from 10.8.0.0/24), 443/udp (from 10.8.0.0/24); nothing else.",
    );
  });
});
