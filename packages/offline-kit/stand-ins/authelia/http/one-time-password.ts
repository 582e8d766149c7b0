// Stand-in for Authelia 4.39.20: registering and using a time-based one-time password.
import { randomBytes } from "node:crypto";
import type { State } from "../state/store";
import type { Call, Handler } from "./call";
import { afterTwoFactors } from "./call";
import { notifyEvent } from "./elevation";
import type { Answer } from "./exchange";
import { bodyOf, messages, ok, refused, text } from "./exchange";
import { matchingStep, otpauthUrl, toBase32 } from "./totp";

export const registerOptions: Handler = ({ gateway: { config } }) => {
  const { algorithm, algorithms, digits, lengths, period, periods } = config.totp;
  return Promise.resolve(ok({ algorithm, algorithms, length: digits, lengths, period, periods }));
};

export const registerStart: Handler = async ({ gateway, exchange, session }) => {
  const body = bodyOf(exchange);
  const { totp } = gateway.config;
  const algorithm = totp.algorithms.find((one) => one === body?.["algorithm"]);
  const digits = totp.lengths.find((one) => one === body?.["length"]);
  const period = totp.periods.find((one) => one === body?.["period"]);
  if (algorithm === undefined || digits === undefined || period === undefined)
    return refused(400, messages.totpRegister);
  const pending = {
    issuer: totp.issuer,
    algorithm: algorithm as typeof totp.algorithm,
    digits,
    period,
    secret: toBase32(randomBytes(totp.secretSize)),
    expires: gateway.now() + 10 * 60_000,
  };
  session.user.pendingTotp = pending;
  await session.save();
  return ok({ base32_secret: pending.secret, otpauth_url: otpauthUrl(pending, pending.issuer, session.user.username) });
};

export const registerFinish: Handler = async (call) => {
  const { gateway, exchange, session } = call;
  const { pendingTotp: pending, username } = session.user;
  const code = text(bodyOf(exchange) ?? {}, "token");
  if (!pending || pending.expires < gateway.now()) return refused(403, messages.totpRegister);
  const step = matchingStep(pending, code, gateway.config.totp.skew, gateway.now());
  if (step === undefined) return refused(403, messages.totpRegister);
  const { issuer, algorithm, digits, period, secret } = pending;
  gateway.store.update((state) => {
    state.totp[username] = {
      createdAt: new Date(gateway.now()).toISOString(),
      issuer,
      algorithm,
      digits,
      period,
      secret,
    };
    if (!gateway.config.totp.allowReuse) spend(state, username, step * period);
  });
  session.user.pendingTotp = undefined;
  await session.save();
  await notifyEvent(call, "Second Factor Method Added", "A one-time password was added to your account.");
  return ok();
};

export const registerCancel: Handler = async ({ session }) => {
  session.user.pendingTotp = undefined;
  await session.save();
  return ok();
};

export const remove: Handler = async (call) => {
  const { gateway, session } = call;
  const { username } = session.user;
  if (!gateway.store.read().totp[username]) return refused(403, messages.totpDelete);
  gateway.store.update((state) => {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the record is keyed by user
    delete state.totp[username];
  });
  await notifyEvent(call, "Second Factor Method Removed", "The one-time password was removed from your account.");
  return ok();
};

export const show: Handler = ({ gateway, session }) => {
  const record = gateway.store.read().totp[session.user.username];
  if (!record) return Promise.resolve(refused(404, "Could not find TOTP Configuration for user."));
  const { createdAt, lastUsedAt, issuer, algorithm, digits, period } = record;
  return Promise.resolve(ok({ created_at: createdAt, last_used_at: lastUsedAt, issuer, algorithm, digits, period }));
};

export const verify: Handler = async (call) => {
  const { gateway, exchange, session } = call;
  const { username } = session.user;
  const body = bodyOf(exchange) ?? {};
  const code = text(body, "token");
  const record = gateway.store.read().totp[username];
  if (code.length !== 6 && code.length !== 8) return refused(code === "" ? 403 : 400, messages.secondFactor);
  const step = record && matchingStep(record, code, gateway.config.totp.skew, gateway.now());
  if (!record || step === undefined) {
    gateway.log("error", `Unsuccessful TOTP authentication attempt by user '${username}'`);
    return refused(403, messages.secondFactor);
  }
  const fresh = gateway.store.update((state) => {
    const unused = spend(state, username, step * record.period) || gateway.config.totp.allowReuse;
    if (unused) state.totp[username] = { ...record, lastUsedAt: new Date(gateway.now()).toISOString() };
    return unused;
  });
  if (!fresh) {
    gateway.log("error", `The user '${username}' tried to use a one-time password a second time`);
    return refused(403, messages.secondFactor);
  }
  return complete(call, text(body, "targetURL"));
};

/** False when the step was used before. */
function spend(state: State, username: string, moment: number): boolean {
  const used = state.totpHistory[username] ?? [];
  if (used.includes(moment)) return false;
  state.totpHistory[username] = [...used, moment].slice(-50);
  return true;
}

async function complete(call: Call, targetUrl: string): Promise<Answer> {
  const { gateway, session } = call;
  await session.regenerate();
  session.user.totp = true;
  session.user.lastActivity = gateway.now();
  await session.save();
  return afterTwoFactors(call, targetUrl);
}
