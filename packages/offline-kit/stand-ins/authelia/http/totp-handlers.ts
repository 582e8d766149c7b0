// Stand-in for Authelia 4.39.20: registering and using a time-based one-time password.
import type { Handler } from "./call";
import { afterTwoFactors, bodyOf, messages, notifyEvent, ok, refused, text } from "./call";
import { matchingStep, newSecret, otpauthUrl } from "./totp";

const patienceMs = 10 * 60_000;

export const registerStart: Handler = async (call) => {
  const { session, config } = call.var;
  const body = await bodyOf(call);
  if (body?.["algorithm"] !== "SHA1" || body["length"] !== 6 || body["period"] !== 30)
    return refused(400, messages.totpRegister);
  const secret = newSecret();
  session.user.pendingTotp = { secret, expires: Date.now() + patienceMs };
  await session.save();
  return ok({ base32_secret: secret, otpauth_url: otpauthUrl(secret, config.totp.issuer, session.user.username) });
};

export const registerFinish: Handler = async (call) => {
  const { session, store } = call.var;
  const { pendingTotp: pending, username } = session.user;
  const code = text(await bodyOf(call), "token");
  const step = pending && pending.expires > Date.now() ? matchingStep(pending.secret, code, Date.now()) : undefined;
  if (!pending || step === undefined) return refused(403, messages.totpRegister);
  store.update((state) => {
    state.totp[username] = { secret: pending.secret, spent: [step] };
  });
  session.user.pendingTotp = undefined;
  await session.save();
  await notifyEvent(call, "Second Factor Method Added", "A one-time password was added to your account.");
  return ok();
};

export const verify: Handler = async (call) => {
  const { session, store, log } = call.var;
  const { username } = session.user;
  const body = await bodyOf(call);
  const code = text(body, "token");
  if (code.length !== 6 && code.length !== 8) return refused(code === "" ? 403 : 400, messages.secondFactor);
  const record = store.read().totp[username];
  const step = record && matchingStep(record.secret, code, Date.now());
  if (!record || step === undefined || record.spent.includes(step)) {
    log("error", `Unsuccessful TOTP authentication attempt by user '${username}'`);
    return refused(403, messages.secondFactor);
  }
  store.update((state) => {
    state.totp[username] = { ...record, spent: [...record.spent, step].slice(-50) };
  });
  await session.renew({ ...session.user, totp: true, lastActivity: Date.now() });
  return afterTwoFactors(call, text(body, "targetURL"));
};
