// Stand-in for Authelia 4.39.20: /api/authz/forward-auth, asked by the proxy for every request.
import { required } from "../access/authorizer";
import { authorizedAnswer, decide, plain, unauthorizedAnswer } from "../access/forward-auth";
import { parseTarget } from "../access/target";
import { hasDomainSuffix } from "../config/schema";
import type { Call, Handler } from "./call";
import { level } from "./call";
import { identityOf } from "./first-factor";

export const authorize: Handler = async (call) => {
  const { config, session, log } = call.var;
  const header = (name: string) => call.req.header(name);
  const host = header("x-forwarded-host") ?? "";
  const method = header("x-forwarded-method") ?? "";
  const url = `${header("x-forwarded-proto") ?? "http"}://${host}${header("x-forwarded-uri") ?? ""}`;
  const target = host === "" ? undefined : parseTarget(url, method);
  if (!target || !/^[A-Z]+$/.test(method) || !["https", "wss"].includes(target.scheme)) return plain(400);
  if (!hasDomainSuffix(target.hostname, config.cookie.domain)) return plain(400);
  await refresh(call);
  switch (decide(level(call), required(config.access_control, target, session.user.username))) {
    case "forbidden":
      log("info", `Access to '${target.url}' is forbidden to user '${session.user.username}'`);
      return plain(403);
    case "authorized":
      return authorizedAnswer(session.user);
    case "unauthorized": {
      const client = { xRequestedWith: header("x-requested-with"), accept: header("accept") };
      const answer = unauthorizedAnswer(target, client, config.cookie.authelia_url);
      // Only a redirect carries the cookie: every other answer of the real one starts from empty headers.
      if (session.setCookie !== undefined) answer.headers.set("set-cookie", session.setCookie);
      return answer;
    }
  }
};

/** Ends the session of somebody who was away too long, or is gone from the users file or disabled there. */
async function refresh(call: Call): Promise<void> {
  const { config, session, users } = call.var;
  const { user } = session;
  if (user.username === "") {
    await session.save();
    return;
  }
  const now = Date.now();
  const idle = !user.keepMeLoggedIn && user.lastActivity + config.session.inactivity < now;
  const claimed = call.req.header("session-username");
  const stolen = claimed !== undefined && claimed.toLowerCase() !== user.username.toLowerCase();
  const current = users.find(user.username);
  if (idle || stolen || !current) {
    await session.renew(undefined);
    return;
  }
  session.user = { ...user, ...identityOf(current) };
  if (user.keepMeLoggedIn) return;
  session.user.lastActivity = now;
  await session.save();
}
