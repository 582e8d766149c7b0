// Stand-in for Authelia 4.39.20: the one-time code that lets a signed-in user change security settings.
import { randomBytes, randomInt } from "node:crypto";
import { eventText, oneTimeCodeText } from "../notifier";
import type { Call, Handler } from "./call";
import { hasSecondFactor, level } from "./call";
import { bodyOf, messages, ok, originOf, refused, text } from "./exchange";

const characters = "ABCDEFGHJKLMNPQRTUVWYXZ2346789";

export const status: Handler = async (call) => {
  const { gateway, session, exchange } = call;
  const { elevation: rules } = gateway.config;
  const oneFactor = level(call) === 1;
  const has = oneFactor && hasSecondFactor(gateway, session.user.username);
  const { elevation } = session.user;
  const sameIp = elevation?.ip === exchange.ip;
  const left = elevation ? Math.trunc((elevation.expires - gateway.now()) / 1000) : 0;
  const active = elevation !== undefined && sameIp && elevation.expires > gateway.now();
  if (elevation && !active) {
    session.user.elevation = undefined;
    await session.save();
  }
  return ok({
    require_second_factor: rules.requireSecondFactor && has,
    skip_second_factor: rules.skipSecondFactor && level(call) === 2,
    can_skip_second_factor: !rules.requireSecondFactor && rules.skipSecondFactor && has,
    factor_knowledge: oneFactor && session.user.password,
    elevated: active,
    expires: sameIp ? left : 0,
  });
};

export const start: Handler = async ({ gateway, session, exchange }) => {
  const { user } = session;
  const origin = originOf(exchange);
  if (origin.proto !== "https") return refused(403, messages.operation);
  const { characters: length, codeLifespan } = gateway.config.elevation;
  const code = Array.from({ length }, () => characters.charAt(randomInt(characters.length))).join("");
  const publicId = randomBytes(16).toString("base64url");
  gateway.store.update((state) => {
    const record = {
      publicId,
      username: user.username,
      code,
      expires: gateway.now() + codeLifespan,
      state: "pending",
    } as const;
    state.codes = [...state.codes.filter((one) => one.expires > gateway.now() - 24 * 3600_000), record];
  });
  const message = oneTimeCodeText({
    displayName: user.displayName,
    domain: session.cookie.domain,
    code,
    revokeUrl: `https://${origin.host}${gateway.config.server.basePath}/revoke/one-time-code?id=${publicId}`,
    ip: exchange.ip,
  });
  try {
    await gateway.notifier.send(
      { displayName: user.displayName, email: user.emails[0] ?? "" },
      "Confirm your identity",
      message,
    );
  } catch (error) {
    gateway.log(
      "error",
      `Error occurred sending the one-time code: ${error instanceof Error ? error.message : String(error)}`,
    );
    return refused(403, messages.operation);
  }
  return ok({ delete_id: publicId });
};

export const finish: Handler = async ({ gateway, session, exchange }) => {
  const body = bodyOf(exchange);
  if (!body) return refused(400, messages.operation);
  const given = text(body, "otc").toUpperCase().trim();
  if (given.length > 20) return refused(400, messages.operation);
  const accepted = gateway.store.update((state) => {
    const index = state.codes.findIndex(
      (one) =>
        one.username === session.user.username &&
        one.code === given &&
        one.state === "pending" &&
        one.expires > gateway.now(),
    );
    state.codes = state.codes.map((one, at) => (at === index ? { ...one, state: "consumed" as const } : one));
    return index >= 0;
  });
  if (!accepted) return refused(403, messages.operation);
  session.user.elevation = { ip: exchange.ip, expires: gateway.now() + gateway.config.elevation.elevationLifespan };
  await session.save();
  return ok();
};

export const revoke: Handler = ({ gateway, exchange }) => {
  const id = exchange.path.split("/").at(-1) ?? "";
  const revoked = gateway.store.update((state) => {
    const index = state.codes.findIndex((one) => one.publicId === id && one.state === "pending");
    state.codes = state.codes.map((one, at) => (at === index ? { ...one, state: "revoked" as const } : one));
    return index >= 0;
  });
  return Promise.resolve(revoked ? ok() : refused(200, messages.operation));
};

/** Tells the user by the notifier; a message that cannot be sent never undoes the change. */
export async function notifyEvent({ gateway, session, exchange }: Call, subject: string, event: string): Promise<void> {
  const { displayName, emails } = session.user;
  if (emails[0] === undefined) return;
  try {
    await gateway.notifier.send({ displayName, email: emails[0] }, subject, eventText(displayName, event, exchange.ip));
  } catch (error) {
    gateway.log("debug", `Unable to notify the user: ${error instanceof Error ? error.message : String(error)}`);
  }
}
