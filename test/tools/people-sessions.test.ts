import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { bundleGateway } from "@cloudcode/offline-kit/stand-ins/authelia/bundle";
import { totpCode } from "@cloudcode/offline-kit/stand-ins/authelia/http/totp";
import { Visitor } from "@cloudcode/offline-kit/test/authelia/gateway-kit";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import { authGatewayRelease } from "../../components/auth-gateway/auth-gateway-stack";
import { hashPassword } from "../../components/auth-gateway/password-hash";
import type { Route } from "../../components/routes";
import { renderRelease } from "../../components/stack/release";
import { projectRoot } from "../support/project-root";
import { untilOpen } from "../support/rendered-caddy";
import { settingsOf } from "../support/settings";

const domain = "10-0-0-2.sslip.io";
const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const route = (app: string): Route => ({
  subdomain: app,
  network: `cloudcode-edge-${app}`,
  upstream: `${app}-web:80`,
  policy: "two_factor",
  paths: [],
  title: app,
  summary: { en: app, zh: app },
});
const firstPassword = (name: string) => `the first password of ${name}`;

/** The gateway's stack but for its containers: the release's own files, scripts and commands, in their order. */
class Gateway {
  readonly #folder = mkdtempSync(join(tmpdir(), "people-gateway-"));
  readonly config = join(this.#folder, "config");
  readonly #tools = join(this.#folder, "tools");
  #server: ChildProcess | undefined;
  #redis: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly redisPort: number,
  ) {}

  static async open(): Promise<Gateway> {
    const gateway = new Gateway(await freePort(), await freePort());
    for (const folder of [gateway.config, gateway.#tools]) mkdirSync(folder);
    // The real one, if there is one: GATEWAY_PROGRAM=/path/to/authelia.
    const bundle = join(gateway.#folder, "authelia.cjs");
    const real = process.env["GATEWAY_PROGRAM"];
    if (real === undefined) await bundleGateway(bundle);
    gateway.#tool("authelia", `exec ${real ?? `${process.execPath} ${bundle}`} "$@"`);
    // It is asked for by its name in the stack's network.
    gateway.#tool(
      "valkey-cli",
      `[ "$1 $2" = "-h sessions" ] && shift 2 && exec redis-cli -p ${gateway.redisPort} "$@"`,
    );
    const options = ["--port", String(gateway.redisPort), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    gateway.#redis = spawn("redis-server", options, { cwd: gateway.#folder, stdio: "ignore" });
    await untilOpen(gateway.redisPort);
    return gateway;
  }

  #tool(name: string, line: string): void {
    writeFileSync(join(this.#tools, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  }

  get #env(): NodeJS.ProcessEnv {
    return {
      PATH: `${this.#tools}:${process.env["PATH"] ?? ""}`,
      CONFIG: this.config,
      X_AUTHELIA_CONFIG: join(this.#folder, "configuration.yml"),
      AUTHELIA_SESSION_SECRET_FILE: join(this.#folder, "session"),
      AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE: join(this.#folder, "key"),
      AUTHELIA_IDENTITY_VALIDATION_RESET_PASSWORD_JWT_SECRET_FILE: join(this.#folder, "reset"),
    };
  }

  /** What an `up` with these people, each with one App of their own name, does on the host. */
  async up(...names: readonly string[]): Promise<void> {
    const people = names.map((name) => ({ name, mail: `${name}@example.com`, apps: [`${name}s`] }));
    const routes = ["admins", "jos", "mias"].map(route);
    const source = authGatewayRelease({ ...settingsOf(), domain, people, routes });
    const hashOf = (name: string) => hashPassword(firstPassword(name), Buffer.from(name.padEnd(16)).toString("base64"));
    const secrets = {
      passwordHash: await hashOf("admin"),
      earlierHash: "",
      smtpPassword: "",
      sessionSecret: "s".repeat(64),
      resetSecret: "r".repeat(64),
      encryptionKey: "e".repeat(64),
      ...Object.fromEntries(
        await Promise.all(names.map(async (name) => [`hash-of-${name}`, await hashOf(name)] as const)),
      ),
    };
    const { files } = renderRelease(join(projectRoot, "stack-templates"), source, secrets, "key");
    const text = (path: string) => files.find((file) => file.path.endsWith(path))?.content ?? "";
    interface Configuration {
      readonly server: { address: string };
      readonly session: { redis: { host: string; port: number } };
    }
    const configuration = parse(text("configuration.yml").replaceAll("/config/", `${this.config}/`)) as Configuration;
    configuration.server.address = `tcp://127.0.0.1:${this.port}/`;
    configuration.session.redis = { host: "127.0.0.1", port: this.redisPort };
    writeFileSync(join(this.#folder, "configuration.yml"), stringify(configuration));
    writeFileSync(join(this.#folder, "operator.yml"), text("operator.yml"));
    for (const [name, own] of [
      ["session", "secrets/session"],
      ["key", "secrets/encryption-key"],
      ["reset", "secrets/reset"],
    ] as const)
      writeFileSync(join(this.#folder, name), text(own));

    interface Compose {
      readonly services: Readonly<Record<string, { entrypoint: readonly string[]; command?: readonly string[] }>>;
    }
    const { services } = parse(text("compose.yaml"), { merge: true }) as Compose;
    const env = this.#env;
    const seed = join(projectRoot, "stack-templates/auth-gateway/seed.sh");
    execFileSync("sh", [seed, join(this.#folder, "operator.yml"), this.config, join(this.#folder, "key")], { env });
    const [command] = services["forget"]?.command ?? [];
    if (command !== undefined)
      execFileSync("sh", ["-c", command.replaceAll("$$", "$").replaceAll("/config", this.config)], { env });
    await this.#stop();
    const admits = services["authelia"]?.entrypoint.includes("/seed/admit.sh") === true;
    const program = admits ? ["sh", join(projectRoot, "stack-templates/people/admit.sh")] : ["authelia"];
    this.#server = spawn("sh", ["-c", 'exec "$@"', "sh", ...program], { env, stdio: "ignore" });
    await untilOpen(this.port);
  }

  /** Its command line, as `ops` uses it. */
  authelia(...words: readonly string[]): string {
    return execFileSync("authelia", words, { env: this.#env, encoding: "utf8" });
  }

  get accounts(): string[] {
    const { users } = parse(readFileSync(join(this.config, "users.yml"), "utf8")) as { users: object };
    return Object.keys(users).sort();
  }

  async #stop(): Promise<void> {
    if (this.#server === undefined || this.#server.exitCode !== null) return;
    const ended = once(this.#server, "exit");
    this.#server.kill();
    await ended;
  }

  async close(): Promise<void> {
    await this.#stop();
    this.#redis?.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

describe("people at the gateway", () => {
  let gateway: Gateway;
  /** A code is good once: each sign-in takes one of another half minute, of the three that count at a time. */
  let ahead = -1;
  beforeAll(async () => {
    gateway = await Gateway.open();
  }, 60_000);
  afterAll(() => gateway.close());

  /** Somebody who has signed in with both factors. */
  async function signedIn(name: string, password = firstPassword(name)): Promise<Visitor> {
    const visitor = new Visitor(gateway.port);
    const first = await visitor.signIn(name, password);
    const step = Math.floor(Date.now() / 30_000) + ahead++;
    const second = await visitor.api("POST", "/api/secondfactor/totp", { token: totpCode(secret, step) });
    expect([name, first.status, second.status]).toEqual([name, 200, 200]);
    return visitor;
  }
  const enrol = (name: string) =>
    gateway.authelia("storage", "user", "totp", "generate", name, "--secret", secret, "--force");
  const status = async (visitor: Visitor, host: string) =>
    (await visitor.forwardAuth(host === "" ? domain : `${host}.${domain}`)).status;
  /** At their own App, at another's, and at the index page. */
  const seen = async (visitor: Visitor, name: string) => [
    await status(visitor, `${name}s`),
    await status(visitor, "admins"),
    await status(visitor, ""),
  ];

  it("each reaches their own App and the index page, and the operator everything", async () => {
    await gateway.up("jo", "mia");
    for (const name of ["admin", "jo", "mia"]) {
      enrol(name);
      ahead = -1;
      const visitor = await signedIn(name);
      expect([
        name,
        await status(visitor, "admins"),
        await status(visitor, "jos"),
        await status(visitor, "mias"),
        await status(visitor, ""),
      ]).toEqual(
        {
          admin: ["admin", 200, 200, 200, 200],
          jo: ["jo", 403, 200, 403, 200],
          mia: ["mia", 403, 403, 200, 200],
        }[name],
      );
    }
  }, 60_000);

  it("a person who is removed is out at once, and nothing of theirs comes back with the name", async () => {
    ahead = 0;
    const joAwake = await signedIn("jo");
    const joAsleep = await signedIn("jo");
    expect(await seen(joAwake, "jo")).toEqual([200, 403, 200]);
    await gateway.up("mia");
    expect(gateway.accounts).toEqual(["admin", "mia"]);
    expect(await seen(joAwake, "jo")).toEqual([302, 302, 302]);
    expect((await new Visitor(gateway.port).signIn("jo", firstPassword("jo"))).status).toBe(401);
    await gateway.up("jo", "mia");
    expect(gateway.accounts).toEqual(["admin", "jo", "mia"]);
    for (const visitor of [joAwake, joAsleep]) expect(await seen(visitor, "jo")).toEqual([302, 302, 302]);
    // No second factor of who had the name before: one must be registered first.
    const fresh = new Visitor(gateway.port);
    expect((await fresh.signIn("jo", firstPassword("jo"))).status).toBe(200);
    expect(JSON.parse((await fresh.api("POST", "/api/user/info", {})).body)).toMatchObject({
      data: { has_totp: false, has_webauthn: false },
    });
    expect(await seen(fresh, "jo")).toEqual([302, 403, 302]);
  }, 60_000);

  it("adding and removing somebody leaves the passwords, second factors and sessions of others", async () => {
    await gateway.up("mia");
    await sleep(0);
    ahead = 0;
    const mia = await signedIn("mia");
    await gateway.up("mia", "al");
    expect(await seen(mia, "mia")).toEqual([200, 403, 200]);
    await gateway.up("mia");
    expect(await seen(mia, "mia")).toEqual([200, 403, 200]);
    ahead = 1;
    await signedIn("mia");
  }, 60_000);

  it("when the last one is removed, no account but the operator's is left", async () => {
    await gateway.up();
    expect(gateway.accounts).toEqual(["admin"]);
    expect(existsSync(join(gateway.config, ".people.yml"))).toBe(false);
    expect((await new Visitor(gateway.port).signIn("mia", firstPassword("mia"))).status).toBe(401);
  }, 60_000);
});
