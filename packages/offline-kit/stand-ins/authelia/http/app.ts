// Stand-in for Authelia 4.39.20: which handler answers which address.
import type { Gateway } from "../gateway";
import { cookieFor } from "../gateway";
import { plain } from "../access/forward-auth";
import { portalPage } from "../portal/page";
import * as account from "./account";
import { authorize } from "./authz";
import type { Handler } from "./call";
import { elevated, signedIn } from "./call";
import { createDelay } from "./delay";
import * as elevation from "./elevation";
import type { Answer, Exchange } from "./exchange";
import { header, ok, originOf } from "./exchange";
import * as first from "./first-factor";
import * as totp from "./one-time-password";
import * as passkey from "./passkey";
import { SessionHandle } from "./session-handle";
import * as webauthn from "./webauthn";

type Routes = Readonly<Record<string, Handler>>;

export function routesOf({ config }: Gateway): Routes {
  const delayed = createDelay();
  return {
    "GET /api/state": first.state,
    "GET /api/configuration": signedIn(first.configuration),
    "GET /api/configuration/password-policy": first.passwordPolicy,
    "POST /api/checks/safe-redirection": first.safeRedirection,
    "POST /api/firstfactor": delayed(first.firstFactor),
    "POST /api/logout": first.logout,
    "GET /api/user/info": signedIn(account.readInfo),
    "POST /api/user/info": signedIn(account.settleInfo),
    "POST /api/user/info/2fa_method": signedIn(account.preferMethod),
    "GET /api/user/session/elevation": signedIn(elevation.status),
    "POST /api/user/session/elevation": signedIn(elevation.start),
    "PUT /api/user/session/elevation": signedIn(elevation.finish),
    "DELETE /api/user/session/elevation/*": elevation.revoke,
    ...(config.backend.passwordChangeDisabled ? {} : { "POST /api/change-password": elevated(account.changePassword) }),
    ...(config.totp.disable ? {} : totpRoutes),
    ...(config.webauthn.disable ? {} : webauthnRoutes),
    ...(config.webauthn.passkeyLogin
      ? { ...passkeyRoutes, "POST /api/secondfactor/password": signedIn(delayed(first.secondFactorPassword)) }
      : {}),
  };
}

const totpRoutes: Routes = {
  "GET /api/secondfactor/totp": signedIn(totp.show),
  "POST /api/secondfactor/totp": signedIn(totp.verify),
  "DELETE /api/secondfactor/totp": signedIn(totp.remove),
  "GET /api/secondfactor/totp/register": elevated(totp.registerOptions),
  "PUT /api/secondfactor/totp/register": elevated(totp.registerStart),
  "POST /api/secondfactor/totp/register": elevated(totp.registerFinish),
  "DELETE /api/secondfactor/totp/register": elevated(totp.registerCancel),
};
const webauthnRoutes: Routes = {
  "GET /api/secondfactor/webauthn": signedIn(webauthn.assertStart),
  "POST /api/secondfactor/webauthn": signedIn(webauthn.assertFinish),
  "GET /api/secondfactor/webauthn/credentials": signedIn(webauthn.list),
  "PUT /api/secondfactor/webauthn/credential/register": elevated(webauthn.registerStart),
  "POST /api/secondfactor/webauthn/credential/register": elevated(webauthn.registerFinish),
  "DELETE /api/secondfactor/webauthn/credential/register": elevated(webauthn.registerCancel),
  "PUT /api/secondfactor/webauthn/credential/*": elevated(webauthn.rename),
  "DELETE /api/secondfactor/webauthn/credential/*": elevated(webauthn.remove),
};
const passkeyRoutes: Routes = {
  "GET /api/firstfactor/passkey": passkey.start,
  "POST /api/firstfactor/passkey": passkey.finish,
};

export function createApp(gateway: Gateway): (exchange: Exchange) => Promise<Answer> {
  const routes = routesOf(gateway);
  const { basePath, authz } = gateway.config.server;
  return async (incoming) => {
    const inside = basePath !== "" && (incoming.path === basePath || incoming.path.startsWith(`${basePath}/`));
    const exchange = inside ? { ...incoming, path: incoming.path.slice(basePath.length) || "/" } : incoming;
    const { method, path } = exchange;
    const reading = method === "GET" || method === "HEAD";
    if (path === "/api/health") return reading ? ok() : plain(405);
    const strategies = path.startsWith("/api/authz/") ? authz.get(path.slice("/api/authz/".length)) : undefined;
    if (strategies) return reading ? authorize(gateway, exchange, strategies) : plain(405);
    const handler = routes[`${method} ${path}`] ?? routes[`${method} ${path.replace(/\/[^/]+$/, "/*")}`];
    if (handler) return run(gateway, exchange, handler);
    if (/^\/(?:api|static|locales)(?:\/|$)/.test(path)) return plain(knows(routes, path) ? 405 : 404);
    return reading ? portalPage(gateway.config) : plain(405);
  };
}

function knows(routes: Routes, path: string): boolean {
  return Object.keys(routes).some((route) => route.split(" ")[1] === path);
}

async function run(gateway: Gateway, exchange: Exchange, handler: Handler): Promise<Answer> {
  const cookie = cookieFor(gateway.config, originOf(exchange).hostname);
  if (!cookie) return plain(403);
  const session = await SessionHandle.open(gateway.sessions, cookie, header(exchange, "cookie"));
  const answer = await handler({ gateway, exchange, session });
  const headers = { "cache-control": "no-store", ...answer.headers };
  return {
    ...answer,
    headers: session.setCookie === undefined ? headers : { ...headers, "set-cookie": session.setCookie },
  };
}
