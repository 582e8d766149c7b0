// Stand-in for Authelia 4.39.20: signing in with a passkey instead of a user name and a password.
import { isBanned } from "../state/regulation";
import type { Handler } from "./call";
import { afterOneFactor, afterTwoFactors, level } from "./call";
import { bodyOf, messages, ok, originOf, refused, text } from "./exchange";
import { signIn } from "./first-factor";
import { challengeFor, isAssertion, newChallenge, takeChallenge, verifyAssertion } from "./webauthn-ceremony";

export const start: Handler = async (call) => {
  if (level(call) > 0) return refused(403, messages.secondFactor);
  const challenge = newChallenge(call, "");
  await call.session.save();
  return ok(challengeFor(call, challenge, []));
};

export const finish: Handler = async (call) => {
  const { gateway, exchange, session } = call;
  const denied = refused(403, messages.secondFactor);
  if (level(call) > 0) return denied;
  const body = bodyOf(exchange);
  const pending = takeChallenge(call);
  await session.save();
  if (!body || !isAssertion(body["response"])) return refused(400, messages.secondFactor);
  if (!pending) return denied;
  const owner = ownerOf(body["response"], originOf(exchange).hostname);
  if (!owner) return denied;
  const { credentials } = gateway.store.read();
  const usable = credentials.filter(
    (one) =>
      one.username === owner.username &&
      one.rpId === owner.rpId &&
      (one.discoverable || gateway.config.webauthn.passkeyUpgrade),
  );
  const result = await verifyAssertion(call, body["response"], pending.value, usable);
  const user = result && gateway.users.find(result.record.username);
  if (!result || !user) return denied;
  if (isBanned(gateway.store.read(), user.username, exchange.ip, gateway.now()))
    return refused(401, messages.secondFactor);
  await session.reset();
  signIn(call, user, body["keepMeLoggedIn"] === true && session.cookie.rememberMe !== undefined);
  session.user.webauthn = true;
  session.user.webauthnVerified = result.userVerified;
  await session.save();
  gateway.log("debug", `Successful Passkey authentication attempt by user '${user.username}'`, {
    remote_ip: exchange.ip,
  });
  const [target, method] = [text(body, "targetURL"), text(body, "requestMethod")];
  return level(call) === 2 ? afterTwoFactors(call, target) : afterOneFactor(call, target, method);

  function ownerOf(response: unknown, rpId: string): { rpId: string; username: string } | undefined {
    const handle = (response as { response?: { userHandle?: unknown } } | undefined)?.response?.userHandle;
    const known = Object.values(gateway.store.read().webauthnUsers);
    return known.find((one) => one.rpId === rpId && one.userId === handle);
  }
};
