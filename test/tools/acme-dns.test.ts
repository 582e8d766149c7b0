import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { dnsModule, dnsProviders } from "../../components/reverse-proxy/acme-dns";
import { caddyWithDns } from "../support/caddy-with-dns";
import { DnsProvider } from "../support/dns-provider";
import { runProgram } from "../support/program";
import { arrivedFiles } from "../support/releases";
import { caddyHome, pebble } from "../support/tools";

const domain = "home.example.com";
const token = "a-token-of-the-dns-provider";

interface Edge {
  readonly caddyfile: string;
  readonly dockerfile: string;
  /** Files below /run/secrets, by name. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** What a stack with these settings brings to the host for Caddy. */
async function edgeOf(settings: Readonly<Record<string, string>>): Promise<Edge> {
  const files = await arrivedFiles(await runProgram({ domain, ...settings }), "edge-release");
  const text = (path: string) => files.get(path)?.content ?? "";
  const secrets = [...files].filter(([path]) => path.startsWith("acme-dns/"));
  return {
    caddyfile: text("live/Caddyfile"),
    dockerfile: text("image/Dockerfile"),
    secrets: new Map(secrets.map(([path, { content }]) => [basename(path), content])),
  };
}

/** Lays a Caddyfile and its secrets out in a folder of this machine. */
function place({ caddyfile, secrets }: Edge, folder: string, more: (text: string) => string = (text) => text): string {
  mkdirSync(join(folder, "secrets"), { recursive: true });
  for (const [name, content] of secrets) writeFileSync(join(folder, "secrets", name), content);
  const file = join(folder, "Caddyfile");
  writeFileSync(file, more(caddyfile.replaceAll("/run/secrets/", `${folder}/secrets/`)));
  return file;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "acme-dns-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Credentials of the right shape for each provider. */
function credentialsFor(provider: string): string {
  const { needed = [], optional = [] } = dnsModule(provider)?.fields ?? {};
  if (needed.length === 1) return token;
  return JSON.stringify(Object.fromEntries([...needed, ...optional].map((field) => [field, `${field} of mine`])));
}

describe("a Caddyfile for DNS-01", () => {
  it.each(dnsProviders)("at %s is taken by Caddy with its module, with credentials from files", async (acmeDns) => {
    const cloudflare = await edgeOf({ acmeDns: "cloudflare", acmeDnsCredentials: token });
    const edge = await edgeOf({ acmeDns, acmeDnsCredentials: credentialsFor(acmeDns) });
    const caddy = await caddyWithDns(cloudflare.dockerfile);
    const config = place(edge, folder);
    const validate = () =>
      execFileSync(caddy, ["validate", "--adapter", "caddyfile", "--config", config], {
        env: caddyHome(folder),
        stdio: ["ignore", "pipe", "pipe"],
      });
    expect(validate).not.toThrow();
    // The file's text is what counts: an empty one is refused.
    for (const name of edge.secrets.keys()) writeFileSync(join(folder, "secrets", name), "");
    expect(validate).toThrow(/is empty/);
  });

  it("at a provider that is named by its module gets the fields that are given", async () => {
    const { dockerfile } = await edgeOf({ acmeDns: "cloudflare", acmeDnsCredentials: token });
    const acmeDnsCredentials = '{"some_key":"a","some_secret":"b c"}';
    const edge = await edgeOf({ acmeDns: "github.com/caddy-dns/other@v1.2.3", acmeDnsCredentials });
    expect(edge.dockerfile).toContain("--with github.com/caddy-dns/other@v1.2.3 ");
    expect(edge.secrets).toEqual(
      new Map([
        ["some_key", "a"],
        ["some_secret", "b c"],
      ]),
    );
    const caddy = await caddyWithDns(dockerfile);
    const args = ["validate", "--adapter", "caddyfile", "--config", place(edge, folder)];
    execFileSync(caddy, args, { env: caddyHome(folder), stdio: ["ignore", "pipe", "pipe"] });
  });
});

describe("a certificate by DNS-01 from a real ACME server", () => {
  const [hosts, names] = [
    [domain, `auth.${domain}`, `code.${domain}`],
    (provider: DnsProvider) => provider.calls.filter(({ verb }) => verb === "append").map(({ name }) => name),
  ];

  it.each<[string, string, readonly string[], readonly string[]]>([
    ["for each site", "false", hosts, hosts.map((host) => `_acme-challenge.${host}.`)],
    [
      "for the domain and all names below it",
      "true",
      [domain, `*.${domain}`, `*.${domain}`],
      [`_acme-challenge.${domain}.`],
    ],
  ])("is issued %s, while nobody can connect to the host", async (_what, acmeWildcard, subjects, asked) => {
    const provider = await DnsProvider.start("example.com", { api_token: token });
    const authority = await Authority.start(folder, provider.nameServer);
    const settings = { acmeDirectories: JSON.stringify([authority.directory]), acmeTrustedRoot: authority.root };
    const edge = await edgeOf({ acmeDns: "cloudflare", acmeDnsCredentials: token, acmeWildcard, ...settings });
    const [http, https] = [await freePort(), await freePort()];
    const config = place(edge, folder, (text) =>
      text
        .replace(
          "admin localhost:2019",
          `admin off\n\thttp_port ${http}\n\thttps_port ${https}\n\tdefault_bind 127.0.0.1`,
        )
        .replaceAll("/etc/caddy/acme-root.pem", authority.rootFile)
        // In place of the name servers of the internet.
        .replaceAll(/^(\t+)dns cloudflare .*$/gm, `$&\n$1resolvers ${provider.nameServer}`),
    );
    expect(edge.caddyfile).not.toContain(token);
    const env = { ...caddyHome(folder), RELEASE: folder, ...provider.environment };
    const args = ["run", "--adapter", "caddyfile", "--config", config];
    const caddy = spawn(await caddyWithDns(edge.dockerfile), args, { env, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    caddy.stderr.on("data", (part: Buffer) => (said = `${said}${part.toString()}`.slice(-200_000)));
    try {
      const seen = await Promise.all(hosts.map((host) => issued(https, host)));
      expect(seen.map(({ issuer }) => /^Pebble Intermediate/.test(issuer))).toEqual(hosts.map(() => true));
      expect(seen.map(({ names: of }) => of)).toEqual(subjects.map((subject) => `DNS:${subject}`));
      expect([...new Set(names(provider))].sort()).toEqual(asked.toSorted());
      // What was written for the authority is taken away again.
      for (
        let tries = 0;
        tries < 100 && provider.calls.filter(({ verb }) => verb === "delete").length < subjects.length;
        tries++
      )
        await sleep(100);
      const [made, gone] = ["append", "delete"].map((verb) =>
        provider.calls.filter((call) => call.verb === verb).map(({ name, data }) => `${name} ${data}`),
      );
      expect(gone?.toSorted()).toEqual(made?.toSorted());
      expect(said).not.toContain(token);
      // Nor does it stand in what Caddy keeps, such as the copy of its configuration.
      expect(execFileSync("grep", ["-rlF", token, folder], { encoding: "utf8" }).trim()).toBe(
        join(folder, "secrets", "api_token"),
      );
      // A name that is no site's is not answered.
      if (acmeWildcard === "true") await expect(issued(https, `nobody.${domain}`, "/")).rejects.toThrow();
    } finally {
      caddy.kill("SIGKILL");
      authority.stop();
      provider.stop();
    }
  });
});

/** Pebble, which looks for records at the provider's name server. */
class Authority {
  private constructor(
    readonly directory: string,
    readonly root: string,
    readonly rootFile: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(folder: string, nameServer: string): Promise<Authority> {
    const { certificate, key } = selfSigned(["127.0.0.1"]);
    const [rootFile, privateKey, config] = ["ca.pem", "ca.key", "pebble.json"].map((name) => join(folder, name));
    const listenAddress = `127.0.0.1:${await freePort()}`;
    const settings = {
      listenAddress,
      managementListenAddress: `127.0.0.1:${await freePort()}`,
      // Nothing listens there: other challenges cannot succeed.
      certificate: rootFile,
      privateKey,
      httpPort: await freePort(),
      tlsPort: await freePort(),
      keyAlgorithm: "ecdsa",
      retryAfter: { authz: 1, order: 1 },
    };
    writeFileSync(rootFile ?? "", certificate);
    writeFileSync(privateKey ?? "", key);
    writeFileSync(config ?? "", JSON.stringify({ pebble: settings }));
    const env = { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" };
    const args = ["-config", config ?? "", "-dnsserver", nameServer];
    const child = spawn(await pebble(), args, { env, stdio: "ignore" });
    return new Authority(`https://${listenAddress}/dir`, certificate, rootFile ?? "", child);
  }

  stop(): void {
    this.child.kill("SIGKILL");
  }
}

/** The certificate that a site shows, once it is not of Caddy's own authority; with a path also an answer is waited for. */
async function issued(port: number, servername: string, path?: string): Promise<{ issuer: string; names: string }> {
  const look = () =>
    new Promise<{ issuer: string; names: string }>((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, servername, rejectUnauthorized: false }, () => {
        const { issuer, subjectaltname: names = "" } = socket.getPeerCertificate();
        if (path === undefined) {
          resolve({ issuer: String(issuer.CN), names });
          socket.end();
          return;
        }
        socket.write(`GET ${path} HTTP/1.1\r\nHost: ${servername}\r\n\r\n`);
        socket.on("data", () => {
          resolve({ issuer: String(issuer.CN), names });
        });
        socket.on("close", () => {
          reject(new Error("closed without an answer"));
        });
      });
      socket.on("error", reject);
    });
  if (path !== undefined) return look();
  for (let tries = 0; tries < 120; tries++) {
    const seen = await look().catch(() => undefined);
    if (seen !== undefined && !/Caddy Local Authority/.test(seen.issuer)) return seen;
    await sleep(1000);
  }
  throw new Error(`${servername} showed no certificate of the authority within 120 s`);
}
