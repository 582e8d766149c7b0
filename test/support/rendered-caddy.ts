import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "@cloudcode/offline-kit/toolchain/ports";
import type { Accounts } from "../../components/auth-gateway/access-rules";
import { defaultImages } from "../../components/images";
import { reverseProxyRelease } from "../../components/reverse-proxy/reverse-proxy-stack";
import { type Route, modelPort, servicePort } from "../../components/routes";
import { type Release, renderRelease } from "../../components/stack/release";
import { publicCertificates } from "./certificates";
import { adapt } from "./caddy";
import { caddy, caddyHome } from "./tools";

export interface RenderedOptions {
  readonly domain: string;
  readonly routes: readonly Route[];
  /** Port of this machine where `alias:port` of an upstream answers. */
  readonly portOf: (upstream: string) => Promise<number>;
  /** PEM. @default plain HTTP */
  readonly tls?: { readonly key: string; readonly certificate: string };
  /** As `secrets.NAME` of the template. @default none */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Who has an account. @default the operator alone */
  readonly accounts?: Accounts;
  /** What is taken out of the Caddyfile, to see what happens without it. @default nothing */
  readonly without?: RegExp;
}

/** Upstreams in its configuration, and the SOCKS5 servers on the way to some. */
const named = /(?<="dial":"|"url":"socks5:\/\/)[^"]+/g;

/** The real Caddy with the rendered sites of Routes, on a port of this machine. */
export class RenderedCaddy {
  private constructor(
    readonly port: number,
    /** Where Apps call servers of models. */
    readonly modelPort: number,
    /** Where Apps call servers of other Apps. */
    readonly servicePort: number,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(options: RenderedOptions): Promise<RenderedCaddy> {
    const release = releaseOf(options);
    const { logging, apps: adapted } = await adapt<Adapted>(caddyfileOf(release, options));
    const servers = Object.values(adapted.http.servers);
    const at = (address: string) => servers.find(({ listen }) => listen?.includes(address)) ?? {};
    const [sites, queue, models, services] = [at(":443"), at(":9092"), at(`:${modelPort}`), at(`:${servicePort}`)];
    const dials = new Map<string, string>();
    for (const upstream of new Set(JSON.stringify([sites, queue, models, services]).match(named) ?? []))
      dials.set(upstream, `127.0.0.1:${await options.portOf(upstream)}`);
    const [port, queuePort, ownModelPort, ownServicePort] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const { tls } = options;
    const http = {
      ...sites,
      listen: [`127.0.0.1:${port}`],
      protocols: tls ? ["h1", "h2"] : ["h1"],
      automatic_https: { disable: true },
      ...(!tls && { tls_connection_policies: undefined }),
    };
    const apps = {
      http: {
        servers: {
          http,
          queue: { ...queue, listen: [`:${queuePort}`] },
          models: { ...models, listen: [`127.0.0.1:${ownModelPort}`] },
          services: { ...services, listen: [`127.0.0.1:${ownServicePort}`] },
        },
      },
      ...(tls && { tls: { certificates: { load_pem: [tls] } } }),
    };
    const text = JSON.stringify({ admin: { disabled: true }, logging, apps });
    const folder = mkdtempSync(join(tmpdir(), "rendered-caddy-"));
    const config = join(folder, "caddy.json");
    for (const { path, content, encoding = "utf8" } of release.files.filter((file) => file.path.startsWith("live/"))) {
      const file = join(folder, "srv/releases/current", path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content, encoding);
    }
    for (const own of ["page", "money"]) mkdirSync(join(folder, "srv", own));
    writeFileSync(
      config,
      text
        .replace(named, (dial) => dials.get(dial) ?? dial)
        .replaceAll('"port":"9092"', `"port":"${queuePort}"`)
        .replaceAll('"/srv', `"${folder}/srv`),
    );
    const env = caddyHome(folder);
    const child = spawn(await caddy(), ["run", "--config", config], { env, stdio: "ignore" });
    const running = new RenderedCaddy(port, ownModelPort, ownServicePort, child, folder);
    await untilOpen(port);
    return running;
  }

  /** Where the keys of guests are, by port. */
  get guests(): string {
    return join(this.folder, "guests");
  }

  /** The access log. */
  get accessLog(): string {
    return join(this.folder, "access.log");
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error("Caddy did not start");
    return this.child.pid;
  }

  /** What cloudcode-page writes on a host; undefined: it has not run. */
  report(text: string | undefined): void {
    const file = join(this.folder, "srv/page/report.json");
    if (text === undefined) rmSync(file, { force: true });
    else writeFileSync(file, text);
  }

  /** What the notifier leaves for Caddy; undefined: that file is not there. */
  money(file: "report.json" | "closed", text: string | undefined): void {
    const path = join(this.folder, "srv/money", file);
    if (text === undefined) rmSync(path, { force: true });
    else writeFileSync(path, text);
  }

  /** Whether the home is on its way to another host. */
  moving(is: boolean): void {
    const path = join(this.folder, "srv/page/moving");
    if (is) writeFileSync(path, "");
    else rmSync(path, { force: true });
  }

  stop(): void {
    this.child.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface Adapted {
  readonly logging: object;
  readonly apps: {
    readonly http: { readonly servers: Readonly<Record<string, { readonly listen?: readonly string[] }>> };
  };
}

function releaseOf({ domain, routes, accounts, secrets = {} }: RenderedOptions): Release {
  const source = reverseProxyRelease({
    domain,
    routes,
    certificates: publicCertificates,
    images: defaultImages,
    timeZone: "UTC",
    ...(accounts && { accounts }),
  });
  return renderRelease(join(__dirname, "../../stack-templates"), source, secrets, "key");
}

function caddyfileOf(release: Release, { without }: RenderedOptions): string {
  const caddyfile = release.files.find(({ path }) => path === "live/Caddyfile")?.content ?? "";
  if (without === undefined) return caddyfile;
  const rest = caddyfile.replaceAll(without, "");
  if (rest === caddyfile) throw new Error(`the Caddyfile has nothing like ${String(without)}`);
  return rest;
}

/** What guards a site against pages of other sites. */
export const isolation = /^\t\timport isolation .*$/gm;

/** @throws Error where nothing takes connections within two minutes */
export async function untilOpen(port: number): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        resolve(true);
        socket.destroy();
      });
      socket.on("error", () => {
        resolve(false);
      });
    });
    if (open) return;
    await sleep(100);
  }
  throw new Error(`nothing listens at port ${port} within two minutes`);
}
