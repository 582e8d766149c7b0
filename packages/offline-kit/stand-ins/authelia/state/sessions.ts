// Stand-in for Authelia 4.39.20: sessions in Redis, encrypted with session.secret, or in memory; one cookie carries the id.
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import type { Identity, Level } from "../access/forward-auth";
import type { Config } from "../config/schema";
import { seal, unseal } from "./store";

export interface UserSession extends Identity {
  readonly keepMeLoggedIn: boolean;
  lastActivity: number;
  /** What the person proved. A passkey always verified its owner, so it is both factors. */
  readonly password: boolean;
  readonly totp: boolean;
  readonly passkey: boolean;
  elevation?: { readonly ip: string; readonly expires: number } | undefined;
  pendingTotp?: { readonly secret: string; readonly expires: number } | undefined;
  challenge?: { readonly value: string; readonly description: string; readonly expires: number } | undefined;
}
interface Backend {
  get(id: string): Promise<string | undefined>;
  set(id: string, json: string, lifespan: number): Promise<void>;
  delete(id: string): Promise<void>;
  check(): Promise<void>;
  close(): Promise<void>;
}

const anonymous: UserSession = {
  username: "",
  displayName: "",
  groups: [],
  emails: [],
  keepMeLoggedIn: false,
  lastActivity: 0,
  password: false,
  totp: false,
  passkey: false,
};

export function levelOf({ password, totp, passkey }: UserSession): Level {
  if (passkey || (password && totp)) return 2;
  return password ? 1 : 0;
}

/** The session of one request. */
export class Session {
  #setCookie: string | undefined;
  #id: string;

  private constructor(
    readonly sessions: Sessions,
    id: string,
    public user: UserSession,
  ) {
    this.#id = id;
  }

  static async open(sessions: Sessions, id: string | undefined): Promise<Session> {
    const json = id === undefined ? undefined : await sessions.backend.get(id);
    if (id === undefined || json === undefined) return new Session(sessions, newId(), { ...anonymous });
    return new Session(sessions, id, JSON.parse(json) as UserSession);
  }

  get setCookie(): string | undefined {
    return this.#setCookie;
  }

  /** Under a new id, against fixation; nobody, or whom the change makes of the person. */
  async renew(user: UserSession | undefined): Promise<void> {
    await this.sessions.backend.delete(this.#id);
    this.user = user ?? { ...anonymous };
    this.#id = newId();
    await this.save();
  }

  /** The cookie and the record live as long after each save. */
  async save(): Promise<void> {
    const { backend, config, domain } = this.sessions;
    const lifespan = this.user.keepMeLoggedIn ? config.remember_me : config.expiration;
    await backend.set(this.#id, JSON.stringify(this.user), lifespan);
    const expires = new Date(Date.now() + lifespan).toUTCString();
    const policy = config.same_site.charAt(0).toUpperCase() + config.same_site.slice(1);
    this.#setCookie = `${config.name}=${this.#id}; expires=${expires}; domain=${domain}; path=/; HttpOnly; secure; SameSite=${policy}`;
  }

  async destroy(): Promise<void> {
    await this.sessions.backend.delete(this.#id);
    this.user = { ...anonymous };
    // Without a domain, as the real one does: the browser keeps the old cookie, which no longer means anything.
    this.#setCookie = `${this.sessions.config.name}=; expires=${new Date(0).toUTCString()}; path=/; HttpOnly`;
  }
}

export class Sessions {
  readonly backend: Backend;

  constructor(
    readonly config: Config["session"],
    readonly domain: string,
  ) {
    this.backend = config.redis ? inRedis(config.redis, config.secret) : inMemory();
  }
}

function newId(): string {
  return randomBytes(24).toString("base64url");
}

function inMemory(): Backend {
  const records = new Map<string, { json: string; expires: number }>();
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    get(id) {
      const found = records.get(id);
      return Promise.resolve(found && found.expires > Date.now() ? found.json : undefined);
    },
    set(id, json, lifespan) {
      records.set(id, { json, expires: Date.now() + lifespan });
      return nothing();
    },
    delete(id) {
      records.delete(id);
      return nothing();
    },
    check: nothing,
    close: nothing,
  };
}

function inRedis(address: { readonly host: string; readonly port: number }, secret: string): Backend {
  // The first command connects. It is tried three times more, as the real one does (max_retries 0 is go-redis's default).
  const redis = new Redis({ ...address, connectTimeout: 5000, maxRetriesPerRequest: 3, lazyConnect: true });
  redis.on("error", () => undefined);
  const key = (id: string): string => `authelia-session:${id}`;
  return {
    async get(id) {
      const sealed = await redis.getBuffer(key(id));
      return sealed ? unseal(sealed, secret) : undefined;
    },
    async set(id, json, lifespan) {
      await redis.set(key(id), seal(json, secret), "PX", lifespan);
    },
    async delete(id) {
      await redis.del(key(id));
    },
    async check() {
      await redis.ping().catch((error: unknown) => {
        // It would try for ever, and the process would not end.
        redis.disconnect();
        throw error;
      });
    },
    async close() {
      await redis.quit();
    },
  };
}
