// Stand-in for Authelia 4.39.20: what a signed-in user sees and changes about the account.
import type { PasswordPolicy } from "../config/types";
import { availableMethods } from "../gateway";
import type { Handler } from "./call";
import { notifyEvent } from "./elevation";
import { bodyOf, messages, ok, refused, text } from "./exchange";
import type { Call } from "./call";

function info(
  { gateway, session }: Call,
  method: string,
  emails: readonly string[] | null,
): Readonly<Record<string, unknown>> {
  const { username, displayName } = session.user;
  const state = gateway.store.read();
  return {
    display_name: displayName,
    emails,
    method,
    has_totp: !gateway.config.totp.disable && state.totp[username] !== undefined,
    has_webauthn: !gateway.config.webauthn.disable && state.credentials.some((one) => one.username === username),
    has_duo: false,
  };
}

export const readInfo: Handler = (call) => {
  const method = call.gateway.store.read().methods[call.session.user.username] ?? "";
  return Promise.resolve(ok(info(call, method, call.session.user.emails.map(redact))));
};

/** Asked once after each sign-in: settles which second factor the portal shows first. */
export const settleInfo: Handler = (call) => {
  const { gateway, session } = call;
  const { username } = session.user;
  const state = gateway.store.read();
  const available = availableMethods(gateway.config);
  const stored = state.methods[username] ?? "";
  const candidates = [
    available.includes(stored) ? stored : "",
    stored === "" ? gateway.config.defaultMethod : "",
    state.totp[username] && available.includes("totp") ? "totp" : "",
    state.credentials.some((one) => one.username === username) && available.includes("webauthn") ? "webauthn" : "",
    gateway.config.defaultMethod,
    available[0] ?? "",
  ];
  const method = candidates.find((one) => one !== "" && available.includes(one)) ?? "";
  if (method !== stored)
    gateway.store.update((changing) => {
      changing.methods[username] = method;
    });
  return Promise.resolve(ok(info(call, method, null)));
};

export const preferMethod: Handler = ({ gateway, session, exchange }) => {
  const method = text(bodyOf(exchange) ?? {}, "method");
  if (!availableMethods(gateway.config).includes(method)) return Promise.resolve(refused(200, messages.operation));
  gateway.store.update((state) => {
    state.methods[session.user.username] = method;
  });
  return Promise.resolve(ok());
};

export const changePassword: Handler = async (call) => {
  const { gateway, session, exchange } = call;
  const body = bodyOf(exchange);
  if (!body) return refused(400, messages.passwordChange);
  const [before, after] = [text(body, "old_password"), text(body, "new_password")];
  if (after.trim() === "" || before === after || !satisfies(gateway.config.passwordPolicy, after))
    return refused(400, messages.passwordWeak);
  const user = gateway.users.find(session.user.username);
  if (!user) return refused(500, messages.operation);
  if (!(await gateway.hasher.verify(before, user.password))) return refused(401, messages.passwordIncorrect);
  gateway.users.setPassword(user.username, await gateway.hasher.hash(after, gateway.config.backend.argon2));
  await session.save();
  await notifyEvent(call, "Password changed successfully", "The password of your account was changed.");
  // No body, as the real one answers once it has told the user.
  return session.user.emails.length === 0 ? ok() : { status: 200, headers: {}, body: "" };
};

export function satisfies(policy: PasswordPolicy, password: string): boolean {
  if (!policy.enabled) return password !== "";
  const length = Array.from(password).length;
  return (
    length >= policy.minLength &&
    (policy.maxLength === 0 || length <= policy.maxLength) &&
    (!policy.uppercase || /[A-Z]/.test(password)) &&
    (!policy.lowercase || /[a-z]/.test(password)) &&
    (!policy.number || /[0-9]/.test(password)) &&
    (!policy.special || /[^a-zA-Z0-9]/.test(password))
  );
}

function redact(email: string): string {
  const [local = "", domain = ""] = email.split("@");
  const hidden =
    local.length <= 2
      ? "*".repeat(local.length)
      : `${local.charAt(0)}${"*".repeat(local.length - 2)}${local.slice(-1)}`;
  return `${hidden}@${domain}`;
}
