import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { NameProviders, desecToken, duckToken } from "../support/name-providers";
import { textOf } from "../support/plain";
import { type ProgramRun, runAlicloud, runProgram } from "../support/program";
import { projectRoot } from "../support/project-root";
import { arrivedFiles } from "../support/releases";
import { faultsOf } from "../support/settings";

const duck = { domain: "home.duckdns.org", domainToken: duckToken };
const desec = { domain: "home.dedyn.io", domainToken: desecToken };
type Raw = Readonly<Record<string, string>>;

// The program once for each configuration, and a slow machine.
jest.setTimeout(180_000);
const runs = new Map<string, Promise<ProgramRun>>();
const runOf = (settings: Raw): Promise<ProgramRun> => {
  const key = JSON.stringify(settings);
  const run = runs.get(key) ?? runProgram(settings);
  runs.set(key, run);
  return run;
};

describe("the settings of a free name", () => {
  const wrongName =
    "domain is not NAME.duckdns.org or NAME.dedyn.io, whose records domainToken maintains; if its zone is at Cloudflare, set domainProvider";
  it.each<[Raw, string[]]>([
    [{ domainToken: duckToken }, [wrongName]],
    [{ ...duck, domain: "home.example.com" }, [wrongName]],
    [{ ...duck, domain: "code.home.duckdns.org" }, [wrongName]],
    [{ ...duck, domain: "homeduckdns.org" }, [wrongName]],
    [{ ...duck, domain: "home.duckdns.org.example.com" }, [wrongName]],
    [{ ...desec, domainToken: duckToken }, ["domainToken is not a token of deSEC, 28 letters, digits, - and _"]],
    [{ ...duck, domainToken: desecToken }, ["domainToken is not a token of DuckDNS, five groups of 0-9 and a-f"]],
    [{ ...desec, domainToken: `${desecToken} ` }, ["domainToken is not an access token"]],
    [
      { ...duck, domain: "duckdns.org" },
      ["domain is a public suffix, so browsers refuse its login cookie; use a name below it"],
    ],
    [duck, []],
    [desec, []],
    [{ domain: "code.home.duckdns.org" }, []],
  ])("%j: %j", (settings, faults) => {
    expect(faultsOf(settings)).toEqual(faults);
  });
});

describe("what reaches the host", () => {
  const filesOf = async (settings: Raw, run = runOf) => {
    const files = await arrivedFiles(await run(settings), "docker-install");
    return [files.get("name-settings.sh")?.content ?? "", files.get("name-token.conf")?.content ?? ""];
  };
  const said = (provider: string, domain: string, ipv4: string, ipv6: string) =>
    Object.entries({ provider, domain, ipv4, ipv6, settle_seconds: "30" })
      .map(([key, value]) => `${key}=${value || "''"}\n`)
      .join("");

  it("is nothing by default", async () => {
    expect(await filesOf({})).toEqual([said("", "", "", ""), ""]);
  });

  it.each<[string, Raw, string]>([
    ["its public address", {}, said("duckdns", "home.duckdns.org", "203.0.113.7", "")],
    ["its IPv6 address", { hostAddress: "2001:db8::7" }, said("duckdns", "home.duckdns.org", "", "2001:db8::7")],
    [
      "what the provider sees of a machine at home",
      { hostAddress: "192.168.1.5" },
      said("duckdns", "home.duckdns.org", "", ""),
    ],
    [
      "what it sees of one behind a carrier's NAT",
      { hostAddress: "100.64.3.4" },
      said("duckdns", "home.duckdns.org", "", ""),
    ],
    [
      "what it sees of one in an IPv6 network of its own",
      { hostAddress: "fd00::5" },
      said("duckdns", "home.duckdns.org", "", ""),
    ],
    ["what it sees of one by name", { hostAddress: "home.duckdns.org" }, said("duckdns", "home.duckdns.org", "", "")],
  ])("announces %s", async (_what, settings, expected) => {
    expect(await filesOf({ ...duck, ...settings })).toEqual([expected, `data = "token=${duckToken}"\n`]);
  });

  it("on Alibaba Cloud is the address of the stack, IPv6 too, and the account's DNS is not asked", async () => {
    const run = await runAlicloud({ ...desec, ipv6: "true" });
    const [settings, token] = await filesOf({}, () => Promise.resolve(run));
    expect(settings).toMatch(/^provider=desec\ndomain=home\.dedyn\.io\nipv4=[\d.]+\nipv6=[\da-f]+:[\da-f:]+\n/);
    expect(token).toBe(`header = "Authorization: Token ${desecToken}"\n`);
    expect(run.calls.map(({ token: called }) => called)).not.toContain(
      "alicloud:dns/getAlidnsDomains:getAlidnsDomains",
    );
    expect(run.resources.filter(({ type }) => type.includes("AlidnsRecord"))).toEqual([]);
  });

  it("holds the token as a secret alone", async () => {
    const run = await runOf(duck);
    expect(run.resource("docker-install").secretInputs).toContain("stdin");
    expect(textOf(run.resource("docker-install").inputs["create"])).not.toContain(duckToken);
    expect(JSON.stringify(run.outputs)).not.toContain(duckToken);
  });
});

describe("the next steps", () => {
  const steps = async (settings: Raw) => JSON.stringify((await runOf(settings)).outputs["nextSteps"]?.value);

  it("say of a shared name what it means, and how to get one of one's own", async () => {
    expect(await steps({})).toContain("203-0-113-7.sslip.io is a shared name");
    expect(await steps({})).toContain("pulumi config set domain NAME.duckdns.org");
    expect(await steps({ domain: "me.nip.io" })).toContain("every page of every *.nip.io");
    for (const domain of ["home.example.com", "home.duckdns.org", "home.dedyn.io"])
      expect(await steps({ domain })).not.toContain("shared name");
  });

  it("ask for no records that the host makes itself", async () => {
    expect(await steps(duck)).not.toContain("must point to");
    expect(await steps({ domain: "home.duckdns.org" })).toContain("must point to 203.0.113.7");
  });

  it("say of a machine behind NAT what its router does, and never that names point to a private address", async () => {
    const nat = "192.168.1.5 is a private address: forward TCP 80 and 443 and UDP 443 from the router to it";
    const own = await steps({ domain: "home.example.com", hostAddress: "192.168.1.5" });
    expect(own).toContain(`${nat} and point home.example.com and *.home.example.com to the router's public address.`);
    expect(await steps({ ...duck, hostAddress: "192.168.1.5" })).toContain(`${nat}. Behind a provider's NAT (CGNAT)`);
    expect(await steps({ hostAddress: "192.168.1.5" })).toContain(
      "only your own network reaches it, with certificates",
    );
    for (const settings of [{ domain: "home.example.com" }, duck, {}])
      expect(await steps({ ...settings, hostAddress: "192.168.1.5" })).not.toContain("must point to 192.168.1.5");
  });
});

describe("cloudcode-name", () => {
  let providers: NameProviders;
  let root: string;
  beforeEach(async () => {
    providers = await NameProviders.start();
    root = mkdtempSync(join(tmpdir(), "name-"));
  });
  afterEach(() => {
    providers.stop();
    rmSync(root, { recursive: true });
  });

  interface Ended {
    readonly code: number | null;
    readonly said: string;
    /** Every command line that the machine showed meanwhile. */
    readonly commands: string;
  }

  /** Runs the real script with the files that the program sends, below a folder, with a curl that meets the stand-ins. */
  async function look(settings: Raw, change: Raw = {}): Promise<Ended> {
    const home = join(root, "name");
    mkdirSync(home, { recursive: true });
    const files = await arrivedFiles(await runOf({ ...settings, ...change }), "docker-install");
    const settle = (files.get("name-settings.sh")?.content ?? "").replace("settle_seconds=30", "settle_seconds=0");
    writeFileSync(join(home, "settings.sh"), settle);
    writeFileSync(join(home, "token.conf"), files.get("name-token.conf")?.content ?? "");
    const script = join(root, "cloudcode-name");
    const template = readFileSync(join(projectRoot, "stack-templates", "host", "cloudcode-name"), "utf8");
    writeFileSync(script, template.replace("home=/opt/cloudcode/name", `home=${home}`));
    writeFileSync(join(root, "ca.pem"), providers.tls.certificate);
    const ways = providers.names.map((name) => `connect-to = "${name}:443:127.0.0.1:${providers.port}"`);
    writeFileSync(join(root, ".curlrc"), [`cacert = "${join(root, "ca.pem")}"`, ...ways, ""].join("\n"));
    // Shows what any process of the machine can see of curl's command line.
    const real = (process.env["PATH"] ?? "").split(":").find((folder) => existsSync(join(folder, "curl")));
    mkdirSync(join(root, "bin"), { recursive: true });
    writeFileSync(join(root, "bin", "curl"), `#!/bin/sh\necho "$*" >>${root}/commands\nexec ${real ?? ""}/curl "$@"\n`);
    chmodSync(join(root, "bin", "curl"), 0o755);
    const env = { PATH: `${join(root, "bin")}:${process.env["PATH"] ?? ""}`, CURL_HOME: root };
    const child = spawn("sh", [script], { env });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const [out, faults, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    const commands = readFileSync(join(root, "commands"), "utf8");
    return { code, said: `${out}${faults}`.trim(), commands };
  }

  const last = () =>
    readFileSync(join(root, "name", "last"), "utf8")
      .trim()
      .split("\t")
      .slice(1);
  const writes = () => providers.asked.filter((line) => line.startsWith("PATCH"));

  it("sets the name at DuckDNS, and again as often as it likes", async () => {
    for (let times = 0; times < 2; times++)
      expect(await look(duck)).toMatchObject({ code: 0, said: "home.duckdns.org has 203.0.113.7" });
    expect(providers.duck).toEqual({ ipv4: "203.0.113.7", ipv6: "" });
    expect(last()).toEqual(["0", "home.duckdns.org has 203.0.113.7"]);
  });

  it("sets name and wildcard at deSEC in one call, and writes no more while they are right", async () => {
    const ended = { code: 0, said: "home.dedyn.io and *.home.dedyn.io have 203.0.113.7" };
    for (let times = 0; times < 3; times++) expect(await look(desec)).toMatchObject(ended);
    expect(providers.zone).toEqual(["* A 203.0.113.7", "@ A 203.0.113.7"]);
    expect(writes()).toHaveLength(1);
  });

  it("follows another address, and takes the earlier ones away, AAAA too; other records stay", async () => {
    const other = { subname: "", type: "CAA", ttl: 3600, records: ['0 issue "letsencrypt.org"'] };
    providers.rrsets = [
      other,
      { subname: "", type: "AAAA", ttl: 60, records: ["2001:db8::1"] },
      { subname: "*", type: "A", ttl: 60, records: ["192.0.2.1", "203.0.113.7"] },
      { subname: "mail", type: "A", ttl: 3600, records: ["192.0.2.9"] },
    ];
    providers.duck = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };
    expect((await look(desec)).code).toBe(0);
    expect(providers.zone).toEqual(
      ["* A 203.0.113.7", '@ CAA 0 issue "letsencrypt.org"', "@ A 203.0.113.7", "mail A 192.0.2.9"].sort(),
    );
    expect((await look(duck)).code).toBe(0);
    expect(providers.duck).toEqual({ ipv4: "203.0.113.7", ipv6: "" });
    expect((await look(desec, { hostAddress: "2001:db8::7" })).code).toBe(0);
    expect(providers.zone.filter((line) => /^[@*] A/.test(line))).toEqual(["* AAAA 2001:db8::7", "@ AAAA 2001:db8::7"]);
    expect((await look(duck, { hostAddress: "2001:db8::7" })).code).toBe(0);
    expect(providers.duck).toEqual({ ipv4: "", ipv6: "2001:db8::7" });
  });

  it("announces the address that the provider sees of a machine at home, and follows it", async () => {
    const home = { hostAddress: "192.168.1.5" };
    for (const address of ["198.51.100.77", "198.51.100.78"]) {
      providers.seen = address;
      expect(await look(duck, home)).toMatchObject({ code: 0, said: `home.duckdns.org has ${address}` });
      expect((await look(desec, home)).code).toBe(0);
      expect(providers.duck.ipv4).toBe(address);
      expect(providers.zone).toEqual([`* A ${address}`, `@ A ${address}`]);
    }
  });

  it.each<[string, Raw, { status: number; body: string }, number, string]>([
    [
      "DuckDNS's KO, which comes with 200",
      duck,
      { status: 200, body: "KO" },
      1,
      "DuckDNS refuses (KO): home.duckdns.org is not a name of the account of this token",
    ],
    [
      "a page of somebody else",
      duck,
      { status: 200, body: "<html>\nsign in to the hotel\n" },
      75,
      "DuckDNS answers something else: <html> sign in to the hotel",
    ],
    [
      "a token that deSEC does not know",
      desec,
      { status: 401, body: '{"detail":"Invalid token."}' },
      1,
      "deSEC refuses the token (HTTP 401): set domainToken again",
    ],
    [
      "a token without rights",
      desec,
      { status: 403, body: "{}" },
      1,
      "deSEC refuses the token (HTTP 403): set domainToken again",
    ],
    [
      "a name of another account",
      desec,
      { status: 404, body: "{}" },
      1,
      "deSEC has no home.dedyn.io in the account of this token (HTTP 404)",
    ],
    ["no JSON", desec, { status: 200, body: "<html>" }, 75, "deSEC answers something else: <html>"],
  ])("tells %s", async (_what, settings, trouble, code, said) => {
    providers.trouble = [trouble];
    expect(await look(settings)).toMatchObject({ code, said: expect.stringContaining(said) as unknown });
    expect(last()).toEqual([String(code), said]);
  });

  it("tells what deSEC refuses in its own words, and changes nothing", async () => {
    providers.rrsets = [{ subname: "*", type: "CNAME", ttl: 3600, records: ["elsewhere.example.com."] }];
    const { code, said } = await look(desec);
    expect({ code, said }).toMatchObject({
      code: 1,
      said: expect.stringContaining(
        'deSEC refuses the records (HTTP 400): [{},{"non_field_errors":["RRset with conflicting type',
      ) as unknown,
    });
    expect(providers.zone).toEqual(["* CNAME elsewhere.example.com."]);
  });

  it("asks again after a busy answer, whose words do not stay in the next one", async () => {
    const busy = { status: 503, body: "OK\nbusy", headers: { "retry-after": "1" } };
    providers.trouble = [busy];
    expect(await look(duck)).toMatchObject({ code: 0, said: "home.duckdns.org has 203.0.113.7" });
    providers.trouble = [{ ...busy, status: 429 }];
    expect((await look(desec)).code).toBe(0);
  });

  it("tells a provider that does not answer", async () => {
    await look(duck);
    providers.stop();
    const { port } = providers;
    providers = await NameProviders.start();
    const gone = providers.port;
    providers.stop();
    Object.assign(providers, { port: gone === port ? port : gone });
    const { code, said } = await look(duck);
    expect({ code, said }).toMatchObject({
      code: 75,
      said: expect.stringMatching(/^DuckDNS does not answer: curl: \(7\)/) as unknown,
    });
  });

  it("shows the token on no command line and in no words", async () => {
    for (const settings of [duck, desec]) {
      const { commands, said } = await look(settings);
      expect(commands).toContain("--config");
      for (const token of [duckToken, desecToken]) expect(`${commands}${said}${last().join()}`).not.toContain(token);
    }
    providers.trouble = [{ status: 200, body: "KO" }];
    expect((await look(duck)).said).not.toContain(duckToken);
  });
});
