// Stand-in for Authelia 4.39.20: where sessions live: Redis, encrypted with session.secret, or memory.
import { Redis } from "ioredis";
import type { GatewayConfig, RedisConfig, TotpAlgorithm } from "../config/types";
import { seal, unseal } from "./store";

export interface UserSession {
  cookieDomain: string;
  username: string;
  displayName: string;
  groups: readonly string[];
  emails: readonly string[];
  keepMeLoggedIn: boolean;
  lastActivity: number;
  refreshAt: number;
  password: boolean;
  totp: boolean;
  webauthn: boolean;
  webauthnVerified: boolean;
  elevation?: { readonly ip: string; readonly expires: number } | undefined;
  pendingTotp?: PendingTotp | undefined;
  challenge?: { readonly value: string; readonly description: string; readonly expires: number } | undefined;
}
export interface PendingTotp {
  readonly issuer: string;
  readonly algorithm: TotpAlgorithm;
  readonly digits: number;
  readonly period: number;
  readonly secret: string;
  readonly expires: number;
}
export interface SessionRecord {
  readonly user: UserSession;
  /** Milliseconds; the cookie and the record live as long after each save. */
  readonly lifespan: number;
}
export interface SessionStore {
  get(id: string): Promise<SessionRecord | undefined>;
  set(id: string, record: SessionRecord): Promise<void>;
  delete(id: string): Promise<void>;
  check(): Promise<void>;
  close(): Promise<void>;
}

export function anonymousSession(cookieDomain: string): UserSession {
  return {
    cookieDomain,
    username: "",
    displayName: "",
    groups: [],
    emails: [],
    keepMeLoggedIn: false,
    lastActivity: 0,
    refreshAt: 0,
    password: false,
    totp: false,
    webauthn: false,
    webauthnVerified: false,
  };
}

/** 0 nobody, 1 one factor, 2 two factors. */
export function levelOf(session: UserSession, passkeyIsTwoFactors: boolean): 0 | 1 | 2 {
  if (session.username === "") return 0;
  const possession = session.totp || session.webauthn;
  if (possession && session.password) return 2;
  if (passkeyIsTwoFactors && session.webauthn && session.webauthnVerified) return 2;
  return possession || session.password ? 1 : 0;
}

export function createSessionStore(config: GatewayConfig["session"]): SessionStore {
  return config.redis ? redisSessions(config.redis, config.secret) : memorySessions();
}

function memorySessions(): SessionStore {
  const records = new Map<string, { json: string; expires: number }>();
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    get(id) {
      const found = records.get(id);
      if (found && found.expires > Date.now()) return Promise.resolve(JSON.parse(found.json) as SessionRecord);
      records.delete(id);
      return Promise.resolve(undefined);
    },
    set(id, record) {
      records.set(id, { json: JSON.stringify(record), expires: Date.now() + record.lifespan });
      return Promise.resolve();
    },
    delete(id) {
      records.delete(id);
      return Promise.resolve();
    },
    check: nothing,
    close: nothing,
  };
}

function redisSessions(config: RedisConfig, secret: string): SessionStore {
  const redis = new Redis({
    host: config.host,
    port: config.port,
    db: config.databaseIndex,
    connectTimeout: config.timeout,
    maxRetriesPerRequest: 2,
    lazyConnect: true,
    ...(config.username === "" ? {} : { username: config.username }),
    ...(config.password === "" ? {} : { password: config.password }),
  });
  redis.on("error", () => undefined);
  const key = (id: string): string => `authelia-session:${id}`;
  return {
    async get(id) {
      const sealed = await redis.getBuffer(key(id));
      const json = sealed ? unseal(sealed, secret) : undefined;
      return json === undefined ? undefined : (JSON.parse(json) as SessionRecord);
    },
    async set(id, record) {
      await redis.set(key(id), seal(JSON.stringify(record), secret), "PX", record.lifespan);
    },
    async delete(id) {
      await redis.del(key(id));
    },
    async check() {
      await redis.connect();
      await redis.ping();
    },
    async close() {
      await redis.quit();
    },
  };
}
