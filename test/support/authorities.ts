import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer as createProxy } from "node:http";
import { createServer as createHttps, request } from "node:https";
import { type Server, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { freePort, listen } from "@cloudcode/offline-kit/toolchain/ports";
import { pebble } from "./tools";

const letsEncrypt = "acme-v02.api.letsencrypt.org";
const zeroSsl = "acme.zerossl.com";
const zeroSslApi = "api.zerossl.com";

/**
 * The default authorities at their own names, for a program that goes through a proxy: Let's Encrypt, whose limit is reached
 * (https://letsencrypt.org/docs/rate-limits/), and ZeroSSL, which opens an account only to who shows a binding that its API
 * gives for a mail address (https://zerossl.com/documentation/acme/); behind it Pebble issues.
 */
export class Authorities {
  /** Contacts of the accounts at Let's Encrypt. */
  readonly contacts: string[] = [];
  /** Mail addresses that ZeroSSL's API was asked with. */
  readonly emails: string[] = [];
  /** Orders that Let's Encrypt refused. */
  refused = 0;

  readonly #folder = mkdtempSync(join(tmpdir(), "authorities-"));
  readonly #binding = { kid: randomBytes(16).toString("base64url"), key: randomBytes(32).toString("base64url") };
  readonly #tls = selfSigned([letsEncrypt, zeroSsl, zeroSslApi, "127.0.0.1"]);
  readonly #servers: Server[] = [];
  #pebble: ChildProcess | undefined;
  #pebblePort = 0;
  /** The end of what Pebble wrote. */
  #said = "";
  #proxyPort = 0;

  static async start(): Promise<Authorities> {
    const authorities = new Authorities();
    await authorities.#start();
    return authorities;
  }

  /** What makes a Go program meet these in place of the real ones. */
  get environment(): Readonly<Record<string, string>> {
    return { HTTPS_PROXY: `http://127.0.0.1:${this.#proxyPort}`, SSL_CERT_FILE: join(this.#folder, "tls.crt") };
  }

  stop(): void {
    this.#pebble?.kill();
    for (const server of this.#servers) server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const [certificate, privateKey] = [join(this.#folder, "tls.crt"), join(this.#folder, "tls.key")];
    writeFileSync(certificate, this.#tls.certificate);
    writeFileSync(privateKey, this.#tls.key);
    this.#pebblePort = await freePort();
    const address = `127.0.0.1:${this.#pebblePort}`;
    const settings = {
      listenAddress: address,
      managementListenAddress: `127.0.0.1:${await freePort()}`,
      certificate,
      privateKey,
      httpPort: 80,
      tlsPort: 443,
      keyAlgorithm: "ecdsa",
      retryAfter: { authz: 1, order: 1 },
      externalAccountBindingRequired: true,
      externalAccountMACKeys: { [this.#binding.kid]: this.#binding.key },
    };
    const config = join(this.#folder, "pebble.json");
    writeFileSync(config, JSON.stringify({ pebble: settings }));
    const env = { ...process.env, PEBBLE_VA_ALWAYS_VALID: "1", PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" };
    this.#pebble = spawn(await pebble(), ["-config", config], { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const output of [this.#pebble.stdout, this.#pebble.stderr])
      output?.on("data", (part: Buffer) => (this.#said = `${this.#said}${part.toString()}`.slice(-2000)));

    const sites = createHttps({ key: this.#tls.key, cert: this.#tls.certificate }, (asked, answer) => {
      const { host } = asked.headers;
      if (host === letsEncrypt) void this.#letsEncrypt(asked, answer);
      else if (host === zeroSsl) void this.#zeroSsl(asked, answer);
      else void this.#zeroSslApi(asked, answer);
    });
    const sitesPort = await this.#listen(sites);
    const proxy = createProxy();
    proxy.on("connect", ({ url = "" }, visitor) => {
      if (![letsEncrypt, zeroSsl, zeroSslApi].some((name) => url === `${name}:443`)) {
        visitor.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
        return;
      }
      const site = connect(sitesPort, "127.0.0.1", () => visitor.write("HTTP/1.1 200 OK\r\n\r\n"));
      for (const socket of [site, visitor]) socket.on("error", () => [site, visitor].map((each) => each.destroy()));
      visitor.pipe(site).pipe(visitor);
    });
    this.#proxyPort = await this.#listen(proxy);
    await this.#pebbleAnswers();
  }

  async #letsEncrypt(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { url, method } = asked;
    const at = (path: string) => `https://${letsEncrypt}/acme/${path}`;
    answer.setHeader("replay-nonce", randomBytes(16).toString("base64url"));
    const json = (status: number, body: object, headers = {}) =>
      answer.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    if (url === "/directory")
      json(200, {
        newNonce: at("new-nonce"),
        newAccount: at("new-acct"),
        newOrder: at("new-order"),
        revokeCert: at("revoke-cert"),
        keyChange: at("key-change"),
      });
    else if (url === "/acme/new-nonce") answer.writeHead(method === "HEAD" ? 200 : 204).end();
    else if (url === "/acme/new-acct") {
      const { payload } = JSON.parse(await text(asked)) as { payload: string };
      const { contact = [] } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { contact?: string[] };
      this.contacts.push(...contact);
      json(201, { status: "valid", contact }, { location: at("acct/1") });
    } else if (url === "/acme/new-order") {
      this.refused += 1;
      json(
        429,
        {
          type: "urn:ietf:params:acme:error:rateLimited",
          detail: 'too many certificates (25000) already issued for "sslip.io" in the last 168h0m0s',
        },
        { "content-type": "application/problem+json", "retry-after": "3600" },
      );
    } else answer.writeHead(404).end();
  }

  /** ZeroSSL's answers, which are all 200 (caddyserver/caddy, modules/caddytls/acmeissuer.go). */
  async #zeroSslApi(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const email = new URLSearchParams(await text(asked)).get("email");
    if (asked.method !== "POST" || asked.url !== "/acme/eab-credentials-email") {
      answer.writeHead(404).end();
      return;
    }
    const fault = !email
      ? { code: 2900, type: "missing_email" }
      : /^[\w.+-]+@[a-z\d-]+(\.[a-z\d-]+)+$/.test(email)
        ? undefined
        : { code: 2901, type: "invalid_email" };
    if (email) this.emails.push(email);
    const { kid, key } = this.#binding;
    answer.end(
      JSON.stringify(fault ? { success: false, error: fault } : { success: true, eab_kid: kid, eab_hmac_key: key }),
    );
  }

  async #zeroSsl(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const path = asked.url === "/v2/DV90" ? "/dir" : (asked.url ?? "/");
    const { "content-type": type } = asked.headers;
    const headers = { host: zeroSsl, ...(type !== undefined && { "content-type": type }) };
    const from = await this.#ofPebble(asked.method ?? "GET", path, headers, await text(asked));
    answer.writeHead(from.statusCode ?? 502, from.headers);
    from.pipe(answer);
  }

  async #pebbleAnswers(): Promise<void> {
    for (let tries = 0; tries < 300 && this.#pebble?.exitCode === null; tries++) {
      const answer = await this.#ofPebble("GET", "/dir", {}, "").catch(() => undefined);
      if (answer?.resume().statusCode === 200) return;
      await sleep(100);
    }
    const state = this.#pebble?.exitCode === null ? "did not answer within 30 s" : "stopped";
    throw new Error(`Pebble ${state}: ${this.#said}`);
  }

  #ofPebble(method: string, path: string, headers: Record<string, string>, body: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const place = { host: "127.0.0.1", port: this.#pebblePort, ca: this.#tls.certificate, agent: false };
      const agent = { "user-agent": "cloudcode-test", ...headers };
      request({ ...place, method, path, headers: agent }, resolve)
        .on("error", reject)
        .end(body);
    });
  }

  async #listen(server: Server): Promise<number> {
    this.#servers.push(server);
    return listen(server);
  }
}
