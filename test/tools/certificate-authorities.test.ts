import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { Authorities } from "../support/authorities";
import { runProgram } from "../support/program";
import { unpack } from "../support/releases";
import { faultsOf, settingsOf } from "../support/settings";
import { caddy, caddyHome } from "../support/tools";

jest.setTimeout(180_000);

/** The real Caddy with the Caddyfile of a stack, on ports of its own. */
class Site {
  private constructor(
    private readonly port: number,
    private readonly caddy: ChildProcess,
    private readonly folder: string,
  ) {}

  static async open(settings: Readonly<Record<string, string>>, environment: object): Promise<Site> {
    const [http, https] = [await freePort(), await freePort()];
    const stack = unpack(await runProgram(settings), "edge-release");
    const caddyfile = stack.text("live/Caddyfile");
    stack.remove();
    const moved = caddyfile.replace("admin localhost:2019", `admin off\n\thttp_port ${http}\n\thttps_port ${https}`);
    const folder = mkdtempSync(join(tmpdir(), "site-"));
    const file = join(folder, "Caddyfile");
    writeFileSync(file, moved);
    const env = { ...caddyHome(folder), RELEASE: folder, ...environment };
    const args = ["run", "--adapter", "caddyfile", "--config", file];
    return new Site(https, spawn(await caddy(), args, { env, stdio: "ignore" }), folder);
  }

  /** Who signed the certificate that the site shows, once it shows one. */
  async issuer(host: string): Promise<string> {
    for (let tries = 0; tries < 120; tries++) {
      const issuer = await this.#look(host).catch(() => undefined);
      if (issuer !== undefined) return issuer;
      await sleep(1000);
    }
    throw new Error(`${host} showed no certificate within 120 s`);
  }

  close(): void {
    this.caddy.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  #look(servername: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: this.port, servername, rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().issuer.CN));
        socket.end();
      });
      socket.on("error", reject);
    });
  }
}

describe.each<[string, Record<string, string>, string, string]>([
  ["the default settings", {}, "203-0-113-7.sslip.io", "hostmaster@203-0-113-7.sslip.io"],
  [
    "a contact of its own",
    { domain: "xn--bcher-kva.example", acmeEmail: "jo+certificates@mail.example.net", adminEmail: "jo@example.net" },
    "xn--bcher-kva.example",
    "jo+certificates@mail.example.net",
  ],
])("with %s, while Let's Encrypt refuses every order for its limits", (_what, settings, domain, contact) => {
  let authorities: Authorities;
  let site: Site;
  beforeAll(async () => {
    authorities = await Authorities.start();
    site = await Site.open(settings, authorities.environment);
  });
  afterAll(() => {
    site.close();
    authorities.stop();
  });

  it("ZeroSSL, which wants a mail address, signs every name, so that no visitor sees a warning", async () => {
    for (const host of [domain, `auth.${domain}`, `code.${domain}`])
      expect(await site.issuer(host)).toMatch(/^Pebble Intermediate/);
    expect(authorities.refused).toBeGreaterThanOrEqual(3);
    expect(new Set(authorities.emails)).toEqual(new Set([contact]));
    expect(new Set(authorities.contacts)).toEqual(new Set([`mailto:${contact}`]));
  });
});

describe("the contact", () => {
  it.each<[string, Record<string, string>, string | undefined]>([
    [
      "its own setting",
      { acmeEmail: "jo@mail.example.net", adminEmail: "ada@mail.example.net" },
      "jo@mail.example.net",
    ],
    ["the operator's address", { adminEmail: "ada@mail.example.net" }, "ada@mail.example.net"],
    ["not one that Let's Encrypt refuses", { adminEmail: "ada@Example.org" }, undefined],
    ["left to the domain", {}, undefined],
  ])("is %s", (_what, settings, email) => {
    expect(faultsOf(settings)).toEqual([]);
    expect(settingsOf(settings).certificates.email).toBe(email);
  });
});
