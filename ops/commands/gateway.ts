import { createHash, randomBytes } from "node:crypto";
import { parseDocument } from "yaml";
import type { Operations } from "../../components/operations";
import { hashPassword } from "../../components/auth-gateway/password-hash";
import { password as passwordSchema } from "../../components/settings/checks";
import { onHost } from "../host";
import { type Answer, answer } from "../shapes";
import { OpsError, type StackChoice } from "../stack";

/** Runs a program in Authelia's container. Its name has a number, which each start-first update changes. */
export const inGateway = "docker compose --project-name cloudcode-auth exec --no-TTY authelia";

/**
 * Authelia's users file with another password of one user; everything else stays as it is written.
 *
 * @param hash PHC text
 * @throws OpsError where the file holds no such user
 */
export function withPasswordHash(users: string, username: string, hash: string): string {
  const document = parseDocument(users);
  if (!document.hasIn(["users", username])) throw new OpsError(`Authelia has no user ${username}`);
  document.setIn(["users", username, "password"], hash);
  return document.toString({ lineWidth: 0 });
}

/** @throws OpsError that says why Authelia or the program would refuse it */
export function checkPassword(password: string): void {
  const parsed = passwordSchema.safeParse(password);
  if (!parsed.success) throw new OpsError(`the password ${parsed.error.issues[0]?.message ?? "is not acceptable"}`);
}

/** Everybody with an account, the operator first. */
export function accountsOf({ operator, people = [] }: Pick<Operations, "operator" | "people">): string[] {
  return [operator, ...people.map(({ name }) => name)];
}

/**
 * An account as typed.
 *
 * @param who undefined: the operator
 * @throws OpsError that lists those there are
 */
export function accountOf(operations: Pick<Operations, "operator" | "people">, who: string | undefined): string {
  const accounts = accountsOf(operations);
  if (who === undefined) return operations.operator;
  if (accounts.includes(who)) return who;
  throw new OpsError(`this stack has no account ${who}; it has ${accounts.join(", ")}`);
}

/**
 * Sets the operator's password, or a person's, at the gateway, as the portal would; only its hash leaves this machine. The file is read and
 * written inside the gateway's container, as its user: the folder is Authelia's own, where root would follow any link.
 */
export async function setPassword(choice: StackChoice, password: string, who?: string): Promise<string> {
  checkPassword(password);
  const hash = await hashPassword(password, randomBytes(16).toString("base64"));
  return onHost(choice, async (ssh, { operations }) => {
    const account = accountOf(operations, who);
    const { stdout: users } = await ssh.script(`exec ${inGateway} cat /config/users.yml`);
    // What Authelia wrote in between is not overwritten.
    await ssh.script(
      `exec ${inGateway} sh -c '
         umask 077
         file=/config/users.yml new=/config/users.yml.password
         trap "rm -f $new" EXIT
         rm -f "$new" && cat >"$new" || exit 1
         if [ "$(sha256sum <"$file" | cut -d" " -f1)" = "$1" ]; then mv "$new" "$file"; else echo "the users file changed meanwhile: try again" >&2; exit 1; fi' sh "$1"`,
      [createHash("sha256").update(users).digest("hex")],
      { input: withPasswordHash(users, account, hash) },
    );
    return account;
  });
}

/** The gateway's own command line. */
type Authelia = (...words: readonly string[]) => Promise<string>;

/**
 * Runs an action with the gateway's own command line.
 *
 * @throws OpsError with what a command says is wrong, without the page of usage that follows it
 */
function withAuthelia<T>(
  choice: StackChoice,
  action: (authelia: Authelia, operations: Operations) => Promise<T>,
): Promise<T> {
  return onHost(choice, (ssh, { operations }) =>
    action(async (...words) => {
      try {
        return (await ssh.script(`exec ${inGateway} authelia "$@"`, words)).stdout.trim();
      } catch (error) {
        const [, fault] = error instanceof OpsError ? (/^Error: (.*)$/m.exec(error.message) ?? []) : [];
        throw fault === undefined ? error : new OpsError(fault, { cause: error });
      }
    }, operations),
  );
}

/** What `action` gives, or this where it fails with such words. */
async function unless(words: RegExp, instead: string, action: Promise<string>): Promise<string> {
  try {
    return await action;
  } catch (error) {
    if (error instanceof OpsError && words.test(error.message)) return instead;
    throw error;
  }
}

function passkeys(authelia: Authelia, account: string): Promise<string> {
  const list = authelia("storage", "user", "webauthn", "list", account);
  return unless(/has no WebAuthn credentials/, `${account} has no passkey.`, list);
}

/** What Authelia prints of each account's passkeys, the operator's first. */
export function listDevices(choice: StackChoice): Promise<{ readonly account: string; readonly table: string }[]> {
  return withAuthelia(choice, async (authelia, operations) => {
    const found = [];
    // One after another: each is a process next to the gateway's, in its memory.
    for (const account of accountsOf(operations)) found.push({ account, table: await passkeys(authelia, account) });
    return found;
  });
}

/** The passkeys in Authelia's table: ID, KID, and what the operator called it. */
export function passkeysIn(table: string): { readonly kid: string; readonly description: string }[] {
  return [...table.matchAll(/^\d+ +(\S+) +(.*?) *$/gm)].map(([, kid = "", description = ""]) => ({ kid, description }));
}

/**
 * @param kid key id as {@link listDevices} shows it
 * @param who whose it is. @default the operator
 * @throws OpsError where that account has no such passkey: Authelia itself calls that a success
 */
export function removePasskey(choice: StackChoice, kid: string, who?: string): Promise<string> {
  return withAuthelia(choice, async (authelia, operations) => {
    const account = accountOf(operations, who);
    const lines = (await passkeys(authelia, account)).split("\n");
    if (!lines.some((line) => line.trim().split(/\s+/)[1] === kid))
      throw new OpsError(`${account} has no passkey with the KID ${kid}: npm run ops -- devices lists them`);
    return authelia("storage", "user", "webauthn", "delete", `--kid=${kid}`);
  });
}

/** @param who whose it is. @default the operator */
export function removeTotp(choice: StackChoice, who?: string): Promise<string> {
  return withAuthelia(choice, (authelia, operations) => {
    const account = accountOf(operations, who);
    const removed = authelia("storage", "user", "totp", "delete", account);
    return unless(/no TOTP configuration/, `${account} has no authenticator app.`, removed);
  });
}

/** One ban. */
export interface Ban {
  readonly kind: "ip" | "user";
  readonly id: string;
  /** The address or the user's name. */
  readonly who: string;
  /** As Authelia prints it. */
  readonly expires: string;
}

/** The bans in one of Authelia's tables; its columns are padded with spaces, and a time holds one. */
export function bansIn(kind: Ban["kind"], table: string): Ban[] {
  const rows = table.matchAll(/^(\d+) +(\S.*?) +(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|never)(?: .*)?$/gm);
  return [...rows].map(([, id = "", who = "", expires = ""]) => ({ kind, id, who, expires }));
}

async function bans(authelia: Authelia): Promise<Ban[]> {
  const addresses = await authelia("storage", "bans", "ip", "list");
  return [...bansIn("ip", addresses), ...bansIn("user", await authelia("storage", "bans", "user", "list"))];
}

const nobody = "Nobody is banned.";

/** Bans of addresses and of users. */
export function listBans(choice: StackChoice): Promise<Answer> {
  return withAuthelia(choice, async (authelia) => {
    const all = await bans(authelia);
    return answer(
      "unban",
      all.map(({ kind, who, expires }) => ({ kind, who, until: expires })),
      all.length === 0 ? nobody : all.map(({ who, expires }) => `${who} until ${expires}`).join("\n"),
    );
  });
}

/**
 * Lifts bans.
 *
 * @param who an address, or a user's name. @default everybody
 * @throws OpsError where that one is not banned
 */
export function unban(choice: StackChoice, who: string | undefined): Promise<string> {
  return withAuthelia(choice, async (authelia) => {
    const all = await bans(authelia);
    const chosen = who === undefined ? all : all.filter((ban) => ban.who === who);
    if (who !== undefined && chosen.length === 0) {
      const others = [...new Set(all.map((ban) => ban.who))];
      throw new OpsError(
        `${who} is not banned; ${others.length === 0 ? "nobody is banned" : `banned: ${others.join(", ")}`}`,
      );
    }
    for (const { kind, id, who: name } of chosen) {
      const answer = await authelia("storage", "bans", kind, "revoke", `--id=${id}`);
      if (!/ (SUCCESS|SKIPPED) /.test(answer)) throw new OpsError(`the ban of ${name} was not lifted: ${answer}`);
    }
    const lifted = [...new Set(chosen.map((ban) => ban.who))];
    return lifted.length === 0 ? nobody : lifted.map((name) => `${name} can sign in again.`).join("\n");
  });
}
