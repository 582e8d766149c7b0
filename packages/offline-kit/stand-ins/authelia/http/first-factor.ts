// Stand-in for Authelia 4.39.20: signing in with a password, signing out, and what the portal asks about the session.
import { needsSecondFactor } from "../access/authorizer";
import { plain } from "../access/forward-auth";
import { availableMethods, isSafeRedirection } from "../gateway";
import { isBanned } from "../state/regulation";
import type { UserSession } from "../state/sessions";
import type { User } from "../users/file";
import type { Call, Handler } from "./call";
import { afterOneFactor, afterTwoFactors, level, recordPassword } from "./call";
import { bodyOf, messages, ok, refused, text } from "./exchange";

export const state: Handler = (call) => {
  const { user, cookie } = call.session;
  return Promise.resolve(
    ok({
      username: user.username,
      authentication_level: level(call),
      factor_knowledge: user.password,
      ...(cookie.defaultRedirectionUrl === undefined ? {} : { default_redirection_url: cookie.defaultRedirectionUrl }),
    }),
  );
};

export const configuration: Handler = ({ gateway: { config } }) =>
  Promise.resolve(
    ok({
      available_methods: needsSecondFactor(config.accessControl) ? availableMethods(config) : [],
      password_change_disabled: config.backend.passwordChangeDisabled,
      password_reset_disabled: config.backend.passwordResetDisabled,
    }),
  );

export const passwordPolicy: Handler = ({ gateway: { config } }) => {
  const policy = config.passwordPolicy;
  return Promise.resolve(
    ok({
      mode: policy.enabled ? "standard" : "disabled",
      min_length: policy.enabled ? policy.minLength : 0,
      max_length: policy.maxLength,
      min_score: 0,
      require_uppercase: policy.uppercase,
      require_lowercase: policy.lowercase,
      require_number: policy.number,
      require_special: policy.special,
    }),
  );
};

export const firstFactor: Handler = async (call) => {
  const { gateway, exchange, session } = call;
  const body = bodyOf(exchange) ?? {};
  const [username, password] = [text(body, "username"), text(body, "password")];
  const denied = refused(401, messages.credentials);
  if (username === "" || password === "") return denied;
  const user = gateway.users.find(username);
  if (!user) {
    recordPassword(call, "", false);
    return denied;
  }
  if (isBanned(gateway.store.read(), user.username, exchange.ip, gateway.now())) {
    gateway.log("error", `Unsuccessful 1FA authentication attempt by user '${user.username}' and they are banned`);
    return denied;
  }
  const good = await gateway.hasher.verify(password, user.password);
  recordPassword(call, user.username, good);
  if (!good) return denied;
  await session.reset();
  const keep = body["keepMeLoggedIn"] === true && session.cookie.rememberMe !== undefined;
  signIn(call, user, keep);
  session.user.password = true;
  await session.save();
  return afterOneFactor(call, text(body, "targetURL"), text(body, "requestMethod"));
};

/** Fills a fresh session with the person; what they proved is set by the caller. */
export function signIn({ gateway, session }: Call, user: User, keep: boolean): void {
  const refresh = gateway.config.backend.refresh;
  if (keep) session.remember();
  Object.assign(session.user, identityOf(user), {
    username: user.username,
    keepMeLoggedIn: keep,
    lastActivity: gateway.now(),
    refreshAt: typeof refresh === "number" ? gateway.now() + refresh : 0,
  });
}

export function identityOf(user: User): Pick<UserSession, "displayName" | "groups" | "emails"> {
  return { displayName: user.displayName, groups: user.groups, emails: user.email === "" ? [] : [user.email] };
}

/** The password as second factor, after a passkey was the first. */
export const secondFactorPassword: Handler = async (call) => {
  const { gateway, exchange, session } = call;
  const body = bodyOf(exchange) ?? {};
  const user = gateway.users.find(session.user.username);
  const good = user !== undefined && (await gateway.hasher.verify(text(body, "password"), user.password));
  if (!good) return refused(401, messages.credentials);
  session.user.password = true;
  session.user.lastActivity = gateway.now();
  await session.regenerate();
  await session.save();
  return afterTwoFactors(call, text(body, "targetURL"));
};

export const logout: Handler = async ({ gateway, exchange, session }) => {
  const target = text(bodyOf(exchange) ?? {}, "targetURL");
  await session.destroy();
  return ok({ safeTargetURL: target !== "" && isSafeRedirection(gateway.config, target) });
};

export const safeRedirection: Handler = (call) => {
  if (level(call) === 0) return Promise.resolve(plain(401));
  const uri = text(bodyOf(call.exchange) ?? {}, "uri");
  return Promise.resolve(
    uri === "" ? refused(200, messages.operation) : ok({ ok: isSafeRedirection(call.gateway.config, uri) }),
  );
};
