import { X509Certificate, createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type IncomingHttpHeaders, type Server, createServer } from "node:http";
import { request } from "node:https";
import { type SelfSigned, selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { type Browser, chromium } from "playwright-core";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import type { Accounts } from "../../components/auth-gateway/access-rules";
import { type Route, indexIcons } from "../../components/routes";
import { RenderedCaddy } from "./rendered-caddy";

export const domain = "home.example.com";
export const session = "authelia_session=good";

export const route = (app: string, title: string, summary: Route["summary"], version?: string): Route => ({
  subdomain: app,
  network: `cloudcode-edge-${app}`,
  upstream: `${app}-web:80`,
  policy: "two_factor",
  paths: [],
  title,
  version,
  summary,
});

export const routes = [
  route("opencode", "OpenCode", { en: "AI coding in the browser", zh: "浏览器里的 AI 编程" }, "1.18.33"),
  route("casecheck", "CaseCheck", { en: "Activities and check-ins", zh: "活动与签到" }),
  route("tg", "TG Signer", { en: "Telegram check-ins", zh: "Telegram 签到" }),
];

/** Seconds since 1970. */
export const now = () => Math.floor(Date.now() / 1000);

export const check = (name: string, state: string, seen: string, fix = "") => ({ name, state, seen, fix });

interface AppState {
  readonly state: "up" | "starting" | "stopped" | "down";
  readonly since?: number;
}

/** As cloudcode-page writes it; test/tools/host-page.test.ts holds the script to this form. */
export const report = (ageSeconds = 130) => ({
  time: now() - ageSeconds,
  offset: 28_800,
  checks: [check("disk /", "ok", "9 MiB are free"), check("swap", "none", "this machine has none")],
  apps: appStates(),
  releases: { casecheck: "0123456789ab" },
  disks: [{ place: "/", size: 40_960, free: 20_480 }],
  memory: { size: 4096, free: 1024 },
  certificate: { count: 5, until: now() + 67 * 86_400 + 60 },
  backup: { time: now() - 5 * 3600 - 60, ok: true },
  deploy: { time: now() - 4 * 86_400 - 60, stack: "auth", ok: true },
});

function appStates(): Record<string, AppState> {
  return {
    opencode: { state: "up", since: now() - 3 * 86_400 - 60 },
    casecheck: { state: "down", since: now() - 960 },
    tg: { state: "starting" },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

/** The index page at the real Caddy by HTTPS, behind a gateway that does what access-rules.ts says. */
export class IndexPage {
  private constructor(
    private readonly caddy: RenderedCaddy,
    private readonly gateway: Server,
    private readonly tls: SelfSigned,
  ) {}

  /** @param accounts with people the gateway says who a session is of: `authelia_session=good-NAME` */
  static async open(own: readonly Route[] = routes, accounts?: Accounts): Promise<IndexPage> {
    const gateway = createServer((asked, answer) => {
      const path = String(asked.headers["x-forwarded-uri"]).replace(/\?.*/, "");
      const passes = asked.headers.cookie?.includes(session) ?? indexIcons.some((icon) => icon === path);
      const [, user] = /good-([a-z]+)/.exec(asked.headers.cookie ?? "") ?? [];
      const known = user === undefined ? {} : { "remote-user": user };
      answer.writeHead(passes ? 200 : 302, passes ? known : { location: `https://auth.${domain}/` }).end();
    });
    const port = await listen(gateway);
    const tls = selfSigned([domain, `*.${domain}`]);
    return new IndexPage(
      await RenderedCaddy.start({
        domain,
        routes: own,
        tls,
        portOf: () => Promise.resolve(port),
        ...(accounts && { accounts }),
      }),
      gateway,
      tls,
    );
  }

  /** The host's report; undefined: there is none. */
  report(content: object | string | undefined): void {
    this.caddy.report(typeof content === "object" ? JSON.stringify(content) : content);
  }

  /** The lines of the access log so far. */
  accessLog(): string[] {
    return readFileSync(this.caddy.accessLog, "utf8").trimEnd().split("\n");
  }

  /** The notifier's report of costs; undefined: there is none. */
  money(content: object | string | undefined): void {
    this.caddy.money("report.json", typeof content === "object" ? JSON.stringify(content) : content);
  }

  /** @param cookie empty: nobody is signed in */
  get(path: string, more: Readonly<Record<string, string>> = {}, cookie = session): Promise<Answer> {
    const headers = { host: domain, ...(cookie && { cookie }), ...more };
    const { port } = this.caddy;
    const options = { host: "127.0.0.1", port, path, headers, rejectUnauthorized: false, servername: domain };
    return new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const body = Buffer.concat(chunks);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() });
        });
      });
      sent.on("error", reject).end();
    });
  }

  /** A browser that trusts this Caddy: an origin whose certificate is only ignored is not secure enough to be installed. */
  browser(): Promise<Browser> {
    const key = new X509Certificate(this.tls.certificate).publicKey.export({ type: "spki", format: "der" });
    return chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: [
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
        "--disable-background-networking",
        `--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`,
        `--host-resolver-rules=MAP ${domain} 127.0.0.1:${this.caddy.port}`,
      ],
    });
  }

  close(): void {
    this.caddy.stop();
    this.gateway.close();
  }
}
