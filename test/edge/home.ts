import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { enabledApps } from "../../components/apps/registry";
import { pathExpression } from "../../components/auth-gateway/access-rules";
import { hashBasicPassword } from "../../components/reverse-proxy/password-hash";
import { loginSecret } from "../../components/reverse-proxy/sites";
import { type Route, hostOf } from "../../components/routes";
import { everyApp } from "../support/app-settings";
import { startLocalhost } from "../support/localhost";
import { RenderedCaddy, isolation } from "../support/rendered-caddy";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { settingsOf } from "../support/settings";
import { hostileAnswer } from "./attacks";
import { type Answer, Recorder } from "./recorder";

export interface HomeOptions {
  readonly domain: string;
  /** Host name of the hostile page's own site. */
  readonly hostile: string;
  /** Real programs by `alias:port` of the upstream; everything else is answered with a page. */
  readonly programs: Readonly<Record<string, number>>;
  /** False: Caddy without its check, to see that what it refuses would have arrived. */
  readonly guarded: boolean;
  /** More as for `secrets.NAME` of the Caddyfile. @default none */
  readonly secrets?: Readonly<Record<string, string>>;
  /** More settings of the stack. @default none */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A home with all Apps at the rendered Caddy, by HTTPS, and a browser that is signed in there, next to a hostile site. */
export interface Home {
  /** Of Caddy, at this machine. */
  readonly port: number;
  readonly domain: string;
  readonly hostile: string;
  readonly recorder: Recorder;
  readonly browser: Browser;
  readonly context: BrowserContext;
  /** Another one, with nothing of the first but the session. */
  readonly signedIn: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  stop(): Promise<void>;
}

const socksUpstream = "opencode-server:1080";
export const gateCookie = "good";
export const basicLogin = { username: "jo", password: "a password of Caddy's own" };

/** All Routes of a home with every App. */
export function allRoutes(settings: Readonly<Record<string, string>> = {}): readonly Route[] {
  const all = { ...everyApp("least"), casecheckOpen: "true" };
  return enabledApps(settingsOf({ domain: "home.example.com", ...all, ...settings })).flatMap(({ routes }) => routes);
}

export async function openHome({ domain, hostile, programs, guarded, settings, ...more }: HomeOptions): Promise<Home> {
  const tls = selfSigned([domain, `*.${domain}`, hostile]);
  const recorder = new Recorder();
  const routes = allRoutes(settings);
  const page = pageAnswer(domain, routes);
  // What leads to localhost is no HTTP, and a program there is whatever it leads to.
  const localhost = await startLocalhost();
  const direct = (upstream: string) =>
    upstream === socksUpstream ? localhost.port : upstream.startsWith("localhost:") ? programs[upstream] : undefined;
  const portOf = async (upstream: string) =>
    direct(upstream) ?? (await recorder.serve(upstream, programs[upstream] ?? page));
  const salt = Buffer.alloc(16, 7).toString("base64");
  const secrets = {
    "hash-tg": await hashBasicPassword(basicLogin.password, salt),
    [loginSecret("opencode")]: "Basic of-nobody",
    ...more.secrets,
  };
  const caddy = await RenderedCaddy.start({
    domain,
    routes,
    portOf,
    tls,
    secrets,
    ...(!guarded && { without: isolation }),
  });
  const site = createServer({ key: tls.key, cert: tls.certificate }, page);
  const sitePort = await listen(site);
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-background-networking",
      "--no-first-run",
      "--ignore-certificate-errors",
      `--host-resolver-rules=${[
        `MAP ${hostile} 127.0.0.1:${hostile.endsWith(`.${domain}`) ? caddy.port : sitePort}`,
        `MAP *.${domain} 127.0.0.1:${caddy.port}`,
        `MAP ${domain} 127.0.0.1:${caddy.port}`,
      ].join(", ")}`,
    ],
  });
  const signedIn = async (options?: BrowserContextOptions) => {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(20_000);
    // As Authelia sets it.
    const session = { name: "authelia_session", value: gateCookie, domain: `.${domain}`, path: "/" };
    await context.addCookies([{ ...session, httpOnly: true, secure: true, sameSite: "Lax" }]);
    return context;
  };
  return {
    port: caddy.port,
    domain,
    hostile,
    recorder,
    browser,
    signedIn,
    context: await signedIn(),
    stop: async () => {
      await browser.close();
      caddy.stop();
      site.close();
      site.closeAllConnections();
      localhost.stop();
      recorder.stop();
    },
  };
}

/** The gateway, which knows one session, and pages of the portal and of Apps, which a hostile page could have been put into. */
function pageAnswer(domain: string, routes: readonly Route[]): Answer {
  // Of what everybody may ask for, only what pages of other sites may.
  const open = routes.flatMap((route) =>
    route.paths
      .filter(({ crossOrigin }) => crossOrigin)
      .map((rule) => ({ host: hostOf(route, domain), path: new RegExp(pathExpression(rule)) })),
  );
  return (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    const url = request.url ?? "/";
    if (url.startsWith("/api/authz/forward-auth")) {
      const host = String(request.headers["x-forwarded-host"]);
      const uri = String(request.headers["x-forwarded-uri"]);
      const free = open.some((rule) => rule.host === host && rule.path.test(uri));
      const login = `https://auth.${domain}/?rd=${encodeURIComponent(`https://${host}/`)}`;
      if (free || request.headers.cookie?.includes(`authelia_session=${gateCookie}`))
        response.setHeader("remote-user", "operator").end();
      else response.writeHead(302, { location: login }).end();
      return;
    }
    // Its upstream answers every origin, as the model proxy does.
    if (request.headers.origin !== undefined) {
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-allow-headers", "authorization, content-type");
    }
    const hostile = hostileAnswer(url);
    if (hostile) response.writeHead(hostile.status, hostile.headers).end(hostile.body);
    else
      response
        .writeHead(200, { "content-type": "text/html" })
        .end(`<!doctype html><title>${request.headers.host ?? ""}</title><h1>${request.method ?? ""}</h1>`);
  };
}
