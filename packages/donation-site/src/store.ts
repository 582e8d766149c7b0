import { randomUUID } from "node:crypto";
import Database from "libsql";
import { z } from "zod";
import { newToken, tokenHash } from "./tokens";

const schema = `
  create table if not exists attempts (hash text primary key, state text not null, verifier text not null, expires integer not null) strict;
  create table if not exists sessions (hash text primary key, linuxDo integer not null, username text not null, expires integer not null) strict;
  create table if not exists bindings (linuxDo integer primary key, newApi integer not null unique, at integer not null) strict;
  create table if not exists donations (
    id text primary key, linuxDo integer not null, newApi integer not null, amount integer not null, provider text not null,
    state text not null, attempts integer not null default 0, at integer not null, note text not null default '',
    sentAt integer, totalBefore integer
  ) strict;
  create table if not exists usage (
    month text primary key, requests integer not null, failed integer not null, tokens integer not null
  ) strict;
  create table if not exists entries (id integer primary key autoincrement, at integer not null, line text not null) strict;
  create table if not exists fingerprints (hash text primary key, donation text not null references donations (id)) strict;
`;

/** How long a visitor may take at Linux Do, in milliseconds. */
const attemptLife = 10 * 60_000;
export const sessionLife = 24 * 60 * 60_000;

export interface Attempt {
  readonly state: string;
  readonly verifier: string;
}

export interface Session {
  readonly linuxDo: number;
  readonly username: string;
}

/**
 * `checking`: the credential may be at the proxy, not yet proven. `owed`: proven, quota not yet asked for. `sent`: quota was
 * asked for, the answer is not known yet. `granted`, `refused` and `person` (needs a person) are final.
 */
export type DonationState = "checking" | "owed" | "sent" | "granted" | "refused" | "person";

/** A donation, which is also the outbox entry of its grant. Its id is the idempotency key and names the auth file. */
export interface Donation {
  readonly id: string;
  readonly linuxDo: number;
  readonly newApi: number;
  readonly amount: number;
  readonly provider: string;
  readonly state: DonationState;
  /** How often the present state was tried and stayed unclear. */
  readonly attempts: number;
  readonly at: number;
  /** Why it needs a person, or was refused. */
  readonly note: string;
  readonly sentAt: number | null;
  /** The new-api user's quota ever given, before the grant was asked for. */
  readonly totalBefore: number | null;
}

const line = z.object({
  level: z.enum(["info", "error"]),
  fields: z.record(z.string(), z.union([z.string(), z.number()])),
  message: z.string(),
});
type Line = z.infer<typeof line>;

/** A line of the log about a change. It is written down with the change, so that no crash loses it. */
export interface Entry extends Line {
  /** Counts all lines; a line that a crash had written twice has the same number. */
  readonly id: number;
  /** When it happened. */
  readonly at: number;
}

/** Why a donation is refused. */
export type Verdict = "seen" | "not valid" | "not uploaded";

/**
 * What an administrator does with a donation that needs a person: the quota was `given` by hand; `give` it now; or `refuse` it,
 * so that the credential goes back and may be donated again.
 */
export const decisions = ["given", "give", "refuse"] as const;
export type Decision = (typeof decisions)[number];

/** A login and its new-api user. */
export interface Binding {
  readonly linuxDo: number;
  readonly newApi: number;
  readonly at: number;
}

/** What the model proxy answered in a month, `2026-11`. */
export interface Usage {
  readonly month: string;
  readonly requests: number;
  /** How many of the requests failed. */
  readonly failed: number;
  /** Tokens of questions and answers, as providers count them. */
  readonly tokens: number;
}

/** What survives a restart, in one SQLite file. Times are milliseconds since 1970. */
export class Store {
  readonly #db: Database.Database;
  readonly #tell: ((entry: Entry) => void) | undefined;

  /** @param tell writes a line into the log. @default the lines stay for another process */
  constructor(path: string, tell?: (entry: Entry) => void) {
    this.#db = new Database(path);
    this.#tell = tell;
    // A grant must be on the disk before new-api is asked for it.
    this.#db.exec("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;");
    this.#db.exec(schema);
    this.#tellAll();
  }

  close(): void {
    this.#db.close();
  }

  #all<T>(sql: string, ...values: (string | number | null)[]): T[] {
    return this.#db.prepare(sql).all(...values) as T[];
  }

  #run(sql: string, ...values: (string | number | null)[]): number {
    return this.#db.prepare(sql).run(...values).changes;
  }

  /** Changes something, and writes down the lines about it, all or nothing. */
  #change<T>(work: (note: Note) => T): T {
    const note: Note = (about) => {
      this.#run("insert into entries (at, line) values (?, ?)", Date.now(), JSON.stringify(about));
    };
    const result = this.#db.transaction(() => work(note))();
    this.#tellAll();
    return result;
  }

  /** Writes what is not in the log yet. */
  #tellAll(): void {
    if (this.#tell === undefined) return;
    const sql = "select id, at, line from entries order by id";
    for (const { id, at, line: text } of this.#all<{ id: number; at: number; line: string }>(sql)) {
      this.#tell({ ...line.parse(JSON.parse(text)), id, at });
      this.#run("delete from entries where id = ?", id);
    }
  }

  /** @returns the token that the visitor's browser keeps */
  beginLogin({ state, verifier }: Attempt): string {
    const token = newToken();
    this.#run("insert into attempts values (?, ?, ?, ?)", tokenHash(token), state, verifier, Date.now() + attemptLife);
    return token;
  }

  /** The attempt, which is thereby used up. */
  takeLogin(token: string): Attempt | undefined {
    const hash = tokenHash(token);
    const [found] = this.#all<Attempt>(
      "select state, verifier from attempts where hash = ? and expires > ?",
      hash,
      Date.now(),
    );
    // Only one of two callers at once deletes the row.
    return this.#run("delete from attempts where hash = ?", hash) === 1 ? found : undefined;
  }

  /** @returns the token; only its hash is kept */
  openSession({ linuxDo, username }: Session): string {
    const token = newToken();
    this.#run(
      "insert into sessions values (?, ?, ?, ?)",
      tokenHash(token),
      linuxDo,
      username,
      Date.now() + sessionLife,
    );
    return token;
  }

  session(token: string): Session | undefined {
    const sql = "select linuxDo, username from sessions where hash = ? and expires > ?";
    return this.#all<Session>(sql, tokenHash(token), Date.now())[0];
  }

  closeSession(token: string): void {
    this.#run("delete from sessions where hash = ?", tokenHash(token));
  }

  forgetExpired(): void {
    this.#run("delete from attempts where expires <= ?", Date.now());
    this.#run("delete from sessions where expires <= ?", Date.now());
  }

  /** @returns whether it is bound now; false: the new-api user belongs to another login already */
  bind(linuxDo: number, newApi: number): boolean {
    const sql =
      "insert into bindings values (?, ?, ?) on conflict (linuxDo) do update set newApi = excluded.newApi, at = excluded.at";
    const bound = unlessTaken(() =>
      this.#change((note) => {
        this.#run(sql, linuxDo, newApi, Date.now());
        note({ level: "info", fields: { event: "bind", userId: linuxDo, newApi }, message: "bound" });
        return true;
      }),
    );
    return bound ?? false;
  }

  /**
   * Takes a binding away, unless quota of it is still on its way.
   *
   * @param by whose wish it is
   * @returns the new-api user that it was; undefined: there was none
   */
  unbind(linuxDo: number, by: number): number | "busy" | undefined {
    return this.#change((note) => {
      const open = "select 1 from donations where linuxDo = ? and state in ('checking', 'owed', 'sent')";
      if (this.#all(open, linuxDo).length > 0) return "busy";
      const [gone] = this.#all<{ newApi: number }>("delete from bindings where linuxDo = ? returning newApi", linuxDo);
      if (gone === undefined) return undefined;
      const { newApi } = gone;
      note({ level: "info", fields: { event: "unbind", userId: linuxDo, newApi, by }, message: "unbound" });
      return newApi;
    });
  }

  /** In the order of their logins. */
  bindings(): Binding[] {
    return this.#all<Binding>("select * from bindings order by linuxDo");
  }

  /** Id of the bound new-api user. */
  binding(linuxDo: number): number | undefined {
    return this.#all<{ newApi: number }>("select newApi from bindings where linuxDo = ?", linuxDo)[0]?.newApi;
  }

  /** Claims a credential for a new donation. @returns undefined where one of its fingerprints was seen before */
  claim(
    donation: Pick<Donation, "linuxDo" | "newApi" | "amount" | "provider">,
    fingerprints: readonly string[],
  ): Donation | undefined {
    const id = randomUUID();
    const { linuxDo, newApi, amount, provider } = donation;
    const insert =
      "insert into donations (id, linuxDo, newApi, amount, provider, state, at) values (?, ?, ?, ?, ?, 'checking', ?)";
    const all = this.#db.transaction(() => {
      this.#run(insert, id, linuxDo, newApi, amount, provider, Date.now());
      for (const hash of fingerprints) this.#run("insert into fingerprints values (?, ?)", hash, id);
    });
    return unlessTaken(() => {
      all();
      return this.donation(id);
    });
  }

  /** The donation is owed its quota. @returns false where the proven account was seen before */
  prove(id: string, fingerprints: readonly string[]): boolean {
    const all = this.#db.transaction(() => {
      for (const hash of fingerprints) {
        this.#run(
          "insert into fingerprints values (?, ?) on conflict (hash) do update set hash = hash where donation = excluded.donation",
          hash,
          id,
        );
        const [owner] = this.#all<{ donation: string }>("select donation from fingerprints where hash = ?", hash);
        if (owner?.donation !== id) throw new Taken();
      }
      this.#run("update donations set state = 'owed', attempts = 0 where id = ? and state = 'checking'", id);
    });
    return (
      unlessTaken(() => {
        all();
        return true;
      }) ?? false
    );
  }

  /** It will be refused, once its credential is gone from the proxy. */
  condemn(id: string, verdict: Verdict): void {
    this.#run("update donations set note = ? where id = ? and state = 'checking'", verdict, id);
  }

  /** One that was `seen` keeps its fingerprints, so that it cannot be donated again. */
  refuse({ id, linuxDo }: Donation, why: Verdict): void {
    this.#change((note) => {
      if (why !== "seen") this.#run("delete from fingerprints where donation = ?", id);
      this.#run("update donations set state = 'refused', note = ? where id = ?", why, id);
      const fields = { event: "donation-refused", userId: linuxDo, amount: 0, why, donation: id };
      note({ level: "info", fields, message: "donation refused" });
    });
  }

  markSent(id: string, totalBefore: number): void {
    this.#run(
      "update donations set state = 'sent', sentAt = ?, totalBefore = ? where id = ?",
      Date.now(),
      totalBefore,
      id,
    );
  }

  /** Nothing where it was granted before. */
  markGranted(donation: Donation): void {
    this.#change((note) => {
      this.#grant(donation, note);
    });
  }

  #grant({ id, linuxDo, newApi, amount }: Donation, note: Note): void {
    const sql = "update donations set state = 'granted', note = '' where id = ? and state <> 'granted'";
    if (this.#run(sql, id) !== 1) return;
    const fields = { event: "donation", userId: linuxDo, newApi, amount, donation: id };
    note({ level: "info", fields, message: "donation" });
  }

  needsPerson({ id, linuxDo, amount }: Donation, why: string): void {
    this.#change((note) => {
      this.#run("update donations set state = 'person', note = ? where id = ?", why, id);
      const fields = { event: "needs-person", userId: linuxDo, amount, donation: id, note: why };
      note({ level: "error", fields, message: "needs a person" });
    });
  }

  /** A person's word on a donation that needs one. @param by who says it */
  decide(donation: Donation, decision: Decision, by: number): void {
    const { id } = donation;
    this.#change((note) => {
      if (decision === "given") this.#grant(donation, note);
      if (decision === "give")
        this.#run(
          "update donations set state = 'owed', note = '', attempts = 0, sentAt = null, totalBefore = null where id = ?",
          id,
        );
      if (decision === "refuse") {
        this.#run("update donations set state = 'refused', note = 'refused by an administrator' where id = ?", id);
        this.#run("delete from fingerprints where donation = ?", id);
      }
      note({ level: "info", fields: { event: "decision", userId: by, donation: id, decision }, message: "decided" });
    });
  }

  /** @returns how often it was tried by now */
  tried(id: string): number {
    return (
      this.#all<{ attempts: number }>(
        "update donations set attempts = attempts + 1 where id = ? returning attempts",
        id,
      )[0]?.attempts ?? 0
    );
  }

  addUsage({ month, requests, failed, tokens }: Usage): void {
    this.#run(
      "insert into usage values (?, ?, ?, ?) on conflict (month) do update set requests = requests + excluded.requests, failed = failed + excluded.failed, tokens = tokens + excluded.tokens",
      month,
      requests,
      failed,
      tokens,
    );
  }

  usage(month: string): Usage {
    const [found] = this.#all<Usage>("select * from usage where month = ?", month);
    return found ?? { month, requests: 0, failed: 0, tokens: 0 };
  }

  donation(id: string): Donation | undefined {
    return this.#all<Donation>("select * from donations where id = ?", id)[0];
  }

  /** In the order they were made. */
  donations(states: readonly DonationState[]): Donation[] {
    return this.#all<Donation>("select * from donations order by at, rowid").filter(({ state }) =>
      states.includes(state),
    );
  }

  donationsOf(linuxDo: number): Donation[] {
    return this.#all<Donation>(
      "select * from donations where linuxDo = ? order by at desc, rowid desc limit 50",
      linuxDo,
    );
  }
}

type Note = (about: Line) => void;

class Taken extends Error {}

/** The result, or undefined where a unique value is taken. */
function unlessTaken<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Taken || /UNIQUE|PRIMARYKEY/.test(String((error as { code?: unknown }).code)))
      return undefined;
    throw error;
  }
}
