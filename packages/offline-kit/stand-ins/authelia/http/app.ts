// Stand-in for Authelia 4.39.20: which handler answers which address.
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { getCookie } from "hono/cookie";
import { plain } from "../access/forward-auth";
import { hasDomainSuffix } from "../config/schema";
import { portalPage } from "../portal/page";
import { Session } from "../state/sessions";
import * as account from "./account";
import { authorize } from "./authz";
import type { Env, Gateway } from "./call";
import { elevated, ok, originOf, remoteIp, signedIn } from "./call";
import { createDelay } from "./delay";
import * as elevation from "./elevation";
import * as first from "./first-factor";
import * as totp from "./totp-handlers";
import * as webauthn from "./webauthn";

const bodyBytes = 1024 * 1024;

export function createApp(gateway: Gateway): Hono<Env> {
  const app = new Hono<Env>();
  const { config, sessions, log } = gateway;
  app.onError((error) => {
    log("error", error.stack ?? error.message);
    return plain(500);
  });
  app.notFound(({ req: { path, method } }) => {
    if (app.routes.some((route) => route.path === path && route.method !== "ALL")) return plain(405);
    if (/^\/(?:api|static|locales)(?:\/|$)/.test(path)) return plain(404);
    return method === "GET" || method === "HEAD" ? portalPage() : plain(405);
  });
  app.use(bodyLimit({ maxSize: bodyBytes }));
  app.use(async (call, next) => {
    call.set("config", config);
    call.set("users", gateway.users);
    call.set("hasher", gateway.hasher);
    call.set("store", gateway.store);
    call.set("notifier", gateway.notifier);
    call.set("log", log);
    call.set("origin", originOf(call));
    call.set("ip", remoteIp(call));
    call.set("session", await Session.open(sessions, getCookie(call, config.session.name)));
    await next();
  });
  app.get("/api/health", () => ok());
  app.get("/api/authz/forward-auth", authorize);
  app.use("/api/*", async (call, next) => {
    if (!hasDomainSuffix(call.var.origin.hostname, config.cookie.domain)) return plain(403);
    await next();
    call.header("cache-control", "no-store");
    call.header("set-cookie", call.var.session.setCookie);
  });

  const delayed = createDelay();
  app.get("/api/state", first.state);
  app.get("/api/configuration", signedIn, first.configuration);
  app.get("/api/configuration/password-policy", first.passwordPolicy);
  app.post("/api/checks/safe-redirection", first.safeRedirection);
  app.post("/api/firstfactor", delayed(first.firstFactor));
  app.get("/api/firstfactor/passkey", webauthn.passkeyStart);
  app.post("/api/firstfactor/passkey", webauthn.passkeyFinish);
  app.post("/api/logout", first.logout);
  app.post("/api/user/info", signedIn, account.info);
  app.post("/api/change-password", elevated, account.changePassword);
  app.get("/api/user/session/elevation", signedIn, elevation.status);
  app.post("/api/user/session/elevation", signedIn, elevation.start);
  app.put("/api/user/session/elevation", signedIn, elevation.finish);
  app.delete("/api/user/session/elevation/:id", elevation.revoke);
  app.post("/api/secondfactor/totp", signedIn, totp.verify);
  app.put("/api/secondfactor/totp/register", elevated, totp.registerStart);
  app.post("/api/secondfactor/totp/register", elevated, totp.registerFinish);
  app.get("/api/secondfactor/webauthn", signedIn, webauthn.assertStart);
  app.post("/api/secondfactor/webauthn", signedIn, webauthn.assertFinish);
  app.get("/api/secondfactor/webauthn/credentials", signedIn, webauthn.list);
  app.put("/api/secondfactor/webauthn/credential/register", elevated, webauthn.registerStart);
  app.post("/api/secondfactor/webauthn/credential/register", elevated, webauthn.registerFinish);
  return app;
}
