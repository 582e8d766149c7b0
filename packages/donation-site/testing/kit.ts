import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../src/config";
import { newLog } from "../src/log";
import { type Service, type ServiceOptions, startService } from "../src/service";
import { type NewApiServer, startNewApi } from "./new-api";
import { type OAuthServer, type Person, startOAuthServer } from "./oauth-server";
import { type ProxyServer, startProxyServer } from "./proxy-server";

export const origin = "https://donate.home.example.com";
export const admin: Person = { id: 7, username: "root" };

/** The site's settings at Linux Do, and a stand-in that knows them. */
export async function startLinuxDo(): Promise<{ readonly oauth: OAuthServer; readonly settings: Config["oauth"] }> {
  const [clientId, clientSecret, redirectUri] = ["client", random(), `${origin}/linuxdo/callback`];
  const oauth = await startOAuthServer({ id: clientId, secret: clientSecret, redirectUri: () => redirectUri });
  const [authUrl, tokenUrl, userUrl] = [`${oauth.url}/authorize`, `${oauth.url}/token`, `${oauth.url}/user`];
  return { oauth, settings: { clientId, clientSecret, redirectUri, authUrl, tokenUrl, userUrl } };
}

/** The service with stand-ins around it. */
export interface World {
  readonly config: Config;
  readonly oauth: OAuthServer;
  readonly newApi: NewApiServer;
  readonly proxy: ProxyServer;
  readonly log: string[];
  service: Service;
  /** Lets the running service be, as a crash would, and starts another on the same data. */
  restart(): void;
  request(path: string, init?: RequestInit & { session?: string | undefined }): Promise<Response>;
  post(path: string, form: Readonly<Record<string, string | File>>, session?: string, from?: string): Promise<Response>;
  /** Signs in. @returns the session's token */
  login(person: Person): Promise<string>;
  stop(): Promise<void>;
}

export async function openWorld(options: ServiceOptions = {}, quotaAmount = 500): Promise<World> {
  const secrets = { managementKey: random(), adminToken: random() };
  const { oauth, settings } = await startLinuxDo();
  const newApi = await startNewApi();
  const proxy = await startProxyServer(secrets.managementKey);
  const folder = mkdtempSync(join(tmpdir(), "donation-"));
  const config: Config = {
    oauth: settings,
    origin,
    adminIds: [admin.id],
    quotaAmount,
    contact: "mailto:help@example.com",
    modelProxy: { url: proxy.url, managementKey: secrets.managementKey },
    newApi: { baseUrl: newApi.url, adminToken: secrets.adminToken, adminUser: undefined },
  };
  const log: string[] = [];
  const many = { login: 1e6, bind: 1e6, donate: 1e6 };
  const start = () =>
    startService(config, join(folder, "donation.db"), newLog({ write: (line) => log.push(line) }), {
      limits: many,
      probePause: 0,
      grace: 0,
      every: 1e6,
      ...options,
    });
  const past: Service[] = [];
  const world: World = {
    config,
    oauth,
    newApi,
    proxy,
    log,
    service: start(),
    restart() {
      past.push(world.service);
      world.service = start();
    },
    request: async (path, { session, ...init } = {}) => {
      const headers = new Headers(init.headers);
      if (session !== undefined) headers.append("cookie", `__Host-session=${session}`);
      return world.service.app.request(origin + path, { ...init, headers });
    },
    post: (path, form, session, from = origin) => {
      const body = new FormData();
      for (const [key, value] of Object.entries(form)) body.set(key, value);
      return world.request(path, { method: "POST", body, session, headers: { origin: from } });
    },
    async login(person) {
      oauth.person = person;
      const first = await world.request("/linuxdo/login");
      const back = new URL(oauth.answer(first.headers.get("location") ?? "", true));
      const answer = await world.request(back.pathname + back.search, {
        headers: { cookie: cookieOf(first, "login") },
      });
      return cookieOf(answer, "session").replace(/^.*=/, "");
    },
    async stop() {
      for (const service of [...past, world.service]) await service.stop();
      for (const server of [oauth, newApi, proxy]) server.stop();
      rmSync(folder, { recursive: true });
    },
  };
  return world;
}

/** `__Host-NAME=VALUE` of an answer; empty where it sets none. */
export function cookieOf(response: Response, name: string): string {
  const found = response.headers.getSetCookie().find((text) => text.startsWith(`__Host-${name}=`));
  return found?.split(";")[0] ?? "";
}

export const random = () => randomBytes(18).toString("base64url");

/** An auth file that the provider accepts as this account. */
export function credential(world: Pick<World, "proxy">, account = random(), email?: string): File {
  const token = random();
  world.proxy.accounts.set(token, account);
  return authFile({ type: "claude", access_token: token, refresh_token: random(), ...(email && { email }) });
}

export function authFile(content: object, name = "auth.json"): File {
  return new File([JSON.stringify(content)], name, { type: "application/json" });
}

/** Signs in, and binds to a new-api user of the same id. */
export async function boundDonor(world: World, id: number): Promise<string> {
  world.newApi.users.set(id, { linuxDoId: String(id), quota: 0, used: 0 });
  const session = await world.login({ id, username: `donor${id}` });
  await world.post("/bind", { user: String(id) }, session);
  return session;
}
