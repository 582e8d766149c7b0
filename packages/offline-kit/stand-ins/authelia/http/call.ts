// Stand-in for Authelia 4.39.20: a request with the session it came with, and the guards in front of handlers.
import type { Gateway } from "../gateway";
import { isSafeRedirection } from "../gateway";
import { needsSecondFactor, requiredPolicy } from "../access/authorizer";
import { parseTarget } from "../access/target";
import { plain } from "../access/forward-auth";
import { levelOf } from "../state/sessions";
import { recordPasswordAttempt } from "../state/regulation";
import type { Answer, Exchange } from "./exchange";
import { elevationNeeded, messages, ok, refused } from "./exchange";
import type { SessionHandle } from "./session-handle";

export interface Call {
  readonly gateway: Gateway;
  readonly exchange: Exchange;
  readonly session: SessionHandle;
}
export type Handler = (call: Call) => Promise<Answer>;

export function level({ gateway, session }: Call): 0 | 1 | 2 {
  return levelOf(session.user, gateway.config.webauthn.passkeyIsTwoFactors);
}

export function signedIn(handler: Handler): Handler {
  return (call) => (level(call) >= 1 ? handler(call) : Promise.resolve(plain(403)));
}

/** Changing second factors or the password needs the one-time code sent to the user. */
export function elevated(handler: Handler): Handler {
  return async (call) => {
    const { gateway, session, exchange } = call;
    const { requireSecondFactor, skipSecondFactor } = gateway.config.elevation;
    if (level(call) < 1) return elevationNeeded({ firstFactor: true });
    if (skipSecondFactor && level(call) === 2) return handler(call);
    if (requireSecondFactor && level(call) < 2 && hasSecondFactor(gateway, session.user.username))
      return elevationNeeded({ secondFactor: true });
    const { elevation } = session.user;
    if (elevation && elevation.ip === exchange.ip && elevation.expires > gateway.now()) return handler(call);
    if (elevation) {
      session.user.elevation = undefined;
      await session.save();
    }
    return elevationNeeded({ elevation: true });
  };
}

export function hasSecondFactor(gateway: Gateway, username: string): boolean {
  const state = gateway.store.read();
  return state.totp[username] !== undefined || state.credentials.some((one) => one.username === username);
}

export function recordPassword(call: Call, username: string, successful: boolean): void {
  const { gateway, exchange } = call;
  gateway.store.update((state) => {
    recordPasswordAttempt(state, gateway.config.regulation, { username, ip: exchange.ip, successful }, gateway.now());
  });
  gateway.log(
    successful ? "debug" : "error",
    `${successful ? "Successful" : "Unsuccessful"} 1FA authentication attempt by user '${username}'`,
    {
      remote_ip: exchange.ip,
    },
  );
}

/** Where to after one factor: nowhere (second factor, or the portal decides) or to the page that was asked for. */
export function afterOneFactor(call: Call, targetUrl: string, method: string): Answer {
  const { gateway, session, exchange } = call;
  const control = gateway.config.accessControl;
  const fallback = session.cookie.defaultRedirectionUrl;
  const home = !needsSecondFactor(control) && fallback !== undefined ? ok({ redirect: fallback }) : ok();
  if (targetUrl === "") return home;
  const target = parseTarget(targetUrl, method);
  if (!target) return refused(200, messages.credentials);
  const subject = { username: session.user.username, groups: session.user.groups, ip: exchange.ip };
  if (requiredPolicy(control, subject, target).policy === "two_factor") return ok();
  return isSafeRedirection(gateway.config, targetUrl) ? ok({ redirect: targetUrl }) : home;
}

export function afterTwoFactors({ gateway, session }: Call, targetUrl: string): Answer {
  const fallback = session.cookie.defaultRedirectionUrl;
  if (targetUrl === "") return fallback === undefined ? ok() : ok({ redirect: fallback });
  return isSafeRedirection(gateway.config, targetUrl) ? ok({ redirect: targetUrl }) : ok();
}
