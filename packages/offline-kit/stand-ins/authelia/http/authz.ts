// Stand-in for Authelia 4.39.20: /api/authz/<forward-auth endpoint>, asked by the proxy for every request.
import { requiredPolicy } from "../access/authorizer";
import type { Client, Identity } from "../access/forward-auth";
import { authorizedAnswer, basicChallenge, decide, plain, unauthorizedAnswer } from "../access/forward-auth";
import { isSecure, parseTarget } from "../access/target";
import { hasDomainSuffix } from "../config/session";
import type { AuthnStrategy, CookieConfig } from "../config/types";
import type { Gateway } from "../gateway";
import { cookieFor } from "../gateway";
import { isBanned } from "../state/regulation";
import { levelOf } from "../state/sessions";
import type { Call } from "./call";
import { recordPassword } from "./call";
import type { Answer, Exchange } from "./exchange";
import { header } from "./exchange";
import { identityOf } from "./first-factor";
import { SessionHandle } from "./session-handle";

interface Authentication {
  readonly level: 0 | 1 | 2;
  readonly identity: Identity;
  /** The status to challenge with when a header, not the cookie, was to prove somebody. */
  readonly challenge?: number;
  readonly failed?: boolean;
}
const nobody: Identity = { username: "", displayName: "", groups: [], emails: [] };

export async function authorize(
  gateway: Gateway,
  exchange: Exchange,
  strategies: readonly AuthnStrategy[],
): Promise<Answer> {
  const host = header(exchange, "x-forwarded-host") ?? "";
  const method = header(exchange, "x-forwarded-method") ?? "";
  const proto = header(exchange, "x-forwarded-proto") ?? "http";
  const target =
    host === "" ? undefined : parseTarget(`${proto}://${host}${header(exchange, "x-forwarded-uri") ?? ""}`, method);
  if (!target || !/^[A-Z]+$/.test(method) || !isSecure(target)) return plain(400);
  const cookie = cookieFor(gateway.config, target.hostname);
  const portal = cookie && portalFor(cookie, exchange.query.get("authelia_url"));
  if (!cookie || portal === undefined) return plain(400);
  const session = await SessionHandle.open(gateway.sessions, cookie, header(exchange, "cookie"));
  const call: Call = { gateway, exchange, session };
  const who = await authenticate(call, strategies);
  const subject = { username: who.identity.username, groups: who.identity.groups, ip: exchange.ip };
  const verdict = requiredPolicy(gateway.config.accessControl, subject, target);
  const answer = answerFor();
  // Only a redirect carries the cookie: every other answer of the real one starts from empty headers.
  if (session.setCookie === undefined || answer.headers["location"] === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, "set-cookie": session.setCookie } };

  function answerFor(): Answer {
    if (who.failed === true && who.challenge !== undefined && !verdict.subjectBound && verdict.policy !== "bypass")
      return basicChallenge(who.challenge);
    switch (decide(who.level, verdict)) {
      case "forbidden":
        gateway.log("info", `Access to '${target?.url ?? ""}' is forbidden to user '${who.identity.username}'`);
        return plain(403);
      case "authorized":
        return authorizedAnswer(who.identity);
      case "unauthorized":
        if (who.challenge !== undefined || !target) return basicChallenge(who.challenge ?? 401);
        return unauthorizedAnswer(target, clientOf(exchange), portal ?? "");
    }
  }
}

function clientOf(exchange: Exchange): Client {
  return { xRequestedWith: header(exchange, "x-requested-with"), accept: header(exchange, "accept") };
}

function portalFor(cookie: CookieConfig, override: string | null): string | undefined {
  if (override === null) return cookie.autheliaUrl;
  return URL.canParse(override) && hasDomainSuffix(new URL(override).hostname, cookie.domain) ? override : undefined;
}

/** The first strategy that knows somebody decides; when none does, the last one says how to ask. */
async function authenticate(call: Call, strategies: readonly AuthnStrategy[]): Promise<Authentication> {
  let last: Authentication = { level: 0, identity: nobody };
  for (const strategy of strategies) {
    last = strategy.name === "CookieSession" ? await bySession(call) : await byHeader(call, strategy);
    if (last.level > 0 || last.failed === true) return last;
  }
  return last;
}

async function bySession(call: Call): Promise<Authentication> {
  const { gateway, session, exchange } = call;
  const { user, cookie } = session;
  const now = gateway.now();
  const known = user.username !== "";
  const idle = known && !user.keepMeLoggedIn && user.lastActivity + cookie.inactivity < now;
  const claimed = header(exchange, "session-username");
  const stolen = claimed !== undefined && claimed.toLowerCase() !== user.username.toLowerCase();
  if (idle || stolen || (known && !refresh(call))) {
    await session.reset();
    await session.save();
    return { level: 0, identity: nobody };
  }
  if (!user.keepMeLoggedIn) {
    user.lastActivity = now;
    await session.save();
  }
  return { level: levelOf(user, gateway.config.webauthn.passkeyIsTwoFactors), identity: { ...user } };
}

/** False when the person is gone from the users file or disabled there. */
function refresh({ gateway, session }: Call): boolean {
  const { refresh: interval } = gateway.config.backend;
  const { user } = session;
  if (interval === "disable" || (interval !== "always" && user.refreshAt > gateway.now())) return true;
  const current = gateway.users.find(user.username);
  if (!current) return false;
  Object.assign(user, identityOf(current), { refreshAt: interval === "always" ? 0 : gateway.now() + interval });
  return true;
}

async function byHeader(call: Call, strategy: AuthnStrategy): Promise<Authentication> {
  const proxy = strategy.name === "HeaderProxyAuthorization";
  const challenge = proxy ? 407 : 401;
  const value = header(call.exchange, proxy ? "proxy-authorization" : "authorization");
  const unknown: Authentication = { level: 0, identity: nobody, challenge };
  if (value === undefined || value === "") return unknown;
  const [scheme = "", token] = value.split(/ (.*)/s);
  const kind = scheme.toLowerCase();
  const wellFormed = kind === "basic" || (kind === "bearer" && /^[A-Za-z0-9\-._~+/]+=*$/.test(token ?? ""));
  if (token === undefined || !wellFormed) return { ...unknown, failed: true };
  if (kind === "bearer" || !strategy.schemes.includes(kind)) return unknown;
  const known = await byBasic(call, token);
  return known ? { ...known, challenge } : { ...unknown, failed: true };
}

async function byBasic(call: Call, token: string): Promise<Authentication | undefined> {
  const { gateway, exchange } = call;
  const [username = "", password] = Buffer.from(token, "base64").toString("utf8").split(/:(.*)/s);
  const user = gateway.users.find(username);
  if (!user || password === undefined) return undefined;
  if (isBanned(gateway.store.read(), user.username, exchange.ip, gateway.now())) return undefined;
  const good = await gateway.hasher.verify(password, user.password);
  recordPassword(call, user.username, good);
  return good ? { level: 1, identity: { username: user.username, ...identityOf(user) } } : undefined;
}
