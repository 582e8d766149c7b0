// Stand-in for Authelia 4.39.20: the one-time code that lets a signed-in user change security settings.
import { randomBytes, randomInt } from "node:crypto";
import { reasonOf } from "../log";
import { oneTimeCodeText } from "../notifier";
import type { Handler } from "./call";
import { bodyOf, level, messages, ok, refused, text } from "./call";

const characters = "ABCDEFGHJKLMNPQRTUVWYXZ2346789";
const codeMs = 5 * 60_000;
const elevationMs = 10 * 60_000;

export const status: Handler = async (call) => {
  const { session, ip } = call.var;
  const { elevation } = session.user;
  const sameIp = elevation?.ip === ip;
  const left = elevation ? elevation.expires - Date.now() : 0;
  const active = sameIp && left > 0;
  if (elevation && !active) {
    session.user.elevation = undefined;
    await session.save();
  }
  return ok({
    require_second_factor: false,
    skip_second_factor: false,
    can_skip_second_factor: false,
    factor_knowledge: level(call) === 1 && session.user.password,
    elevated: active,
    expires: sameIp ? Math.trunc(left / 1000) : 0,
  });
};

export const start: Handler = async ({ var: { session, origin, store, config, ip, notifier, log } }) => {
  const { username, displayName, emails } = session.user;
  if (origin.proto !== "https") return refused(403, messages.operation);
  const code = Array.from({ length: 8 }, () => characters.charAt(randomInt(characters.length))).join("");
  const publicId = randomBytes(16).toString("base64url");
  store.update((state) => {
    const fresh = state.codes.filter((one) => one.expires > Date.now());
    state.codes = [...fresh, { publicId, username, code, expires: Date.now() + codeMs }];
  });
  const message = oneTimeCodeText({
    displayName,
    domain: config.cookie.domain,
    code,
    revokeUrl: `https://${origin.host}/revoke/one-time-code?id=${publicId}`,
    ip,
  });
  try {
    await notifier.send({ displayName, email: emails[0] ?? "" }, "Confirm your identity", message);
  } catch (error) {
    log("error", `Error occurred sending the one-time code: ${reasonOf(error)}`);
    return refused(403, messages.operation);
  }
  return ok({ delete_id: publicId });
};

export const finish: Handler = async (call) => {
  const { session, store, ip } = call.var;
  const body = await bodyOf(call);
  const given = text(body, "otc").toUpperCase().trim();
  if (!body || given.length > 20) return refused(400, messages.operation);
  const { username } = session.user;
  const spent = store.update((state) => {
    const found = state.codes.find(
      (one) => one.username === username && one.code === given && one.expires > Date.now(),
    );
    state.codes = state.codes.filter((one) => one !== found);
    return found !== undefined;
  });
  if (!spent) return refused(403, messages.operation);
  session.user.elevation = { ip, expires: Date.now() + elevationMs };
  await session.save();
  return ok();
};

export const revoke: Handler = ({ req, var: { store } }) => {
  const revoked = store.update((state) => {
    const found = state.codes.find((one) => one.publicId === req.path.split("/").at(-1));
    state.codes = state.codes.filter((one) => one !== found);
    return found !== undefined;
  });
  return revoked ? ok() : refused(200, messages.operation);
};
