// Stand-in for Authelia 4.39.20: the session of one request and the cookie that carries it.
import { randomBytes } from "node:crypto";
import type { CookieConfig } from "../config/types";
import type { SessionStore, UserSession } from "../state/sessions";
import { anonymousSession } from "../state/sessions";

const characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_!#$%^*";

export class SessionHandle {
  user: UserSession;
  #setCookie: string | undefined;

  private constructor(
    readonly store: SessionStore,
    readonly cookie: CookieConfig,
    private id: string,
    user: UserSession,
    private lifespan: number,
  ) {
    this.user = user;
  }

  static async open(
    store: SessionStore,
    cookie: CookieConfig,
    cookieHeader: string | undefined,
  ): Promise<SessionHandle> {
    const id = readCookie(cookieHeader, cookie.name);
    const record = id === undefined ? undefined : await store.get(id);
    if (id !== undefined && record?.user.cookieDomain === cookie.domain)
      return new SessionHandle(store, cookie, id, record.user, record.lifespan);
    return new SessionHandle(store, cookie, newId(), anonymousSession(cookie.domain), cookie.expiration);
  }

  get setCookie(): string | undefined {
    return this.#setCookie;
  }

  /** Starts over as somebody nobody knows yet. */
  async reset(): Promise<void> {
    await this.store.delete(this.id);
    this.user = anonymousSession(this.cookie.domain);
    this.lifespan = this.cookie.expiration;
    this.id = newId();
  }

  /** A new id for the same person, against fixation. */
  async regenerate(): Promise<void> {
    await this.store.delete(this.id);
    this.id = newId();
  }

  remember(): void {
    if (this.cookie.rememberMe !== undefined) this.lifespan = this.cookie.rememberMe;
  }

  async save(): Promise<void> {
    await this.store.set(this.id, { user: this.user, lifespan: this.lifespan });
    const { name, domain, sameSite } = this.cookie;
    const expires = new Date(Date.now() + this.lifespan).toUTCString();
    const policy = sameSite.charAt(0).toUpperCase() + sameSite.slice(1);
    this.#setCookie = `${name}=${this.id}; expires=${expires}; domain=${domain}; path=/; HttpOnly; secure; SameSite=${policy}`;
  }

  async destroy(): Promise<void> {
    await this.store.delete(this.id);
    this.user = anonymousSession(this.cookie.domain);
    // Without a domain, as the real one does: the browser keeps the old cookie, which no longer means anything.
    this.#setCookie = `${this.cookie.name}=; expires=${new Date(0).toUTCString()}; path=/; HttpOnly`;
  }
}

function newId(): string {
  return Array.from(randomBytes(32), (byte) => characters.charAt(byte % characters.length)).join("");
}

function readCookie(cookieHeader: string | undefined, name: string): string | undefined {
  for (const part of (cookieHeader ?? "").split(";")) {
    const [key = "", ...value] = part.trim().split("=");
    if (key === name && value.join("=") !== "") return value.join("=");
  }
  return undefined;
}
