// Stand-in for Authelia 4.39.20: everything a handler needs, wired once.
import type { CookieConfig, GatewayConfig } from "./config/types";
import { hasDomainSuffix } from "./config/session";
import type { Log } from "./log";
import type { Notifier } from "./notifier";
import type { SessionStore } from "./state/sessions";
import type { Store } from "./state/store";
import type { UsersFile } from "./users/file";
import type { Hasher } from "./users/hash";

export interface Gateway {
  readonly config: GatewayConfig;
  readonly users: UsersFile;
  readonly hasher: Hasher;
  readonly store: Store;
  readonly sessions: SessionStore;
  readonly notifier: Notifier;
  readonly log: Log;
  readonly now: () => number;
}

export function cookieFor(config: GatewayConfig, hostname: string): CookieConfig | undefined {
  return config.session.cookies.find((cookie) => hasDomainSuffix(hostname, cookie.domain));
}

export function availableMethods(config: GatewayConfig): string[] {
  return [...(config.totp.disable ? [] : ["totp"]), ...(config.webauthn.disable ? [] : ["webauthn"])];
}

/** Only https addresses below a cookie domain may be sent to after signing in. */
export function isSafeRedirection(config: GatewayConfig, address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return (url.protocol === "https:" || url.protocol === "wss:") && cookieFor(config, url.hostname) !== undefined;
}
