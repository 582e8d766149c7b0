import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { minimal } from "../support/minimal";
import { failureOf, runAlicloud, runProgram } from "../support/program";
import { eipAddress, publicIpv6Address } from "../support/provider-answers";
import { optionsOf } from "../support/recorded-options";
import { faultsOf } from "../support/settings";

const zoneId = "fedcba9876543210fedcba9876543210";
const token = "cloudflare-token-of-the-zone";
const domain = "home.example.com";
const settings = { domain, domainProvider: "cloudflare", domainToken: token };
const comment = "cloudcode: cloudcode/test";

interface ZoneRecord {
  readonly type: string;
  readonly name: string;
  readonly content: string;
  readonly comment?: string | null;
}

/** A stand-in for Cloudflare's API of zones and records, where a token has rights to one zone. */
class Zones {
  name = "example.com";
  rights: "none" | "read" | "edit" = "edit";
  records: ZoneRecord[] = [];
  readonly asked: string[] = [];
  #server: Server | undefined;

  async open(): Promise<void> {
    this.#server = createServer((asked, answer) => void this.#answer(asked, answer));
    process.env["CLOUDFLARE_BASE_URL"] = `http://127.0.0.1:${await listen(this.#server)}/client/v4/`;
  }

  close(): void {
    this.#server?.close();
    delete process.env["CLOUDFLARE_BASE_URL"];
  }

  async #answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(asked.url ?? "", "http://cloudflare");
    const path = pathname.replace("/client/v4", "");
    const say = (status: number, body: object) =>
      answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const refuse = (status: number, code: number, message: string) => {
      say(status, { success: false, errors: [{ code, message }], result: null });
    };
    const wanted = searchParams.get("name") ?? searchParams.get("name.exact") ?? "";
    this.asked.push(`${asked.method ?? ""} ${path}${wanted && ` ${wanted}`}`);
    if (asked.headers.authorization !== `Bearer ${token}`) refuse(400, 6003, "Invalid request headers");
    else if (this.rights === "none") refuse(403, 9109, "Invalid access token");
    else if (path === "/zones") {
      const result = wanted === this.name ? [{ id: zoneId, name: this.name, status: "active" }] : [];
      say(200, { success: true, errors: [], result });
    } else if (path !== `/zones/${zoneId}/dns_records`) refuse(404, 7003, "Could not route");
    else if (asked.method === "GET")
      say(200, { success: true, errors: [], result: this.records.filter(({ name }) => name === wanted) });
    else if (this.rights === "read") refuse(403, 10000, "Authentication error");
    else {
      const { content } = JSON.parse(await text(asked)) as ZoneRecord;
      if (/^[\d.]+$/.test(content)) throw new Error("the check makes a record");
      refuse(400, 9005, "Content for A record must be a valid IPv4 address.");
    }
  }
}

let zones: Zones;
beforeEach(async () => {
  zones = new Zones();
  await zones.open();
});
afterEach(() => {
  zones.close();
});

/** What the operator reads; nothing was declared then. */
async function faultOf(more: Readonly<Record<string, string>> = {}): Promise<string> {
  const error = await failureOf({ ...minimal, sshCidrs: "", ...settings, ...more }, {});
  return error instanceof Error ? error.message : "";
}

describe("settings of records at Cloudflare", () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      "another provider",
      { ...settings, domainProvider: "route53" },
      [
        "domainProvider is not cloudflare",
        "domain is not NAME.duckdns.org or NAME.dedyn.io, whose records domainToken maintains; if its zone is at Cloudflare, set domainProvider",
      ],
    ],
    ["no token", { domain, domainProvider: "cloudflare" }, ["domainToken is missing: domainProvider is cloudflare"]],
    [
      "no domain",
      { domainProvider: "cloudflare", domainToken: token },
      ["domain is missing: domainProvider is cloudflare"],
    ],
    [
      "a free domain of another provider",
      { ...settings, domain: "my-home.duckdns.org" },
      ["domainProvider has no effect: domain ends with duckdns.org, so its records are not at cloudflare"],
    ],
    [
      "a token without a word of whom",
      { domain, domainToken: token },
      [
        "domain is not NAME.duckdns.org or NAME.dedyn.io, whose records domainToken maintains; if its zone is at Cloudflare, set domainProvider",
      ],
    ],
    [
      "a machine behind NAT, with certificates by its ports",
      { ...settings, hostAddress: "192.168.1.5" },
      [
        "domainAddress is missing: hostAddress is a private address, which no certificate authority reaches; set it to the public address of your router, or set acmeDns",
      ],
    ],
  ])("refuse %s", (_what, given, faults) => {
    expect(faultsOf(given)).toEqual(faults);
  });

  it.each<[string, Record<string, string>]>([
    ["a domain with its token", settings],
    ["certificates by the same token", { ...settings, acmeDns: "cloudflare", acmeWildcard: "true" }],
    ["a machine behind NAT with those", { ...settings, acmeDns: "cloudflare", hostAddress: "192.168.1.5" }],
    ["its router's address", { ...settings, hostAddress: "192.168.1.5", domainAddress: "203.0.113.9" }],
  ])("accept %s", (_what, given) => {
    expect(faultsOf(given)).toEqual([]);
  });
});

describe("the records at Cloudflare", () => {
  it("are two, not proxied, of the domain and all names below it", async () => {
    const run = await runProgram(settings);
    const record = { zoneId, type: "A", content: "203.0.113.7", comment, proxied: false, ttl: 1 };
    expect(run.resource("dns-apex").inputs).toEqual({ ...record, name: domain });
    expect(run.resource("dns-wildcard").inputs).toEqual({ ...record, name: `*.${domain}` });
    const made = run.resources.filter(({ type }) => type === "cloudflare:index/dnsRecord:DnsRecord");
    expect(made.map(({ name }) => name)).toEqual(["dns-apex", "dns-wildcard"]);
    for (const { name } of made) expect(optionsOf(run, name).provider).toBe("dns-provider");
    expect(run.resource("dns-provider").secretInputs).toEqual(["apiToken"]);
    expect(run.outputs["nextSteps"]?.value).not.toContainEqual(expect.stringMatching(/^DNS:/));
  });

  it("are there before Caddy asks for certificates, and go before the machine does", async () => {
    const run = await runProgram(settings);
    expect(optionsOf(run, "edge-release").dependsOn).toEqual(expect.arrayContaining(["dns-apex", "dns-wildcard"]));
    expect(optionsOf(run, "destroy-guard").dependsOn).toEqual(expect.arrayContaining(["dns-apex", "dns-wildcard"]));
  });

  it("on Alibaba Cloud have the address that the machine gets, and that of IPv6; its own DNS is not asked", async () => {
    const run = await runAlicloud({ ...settings, ipv6: "true" }, { account: { dnsZones: ["example.com"] } });
    const made = run.resources
      .filter(({ type }) => /dnsRecord|alidnsRecord/i.test(type))
      .map(({ inputs: { name, type, content } }) => [name, type, content]);
    const wanted = [domain, `*.${domain}`].flatMap((name) => [
      [name, "A", eipAddress],
      [name, "AAAA", publicIpv6Address],
    ]);
    expect(made).toHaveLength(4);
    expect(made).toEqual(expect.arrayContaining(wanted));
    expect(run.calls.map(({ token: name }) => name)).not.toContainEqual(expect.stringContaining("Alidns"));
  });

  it.each<[string, Record<string, string>, string, string]>([
    ["another address", { domainAddress: "100.64.0.7", acmeDns: "cloudflare" }, "A", "100.64.0.7"],
    ["another address of IPv6", { domainAddress: "2001:db8::9" }, "AAAA", "2001:db8::9"],
    ["a machine that has a name", { hostAddress: "box.example.net" }, "CNAME", "box.example.net"],
  ])("lead to %s", async (_what, more, type, content) => {
    const run = await runProgram({ ...settings, ...more });
    expect(run.resource("dns-apex").inputs).toMatchObject({ type, content });
  });

  it("are looked up in the longest zone that the token may see", async () => {
    zones.name = domain;
    await runProgram(settings);
    expect(zones.asked).toEqual([
      `GET /zones ${domain}`,
      `GET /zones/${zoneId}/dns_records ${domain}`,
      `GET /zones/${zoneId}/dns_records *.${domain}`,
      `POST /zones/${zoneId}/dns_records`,
    ]);
  });

  it("can be previewed before the machine has an address", async () => {
    const preview = await runAlicloud(settings, { preview: true });
    expect(preview.resource("dns-apex").inputs).toMatchObject({ zoneId, name: domain });
  });

  it("that the stack made before are its own, whatever they say", async () => {
    zones.records = [{ type: "A", name: domain, content: "198.51.100.1", comment }];
    expect((await runProgram(settings)).resource("dns-apex").inputs["content"]).toBe("203.0.113.7");
  });

  it("of other types, and below other names, are not looked at", async () => {
    zones.records = [
      { type: "TXT", name: domain, content: "v=spf1 -all" },
      { type: "A", name: `mail.${domain}`, content: "198.51.100.1" },
    ];
    await expect(runProgram(settings)).resolves.toBeDefined();
  });
});

describe("before anything is touched it is said in one sentence", () => {
  const rights = "Zone: Read and DNS: Edit for the zone (https://dash.cloudflare.com/profile/api-tokens)";

  it("that the token is none", async () => {
    expect(await faultOf({ domainToken: "another-token" })).toBe(
      `Cloudflare refuses the API token of domainToken (HTTP 400, Invalid request headers (6003)): it needs the permissions ${rights}.`,
    );
    zones.rights = "none";
    expect(await faultOf()).toBe(
      `Cloudflare refuses the API token of domainToken (HTTP 403, Invalid access token (9109)): it needs the permissions ${rights}.`,
    );
  });

  it("that the token may only read", async () => {
    zones.rights = "read";
    expect(await faultOf()).toBe(
      `Cloudflare refuses the API token of domainToken (HTTP 403, Authentication error (10000)): it needs the permissions ${rights}.`,
    );
  });

  it("that the zone is not among those that it sees", async () => {
    zones.name = "example.org";
    expect(await faultOf()).toBe(
      `No zone that the API token of domainToken may see holds ${domain}: add the domain at Cloudflare, and give the token the permissions ${rights}.`,
    );
  });

  it("that other records are in the way", async () => {
    zones.records = [
      { type: "AAAA", name: domain, content: "2001:db8::1", comment: null },
      { type: "CNAME", name: `*.${domain}`, content: "old.example.net", comment: "cloudcode: cloudcode/other" },
    ];
    const message = await faultOf();
    expect(message).toBe(
      `The zone example.com at Cloudflare already has records that cloudcode did not make: ${domain} AAAA 2001:db8::1, *.${domain} CNAME old.example.net. Delete them there, or set another domain; nothing was overwritten.`,
    );
    expect(message).not.toContain(token);
    expect(zones.asked).not.toContainEqual(expect.stringContaining("POST"));
  });
});
