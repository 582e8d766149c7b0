// Stand-in for Authelia 4.39.20: a request with the session it came with, the guards in front of handlers, and their answers.
import { isIP } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import { required } from "../access/authorizer";
import type { Level } from "../access/forward-auth";
import { plain } from "../access/forward-auth";
import { parseTarget } from "../access/target";
import type { Config } from "../config/schema";
import { hasDomainSuffix } from "../config/schema";
import type { Log } from "../log";
import { reasonOf } from "../log";
import { eventText } from "../notifier";
import type { Notifier } from "../notifier";
import type { Session, Sessions } from "../state/sessions";
import { levelOf } from "../state/sessions";
import type { Store } from "../state/store";
import type { UsersFile } from "../users/file";
import type { Hasher } from "../users/hash";

/** Everything a handler needs, wired once. */
export interface Gateway {
  readonly config: Config;
  readonly users: UsersFile;
  readonly hasher: Hasher;
  readonly store: Store;
  readonly sessions: Sessions;
  readonly notifier: Notifier;
  readonly log: Log;
}
/** The address the browser knows this server by, out of X-Forwarded-*. */
interface Origin {
  readonly proto: string;
  readonly host: string;
  readonly hostname: string;
}
export interface Env {
  readonly Bindings: HttpBindings;
  readonly Variables: Omit<Gateway, "sessions"> & {
    readonly session: Session;
    readonly origin: Origin;
    readonly ip: string;
  };
}
export type Call = Context<Env>;
export type Handler = (call: Call) => Response | Promise<Response>;

export const messages = {
  operation: "Operation failed.",
  credentials: "Authentication failed. Check your credentials.",
  secondFactor: "Authentication failed, please retry later.",
  totpRegister: "Unable to set up one-time password.",
  webauthnRegister: "Unable to register your security key.",
  webauthnDuplicate: "Another one of your security keys is already registered with that display name.",
  passwordChange: "Unable to change your password.",
  passwordIncorrect: "Incorrect Password",
  passwordWeak: "Your supplied password does not meet the password policy requirements.",
} as const;

export function ok(data?: unknown, status = 200): Response {
  return Response.json(data === undefined ? { status: "OK" } : { status: "OK", data }, { status });
}

export function refused(status: number, message: string): Response {
  return Response.json({ status: "KO", message }, { status });
}

/** The object of a JSON body, or undefined. */
export async function bodyOf({ req }: Call): Promise<Readonly<Record<string, unknown>> | undefined> {
  const value: unknown = await req.json().catch(() => undefined);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

export function text(body: Readonly<Record<string, unknown>> | undefined, key: string): string {
  const value = body?.[key];
  return typeof value === "string" ? value : "";
}

export function originOf({ req }: Call): Origin {
  const host = req.header("x-forwarded-host") ?? req.header("host") ?? "";
  const hostname = host.replace(/:\d*$/, "").replace(/^\[|\]$/g, "");
  return { proto: req.header("x-forwarded-proto") ?? "http", host, hostname };
}

/** The first address of X-Forwarded-For is believed, as in the real one: the proxy is trusted. */
export function remoteIp({ req, env }: Call): string {
  const first = req.header("x-forwarded-for")?.split(",")[0]?.trim() ?? "";
  return isIP(first) === 0 ? (env.incoming.socket.remoteAddress ?? "").replace(/^::ffff:/, "") : first;
}

export function level({ var: { session } }: Call): Level {
  return levelOf(session.user);
}

export const signedIn: MiddlewareHandler<Env> = async (call, next) => {
  if (level(call) < 1) return plain(403);
  await next();
};

/** Changing second factors or the password needs the one-time code sent to the user. */
export const elevated: MiddlewareHandler<Env> = async (call, next) => {
  const { session, ip } = call.var;
  const missing = (data: { elevation: boolean; first_factor: boolean }) =>
    Response.json({ status: "KO", data: { ...data, second_factor: false } }, { status: 403 });
  if (level(call) < 1) return missing({ elevation: false, first_factor: true });
  const { elevation } = session.user;
  if (elevation && elevation.ip === ip && elevation.expires > Date.now()) {
    await next();
    return;
  }
  if (elevation) {
    session.user.elevation = undefined;
    await session.save();
  }
  return missing({ elevation: true, first_factor: false });
};

/** Only https addresses below the cookie domain may be sent to after signing in. */
export function isSafeRedirection({ cookie }: Config, address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return (protocol === "https:" || protocol === "wss:") && hasDomainSuffix(hostname, cookie.domain);
}

export function needsSecondFactor({ access_control: { rules } }: Config): boolean {
  return rules.some((rule) => rule.policy === "two_factor");
}

/** Where to after one factor: nowhere (second factor, or the portal decides) or to the page that was asked for. */
export function afterOneFactor({ var: { config, session } }: Call, targetUrl: string, method: string): Response {
  const home = needsSecondFactor(config) ? ok() : ok({ redirect: config.cookie.default_redirection_url });
  if (targetUrl === "") return home;
  const target = parseTarget(targetUrl, method);
  if (!target) return refused(200, messages.credentials);
  const { policy } = required(config.access_control, target, session.user.username);
  if (policy === "two_factor") return ok();
  return isSafeRedirection(config, targetUrl) ? ok({ redirect: targetUrl }) : home;
}

export function afterTwoFactors({ var: { config } }: Call, targetUrl: string): Response {
  const redirect = targetUrl === "" ? config.cookie.default_redirection_url : targetUrl;
  return isSafeRedirection(config, redirect) ? ok({ redirect }) : ok();
}

/** Tells the user by the notifier; a message that cannot be sent never undoes the change. */
export async function notifyEvent(
  { var: { session, notifier, ip, log } }: Call,
  subject: string,
  event: string,
): Promise<void> {
  const { displayName, emails } = session.user;
  if (emails[0] === undefined) return;
  try {
    await notifier.send({ displayName, email: emails[0] }, subject, eventText(displayName, event, ip));
  } catch (error) {
    log("debug", `Unable to notify the user: ${reasonOf(error)}`);
  }
}
