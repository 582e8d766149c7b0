// Stand-in for Authelia 4.39.20: signing in with a password, signing out, and what the portal asks about the session.
import type { Identity } from "../access/forward-auth";
import { plain } from "../access/forward-auth";
import { isBanned, recordPasswordAttempt } from "../state/regulation";
import type { UserSession } from "../state/sessions";
import type { User } from "../users/file";
import type { Call, Handler } from "./call";
import {
  afterOneFactor,
  bodyOf,
  isSafeRedirection,
  level,
  messages,
  needsSecondFactor,
  ok,
  refused,
  text,
} from "./call";

export const state: Handler = (call) => {
  const { session, config } = call.var;
  return ok({
    username: session.user.username,
    authentication_level: level(call),
    factor_knowledge: session.user.password,
    default_redirection_url: config.cookie.default_redirection_url,
  });
};

export const configuration: Handler = ({ var: { config } }) =>
  ok({
    available_methods: needsSecondFactor(config) ? ["totp", "webauthn"] : [],
    password_change_disabled: false,
    password_reset_disabled: config.authentication_backend.password_reset.disable,
  });

export const passwordPolicy: Handler = () =>
  ok({
    mode: "disabled",
    min_length: 0,
    max_length: 0,
    min_score: 0,
    require_uppercase: false,
    require_lowercase: false,
    require_number: false,
    require_special: false,
  });

export const firstFactor: Handler = async (call) => {
  const { users, store, ip, log, hasher, session } = call.var;
  const body = await bodyOf(call);
  const [username, password] = [text(body, "username"), text(body, "password")];
  const denied = refused(401, messages.credentials);
  if (username === "" || password === "") return denied;
  const user = users.find(username);
  if (user && isBanned(store.read(), ip, Date.now())) {
    log("error", `Unsuccessful 1FA authentication attempt by user '${username}' and they are banned`);
    return denied;
  }
  const good = user !== undefined && (await hasher.verify(password, user.password));
  recordPassword(call, user?.username ?? "", good);
  if (!user || !good) return denied;
  await session.renew(signedInAs(user, asksToBeRemembered(call, body), { password: true }));
  return afterOneFactor(call, text(body, "targetURL"), text(body, "requestMethod"));
};

function recordPassword({ var: { store, config, ip, log } }: Call, username: string, successful: boolean): void {
  store.update((changing) => {
    recordPasswordAttempt(changing, config.regulation, { ip, successful }, Date.now());
  });
  const outcome = successful ? "Successful" : "Unsuccessful";
  log(successful ? "debug" : "error", `${outcome} 1FA authentication attempt by user '${username}'`, { remote_ip: ip });
}

/** Whether the session is to be one that is remembered. */
export function asksToBeRemembered({ var: { config } }: Call, body: Awaited<ReturnType<typeof bodyOf>>): boolean {
  return body?.["keepMeLoggedIn"] === true && config.session.remember_me !== -1;
}

/** A fresh session of the person, with what they proved. */
export function signedInAs(
  user: User,
  keepMeLoggedIn: boolean,
  proved: { readonly password?: boolean; readonly passkey?: boolean },
): UserSession {
  const nothing = { password: false, totp: false, passkey: false };
  return { ...identityOf(user), ...nothing, ...proved, keepMeLoggedIn, lastActivity: Date.now() };
}

export function identityOf({ username, displayname, groups, email }: User): Identity {
  return { username, displayName: displayname, groups, emails: email === "" ? [] : [email] };
}

export const logout: Handler = async (call) => {
  const target = text(await bodyOf(call), "targetURL");
  await call.var.session.destroy();
  return ok({ safeTargetURL: isSafeRedirection(call.var.config, target) });
};

export const safeRedirection: Handler = async (call) => {
  if (level(call) === 0) return plain(401);
  const uri = text(await bodyOf(call), "uri");
  return uri === "" ? refused(200, messages.operation) : ok({ ok: isSafeRedirection(call.var.config, uri) });
};
