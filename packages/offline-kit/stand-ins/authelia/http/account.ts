// Stand-in for Authelia 4.39.20: what a signed-in user sees and changes about the account.
import type { Handler } from "./call";
import { bodyOf, messages, notifyEvent, ok, refused, text } from "./call";

/** Asked once after each sign-in: tells which second factors there are, and which the portal shows first. */
export const info: Handler = ({ var: { session, store, config } }) => {
  const { username, displayName } = session.user;
  const { totp, credentials } = store.read();
  return ok({
    display_name: displayName,
    emails: null,
    method: config.default_2fa_method,
    has_totp: totp[username] !== undefined,
    has_webauthn: credentials.some((one) => one.username === username),
    has_duo: false,
  });
};

export const changePassword: Handler = async (call) => {
  const { users, session, hasher, config } = call.var;
  const body = await bodyOf(call);
  if (!body) return refused(400, messages.passwordChange);
  const [before, after] = [text(body, "old_password"), text(body, "new_password")];
  if (after.trim() === "" || before === after) return refused(400, messages.passwordWeak);
  const user = users.find(session.user.username);
  if (!user) return refused(500, messages.operation);
  if (!(await hasher.verify(before, user.password))) return refused(401, messages.passwordIncorrect);
  users.setPassword(user.username, await hasher.hash(after, config.authentication_backend.file.password.argon2));
  await session.save();
  await notifyEvent(call, "Password changed successfully", "The password of your account was changed.");
  // No body, as the real one answers once it has told the user.
  return session.user.emails.length === 0 ? ok() : new Response(null);
};
